"""A query engine behind FastAPI. The index is built once, at startup, and outlives every stream; the
query and the generator run in the thread pool, so that no stream blocks the event loop."""

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse, StreamingResponse

# In an app of yours: from llama_index.core import VectorStoreIndex
from llamaindex_shaped import VectorStoreIndex

app = FastAPI()
index = VectorStoreIndex.from_documents(["policy.md"])
streaming = index.as_query_engine(streaming=True)
whole = index.as_query_engine(streaming=False)


@app.get("/chat")
def chat(q: str):  # "def", not "async def": query() and response_gen are synchronous
    response = streaming.query(q)

    def tokens():
        yield from response.response_gen

    return StreamingResponse(tokens(), media_type="text/plain", headers={"X-Accel-Buffering": "no"})


@app.get("/chat/plain")
def plain(q: str):
    return PlainTextResponse(str(whole.query(q)))


@app.get("/healthz")
def healthz():
    return {"ok": True}
