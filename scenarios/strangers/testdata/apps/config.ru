# An ordinary Rack app; script.py says what its variables mean.
require 'json'

def setting(name, default) = ENV.fetch(name, default).then { |v| v.empty? ? default : v }
def span(name, default) = setting(name, default).split('-').map(&:to_i).then { |low, high| low..(high || low) }

SHAPE = setting('SHAPE', 'openai')
BUG = ENV.fetch('BUG', '')
AT = setting('AT', '6').to_i
SHARE = setting('SHARE', '100').to_i
SECONDS = setting('SECONDS', '2').to_f
EVENTS, GAP, SIZE = span('EVENTS', '20-60'), span('GAP', '20-60'), span('SIZE', '4-40')
TYPES = { 'openai' => 'text/event-stream', 'sse' => 'text/event-stream', 'ndjson' => 'application/x-ndjson', 'text' => 'text/plain; charset=utf-8' }.freeze
TERMINALS = { 'openai' => "data: [DONE]\n\n", 'sse' => "event: done\ndata: {}\n\n", 'ndjson' => %({"token":"","done":true}\n) }.freeze

class Answer
  def each
    bug = rand(100) < SHARE ? BUG : ''
    rand(EVENTS).times do |i|
      wait = rand(GAP) / 1000.0
      if i == AT
        raise 'vector store connection lost' if bug == 'raise'
        return if bug == 'stop'
        if bug == 'inband'
          yield failure
          return
        end
        wait = SECONDS if bug == 'stall'
      end
      sleep wait
      yield piece(Array.new(rand(SIZE)) { rand(97..122).chr }.join + ' ')
    end
    yield chunk({}, 'stop') if SHAPE == 'openai'
    return if bug == 'unfinished'
    yield TERMINALS[SHAPE] if TERMINALS[SHAPE]
  end

  def chunk(delta, reason)
    body = { id: 'chatcmpl-7f3a', object: 'chat.completion.chunk', created: 1764240000, model: 'small-1',
             choices: [{ index: 0, delta: delta, finish_reason: reason }] }
    "data: #{JSON.generate(body)}\n\n"
  end

  def piece(text)
    case SHAPE
    when 'text' then text
    when 'ndjson' then "#{JSON.generate(token: text, done: false)}\n"
    when 'sse' then "data: #{JSON.generate(text: text)}\n\n"
    else chunk({ content: text }, nil)
    end
  end

  def failure
    body = JSON.generate(error: { message: 'upstream model overloaded', type: 'server_error' })
    { 'sse' => "event: error\ndata: #{body}\n\n", 'ndjson' => "#{body}\n" }.fetch(SHAPE, "data: #{body}\n\n")
  end
end

run lambda { |env|
  case env['PATH_INFO']
  when '/health' then next [200, { 'Content-Type' => 'text/plain' }, ['ok']]
  when '/login' then next [302, { 'Location' => '/stream' }, []]
  end
  env['rack.input'].read
  next [302, { 'Location' => '/login' }, []] if BUG == 'redirect'
  next [503, { 'Content-Type' => 'text/plain' }, ['service unavailable']] if BUG == 'status' && rand(100) < SHARE

  [200, { 'Content-Type' => TYPES[SHAPE] }, Answer.new]
}
