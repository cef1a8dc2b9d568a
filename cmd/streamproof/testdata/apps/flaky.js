// A Node server of server-sent events with a bug that strikes one answer in 250: it
// ends in the middle, as if it were whole.
const http = require("http");

let n = 0;
http
  .createServer((req, res) => {
    if (req.url === "/healthz") return res.end("ok");
    const mine = ++n;
    res.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
    let i = 0;
    const tick = () => {
      if (mine % 250 === 0 && i === 4) return res.end();
      if (i === 8) {
        res.write("event: finish\ndata: {}\n\n");
        return res.end();
      }
      res.write(`event: token\ndata: ${JSON.stringify({ text: "word" + i++ })}\n\n`);
      setTimeout(tick, 5);
    };
    tick();
  })
  .listen(Number(process.argv[2]), "127.0.0.1");
