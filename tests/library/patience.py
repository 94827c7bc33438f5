"""Waiting for a condition, never for a while: what tests with real threads have instead of a sleep."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic, sleep
from typing import Final

import pytest

PATIENCE: Final = 60.0
"""Seconds until a test gives up: many, as only a broken program takes that long."""


def eventually(condition: Callable[[], object], otherwise: object = "it did not happen in time") -> None:
    """Wait until `condition` holds, as it soon will."""
    deadline = monotonic() + PATIENCE
    while not condition():
        assert monotonic() < deadline, otherwise() if callable(otherwise) else otherwise
        sleep(0.001)


@contextmanager
def no_thread_left() -> Iterator[None]:
    """Whatever thread begins inside has ended soon after, and one without work sooner than else."""
    before = set(threading.enumerate())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("taskkit.engine.foreign_calls.IDLE_SECONDS", 0.05)
        patch.setattr("taskkit.engine.event_bus.QUIET_SECONDS", 0.05)
        patch.setattr("taskkit.engine.event_bus.IDLE_WATCH_SECONDS", 0.05)
        yield
        eventually(
            lambda: set(threading.enumerate()) <= before,
            lambda: f"left: {set(threading.enumerate()) - before}",
        )


class Gates:
    """A task whose runs wait until they are let through."""

    def __init__(self) -> None:
        self.inside = 0
        self.threads: list[str] = []
        """The names of the threads of its runs."""
        self.most = 0
        """How many runs were inside at once."""
        self._counting = threading.Lock()
        self._open = threading.Event()

    def __call__(self) -> None:
        """Wait for `open`, whatever else is asked."""
        with self._counting:
            self.inside += 1
            self.most = max(self.most, self.inside)
            self.threads.append(threading.current_thread().name)
        assert self._open.wait(PATIENCE)
        with self._counting:
            self.inside -= 1

    def open(self) -> None:
        """Let every run through, from now on."""
        self._open.set()
