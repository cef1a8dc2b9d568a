from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from rag import VectorIndex

app = FastAPI()
engine = VectorIndex(["policy.md"]).as_query_engine(retrieval=0.3)


@app.get("/chat")
async def answer():
    response = engine.query("What changed?")  # blocks the event loop of all streams
    return StreamingResponse(response.response_gen, media_type="text/plain")
