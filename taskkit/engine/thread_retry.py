"""Retries for threads that the system refused, so that a waiting run does not depend on the next one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from taskkit.engine import scheduler_log
from taskkit.engine.threads import Job, Threads

RETRY_SECONDS: Final = 0.5
"""Time until the system is asked again for a thread."""


class ThreadRetry:
    """Passes jobs on to other threads, and notes if they lack a thread. Thread-safe.

    It cannot wait on a thread of its own, as the system gives none. So `wake` must see that `retry_threads`
    is called, at once and then every `RETRY_SECONDS`.

    Args:
        threads: Execute the jobs.
        wake: Called, without a lock, when some of them lack a thread.
    """

    def __init__(self, threads: Threads, wake: Callable[[], object]) -> None:
        self._threads = threads
        self._wake = wake
        self.lacks_threads = False
        """True if jobs wait for threads that the system refused."""

    @property
    def count(self) -> int:
        """The number of threads, idle ones counted."""
        return self._threads.count

    def for_events(self) -> ThreadRetry:
        """Return the threads for events; they are asked again, too."""
        return ThreadRetry(self._threads.for_events(), self._wake)

    def submit(self, jobs: Sequence[Job]) -> None:
        """Execute the jobs soon. Any thread."""
        if self._submit(jobs):
            self.lacks_threads = True
            self._wake()

    def retry_threads(self) -> bool:
        """Ask the system again for a thread, if jobs lack one. Return True if they still do."""
        if self.lacks_threads:
            self.lacks_threads = False  # first, so that what another thread notes meanwhile stays
            if self._submit(()):
                self.lacks_threads = True
        return self.lacks_threads

    def _submit(self, jobs: Sequence[Job]) -> bool:
        try:
            return bool(self._threads.submit(jobs))
        except Exception as error:  # noqa: BLE001 - a user's threads; the caller has more to do
            scheduler_log.error("a thread could not be started; it is tried again", raised=error)
            return True
