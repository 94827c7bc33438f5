"""gunicorn with a scheduler in each of three workers: run `gunicorn -c gunicorn_conf.py wsgi_app:app`.

Each worker runs the tasks, so they should be about the worker itself. `taskkit ps` lists the three; choose
one by its process id. What must run once belongs in a process of its own, such as `taskkit run`.
"""

from __future__ import annotations

workers = 3


def post_worker_init(worker: object) -> None:
    """Start and serve the scheduler in a worker, after the fork: it cannot be taken over from the parent."""
    from wsgi_app import scheduler

    from taskkit.remote import serve

    scheduler.start()
    serve(scheduler, "shop", target="wsgi_app:scheduler")


def worker_exit(server: object, worker: object) -> None:
    """Stop it with its worker."""
    from wsgi_app import scheduler

    scheduler.stop()
