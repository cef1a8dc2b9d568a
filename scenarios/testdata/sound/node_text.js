const http = require('node:http');
const { setTimeout: sleep } = require('node:timers/promises');

const words = ('The travel policy changed in three places: hotel rates follow the city list, ' +
  'train tickets need no approval, and receipts are due within thirty days.').split(' ');

const server = http.createServer(async (req, res) => {
  res.writeHead(200, { 'Content-Type': 'text/plain; charset=utf-8' });
  for (const word of words) {
    res.write(word + ' ');
    await sleep(50);
  }
  res.end();
}).listen(process.env.PORT, '127.0.0.1');

process.on('SIGTERM', () => server.close(() => process.exit(0)));
