import asyncio
import json
import sys

from aiohttp import web

WORDS = ("The travel policy changed in three places: hotel rates follow the city list, "
         "train tickets need no approval, and receipts are due within thirty days.").split()


async def chat(request):
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
    await response.prepare(request)
    for word in WORDS:
        await response.write(f"data: {json.dumps({'token': word})}\n\n".encode())
        await asyncio.sleep(0.05)
    await response.write(b"event: done\ndata: {}\n\n")
    await response.write_eof()
    return response


app = web.Application()
app.router.add_get("/chat", chat)
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
