# A FastAPI app that speaks OpenAI's API: it takes a model that it has, by POST, and streams.
import asyncio, json, sys
import uvicorn
from fastapi import FastAPI, HTTPException
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

app = FastAPI()


class Request(BaseModel):
    model: str
    messages: list
    stream: bool = False


@app.get("/v1/models")
def models():
    return {"object": "list", "data": [{"id": "small-embed"}, {"id": "small-chat"}]}


@app.post("/v1/chat/completions")
async def completions(request: Request):
    if request.model != "small-chat":
        raise HTTPException(404, f"the model {request.model} does not exist")
    if not request.stream:
        return {"object": "chat.completion", "choices": []}

    def chunk(delta, finish=None):
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return f"data: {json.dumps({'object': 'chat.completion.chunk', 'choices': [choice]})}\n\n"

    async def answer():
        yield chunk({"role": "assistant", "content": ""})
        for word in "Nobody told the client what to send".split():
            yield chunk({"content": word + " "})
            await asyncio.sleep(0.02)
        yield chunk({}, "stop")
        yield "data: [DONE]\n\n"

    return StreamingResponse(answer(), media_type="text/event-stream")


uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
