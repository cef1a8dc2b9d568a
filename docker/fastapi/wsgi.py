"""The same chat under WSGI, for BREAK=sync-worker: a worker serves one request
at a time and tells the master that it lives only between two of them."""
import json
import os
import uuid
from urllib.parse import parse_qs

import journal
from rag import Index, Plan
from wire import FORMATS, OpenAIChat

journal.configure()
index = Index()


def stream(response, wire, entry):
    yield wire.begin().encode()
    try:
        for text in response.sync_response_gen:
            entry.event()
            yield wire.token(text).encode()
        entry.finish()
        yield wire.end().encode()
    except GeneratorExit:
        entry.cancel()
        raise
    except Exception as exc:
        entry.fail(exc)
        yield wire.error(exc).encode()


def answer(environ):
    query = {k: v[0] for k, v in parse_qs(environ.get("QUERY_STRING", "")).items()}
    nonce = environ.get("HTTP_X_REQUEST_ID") or uuid.uuid4().hex
    gap = query.get("gap", os.environ.get("GAP", "400ms"))
    plan = Plan(events=int(query.get("events", os.environ.get("EVENTS", "20"))),
                gap=float(gap[:-2]) / 1000 if gap.endswith("ms") else float(gap.rstrip("s")))
    response = index.as_query_engine(plan).query(query.get("q", "why do streams die"))
    if query.get("stream", "true").lower() in ("false", "0"):
        return "application/json", [json.dumps(OpenAIChat.whole(nonce, str(response))).encode()]
    form = FORMATS["text" if environ["PATH_INFO"] == "/text" else query.get("format", "openai-chat")]
    return form.media_type, stream(response, form(nonce), journal.Entry(nonce))


def app(environ, start_response):
    kind, body = "text/plain", [b"ok"]
    if environ["PATH_INFO"] in ("/chat", "/text"):
        kind, body = answer(environ)
    elif environ["PATH_INFO"] != "/healthz":
        start_response("404 Not Found", [("Content-Type", kind)])
        return [b"not found"]
    start_response("200 OK", [("Content-Type", kind), ("Cache-Control", "no-store"),
                              ("X-Accel-Buffering", "no"), ("X-Streamproof-Pid", str(os.getpid()))])
    return body
