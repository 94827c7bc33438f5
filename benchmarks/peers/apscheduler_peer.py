"""APScheduler 3: a background thread, jobs in memory, a pool of threads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from apscheduler.executors.pool import ThreadPoolExecutor  # type: ignore[import-untyped]
from apscheduler.schedulers.background import BackgroundScheduler  # type: ignore[import-untyped]
from apscheduler.triggers.date import DateTrigger  # type: ignore[import-untyped]
from apscheduler.triggers.interval import IntervalTrigger  # type: ignore[import-untyped]

from benchmarks.peers.peer import Body, Peer

THREADS = 64
"""Enough that no measure waits for the pool; its default is ten."""


class APScheduler(Peer):
    def __init__(self) -> None:
        self._scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(THREADS)},
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
            timezone=UTC,
        )

    def start(self) -> None:
        self._scheduler.start()

    def stop(self) -> None:
        self._scheduler.shutdown(wait=False)

    def every(self, name: str, start: float, period: float, body: Body) -> None:
        at = datetime.fromtimestamp(start, UTC)
        trigger = IntervalTrigger(seconds=period, start_date=at, timezone=UTC)
        self._scheduler.add_job(body, trigger, id=name)

    def once(self, name: str, at: float, body: Body) -> None:
        self._scheduler.add_job(body, DateTrigger(datetime.fromtimestamp(at, UTC)), id=name)

    def keep(self, name: str, body: Body) -> None:
        start = datetime.now(UTC) + timedelta(days=1)
        self._scheduler.add_job(body, IntervalTrigger(days=1, start_date=start, timezone=UTC), id=name)

    def demand(self, name: str) -> None:
        self._scheduler.modify_job(name, next_run_time=datetime.now(UTC))

    def change(self, name: str, period: float) -> None:
        self._scheduler.reschedule_job(name, trigger=IntervalTrigger(seconds=period, timezone=UTC))

    def disable(self, name: str) -> None:
        self._scheduler.pause_job(name)

    def remove(self, name: str) -> None:
        self._scheduler.remove_job(name)
