"""Becomes the process manager: exec, so that it is PID 1 and gets the signals.

SERVER=gunicorn (default) or uvicorn (the app itself is PID 1, one process).
WORKERS, TIMEOUT, GRACEFUL_TIMEOUT, MAX_REQUESTS, WORKER_CLASS are gunicorn's;
some forms of BREAK choose their own where these are not set. What nobody sets
is left to gunicorn, and so to GUNICORN_CMD_ARGS.
"""
import os
import sys

DEFAULTS = {"WORKERS": "2", "WORKER_CLASS": "uvicorn"}
FLAGS = {"WORKERS": "--workers", "TIMEOUT": "--timeout", "GRACEFUL_TIMEOUT": "--graceful-timeout", "MAX_REQUESTS": "--max-requests"}
FORMS = {
    "sync-worker": {"WORKER_CLASS": "sync", "TIMEOUT": "3"},
    "blocked-loop": {"TIMEOUT": "3"},
    "max-requests": {"MAX_REQUESTS": "4", "TIMEOUT": "3"},
}


def setting(name):
    return os.environ.get(name) or FORMS.get(os.environ.get("BREAK", ""), {}).get(name) or DEFAULTS.get(name)


def worker_class():
    name = setting("WORKER_CLASS")
    if name != "uvicorn":
        return name
    try:
        import uvicorn_worker  # noqa: F401  its home since uvicorn 0.30
        return "uvicorn_worker.UvicornWorker"
    except ImportError:
        return "uvicorn.workers.UvicornWorker"


def command():
    address = os.environ.get("HOST", "0.0.0.0") + ":" + os.environ.get("PORT", "8000")
    if os.environ.get("SERVER", "gunicorn") == "uvicorn":
        host, port = address.split(":")
        return [sys.executable, "-m", "uvicorn", "main:app", "--host", host, "--port", port]
    target = "wsgi:app" if os.environ.get("BREAK") == "sync-worker" else "main:app"
    # --preload imports the app once, before the fork: workers are up in a moment,
    # also on a busy machine, where a short timeout would kill them at birth.
    flags = ["--preload"] + [word for name, flag in FLAGS.items() if setting(name) for word in (flag, setting(name))]
    # A heartbeat file on a slow overlay would itself look like a hang.
    return [sys.executable, "-m", "gunicorn", target, "--bind", address, "--worker-class", worker_class(),
            "--worker-tmp-dir", "/dev/shm"] + flags


# Known here too, so that a misspelt one ends the container at once: a worker
# that refuses to start would only be started again.
BREAKS = """app-gzip blocked-loop blocked-loop-short closed-resource ignore-disconnect max-requests memory-hog
middleware-join middleware-launder raise-mid-stream silent-pause swallow sync-generator sync-worker""".split()

if __name__ == "__main__":
    if os.environ.get("BREAK") and os.environ["BREAK"] not in BREAKS:
        raise SystemExit("BREAK=%s is not one of %s" % (os.environ["BREAK"], " ".join(BREAKS)))
    argv = command()
    os.execv(argv[0], argv)
