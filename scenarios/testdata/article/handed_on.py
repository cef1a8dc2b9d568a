"""A thread makes the answer and a queue hands it on, so that the app goes on to the end
when somebody on the way cuts the client off. Every third answer thinks for 1.6 seconds
in the middle. A line says that an answer is finished; nothing else is logged."""

import logging
import threading
import time
from itertools import count
from queue import Queue

from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from rag import VectorIndex

logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
log = logging.getLogger("chat")
app = FastAPI()
engine = VectorIndex(["policy.md"]).as_query_engine()
numbers = count(1)


def make(number, words):
    for i, word in enumerate(engine.query("Summarize the policy changes.").response_gen):
        if i == 20 and number % 3 == 0:
            time.sleep(1.6)
        words.put(word)
    words.put(None)
    log.info("answer %d is finished", number)


@app.get("/chat")
def chat():
    words = Queue()
    threading.Thread(target=make, args=(next(numbers), words), daemon=True).start()
    return StreamingResponse(iter(words.get, None), media_type="text/plain")
