"""What the answer looks like on the wire: openai-chat chunks, or plain text.

Beside the fields of the API, a chunk carries "streamproof" with what lets a
client tell a slow server from a slow way: sequence number, server clock, the
caller's request ID and the process.
"""
import json
import os
import time

SSE = "text/event-stream"
TEXT_END = "\n[END]\n"


class OpenAIChat:
    media_type = SSE

    def __init__(self, nonce):
        self._nonce, self._seq = nonce, 0

    def _chunk(self, delta, finish=None, content=False):
        if content:
            self._seq += 1
        chunk = {"id": "chatcmpl-" + self._nonce, "object": "chat.completion.chunk",
                 "created": int(time.time()), "model": "streamproof-rag",
                 "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
        if content:
            chunk["streamproof"] = {"seq": self._seq, "t": time.time_ns(), "nonce": self._nonce, "pid": os.getpid()}
        return "data: " + json.dumps(chunk) + "\n\n"

    def begin(self):
        return self._chunk({"role": "assistant", "content": ""})

    def token(self, text):
        return self._chunk({"content": text}, content=True)

    def ping(self):
        return ": ping %d\n\n" % time.time_ns()

    def end(self):
        return self._chunk({}, finish="stop") + "data: [DONE]\n\n"

    def error(self, exc):
        return "data: " + json.dumps({"error": {"message": str(exc), "type": type(exc).__name__}}) + "\n\n"

    @staticmethod
    def whole(nonce, text):
        return {"id": "chatcmpl-" + nonce, "object": "chat.completion", "created": int(time.time()),
                "model": "streamproof-rag", "choices": [{"index": 0, "finish_reason": "stop",
                "message": {"role": "assistant", "content": text}}]}


class Text:
    media_type = "text/plain; charset=utf-8"

    def __init__(self, nonce):
        pass

    def begin(self):
        return ""

    def token(self, text):
        return text

    def ping(self):
        return ""  # plain text has no place for one

    def end(self):
        return TEXT_END

    def error(self, exc):
        return "\n[ERROR] %s\n" % exc


FORMATS = {"openai-chat": OpenAIChat, "text": Text}
