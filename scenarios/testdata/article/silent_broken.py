"""The same mistake with a store that answers "no more" when it is closed: the answer
ends early and looks like a success."""

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse, StreamingResponse

import rag


class QuietIndex(rag.VectorIndex):
    reads = 0

    def read(self, words, i):
        self.reads += 1
        return words[i:i + 4] if self.open or self.reads <= 3 else []  # what was fetched ahead


app = FastAPI()


@app.get("/chat")
def chat():
    with QuietIndex(["policy.md"]) as index:
        response = index.as_query_engine().query("Summarize the policy changes.")
        return StreamingResponse(response.response_gen, media_type="text/plain")


@app.get("/chat/plain")
def plain():
    with QuietIndex(["policy.md"]) as index:
        return PlainTextResponse(index.as_query_engine(gap=0).answer("Summarize the policy changes."))
