"""One line per thing that happens to a request, and a ledger of all of them.

Lines bear the request's ID and the process, so that they join with the edge's
access log and with what the client saw. The ledger lives in shared memory:
any worker can say what another one did.
"""
import json
import logging
import os
import re
import sys
import time

LEDGER = "/dev/shm/streamproof-ledger"
KEPT = 512  # entries that one process keeps: a page of memory each

log = logging.getLogger("app")


def configure():
    handler = logging.StreamHandler(sys.stderr)
    fmt = logging.Formatter("%(asctime)s.%(msecs)03dZ [%(process)d] [%(levelname)s] %(message)s", "%Y-%m-%dT%H:%M:%S")
    fmt.converter = time.gmtime
    handler.setFormatter(fmt)
    log.handlers[:] = [handler]
    log.setLevel(os.environ.get("LOG_LEVEL", "INFO"))
    log.propagate = False
    os.makedirs(LEDGER, exist_ok=True)


def _path(nonce):
    return os.path.join(LEDGER, re.sub(r"[^A-Za-z0-9_.-]", "_", nonce)[:100] or "_")


class Entry:
    """The account of one stream."""

    _mine = []

    def __init__(self, nonce):
        self.nonce, self.produced = nonce, 0
        Entry._mine.append(_path(nonce))
        if len(Entry._mine) > KEPT:
            try:
                os.remove(Entry._mine.pop(0))
            except OSError:
                pass
        log.info("start request=%s", nonce)
        self._write()

    def event(self):
        self.produced += 1
        log.log(logging.INFO if self.produced == 1 else logging.DEBUG, "event request=%s n=%d", self.nonce, self.produced)
        self._write()

    def finish(self):
        self._write(done=True, stopped=True)
        log.info("done request=%s events=%d", self.nonce, self.produced)

    def swallow(self, exc):
        """An exception that goes no further, as a careless handler logs it."""
        self._write(stopped=True)
        log.warning("stopped request=%s events=%d reason=%s: %s", self.nonce, self.produced, type(exc).__name__, exc)

    def fail(self, exc):
        self._write(stopped=True)
        log.error("exception request=%s events=%d error=%s: %s", self.nonce, self.produced, type(exc).__name__, exc)

    def cancel(self):
        self._write(stopped=True)
        log.info("cancelled request=%s events=%d", self.nonce, self.produced)

    def _write(self, done=False, stopped=False):
        entry = {"nonce": self.nonce, "produced": self.produced, "done": done, "stopped": stopped,
                 "stop_unix_ns": time.time_ns() if stopped else 0}
        try:
            with open(_path(self.nonce), "w") as f:
                json.dump(entry, f)
        except OSError:
            pass  # shared memory is full: the stream matters more


def look_up(nonce):
    try:
        with open(_path(nonce)) as f:
            return json.load(f)
    except (OSError, ValueError):
        return None
