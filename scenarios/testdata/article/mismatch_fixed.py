from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from rag import VectorIndex

app = FastAPI()
engine = VectorIndex(["policy.md"]).as_query_engine(retrieval=0.3)


@app.get("/chat")
async def answer():
    response = await run_in_threadpool(engine.query, "What changed?")
    return StreamingResponse(response.response_gen, media_type="text/plain")
