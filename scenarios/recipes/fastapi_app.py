"""A chat endpoint as FastAPI apps have them: an async generator, and events with names."""

import asyncio
import json

from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

app = FastAPI()
ANSWER = ("The travel policy changed in three places: hotel rates follow the city list, "
          "train tickets need no approval, and receipts are due within thirty days.").split()


class Question(BaseModel):
    question: str


def event(name, data):
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"


async def answer(question):
    for word in ANSWER:
        yield event("token", {"text": word + " "})
        await asyncio.sleep(0.03)
    yield event("done", {"tokens": len(ANSWER)})


@app.post("/chat")
async def chat(question: Question):
    # X-Accel-Buffering tells nginx not to hold events back, however it is set up.
    return StreamingResponse(answer(question), media_type="text/event-stream",
                             headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"})


@app.get("/healthz")
async def healthz():
    return {"ok": True}
