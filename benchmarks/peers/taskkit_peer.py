"""taskkit as a dashboard uses it, and taskkit without subscriber and output routing."""

from __future__ import annotations

from benchmarks.peers.peer import Body, Peer
from taskkit import Event, Scheduler


class _Taskkit(Peer):
    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler

    def start(self) -> None:
        self._scheduler.start()

    def stop(self) -> None:
        self._scheduler.stop(timeout=1.0)

    def every(self, name: str, start: float, period: float, body: Body) -> None:
        self._scheduler.add_periodic_task(start, period, body, name)

    def once(self, name: str, at: float, body: Body) -> None:
        self._scheduler.add_timed_task(at, body, name)

    def keep(self, name: str, body: Body) -> None:
        self._scheduler.add_on_demand_task(body, name)

    def demand(self, name: str) -> None:
        self._scheduler.demand_task(name)

    def change(self, name: str, period: float) -> None:
        self._scheduler.set_period(name, period)

    def disable(self, name: str) -> None:
        self._scheduler.disable_task(name)

    def remove(self, name: str) -> None:
        self._scheduler.unregister_task(name)


class WithEverything(_Taskkit):
    """Events for a cheap subscriber, outcomes, and output routing: everything that costs time is on."""

    def __init__(self) -> None:
        super().__init__(Scheduler(capture=True))
        self.events = 0
        self._scheduler.subscribe(self._count)

    def _count(self, _: Event) -> None:
        self.events += 1


class Bare(_Taskkit):
    """No subscriber, and no routing of `sys.stdout`."""

    def __init__(self) -> None:
        super().__init__(Scheduler(capture=False))
