# A FastAPI app like many: POST /chat with a key, server-sent events, [DONE] at the end.
import asyncio, json, sys
import uvicorn
from fastapi import FastAPI, Header, HTTPException
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

app = FastAPI()


class Question(BaseModel):
    q: str


@app.get("/healthz")
def healthz():
    return {}


@app.post("/chat")
async def chat(question: Question, x_api_key: str = Header(default="")):
    if x_api_key != "sesame":
        raise HTTPException(401, "the header X-API-Key is missing or wrong")

    async def answer():
        for i, word in enumerate(f"You asked: {question.q} Here is a long answer".split()):
            yield f"data: {json.dumps({'i': i, 'text': word})}\n\n"
            await asyncio.sleep(0.02)
        yield "data: [DONE]\n\n"

    return StreamingResponse(answer(), media_type="text/event-stream")


uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
