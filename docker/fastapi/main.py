"""A RAG chat under FastAPI: one endpoint that streams, done right.

BREAK=NAME in the environment replaces one piece of it by a broken twin from
broken.py. What is in this file is the fixed form.
"""
import os
import uuid

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse, StreamingResponse

import asyncio

import broken
import journal
from rag import Index, Plan
from wire import FORMATS, OpenAIChat

journal.configure()

NAME = os.environ.get("BREAK", "")
HEADERS = {"Cache-Control": "no-store"}
if os.environ.get("NO_ACCEL_HEADER") != "1":
    HEADERS["X-Accel-Buffering"] = "no"

app = FastAPI()
index = Index()  # opened once, outlives every request


def seconds(value):
    """Reads "2", "1.5s", "250ms"."""
    value = value.strip()
    if value.endswith("ms"):
        return float(value[:-2]) / 1000
    return float(value[:-1] if value.endswith("s") else value)


def plan_of(get):
    return Plan(events=int(get("events", os.environ.get("EVENTS", "20"))),
                gap=seconds(get("gap", os.environ.get("GAP", "50ms"))),
                pause=seconds(get("pause", os.environ.get("PAUSE", "0"))),
                pause_at=int(get("pause_at", os.environ.get("PAUSE_AT", "3"))))


async def stream(response, wire, entry):
    """The fixed generator: whatever happens is said in band, and the terminal is
    written on the path of success alone."""
    try:
        yield wire.begin()
        async for text in response.response_gen:
            if text is None:
                yield wire.ping()
                continue
            entry.event()
            yield wire.token(text)
        entry.finish()
        yield wire.end()
    except asyncio.CancelledError:  # the client left
        entry.cancel()
        raise
    except GeneratorExit:
        entry.cancel()
        raise
    except Exception as exc:
        entry.fail(exc)
        yield wire.error(exc)


async def answer(request: Request, question, get):
    nonce = request.headers.get("x-request-id") or uuid.uuid4().hex
    headers = dict(HEADERS, **{"X-Request-ID": nonce, "X-Streamproof-Pid": str(os.getpid())})
    plan = plan_of(get)
    form = FORMATS.get(get("format", "openai-chat"))
    if form is None:
        return JSONResponse({"error": "format is one of " + ", ".join(FORMATS)}, 400)
    if str(get("stream", "true")).lower() in ("false", "0"):
        response = index.as_query_engine(plan).query(question)
        if form is OpenAIChat:
            return JSONResponse(OpenAIChat.whole(nonce, str(response)), headers=headers)
        return PlainTextResponse(str(response), headers=headers)
    handler = broken.HANDLERS.get(NAME)
    if handler:
        return await handler(index, plan, question, form(nonce), nonce, headers)
    response = index.as_query_engine(plan).query(question)
    body = stream(response, form(nonce), journal.Entry(nonce))
    return StreamingResponse(body, media_type=form.media_type, headers=headers)


@app.get("/chat")
async def chat_get(request: Request):
    get = request.query_params.get
    return await answer(request, get("q", "why do streams die"), get)


@app.post("/chat")
@app.post("/v1/chat/completions")
async def chat_post(request: Request):
    body = await request.json()
    question = body.get("q") or " ".join(m.get("content", "") for m in body.get("messages", []))

    def get(key, default=None):
        return request.query_params.get(key, str(body.get(key, default)))

    return await answer(request, question, get)


@app.get("/text")
async def text(request: Request):
    def get(key, default=None):
        return "text" if key == "format" else request.query_params.get(key, default)

    return await answer(request, request.query_params.get("q", "why do streams die"), get)


@app.get("/healthz")
async def healthz():
    return PlainTextResponse("ok")


@app.get("/ledger")
async def ledger(nonce: str):
    entry = journal.look_up(nonce)
    return JSONResponse(entry or {"error": "unknown nonce"}, 200 if entry else 404)


if NAME in broken.MIDDLEWARE:
    app.add_middleware(broken.MIDDLEWARE[NAME])
