"""The floors: the least that Python can do with a thread, to show what a scheduler adds."""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import count
from threading import Condition, Lock, Thread
from time import time

from benchmarks.peers.peer import Body, Peer


class ConditionLoop(Peer):
    """One thread, one heap, one `Condition.wait` until the next is due; bodies run inline."""

    inline = True

    def __init__(self) -> None:
        self._condition = Condition()
        self._heap: list[tuple[float, int, str, float, Body]] = []
        self._numbers = count()
        self._stopped = False

    def start(self) -> None:
        Thread(target=self._loop, daemon=True).start()

    def stop(self) -> None:
        with self._condition:
            self._stopped = True
            self._condition.notify()

    def _loop(self) -> None:
        heap = self._heap
        with self._condition:
            while not self._stopped:
                now = time()
                if heap and heap[0][0] <= now:
                    due, _, name, period, body = heappop(heap)
                    if period:
                        heappush(heap, (due + period, next(self._numbers), name, period, body))
                    body()
                else:
                    self._condition.wait(heap[0][0] - now if heap else None)

    def every(self, name: str, start: float, period: float, body: Body) -> None:
        heappush(self._heap, (start, next(self._numbers), name, period, body))

    def once(self, name: str, at: float, body: Body) -> None:
        heappush(self._heap, (at, next(self._numbers), name, 0.0, body))


class IdleThread(Peer):
    """One thread that waits on a raw lock, which is released for each run."""

    def __init__(self) -> None:
        self._called = Lock()
        self._called.acquire()
        self._bodies: dict[str, Body] = {}
        self._next: Body | None = None

    def start(self) -> None:
        Thread(target=self._loop, daemon=True).start()

    def stop(self) -> None:
        self._next = None
        self._called.release()

    def _loop(self) -> None:
        while True:
            self._called.acquire()
            if (body := self._next) is None:
                return
            body()

    def keep(self, name: str, body: Body) -> None:
        self._bodies[name] = body

    def demand(self, name: str) -> None:
        self._next = self._bodies[name]
        self._called.release()


class PlainThreads(Peer):
    """A new thread for each run."""

    def __init__(self) -> None:
        self._bodies: dict[str, Body] = {}

    def start(self) -> None:
        pass

    def stop(self) -> None:
        pass

    def keep(self, name: str, body: Body) -> None:
        self._bodies[name] = body

    def demand(self, name: str) -> None:
        Thread(target=self._bodies[name], daemon=True).start()
