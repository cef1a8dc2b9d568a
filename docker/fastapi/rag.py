"""A retrieval-augmented chat engine with the shape of LlamaIndex, and no model.

index = Index.open(...)  ->  index.as_query_engine().query(question)
  -> QueryResponse: .response_gen streams the answer, str(response) is the same
     text at once.

The answer follows from the question alone, so that a client can compare the
streamed text with the one given at once.
"""
import asyncio
import time
import zlib

WORDS = ("streams end in one of two ways: whole, or with a word that says why "
         "they are not. everything else is a guess that somebody has to make "
         "later, at night, with half of the logs already gone.").split()


def token(question, n):
    """Token n (from 1) of the answer to question."""
    return WORDS[(zlib.crc32(question.encode()) + n) % len(WORDS)] + " "


class IndexClosedError(RuntimeError):
    """Raised by an index that is used after its scope has ended."""


class Index:
    """A document store: a resource that its opener must close."""

    def __init__(self):
        self._open = True

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self):
        self._open = False

    def read(self, question, n):
        if not self._open:
            raise IndexClosedError("index is closed")
        return token(question, n)

    def as_query_engine(self, plan):
        return QueryEngine(self, plan)


class Plan:
    """How the answer is paced. Seconds, except for the counts."""

    def __init__(self, events=20, gap=0.05, pause=0.0, pause_at=0):
        self.events, self.gap = events, gap
        self.pause, self.pause_at = pause, pause_at

    def wait_after(self, n):
        return self.pause if self.pause and n == self.pause_at else self.gap


class QueryEngine:
    def __init__(self, index, plan):
        self._index, self._plan = index, plan

    def query(self, question):
        return QueryResponse(self._index, self._plan, question)


class QueryResponse:
    """The answer, as tokens that come with time or as one text.

    response_gen yields None where the engine is still thinking: a place for a
    heartbeat.
    """

    HEARTBEAT = 1.0

    def __init__(self, index, plan, question):
        self._index, self._plan, self._question = index, plan, question

    def __str__(self):
        return "".join(token(self._question, n) for n in range(1, self._plan.events + 1))

    @property
    async def response_gen(self):
        for n in range(1, self._plan.events + 1):
            yield self._index.read(self._question, n)
            left = self._plan.wait_after(n)
            while left > self.HEARTBEAT:
                await asyncio.sleep(self.HEARTBEAT)
                left -= self.HEARTBEAT
                yield None
            await asyncio.sleep(left)

    @property
    def sync_response_gen(self):
        for n in range(1, self._plan.events + 1):
            yield self._index.read(self._question, n)
            time.sleep(self._plan.wait_after(n))
