from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from rag import VectorIndex

app = FastAPI()


@app.get("/chat")
def chat():
    with VectorIndex(["policy.md"]) as index:  # closed before the first token is made
        response = index.as_query_engine().query("Summarize the policy changes.")
        return StreamingResponse(response.response_gen, media_type="text/plain")
