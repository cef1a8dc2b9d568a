"""A node cannot be read, and the answer just stops there: the exception is swallowed. A
line before and one after each answer say how far it got."""

import logging
from itertools import count

from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from rag import VectorIndex

logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
log = logging.getLogger("chat")
app = FastAPI()
engine = VectorIndex(["policy.md"]).as_query_engine()
numbers = count(1)


def tokens(number):
    log.info("answer %d begins", number)
    try:
        for i, word in enumerate(engine.query("Summarize the policy changes.").response_gen):
            if i == 20 and number % 3 == 0:
                raise LookupError("node 5")
            yield word
    except LookupError:
        return
    log.info("answer %d is finished", number)


@app.get("/chat")
def chat():
    return StreamingResponse(tokens(next(numbers)), media_type="text/plain")
