"""A scheduler, and what its runs tell, for measures from outside."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from time import monotonic, sleep, time
from typing import TypeVar

from taskkit import Executor, Outcome, RunFinished, RunProgressed, RunStarted, Scheduler, TaskHandler

PATIENCE_SECONDS = 60.0

T = TypeVar("T")


class Observed:
    def __init__(self, scheduler: Scheduler) -> None:
        self.scheduler = scheduler
        self.started: deque[tuple[str, float]] = deque()
        self.ended: deque[tuple[float, Outcome]] = deque()
        self.lags: deque[float] = deque()
        """Seconds from each report of progress to its event."""
        self._number = count(1).__next__
        scheduler.subscribe(self._take, [RunProgressed, RunFinished, RunStarted])

    def add(self, task: Callable[[], object], executor: str) -> TaskHandler:
        return self.scheduler.add_on_demand_task(task, f"{executor} {self._number()}", executor=executor)

    def run(self, handle: TaskHandler) -> tuple[float, Outcome]:
        """Return the seconds from the demand to the end, and the outcome."""
        began = monotonic()
        self.ended.clear()
        handle.demand()
        at, outcome = self.wait(self.ended)
        return at - began, outcome

    def start(self, handle: TaskHandler) -> float:
        """Return the seconds from the demand to the begin."""
        began = monotonic()
        self.started.clear()
        handle.demand()
        return self.wait(self.started)[1] - began

    def wait(self, came: deque[T]) -> T:
        deadline = monotonic() + PATIENCE_SECONDS
        while not came:
            if monotonic() > deadline:
                raise TimeoutError("nothing came")
            sleep(0.0001)
        return came.popleft()

    def _take(self, event: object) -> None:
        now = monotonic()
        if isinstance(event, RunStarted):
            self.started.append((event.name, now))
        elif isinstance(event, RunFinished):
            self.ended.append((now, event.outcome))
        elif isinstance(event, RunProgressed):
            self.lags.append(time() - event.progress.done)


@contextmanager
def observed(**executors: Executor) -> Iterator[Observed]:
    with Scheduler(executors=executors) as scheduler:
        yield Observed(scheduler)


def milliseconds(seconds: list[float]) -> str:
    """Return the median and the longest."""
    ordered = sorted(seconds)
    return f"{ordered[len(ordered) // 2] * 1e3:.2f} ms (longest {ordered[-1] * 1e3:.1f})"
