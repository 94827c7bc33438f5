"""Hearing signals while a command runs tasks, and seeing to it that a forked child does not hear them so."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Collection
from threading import local
from time import monotonic
from types import FrameType, TracebackType
from typing import Any, Final, Self

ECHO: Final = 0.25
"""Seconds within which the same signal to stop is one that was sent twice, to the process and to its group:
`timeout` does that, and so does a parent that passes on what the terminal has sent to all. A person who
insists takes longer."""

_TO_STOP: Final = (signal.SIGINT, signal.SIGTERM)


class Signals:
    """While it is entered, these signals are told instead of doing what they do. For the main thread.

    SIGINT and SIGTERM are not told again within `ECHO`.

    Args:
        numbers: Of the signals.
        tell: Called with the number of each that comes, as a signal handler.
        wake: A descriptor to write to when one comes, so that the main thread wakes and can be told.
        keep_ignored: Those of them that stay ignored if they were, as with `nohup`.
    """

    def __init__(
        self,
        numbers: Collection[int],
        tell: Callable[[int], object],
        wake: int,
        keep_ignored: Collection[int] = (),
    ) -> None:
        self._numbers = numbers
        self._tell = tell
        self._wake = wake
        self._woken_before = -1
        self._keep_ignored = keep_ignored
        self._before: dict[int, Any] = {}
        self._fork = local()
        self._told: dict[int, float] = {}

    def __enter__(self) -> Self:
        self._woken_before = signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        for number in self._numbers:
            before = signal.getsignal(number)
            if before is signal.SIG_IGN and number in self._keep_ignored:
                continue
            self._before[number] = before
            signal.signal(number, self._heard)
        os.register_at_fork(
            before=self._hold_back, after_in_parent=self._let_through, after_in_child=self._put_back
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._put_back()

    def _heard(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - a handler's shape
        now, told = monotonic(), self._told.get(number)
        if told is not None and now - told < ECHO and number in _TO_STOP:
            return
        self._told[number] = now
        self._tell(number)

    def _put_back(self) -> None:
        """In a forked child too: a signal is to end it as it ends any process."""
        if self._before:
            signal.set_wakeup_fd(self._woken_before)
        while self._before:
            number, handler = self._before.popitem()
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
        self._let_through()

    def _hold_back(self) -> None:
        # A signal that comes to a child before it has put the handlers back would be lost.
        if self._before:
            self._fork.mask = signal.pthread_sigmask(signal.SIG_BLOCK, tuple(self._before))

    def _let_through(self) -> None:
        mask = self._fork.__dict__.pop("mask", None)
        if mask is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
