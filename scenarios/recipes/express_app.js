// An endpoint in OpenAI's format as Express apps have them.
const express = require('express');
const { setTimeout: sleep } = require('node:timers/promises');

const answer = ('The travel policy changed in three places: hotel rates follow the city list, ' +
  'train tickets need no approval, and receipts are due within thirty days.').split(' ');

const app = express();
app.use(express.json());

app.post('/v1/chat/completions', async (req, res) => {
  const id = 'chatcmpl-' + process.hrtime.bigint();
  const chunk = (delta, finish = null) => res.write('data: ' + JSON.stringify({
    id, object: 'chat.completion.chunk', model: req.body.model,
    choices: [{ index: 0, delta, finish_reason: finish }],
  }) + '\n\n');

  res.set({ 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache', 'X-Accel-Buffering': 'no' });
  res.flushHeaders();
  let left = false;
  res.on('close', () => { left = true; }); // the client has gone: stop producing
  chunk({ role: 'assistant' });
  for (const word of answer) {
    if (left) return;
    chunk({ content: word + ' ' });
    await sleep(30);
  }
  chunk({}, 'stop');
  res.end('data: [DONE]\n\n');
});

app.get('/healthz', (req, res) => res.json({ ok: true }));

const server = app.listen(process.env.PORT || 8000, '127.0.0.1');
// A deploy sends SIGTERM: let streams finish, take no new connection, and go.
process.on('SIGTERM', () => server.close(() => process.exit(0)));
