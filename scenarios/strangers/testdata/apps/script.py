"""What the Python apps answer. Every app of this folder reads the same variables:

SHAPE    openai, text, ndjson or sse
EVENTS   how many pieces an answer has, "20-60"
GAP      milliseconds between two of them, "20-60"
SIZE     letters in a piece, "4-40"
BUG      what is wrong with the app, empty for a sound one
AT       before which piece it goes wrong
SHARE    of how many answers in a hundred
SECONDS  how long a silence lasts
LIMIT    how many answers the app produces at a time
"""
import itertools
import json
import logging
import os
import random
import time

SHAPE = os.environ.get("SHAPE", "openai")
BUG = os.environ.get("BUG", "")
AT = int(os.environ.get("AT", "6"))
SHARE = int(os.environ.get("SHARE", "100"))
SECONDS = float(os.environ.get("SECONDS", "2"))
LIMIT = int(os.environ.get("LIMIT", "5"))
TYPES = {"openai": "text/event-stream", "sse": "text/event-stream",
         "ndjson": "application/x-ndjson", "text": "text/plain; charset=utf-8"}
TYPE = TYPES[SHAPE]
log = logging.getLogger("assistant")


class RetrievalError(Exception):
    pass


def span(name, default):
    low, _, high = os.environ.get(name, default).partition("-")
    return int(low), int(high or low)


EVENTS, GAP, SIZE = span("EVENTS", "20-60"), span("GAP", "20-60"), span("SIZE", "4-40")


def word():
    return "".join(random.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(random.randint(*SIZE))) + " "


def piece(text):
    if SHAPE == "text":
        return text.encode()
    if SHAPE == "ndjson":
        return (json.dumps({"token": text, "done": False}) + "\n").encode()
    if SHAPE == "sse":
        return ("data: " + json.dumps({"text": text}) + "\n\n").encode()
    return chunk({"content": text}, None)


def chunk(delta, reason):
    body = {"id": "chatcmpl-7f3a", "object": "chat.completion.chunk", "created": 1764240000, "model": "small-1",
            "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}
    return ("data: " + json.dumps(body) + "\n\n").encode()


def finish():
    if SHAPE == "openai":
        return [chunk({}, "stop")]
    return []


def terminal():
    return {"openai": b"data: [DONE]\n\n", "sse": b"event: done\ndata: {}\n\n",
            "ndjson": b'{"token": "", "done": true}\n', "text": b""}[SHAPE]


def failure():
    """The failure as the protocol says it, inside the stream."""
    body = {"error": {"message": "upstream model overloaded", "type": "server_error"}}
    if SHAPE == "sse":
        return b"event: error\ndata: " + json.dumps(body).encode() + b"\n\n"
    if SHAPE == "ndjson":
        return json.dumps(body).encode() + b"\n"
    return b"data: " + json.dumps(body).encode() + b"\n\n"


def hit():
    return random.randrange(100) < SHARE


answers = itertools.count()
active = 0


def answer():
    """Yields (seconds to wait before it, bytes)."""
    global active
    active += 1
    try:
        yield from produce(next(answers) % 5 == 4)
    finally:
        active -= 1


def produce(fifth):
    bug = BUG if hit() else ""
    for i in range(random.randint(*EVENTS)):
        wait = random.randint(*GAP) / 1000
        if i == AT:
            if bug == "raise":
                raise RetrievalError("connection to the vector store lost")
            if bug == "swallow":
                try:
                    raise RetrievalError("connection to the vector store lost")
                except RetrievalError:
                    log.exception("generation failed")
                return
            if bug == "stop":
                return
            if bug == "inband":
                yield wait, failure()
                return
            if bug == "stall":
                wait = SECONDS
            if bug == "hiccup" and fifth and active > 3:  # a call that nobody knew to be synchronous
                time.sleep(SECONDS)
        yield wait, piece(word())
    if bug == "unfinished":  # says that it is over, and its sentinel never comes
        for last in finish():
            yield 0, last
        return
    for last in finish():
        yield 0, last
    if terminal():
        yield 0, terminal()
