"""The standard library's `sched`: a heap, run inline by a thread that calls `run()`."""

from __future__ import annotations

import sched
from functools import partial
from threading import Thread
from time import sleep, time

from benchmarks.peers.peer import Body, Peer


class StdlibSched(Peer):
    inline = True

    def __init__(self) -> None:
        self._stopped = False
        self._scheduler = sched.scheduler(time, sleep)
        self._events: dict[str, tuple[sched.Event, Body]] = {}

    def start(self) -> None:
        Thread(target=self._scheduler.run, daemon=True).start()

    def stop(self) -> None:
        self._stopped = True

    def every(self, name: str, start: float, period: float, body: Body) -> None:
        event = self._scheduler.enterabs(start, 0, partial(self._run, name, start, period, body))
        self._events[name] = event, body

    def _run(self, name: str, due: float, period: float, body: Body) -> None:
        if not self._stopped:
            self.every(name, due + period, period, body)
            body()

    def once(self, name: str, at: float, body: Body) -> None:
        self._events[name] = self._scheduler.enterabs(at, 0, body), body

    def change(self, name: str, period: float) -> None:
        event, body = self._events[name]
        self._scheduler.cancel(event)
        self.every(name, time() + period, period, body)

    def disable(self, name: str) -> None:
        self._scheduler.cancel(self._events[name][0])

    def remove(self, name: str) -> None:
        self._scheduler.cancel(self._events.pop(name)[0])
