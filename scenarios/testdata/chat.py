"""A chat server in asyncio alone, as people write them: one process, one loop, no
handler for SIGTERM. argv: port, mode (good, block, raise)."""
import asyncio
import json
import sys
import time

PORT, MODE = int(sys.argv[1]), sys.argv[2]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\nX-Accel-Buffering: no\r\n\r\n"
blocked = False
live = 0  # answers under way


def event(delta, finish=None):
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return f"data: {json.dumps({'object': 'chat.completion.chunk', 'choices': [choice]})}\n\n"


async def chat(write):
    global live
    live += 1
    try:
        await answer(write)
    finally:
        live -= 1


async def answer(write):
    global blocked
    for i in range(40):
        if MODE == "raise" and i == 10:
            raise RuntimeError("the model went away")
        if MODE == "block" and i == 20 and live > 1 and not blocked:
            blocked = True
            time.sleep(4)  # the sin: a blocking call in async code
        await write(event({"content": f"token {i} "}))
        await asyncio.sleep(0.05)
    await write(event({}, "stop"))
    await write("data: [DONE]\n\n")


async def serve(reader, writer):
    async def write(text):
        writer.write(b"%x\r\n%s\r\n" % (len(text.encode()), text.encode()))
        await writer.drain()

    try:
        request = await reader.readuntil(b"\r\n\r\n")
        if request.startswith(b"GET /healthz"):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        else:
            writer.write(HEAD)
            await chat(write)
            writer.write(b"0\r\n\r\n")
        await writer.drain()
    except (ConnectionError, asyncio.IncompleteReadError):
        pass  # the client left
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", PORT)
    async with server:
        await server.serve_forever()


asyncio.run(main())
