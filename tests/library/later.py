"""An executor whose threads come when a test lets them come."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from taskkit.engine.threads import Job, Threads
from taskkit.testing import InlineExecutor


class Later:
    """An executor that does nothing until it is told: what it was given waits for a thread."""

    count = 0

    def __init__(self) -> None:
        self.jobs: deque[Job] = deque()

    def for_events(self) -> Threads:
        return InlineExecutor().for_events()

    def submit(self, jobs: Sequence[Job]) -> None:
        self.jobs.extend(jobs)

    def work(self) -> None:
        """A thread has come for each of them."""
        while self.jobs:
            self.jobs.popleft()[1]()
