"""A scheduler in the foreground: it runs until a signal or whatever else ends it, in bounded time."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from threading import Thread
from time import monotonic
from types import TracebackType
from typing import Final, Self

from taskkit.cli.news import News
from taskkit.cli.signals import Signals
from taskkit.events import Event, OutputWritten, RunProgressed
from taskkit.scheduler import Scheduler

GRACE: Final = 2.0
"""Seconds beyond the time for the runs, until the stopping itself is given up."""

_ENDING: Final = (signal.SIGINT, signal.SIGTERM)

LOOK: Final = "look"
CLOSED: Final = "closed"
STOPPED: Final = "stopped"


class Foreground:
    """Waits for what ends a scheduler. To be used on the main thread, as signals come there.

    Args:
        scheduler: Whom it is about.
        on_hangup: Called when SIGHUP comes; without it, that ends the scheduler as SIGTERM does.
        until_idle: End it when nothing is scheduled and nothing runs.
    """

    def __init__(
        self, scheduler: Scheduler, on_hangup: Callable[[], object] | None, *, until_idle: bool
    ) -> None:
        self._scheduler = scheduler
        self._on_hangup = on_hangup
        self._until_idle = until_idle
        self._news: News[int | str] = News()
        on_signals = (*_ENDING, signal.SIGHUP)
        keep_ignored = _ENDING if on_hangup is not None else on_signals
        self._signals = Signals(on_signals, self._news.put, self._news.descriptor, keep_ignored)
        self._had_terminal = sys.__stdout__ is not None and sys.__stdout__.isatty()
        self._unsubscribe: Callable[[], None] | None = None
        self.is_hurried = False
        """Whether a second signal came."""

    def __enter__(self) -> Self:
        self._signals.__enter__()
        if self._until_idle:
            self._unsubscribe = self._scheduler.subscribe(self._hear)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._unsubscribe is not None:
            self._unsubscribe()
        self._signals.__exit__(kind, error, traceback)

    def output_is_closed(self) -> None:
        """Nobody reads any more. Any thread."""
        self._news.put(CLOSED)

    def wait(self) -> str:
        """Wait until the scheduler is to end. Returns why, in words."""
        self._news.put(LOOK)
        while True:
            match self._news.get():
                case signal.SIGHUP:
                    if self._on_hangup is None:
                        return "SIGHUP"
                    if self._had_terminal and not os.isatty(1):
                        return "the terminal was closed"
                    self._on_hangup()
                case int(number):
                    return signal.Signals(number).name
                case str() as word if word == CLOSED:
                    return "nobody reads the output"
                case _:
                    if self._until_idle and self._is_idle():
                        return "nothing is scheduled any more"

    def stop(self, timeout: float) -> Sequence[str]:
        """Stop the scheduler. A second signal gives up at once.

        Returns:
            The names of the runs that did not end in time.
        """
        abandoned: list[str] = []

        def stop() -> None:
            abandoned.extend(self._scheduler.stop(timeout))
            self._news.put(STOPPED)

        Thread(target=stop, name="taskkit stopping", daemon=True).start()
        deadline = monotonic() + timeout + GRACE
        while True:
            news = self._news.get(max(0.0, deadline - monotonic()))
            if news is None:
                return list(self._scheduler.running)
            if news == STOPPED:
                return abandoned
            if news in _ENDING:
                self.is_hurried = True
                return list(self._scheduler.running)

    def _hear(self, event: Event) -> None:
        if not isinstance(event, OutputWritten | RunProgressed):
            self._news.put(LOOK)

    def _is_idle(self) -> bool:
        scheduler = self._scheduler
        return not scheduler.running and not scheduler.paused and scheduler.next_time is None
