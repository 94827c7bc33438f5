"""The TaskKit of Webware for Python, the ancestor of taskkit."""

from __future__ import annotations

from time import time

import webware  # type: ignore[import-untyped]

from benchmarks.peers.peer import Body, Peer

webware.addToSearchPath()

from TaskKit.Scheduler import Scheduler  # type: ignore[import-not-found] # noqa: E402 - found only now
from TaskKit.Task import Task  # type: ignore[import-not-found] # noqa: E402 - as above


class _Call(Task):  # type: ignore[misc]
    def __init__(self, body: Body) -> None:
        super().__init__()
        self._body = body

    def run(self) -> None:
        self._body()


class Webware(Peer):
    def __init__(self) -> None:
        self._scheduler = Scheduler(daemon=True)

    def start(self) -> None:
        self._scheduler.start()

    def stop(self) -> None:
        self._scheduler.stop()

    def every(self, name: str, start: float, period: float, body: Body) -> None:
        self._scheduler.addPeriodicAction(start, period, _Call(body), name)

    def once(self, name: str, at: float, body: Body) -> None:
        self._scheduler.addTimedAction(at, _Call(body), name)

    def keep(self, name: str, body: Body) -> None:
        self._scheduler.addActionOnDemand(_Call(body), name)

    def demand(self, name: str) -> None:
        self._scheduler.demandTask(name)

    def change(self, name: str, period: float) -> None:
        # `setPeriod` neither moves the next start nor wakes the scheduler; adding it again does both.
        task = self._scheduler.scheduled(name)._task
        self._scheduler.addPeriodicAction(time() + period, period, task, name)

    def disable(self, name: str) -> None:
        self._scheduler.disableTask(name)

    def remove(self, name: str) -> None:
        self._scheduler.unregisterTask(name)
