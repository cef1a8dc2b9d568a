from fastapi import FastAPI
from fastapi.responses import PlainTextResponse, StreamingResponse

from rag import VectorIndex

app = FastAPI()
index = VectorIndex(["policy.md"])


@app.get("/chat")
def chat():
    response = index.as_query_engine().query("Summarize the policy changes.")
    return StreamingResponse(response.response_gen, media_type="text/plain")


@app.get("/chat/plain")
def plain():
    return PlainTextResponse(index.as_query_engine(gap=0).answer("Summarize the policy changes."))
