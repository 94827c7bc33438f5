"""A scheduler whose tasks run elsewhere than on its threads, for the tests of its executors."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import Any

from patience import eventually

from taskkit import Event, Outcome, OutputWritten, RunFinished, Scheduler, TaskHandler, TaskSnapshot

Parameters = Mapping[str, object] | None

_numbers = count(1)


def new_name() -> str:
    return f"task {next(_numbers)}"


class Place:
    """A scheduler whose tasks run elsewhere, and what its runs tell."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.scheduler = scheduler
        self.outcomes: dict[str, list[Outcome]] = {}
        self.lines: dict[str, list[str]] = {}
        self.dropped: dict[str, int] = {}
        scheduler.subscribe(self._take)

    def _take(self, event: Event) -> None:
        if isinstance(event, RunFinished):
            self.outcomes.setdefault(event.name, []).append(event.outcome)
        elif isinstance(event, OutputWritten):
            self.lines.setdefault(event.name, []).extend(line.text for line in event.lines)
            self.dropped[event.name] = self.dropped.get(event.name, 0) + event.dropped

    def add(self, task: Any, **keywords: Any) -> TaskHandler:
        """Register a new task."""
        return self.scheduler.add_on_demand_task(task, new_name(), executor="workers", **keywords)

    def begin(self, task: Any, parameters: Parameters = None, **keywords: Any) -> TaskHandler:
        """Start a run of a new task."""
        handle = self.add(task, **keywords)
        assert handle.demand(parameters)
        return handle

    def end(self, handle: TaskHandler, runs: int = 1) -> Outcome:
        """Wait for the end of a run."""
        eventually(lambda: len(self.outcomes.get(handle.name, ())) >= runs, lambda: handle.explain())
        return self.outcomes[handle.name][runs - 1]

    def outcome(self, task: Any, parameters: Parameters = None, **keywords: Any) -> Outcome:
        """Run a new task to its end."""
        return self.end(self.begin(task, parameters, **keywords))

    def wait_for_line(self, handle: TaskHandler, text: str = "") -> str:
        """Wait until it has written a line that begins so, and return that."""
        found: list[str] = []

        def has_come() -> bool:
            found[:] = [line for line in self.lines.get(handle.name, ()) if line.startswith(text)]
            return bool(found)

        eventually(has_come)
        return found[0]

    def pid(self, handle: TaskHandler) -> int:
        """Return the process of its run, once it has begun."""

        def where() -> str | None:
            run = snapshot_of(self.scheduler, handle.name).run
            return None if run is None else run.where

        eventually(where)
        return int((where() or "").removeprefix("process "))


def snapshot_of(scheduler: Scheduler, name: str) -> TaskSnapshot:
    return next(each for each in scheduler.snapshot().tasks if each.name == name)
