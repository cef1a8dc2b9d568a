import asyncio
import logging
import os
import time

from aiohttp import web

import script


async def complete(request):
    await request.read()  # a proxy in Go gives up an answer that overtakes its request
    bug = script.BUG
    if bug == "status" and script.hit():
        return web.json_response({"error": "service unavailable"}, status=503)
    if bug == "redirect":
        raise web.HTTPFound("/login")
    if bug == "block":
        time.sleep(0.3)
    response = web.StreamResponse(headers={"Content-Type": script.TYPE})
    await response.prepare(request)
    gate = request.app["slots"] if bug == "limit" else None
    if gate:
        await gate.acquire()
    try:
        for wait, data in script.answer():
            if bug == "serial":
                time.sleep(wait)
            else:
                await asyncio.sleep(wait)
            await response.write(data)
    finally:
        if gate:
            gate.release()
    await response.write_eof()
    return response


async def login(_):
    raise web.HTTPFound("/stream")


async def health(_):
    return web.json_response({"status": "ok"})


async def start(app):
    app["slots"] = asyncio.Semaphore(script.LIMIT)


logging.basicConfig(level=logging.INFO)
app = web.Application()
app.on_startup.append(start)
app.add_routes([web.post("/v1/chat/completions", complete), web.get("/stream", complete),
                web.get("/login", login), web.get("/health", health)])
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]))
