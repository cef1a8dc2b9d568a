"""The classic ways to break a stream, one function or class each.

HANDLERS replace the handler, MIDDLEWARE is wrapped around the app. sync-worker
and max-requests are settings of the process manager (see serve.py). The
middleware that launders needs a generator that raises, and brings it along.
"""
import asyncio
import os
import time
import zlib

from fastapi.responses import StreamingResponse

import journal
from rag import Index

RAISE_AT = int(os.environ.get("BREAK_AT", "5"))  # the event at which it happens
BLOCK = float(os.environ.get("BREAK_SECONDS", "0"))  # 0 leaves each form's own
HOG = int(os.environ.get("BREAK_BYTES", str(10 << 20)))  # per event


def reply(generator, wire, headers):
    return StreamingResponse(generator, media_type=wire.media_type, headers=headers)


async def closed_resource(_, plan, question, wire, nonce, headers):
    """The with block ends when the handler returns, before the first event."""
    with Index() as index:
        response = index.as_query_engine(plan).query(question)
        return reply(naive(response, wire, journal.Entry(nonce)), wire, headers)


async def naive(response, wire, entry):
    """A generator as most people write it: an exception goes up, after 200."""
    try:
        yield wire.begin()
        async for text in response.response_gen:
            if text is None:
                yield wire.ping()
                continue
            entry.event()
            yield wire.token(text)
            await hook(entry)
        entry.finish()
        yield wire.end()
    except (asyncio.CancelledError, GeneratorExit):
        entry.cancel()
        raise
    except Exception as exc:
        entry.fail(exc)
        raise


async def hook(entry):
    """What a form adds after each event."""
    act = HOOKS.get(os.environ.get("BREAK", ""))
    if act:
        act(entry)


def model_down(entry):
    if entry.produced == RAISE_AT:
        raise ConnectionError("model backend went away")


class Blocker:
    """A blocking call in async code: once per process, so that all streams of
    the process pause together. The streams before the nth are spared: one that is
    sent alone shares its pause with nobody."""

    def __init__(self, duration, nth=1):
        self._duration, self._left = BLOCK or duration, nth

    def __call__(self, entry):
        if entry.produced != RAISE_AT or self._left == 0:
            return
        self._left -= 1
        if self._left > 0:
            return
        journal.log.debug("blocking request=%s for %.1fs", entry.nonce, self._duration)
        time.sleep(self._duration)


