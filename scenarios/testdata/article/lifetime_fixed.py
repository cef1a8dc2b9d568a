from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from rag import VectorIndex

app = FastAPI()
index = VectorIndex(["policy.md"])  # lives as long as the app
engine = index.as_query_engine()


@app.get("/chat")
def chat():
    response = engine.query("Summarize the policy changes.")

    def tokens():
        yield from response.response_gen

    return StreamingResponse(tokens(), media_type="text/plain")
