import time

from flask import Flask, Response, redirect

import script

app = Flask(__name__)


def generate():
    for wait, data in script.answer():
        time.sleep(wait)
        yield data


@app.post("/v1/chat/completions")
@app.get("/stream")
def complete():
    if script.BUG == "status" and script.hit():
        return {"error": "service unavailable"}, 503
    if script.BUG == "redirect":
        return redirect("/login")
    if script.BUG == "join":
        return Response(b"".join(generate()), content_type=script.TYPE)
    return Response(generate(), content_type=script.TYPE)


@app.get("/login")
def login():
    return redirect("/stream")


@app.get("/health")
def health():
    return {"status": "ok"}
