"""Objects of the shape that LlamaIndex has (VectorStoreIndex, its query engine, responses with
response_gen), without a model: the answer is made up."""

import time

ANSWER = ("The travel policy changed in three places: hotel rates follow the city list, "
          "train tickets need no approval, and receipts are due within thirty days.")


class StreamingResponse:
    def __init__(self, text):
        self.text = text

    @property
    def response_gen(self):
        for word in self.text.split(" "):
            time.sleep(0.03)  # the model
            yield word + " "


class Response:
    def __init__(self, text):
        self.text = text

    def __str__(self):
        return "".join(word + " " for word in self.text.split(" "))


class QueryEngine:
    def __init__(self, streaming):
        self.streaming = streaming

    def query(self, question):
        time.sleep(0.02)  # embeds the question and searches
        return StreamingResponse(ANSWER) if self.streaming else Response(ANSWER)


class VectorStoreIndex:
    @classmethod
    def from_documents(cls, documents):
        return cls()

    def as_query_engine(self, streaming=False):
        return QueryEngine(streaming)
