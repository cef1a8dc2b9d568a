import asyncio
import os
import signal
import threading
import time

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import RedirectResponse, StreamingResponse

import script

app = FastAPI()
if script.BUG == "gzip":
    from starlette.middleware.gzip import GZipMiddleware
    app.add_middleware(GZipMiddleware)
slots = None


class Store:
    """A connection that is closed with its scope."""

    def __enter__(self):
        self.open = True
        return self

    def __exit__(self, *_):
        self.open = False

    def rows(self):
        if not self.open:
            raise RuntimeError("cannot read: the session is closed")
        yield from script.answer()


async def live(steps):
    for wait, data in steps:
        await asyncio.sleep(wait)
        yield data


async def busy(steps):  # a synchronous generator's work inside an async one
    for wait, data in steps:
        time.sleep(wait)
        yield data


async def left_open():
    async for data in live(script.answer()):
        if data != script.terminal():
            yield data
    await asyncio.sleep(60)


async def limited():
    async with slots:
        async for data in live(script.answer()):
            yield data


def blocking():
    for wait, data in script.answer():
        time.sleep(wait)
        yield data


def stream(body):
    return StreamingResponse(body, media_type=script.TYPE)


@app.on_event("startup")
async def start():
    global slots
    slots = asyncio.Semaphore(script.LIMIT)


async def complete(request: Request):
    await request.body()  # a proxy in Go gives up an answer that overtakes its request
    bug = script.BUG
    if bug == "status" and script.hit():
        raise HTTPException(503, "model is loading")
    if bug == "redirect":
        return RedirectResponse("/login", 302)
    if bug == "block":
        time.sleep(0.3)  # the retrieval: a synchronous client in an async handler
    if bug == "serial":
        return stream(busy(script.answer()))
    if bug == "limit":
        return stream(limited())
    if bug == "open":
        return stream(left_open())
    if bug == "closed":
        with Store() as store:
            return stream(live(store.rows()))
    if bug == "join":
        parts = [data async for data in live(script.answer())]
        from fastapi import Response
        return Response(b"".join(parts), media_type=script.TYPE)
    if bug == "collect":
        async def once():
            parts = [data async for data in live(script.answer())]
            yield b"".join(parts)
        return stream(once())
    return stream(live(script.answer()))


app.post("/v1/chat/completions")(complete)
app.get("/stream")(complete)
if script.BUG == "threads":
    @app.post("/threads")
    def threads():
        return stream(blocking())
    app.get("/threads")(threads)


@app.get("/login")
async def login():
    return RedirectResponse("/v1/chat/completions", 302)


@app.get("/health")
async def health():
    return {"status": "ok"}


if script.BUG == "exhaust":
    # What the kernel's OOM killer does to a worker, without a memory limit.
    def kill():
        time.sleep(script.SECONDS)
        os.kill(os.getpid(), signal.SIGKILL)

    @app.middleware("http")
    async def hog(request, call_next):
        if request.url.path != "/health" and not getattr(app.state, "armed", False):
            app.state.armed = True
            threading.Thread(target=kill, daemon=True).start()
        return await call_next(request)
