"""A WSGI application with a task; `gunicorn_conf.py` starts and serves its scheduler in each worker."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from taskkit import Scheduler


def clean_cache() -> None:
    """Clean the cache of this worker."""
    print("cache cleaned")


scheduler = Scheduler()
scheduler.add_periodic_task(None, 600, clean_cache, "clean cache")


def app(environ: dict[str, object], start_response: Callable[..., object]) -> Iterable[bytes]:
    """Answer each request."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello\n"]
