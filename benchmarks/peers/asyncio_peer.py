"""asyncio's `call_at` on a loop in a thread: a heap of timers, run inline."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from threading import Event, Thread
from time import time

from benchmarks.peers.peer import Body, Peer


class AsyncioLoop(Peer):
    inline = True

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._offset = self._loop.time() - time()
        self._handles: dict[str, tuple[asyncio.TimerHandle, Body]] = {}
        self._bodies: dict[str, Body] = {}
        self._stopped = False

    def start(self) -> None:
        Thread(target=self._loop.run_forever, daemon=True).start()

    def stop(self) -> None:
        self._stopped = True
        self._loop.call_soon_threadsafe(self._loop.stop)

    def call(self, function: Callable[[], None]) -> None:
        done = Event()

        def call() -> None:
            function()
            done.set()

        self._loop.call_soon_threadsafe(call)
        done.wait()

    def every(self, name: str, start: float, period: float, body: Body) -> None:
        timer = self._loop.call_at(start + self._offset, self._run, name, start, period, body)
        self._handles[name] = timer, body

    def _run(self, name: str, due: float, period: float, body: Body) -> None:
        if not self._stopped:
            self.every(name, due + period, period, body)
            body()

    def once(self, name: str, at: float, body: Body) -> None:
        self._handles[name] = self._loop.call_at(at + self._offset, body), body

    def keep(self, name: str, body: Body) -> None:
        self._bodies[name] = body

    def demand(self, name: str) -> None:
        self._loop.call_soon_threadsafe(self._bodies[name])

    def change(self, name: str, period: float) -> None:
        timer, body = self._handles[name]
        timer.cancel()
        self.every(name, time() + period, period, body)

    def disable(self, name: str) -> None:
        self._handles[name][0].cancel()

    def remove(self, name: str) -> None:
        self._handles.pop(name)[0].cancel()