class Hog:
    """Keeps context per stream, without bound."""

    def __call__(self, entry):
        if not hasattr(entry, "context"):
            entry.context = []
        entry.context.append(os.urandom(4096) * (HOG // 4096))


async def broken_generator(index, plan, question, wire, nonce, headers):
    response = index.as_query_engine(plan).query(question)
    return reply(naive(response, wire, journal.Entry(nonce)), wire, headers)


async def swallow(index, plan, question, wire, nonce, headers):
    """except Exception: log, and fall off the end."""
    entry = journal.Entry(nonce)

    async def generate():
        yield wire.begin()
        try:
            async for text in index.as_query_engine(plan).query(question).response_gen:
                if text is None:
                    continue
                entry.event()
                yield wire.token(text)
                model_down(entry)
            entry.finish()
            yield wire.end()
        except ConnectionError as exc:
            entry.swallow(exc)

    return reply(generate(), wire, headers)


async def silent_pause(index, plan, question, wire, nonce, headers):
    """Thinks for 4 s without a heartbeat."""
    plan.pause, plan.pause_at = BLOCK or 4.0, RAISE_AT
    entry = journal.Entry(nonce)

    async def generate():
        try:
            yield wire.begin()
            async for text in index.as_query_engine(plan).query(question).response_gen:
                if text is None:
                    continue  # here the fixed form sends a heartbeat
                entry.event()
                yield wire.token(text)
            entry.finish()
            yield wire.end()
        except (asyncio.CancelledError, GeneratorExit):
            entry.cancel()
            raise

    return reply(generate(), wire, headers)


async def sync_generator(index, plan, question, wire, nonce, headers):
    """Each next() takes a thread of the default pool of 40."""
    entry = journal.Entry(nonce)

    def generate():
        yield wire.begin()
        for text in index.as_query_engine(plan).query(question).sync_response_gen:
            entry.event()
            yield wire.token(text)
        entry.finish()
        yield wire.end()

    return reply(generate(), wire, headers)


_producers = set()  # asyncio keeps only weak references to tasks


async def ignore_disconnect(index, plan, question, wire, nonce, headers):
    """The producer is a task of its own and never hears that the client left."""
    entry, queue = journal.Entry(nonce), asyncio.Queue()

    async def produce():
        queue.put_nowait(wire.begin())
        async for text in index.as_query_engine(plan).query(question).response_gen:
            if text is None:
                queue.put_nowait(wire.ping())
                continue
            entry.event()
            queue.put_nowait(wire.token(text))
        entry.finish()
        queue.put_nowait(wire.end())
        queue.put_nowait(None)

    async def consume():
        while (chunk := await queue.get()) is not None:
            yield chunk

    task = asyncio.ensure_future(produce())
    _producers.add(task)
    task.add_done_callback(_producers.discard)
    return reply(consume(), wire, headers)


class LaunderingMiddleware:
    """Logs what the app raises, and ends the body as if all were well. This is
    what @app.middleware("http") does by itself from starlette 0.46."""

    def __init__(self, app):
        self._app = app

    async def __call__(self, scope, receive, send):
        try:
            await self._app(scope, receive, send)
        except Exception:
            journal.log.exception("Exception in ASGI application")
            await send({"type": "http.response.body", "body": b"", "more_body": False})


class JoiningMiddleware:
    """Collects the body, to sign or log it, and sends it in one piece."""

    def __init__(self, app):
        self._app = app

    async def __call__(self, scope, receive, send):
        start, parts = None, []

        async def collect(message):
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
                return
            parts.append(message.get("body", b""))
            if message.get("more_body"):
                return
            body = b"".join(parts)
            headers = [h for h in start["headers"] if h[0] != b"content-length"]
            await send(dict(start, headers=headers + [(b"content-length", b"%d" % len(body))]))
            await send({"type": "http.response.body", "body": body})

        await self._app(scope, receive, collect if scope["type"] == "http" else send)


class GzipMiddleware:
    """Compresses everything and flushes at the end alone, as starlette's did to
    event streams before 0.46 and still does to plain text."""

    def __init__(self, app):
        self._app = app

    async def __call__(self, scope, receive, send):
        accepted = dict(scope.get("headers", [])).get(b"accept-encoding", b"")
        if scope["type"] != "http" or b"gzip" not in accepted:
            return await self._app(scope, receive, send)
        compress = zlib.compressobj(6, zlib.DEFLATED, 31)

        async def squeeze(message):
            if message["type"] == "http.response.start":
                headers = [h for h in message["headers"] if h[0] != b"content-length"]
                return await send(dict(message, headers=headers + [(b"content-encoding", b"gzip")]))
            more = message.get("more_body", False)
            body = compress.compress(message.get("body", b"")) + (b"" if more else compress.flush())
            await send(dict(message, body=body, more_body=more))

        await self._app(scope, receive, squeeze)


HOOKS = {
    "raise-mid-stream": model_down,
    "middleware-launder": model_down,
    "blocked-loop": Blocker(7.0),
    "blocked-loop-short": Blocker(2.0, nth=2),
    "memory-hog": Hog(),
}

HANDLERS = {
    "closed-resource": closed_resource,
    "swallow": swallow,
    "silent-pause": silent_pause,
    "sync-generator": sync_generator,
    "ignore-disconnect": ignore_disconnect,
}
HANDLERS.update((name, broken_generator) for name in HOOKS)

MIDDLEWARE = {
    "middleware-launder": LaunderingMiddleware,
    "middleware-join": JoiningMiddleware,
    "app-gzip": GzipMiddleware,
}
