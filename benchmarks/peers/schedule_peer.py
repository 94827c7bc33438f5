"""`schedule`: jobs in a list, run inline by the caller of `run_pending`, here as exactly as it allows."""

from __future__ import annotations

from datetime import datetime
from threading import Thread
from time import sleep

import schedule

from benchmarks.peers.peer import Body, Peer

MAX_SLEEP_SECONDS = 1.0


class ScheduleLoop(Peer):
    inline = True
    keeps_grid = False

    def __init__(self) -> None:
        self._scheduler = schedule.Scheduler()
        self._jobs: dict[str, schedule.Job] = {}
        self._stopped = False

    def start(self) -> None:
        Thread(target=self._loop, daemon=True).start()

    def stop(self) -> None:
        self._stopped = True

    def _loop(self) -> None:
        while not self._stopped:
            self._scheduler.run_pending()
            idle = self._scheduler.idle_seconds
            sleep(MAX_SLEEP_SECONDS if idle is None else min(max(idle, 0.0), MAX_SLEEP_SECONDS))

    def every(self, name: str, start: float, period: float, body: Body) -> None:
        job = self._scheduler.every(period).seconds.do(body)  # type: ignore[arg-type]
        job.next_run = datetime.fromtimestamp(start)
        self._jobs[name] = job

    def once(self, name: str, at: float, body: Body) -> None:
        def run_and_be_gone() -> type[schedule.CancelJob]:
            body()
            return schedule.CancelJob

        job = self._scheduler.every(1).days.do(run_and_be_gone)
        job.next_run = datetime.fromtimestamp(at)
        self._jobs[name] = job

    def change(self, name: str, period: float) -> None:
        job = self._jobs[name]
        self._scheduler.cancel_job(job)
        assert job.job_func is not None
        self._jobs[name] = self._scheduler.every(period).seconds.do(job.job_func)  # type: ignore[arg-type]

    def disable(self, name: str) -> None:
        self._scheduler.cancel_job(self._jobs[name])

    def remove(self, name: str) -> None:
        self._scheduler.cancel_job(self._jobs.pop(name))
