from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from rag import VectorIndex

app = FastAPI()


@app.get("/chat")
def chat():
    index = VectorIndex(bytearray(b"x" * (24 << 20)))  # an index of its own for every request
    response = index.as_query_engine(gap=0.05).query("Summarize the policy changes.")
    return StreamingResponse(response.response_gen, media_type="text/plain")
