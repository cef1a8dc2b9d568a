// An ordinary Node server; script.py says what its variables mean.
const http = require('node:http');
const { setTimeout: sleep } = require('node:timers/promises');

const env = (name, or) => process.env[name] || or;
const span = (name, or) => { const [low, high] = env(name, or).split('-').map(Number); return [low, high || low]; };
const shape = env('SHAPE', 'openai'), bug = env('BUG', ''), at = +env('AT', '6'), share = +env('SHARE', '100');
const seconds = +env('SECONDS', '2'), limit = +env('LIMIT', '5');
const events = span('EVENTS', '20-60'), gap = span('GAP', '20-60'), size = span('SIZE', '4-40');
const types = { openai: 'text/event-stream', sse: 'text/event-stream', ndjson: 'application/x-ndjson', text: 'text/plain; charset=utf-8' };
const between = ([low, high]) => low + Math.floor(Math.random() * (high - low + 1));
const hit = () => Math.random() * 100 < share;

const word = () => Array.from({ length: between(size) }, () => 'abcdefghijklmnopqrstuvwxyz'[between([0, 25])]).join('') + ' ';
const chunk = (delta, reason) => 'data: ' + JSON.stringify({ id: 'chatcmpl-7f3a', object: 'chat.completion.chunk', created: 1764240000,
  model: 'small-1', choices: [{ index: 0, delta, finish_reason: reason }] }) + '\n\n';
function piece(text) {
  switch (shape) {
    case 'text': return text;
    case 'ndjson': return JSON.stringify({ token: text, done: false }) + '\n';
    case 'sse': return 'data: ' + JSON.stringify({ text }) + '\n\n';
  }
  return chunk({ content: text }, null);
}
const finish = () => shape === 'openai' ? chunk({}, 'stop') : '';
const terminal = () => ({ openai: 'data: [DONE]\n\n', sse: 'event: done\ndata: {}\n\n', ndjson: '{"token": "", "done": true}\n', text: '' })[shape];
function failure() {
  const body = JSON.stringify({ error: { message: 'upstream model overloaded', type: 'server_error' } });
  return shape === 'sse' ? `event: error\ndata: ${body}\n\n` : shape === 'ndjson' ? body + '\n' : `data: ${body}\n\n`;
}

let answers = 0, active = 0;
async function* answer() {
  active++;
  try {
    yield* produce(answers++ % 5 === 4);
  } finally {
    active--;
  }
}

async function* produce(fifth) {
  const wrong = hit() ? bug : '';
  for (let i = 0, n = between(events); i < n; i++) {
    let wait = between(gap);
    if (i === at) {
      if (wrong === 'raise') throw new TypeError("Cannot read properties of undefined (reading 'choices')");
      if (wrong === 'stop') return;
      if (wrong === 'inband') { await sleep(wait); yield failure(); return; }
      if (wrong === 'hiccup' && fifth && active > 3) spin(seconds * 1000);
      if (wrong === 'stall') wait = seconds * 1000;
    }
    await sleep(wait);
    yield piece(word());
  }
  if (finish()) yield finish();
  if (wrong === 'open') await sleep(60000);
  if (wrong !== 'unfinished' && terminal()) yield terminal();
}

function spin(ms) { for (const end = Date.now() + ms; Date.now() < end;); }
let running = 0;
const waiting = [];
const acquire = () => running < limit ? (running++, null) : new Promise((go) => waiting.push(go));
const release = () => { const next = waiting.shift(); if (next) next(); else running--; };

async function complete(req, res) {
  if (bug === 'status' && hit()) { res.writeHead(503, { 'Content-Type': 'application/json' }); return res.end('{"error":"service unavailable"}'); }
  if (bug === 'redirect') { res.writeHead(302, { Location: '/login' }); return res.end(); }
  if (bug === 'block') spin(300);
  if (bug === 'limit') await acquire();
  try {
    if (bug === 'join') {
      const parts = [];
      for await (const data of answer()) parts.push(data);
      const body = parts.join('');
      res.writeHead(200, { 'Content-Type': types[shape], 'Content-Length': Buffer.byteLength(body) });
      return res.end(body);
    }
    res.writeHead(200, { 'Content-Type': types[shape], 'Cache-Control': 'no-cache' });
    for await (const data of answer()) res.write(data);
    res.end();
  } catch (err) {
    console.error(err);
    res.destroy(err);
  } finally {
    if (bug === 'limit') release();
  }
}

http.createServer((req, res) => {
  const path = req.url.split('?')[0];
  if (path === '/health') { res.writeHead(200, { 'Content-Type': 'application/json' }); return res.end('{"status":"ok"}'); }
  if (path === '/login') { res.writeHead(302, { Location: '/stream' }); return res.end(); }
  req.resume().on('end', () => complete(req, res));
}).listen(+process.env.PORT, '127.0.0.1', () => console.log(`listening on ${process.env.PORT}`));
