"""Retrieval with a streamed answer, in the shape of such libraries' query engines:
query() looks things up and returns at once; response_gen then makes the tokens."""

import time

ANSWER = ("The travel policy changed in three places: hotel rates follow the city list, "
          "train tickets need no approval, and receipts are due within thirty days. ") * 2


class Response:
    def __init__(self, index, gap):
        self.index, self.gap = index, gap

    @property
    def response_gen(self):
        words = ANSWER.split(" ")
        for i in range(0, len(words), 4):  # the nodes are read as they are needed
            for word in self.index.read(words, i):
                yield word + " "
                time.sleep(self.gap)


class QueryEngine:
    def __init__(self, index, retrieval, gap):
        self.index, self.retrieval, self.gap = index, retrieval, gap

    def query(self, question):
        time.sleep(self.retrieval)  # embeds the question and searches: synchronous
        return Response(self.index, self.gap)

    def answer(self, question):  # streaming=False
        return "".join(self.query(question).response_gen)


class VectorIndex:
    def __init__(self, documents):
        self.documents, self.open = documents, True

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.open = False

    def read(self, words, i):
        if not self.open:
            raise RuntimeError("cannot read nodes: the index is closed")
        return words[i:i + 4]

    def as_query_engine(self, retrieval=0.05, gap=0.02):
        return QueryEngine(self, retrieval, gap)
