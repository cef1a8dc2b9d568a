"""A synchronous app: what is wrong or right is its server's command line."""

from flask import Flask, Response

from rag import VectorIndex

app = Flask(__name__)
engine = VectorIndex(["policy.md"]).as_query_engine(gap=0.08)


@app.get("/chat")
def chat():
    return Response(engine.query("Summarize the policy changes.").response_gen, mimetype="text/plain")


@app.get("/chat/plain")
def plain():
    return Response(engine.answer("Summarize the policy changes."), mimetype="text/plain")
