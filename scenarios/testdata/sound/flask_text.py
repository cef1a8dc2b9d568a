import time

from flask import Flask, Response

app = Flask(__name__)
WORDS = ("The travel policy changed in three places: hotel rates follow the city list, "
         "train tickets need no approval, and receipts are due within thirty days.").split()


@app.get("/chat")
def chat():
    def tokens():
        for word in WORDS:
            yield word + " "
            time.sleep(0.05)
    return Response(tokens(), mimetype="text/plain")
