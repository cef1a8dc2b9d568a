"""A gateway in the shape of LiteLLM's proxy: it checks a key, passes a chat completion on to a model
server, and relays its events as they come. What the model server fails to finish it says in the
stream. The model server is a second server of this process."""

import asyncio
import json
import sys

from aiohttp import ClientError, ClientSession, web

KEY = "sk-1234"
ANSWER = ("The travel policy changed in three places: hotel rates follow the city list, "
          "train tickets need no approval, and receipts are due within thirty days.").split()


def sse(data):
    return f"data: {json.dumps(data)}\n\n".encode()


async def model(request):
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    for word in ANSWER + [None]:
        delta = {"content": word + " "} if word else {}
        await response.write(sse({"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": "demo",
                                  "choices": [{"index": 0, "delta": delta, "finish_reason": None if word else "stop"}]}))
        await asyncio.sleep(0.03)
    await response.write(b"data: [DONE]\n\n")
    return response


async def gateway(request):
    if request.headers.get("Authorization") != f"Bearer {KEY}":
        return web.json_response({"error": {"message": "Authentication Error", "code": "401"}}, status=401)
    body = await request.json()
    async with request.app["client"].post(request.app["model"], json=body) as upstream:
        response = web.StreamResponse(status=upstream.status, headers={
            "Content-Type": "text/event-stream", "Cache-Control": "no-cache", "X-Accel-Buffering": "no"})
        await response.prepare(request)
        done = False
        try:
            async for line in upstream.content:
                done = done or line.startswith(b"data: [DONE]")
                await response.write(line)
        except ClientError:
            pass
        if not done:  # never end a cut answer as if it were complete
            await response.write(sse({"error": {"message": "the model server closed the stream", "code": "502"}}))
        return response


async def healthy(_):
    return web.json_response("I'm alive!")


async def upstream(front):
    """Runs the model server, at a free port, for as long as the gateway."""
    app = web.Application()
    app.router.add_post("/v1/chat/completions", model)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0]
    front["model"] = f"http://{host}:{port}/v1/chat/completions"
    async with ClientSession() as front["client"]:
        yield
    await runner.cleanup()


app = web.Application()
app.cleanup_ctx.append(upstream)
app.router.add_post("/v1/chat/completions", gateway)
app.router.add_get("/health/liveliness", healthy)
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
