"""Asking again for threads where the system gave none: a run must not wait until by chance another begins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from taskkit.engine.executor import Executor, Job

ASK_AGAIN: Final = 0.5
"""Seconds until the system is asked for a thread again."""


class InsistentExecutor:
    """Hands jobs on to another executor, and notes whether they lack a thread. Thread-safe.

    It has no thread of its own to wait on, as there is none to be had: whoever is woken by `wake` calls
    `ask_again`, at once and then every `ASK_AGAIN` seconds.

    Args:
        executor: Where the jobs go.
        wake: Called when some of them lack a thread; without a lock.
    """

    def __init__(self, executor: Executor, wake: Callable[[], object]) -> None:
        self._executor = executor
        self._wake = wake
        self.lacks_threads = False
        """Whether jobs wait for threads that the system did not give."""

    @property
    def threads(self) -> int:
        """How many threads there are, idle ones counted."""
        return self._executor.threads

    def aside(self) -> InsistentExecutor:
        """Where work goes that is no run; as insistent."""
        return InsistentExecutor(self._executor.aside(), self._wake)

    def submit(self, jobs: Sequence[Job]) -> None:
        """Execute the jobs soon. Any thread."""
        if self._executor.submit(jobs):
            self.lacks_threads = True
            self._wake()

    def ask_again(self) -> bool:
        """If jobs lack a thread, ask for one. Returns whether they lack it still."""
        if self.lacks_threads:
            self.lacks_threads = False  # before, so that what another thread notes meanwhile stays
            if self._executor.submit(()):
                self.lacks_threads = True
        return self.lacks_threads
