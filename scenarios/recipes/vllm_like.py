"""A model server in the shape of vLLM's: one engine makes a token for every running request at each
step, in one batch; what exceeds the batch waits. Usage follows the finish reason, then [DONE]."""

import asyncio
import json
import time
import uuid

from fastapi import FastAPI, Request
from fastapi.responses import Response, StreamingResponse

MAX_NUM_SEQS = 64
STEP = 0.03  # seconds
ANSWER = ("The travel policy changed in three places: hotel rates follow the city list, "
          "train tickets need no approval, and receipts are due within thirty days.").split()

app = FastAPI()
waiting, running = [], []


async def engine():
    while True:
        while waiting and len(running) < MAX_NUM_SEQS:
            running.append(waiting.pop(0))
        for sequence in list(running):
            sequence["made"] += 1
            sequence["tokens"].put_nowait(ANSWER[sequence["made"] - 1] + " ")
            if sequence["made"] == min(sequence["max_tokens"], len(ANSWER)):
                running.remove(sequence)
                sequence["tokens"].put_nowait(None)
        await asyncio.sleep(STEP)


@app.on_event("startup")
async def start():
    app.state.engine = asyncio.create_task(engine())


@app.post("/v1/chat/completions")
async def complete(request: Request):
    body = await request.json()
    sequence = {"tokens": asyncio.Queue(), "made": 0, "max_tokens": body.get("max_tokens", 64)}
    waiting.append(sequence)
    base = {"id": "chatcmpl-" + uuid.uuid4().hex, "object": "chat.completion.chunk", "created": int(time.time()),
            "model": body["model"]}

    def chunk(choices, **more):
        return f"data: {json.dumps({**base, 'choices': choices, **more})}\n\n"

    async def events():
        try:
            yield chunk([{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}])
            while (token := await sequence["tokens"].get()) is not None:
                yield chunk([{"index": 0, "delta": {"content": token}, "finish_reason": None}])
            finish = "length" if sequence["made"] == sequence["max_tokens"] else "stop"
            yield chunk([{"index": 0, "delta": {"content": ""}, "finish_reason": finish}])
            if body.get("stream_options", {}).get("include_usage"):
                made = sequence["made"]
                yield chunk([], usage={"prompt_tokens": 1, "completion_tokens": made, "total_tokens": made + 1})
            yield "data: [DONE]\n\n"
        finally:  # a client that has gone frees its place in the batch
            for batch in (waiting, running):
                if sequence in batch:
                    batch.remove(sequence)

    return StreamingResponse(events(), media_type="text/event-stream")


@app.get("/health")
async def health():
    return Response(status_code=200)
