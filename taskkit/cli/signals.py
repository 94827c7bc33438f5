"""Signal handlers of a command that runs tasks; a forked child gets the previous ones back."""

from __future__ import annotations

import signal
from collections.abc import Callable, Collection
from time import monotonic
from types import FrameType, TracebackType
from typing import Any, Final, Self

from taskkit.process.forks import put_handlers_back_in_child

REPEAT_SECONDS: Final = 0.25
"""Within this time, the same signal to stop counts once. `timeout` sends it to the process and to its group,
and a parent may forward what the terminal has sent to all; a person takes longer to press ctrl+c again."""

_STOPPING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT)


class SignalHandlers:
    """Handles these signals in a `with` block, on the main thread.

    SIGINT, SIGTERM and SIGQUIT are not reported again within `REPEAT_SECONDS`.

    Args:
        numbers: The signals.
        on_signal: Called with the number of each signal, inside the signal handler.
        wake: A descriptor. A byte is written to it for each signal, to wake the main thread.
        keep_ignored: Those of the signals that stay ignored if they are, as with `nohup`.
    """

    def __init__(
        self,
        numbers: Collection[int],
        on_signal: Callable[[int], object],
        wake: int,
        keep_ignored: Collection[int] = (),
    ) -> None:
        self._numbers = numbers
        self._report = on_signal
        self._wake = wake
        self._previous_wake = -1
        self._keep_ignored = keep_ignored
        self._previous: dict[int, Any] = {}
        self._last_at: dict[int, float] = {}

    def __enter__(self) -> Self:
        self._previous_wake = signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        for number in self._numbers:
            handler = signal.getsignal(number)
            if handler is signal.SIG_IGN and number in self._keep_ignored:
                continue
            self._previous[number] = handler
            signal.signal(number, self._on_signal)
        put_handlers_back_in_child(lambda: tuple(self._previous), self._restore)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._restore()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - a handler's shape
        now, last = monotonic(), self._last_at.get(number)
        if last is not None and now - last < REPEAT_SECONDS and number in _STOPPING:
            return
        self._last_at[number] = now
        self._report(number)

    def _restore(self) -> None:
        """Restore the previous handlers. Also called in a forked child, so that a signal ends it as usual."""
        if self._previous:
            signal.set_wakeup_fd(self._previous_wake)
        while self._previous:
            number, handler = self._previous.popitem()
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
