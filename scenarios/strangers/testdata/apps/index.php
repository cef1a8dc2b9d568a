<?php
// An ordinary PHP front controller; script.py says what its variables mean.
function setting($name, $or) { $v = getenv($name); return $v === false || $v === '' ? $or : $v; }
function span($name, $or) { $p = explode('-', setting($name, $or)); return [(int)$p[0], (int)end($p)]; }
function between($s) { return random_int($s[0], $s[1]); }

$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
if ($path === '/health') { echo 'ok'; return; }
$shape = setting('SHAPE', 'openai'); $bug = setting('BUG', ''); $at = (int)setting('AT', '6');
$events = span('EVENTS', '20-60'); $gap = span('GAP', '20-60'); $size = span('SIZE', '4-40');
if ($path === '/login' || $bug === 'redirect') { header('Location: ' . ($path === '/login' ? '/stream' : '/login'), true, 302); return; }
if (random_int(0, 99) >= (int)setting('SHARE', '100')) $bug = '';
if ($bug === 'status') { http_response_code(503); echo 'service unavailable'; return; }

function word($size) {
    $s = '';
    for ($n = between($size); $n > 0; $n--) $s .= chr(97 + random_int(0, 25));
    return $s . ' ';
}
function chunk($delta, $reason) {
    return 'data: ' . json_encode(['id' => 'chatcmpl-7f3a', 'object' => 'chat.completion.chunk', 'created' => 1764240000, 'model' => 'small-1',
        'choices' => [['index' => 0, 'delta' => (object)$delta, 'finish_reason' => $reason]]]) . "\n\n";
}
function piece($shape, $text) {
    switch ($shape) {
        case 'text': return $text;
        case 'ndjson': return json_encode(['token' => $text, 'done' => false]) . "\n";
        case 'sse': return 'data: ' . json_encode(['text' => $text]) . "\n\n";
    }
    return chunk(['content' => $text], null);
}
function send($wait, $data) {
    if ($wait > 0) usleep((int)($wait * 1e6));
    echo $data;
    if (ob_get_level() > 0) ob_flush();
    flush();
}

header('Content-Type: ' . ['openai' => 'text/event-stream', 'sse' => 'text/event-stream', 'ndjson' => 'application/x-ndjson', 'text' => 'text/plain; charset=utf-8'][$shape]);
for ($i = 0, $n = between($events); $i < $n; $i++) {
    $wait = between($gap) / 1000;
    if ($i === $at) {
        if ($bug === 'raise') throw new RuntimeException('vector store connection lost');
        if ($bug === 'stop') return;
        if ($bug === 'inband') {
            $body = json_encode(['error' => ['message' => 'upstream model overloaded', 'type' => 'server_error']]);
            send($wait, $shape === 'sse' ? "event: error\ndata: $body\n\n" : ($shape === 'ndjson' ? "$body\n" : "data: $body\n\n"));
            return;
        }
        if ($bug === 'stall') $wait = (float)setting('SECONDS', '2');
    }
    send($wait, piece($shape, word($size)));
}
if ($shape === 'openai') send(0, chunk([], 'stop'));
if ($bug === 'unfinished') return;
send(0, ['openai' => "data: [DONE]\n\n", 'sse' => "event: done\ndata: {}\n\n", 'ndjson' => '{"token":"","done":true}' . "\n", 'text' => ''][$shape]);
