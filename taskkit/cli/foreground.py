"""Runs a scheduler in the foreground until a signal, and ends the process in bounded time."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from enum import Enum, auto
from functools import partial
from time import monotonic
from types import TracebackType
from typing import Final, NoReturn, Self

from taskkit.cli.console import print_message, print_to_stderr
from taskkit.cli.signal_queue import SignalQueue
from taskkit.cli.signals import SignalHandlers
from taskkit.events import ALL_KINDS, Event, OutputWritten, RunProgressed
from taskkit.process.process_exit import (
    ReadyThread,
    abandoned_lines,
    end_process,
    prepare_to_leave,
    signal_name,
    unhandled_signals,
)
from taskkit.scheduler import Scheduler
from taskkit.snapshot import SchedulerState

STOP_GRACE_SECONDS: Final = 2.0
"""Time limit for `Scheduler.stop` beyond its timeout for the runs."""

EXIT_HANDLER_SECONDS: Final = 2.0
"""Time limit for functions registered with `atexit`."""

_CHANGING_IDLE: Final = ALL_KINDS - {OutputWritten, RunProgressed}
"""Events after which the scheduler may be idle."""

_ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT)


class Wakeup(Enum):
    """Reasons to wake the main thread, besides signals."""

    CHECK_IDLE = auto()
    OUTPUT_CLOSED = auto()
    STOPPED = auto()
    NO_TAKE_OVER = auto()


class Foreground:
    """Waits until the scheduler should stop, and stops it. Use it on the main thread, which handles signals.

    Args:
        scheduler: The scheduler that is running.
        on_hangup: Called on SIGHUP; if `None`, SIGHUP stops the scheduler as SIGTERM does.
        until_idle: Also stop when nothing is scheduled and nothing is running.
    """

    def __init__(
        self, scheduler: Scheduler, on_hangup: Callable[[], object] | None, *, until_idle: bool
    ) -> None:
        self._scheduler = scheduler
        self._on_hangup = on_hangup
        self._until_idle = until_idle
        self._queue: SignalQueue[int | Wakeup] = SignalQueue()
        self._ending: Final = (*_ENDING, *(set(unhandled_signals()) - {*_ENDING}))
        on_signals = (*self._ending, signal.SIGHUP)
        keep_ignored = self._ending if on_hangup is not None else on_signals
        self._signals = SignalHandlers(on_signals, self._queue.put, self._queue.descriptor, keep_ignored)
        self._had_terminal = sys.__stdout__ is not None and sys.__stdout__.isatty()
        self._unsubscribe: Callable[[], None] | None = None
        self._stopper: ReadyThread | None = None
        self.is_hurried = False
        """True after a signal that ended the waiting for runs."""
        self.has_failed = False
        """True if a scheduler on standby could not take over."""

    def __enter__(self) -> Self:
        # Both threads start now: later the system may refuse a new thread.
        prepare_to_leave()
        self._stopper = ReadyThread("taskkit stopping")
        self._signals.__enter__()
        if self._until_idle:
            self._unsubscribe = self._scheduler.subscribe(self._check_idle, _CHANGING_IDLE)
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

    def on_output_closed(self) -> None:
        """Stop, as the reader of standard output has gone away. Thread-safe."""
        self._queue.put(Wakeup.OUTPUT_CLOSED)

    def on_failed_take_over(self) -> None:
        """Stop, as a scheduler on standby could not take over. Thread-safe."""
        self.has_failed = True
        self._queue.put(Wakeup.NO_TAKE_OVER)

    def wait(self) -> str:
        """Wait until the scheduler should stop. Returns the reason, in words."""
        self._queue.put(Wakeup.CHECK_IDLE)
        while True:
            match self._queue.get():
                case signal.SIGHUP:
                    if self._on_hangup is None:
                        return "SIGHUP"
                    if self._had_terminal and not os.isatty(1):
                        return "the terminal was closed"
                    self._on_hangup()
                case int(number):
                    return signal_name(number)
                case Wakeup.OUTPUT_CLOSED:
                    return "standard output was closed"
                case Wakeup.NO_TAKE_OVER:
                    return "it could not take over"
                case _:
                    if self._until_idle and self._is_idle():
                        return "nothing is scheduled any more"

    def stop(
        self, timeout: float, drain: float = 0.0, on_hurry: Callable[[], object] = lambda: None
    ) -> Sequence[str]:
        """Stop the scheduler. A second signal ends a drain, and the next one the waiting, at once.

        Args:
            timeout: Seconds to wait for runs that were asked to stop.
            drain: Seconds before that in which runs may end by themselves.
            on_hurry: Called when a signal ends the drain.

        Returns:
            The names of the runs that did not end in time.
        """
        abandoned: list[str] = []

        def stop() -> None:
            try:
                stopping = partial(self._scheduler.stop, drain=drain) if drain else self._scheduler.stop
                abandoned.extend(stopping(timeout))
            finally:
                self._queue.put(Wakeup.STOPPED)

        (self._stopper or ReadyThread("taskkit stopping")).do(stop)
        deadline = monotonic() + drain + timeout + STOP_GRACE_SECONDS
        may_drain = True  # the state says so for a moment longer, in which the next signal may come
        while True:
            message = self._queue.get(max(0.0, deadline - monotonic()))
            if message is None:
                return list(self._scheduler.running)
            if message is Wakeup.STOPPED:
                return abandoned
            if message in self._ending and may_drain and self._scheduler.state is SchedulerState.DRAINING:
                may_drain = False
                on_hurry()
                self._scheduler.stop(0)  # this ends the drain, and waits for nothing
                deadline = monotonic() + timeout + STOP_GRACE_SECONDS
            elif message in self._ending:
                self.is_hurried = True
                return list(self._scheduler.running)

    def _check_idle(self, event: Event) -> None:  # noqa: ARG002 - a subscriber's shape
        self._queue.put(Wakeup.CHECK_IDLE)

    def _is_idle(self) -> bool:
        scheduler = self._scheduler
        if scheduler.state is SchedulerState.STANDBY:
            return False
        return not scheduler.running and not scheduler.paused and scheduler.next_time is None


def report_abandoned(names: Sequence[str]) -> None:
    """Name the runs that did not end in time, on standard error."""
    first, *others = abandoned_lines(names)
    print_message(first)
    for line in others:
        print_to_stderr(line)


def exit_now(status: int) -> NoReturn:
    """End the process with this status, whatever tasks have left running."""
    end_process(status, for_handlers=EXIT_HANDLER_SECONDS)
