import asyncio
import json

from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

app = FastAPI()
WORDS = ("The travel policy changed in three places: hotel rates follow the city list, "
         "train tickets need no approval, and receipts are due within thirty days.").split()


def chunk(delta, finish=None):
    body = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": "demo",
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
    return f"data: {json.dumps(body)}\n\n"


async def events():
    yield chunk({"role": "assistant"})
    for word in WORDS:
        yield chunk({"content": word + " "})
        await asyncio.sleep(0.05)
    yield chunk({}, "stop")
    yield "data: [DONE]\n\n"


@app.post("/v1/chat/completions")
async def complete(request: Request):
    await request.json()
    return StreamingResponse(events(), media_type="text/event-stream")
