"""A scheduler that is none: rows made by hand, commands written down. Dashboard tests need no real one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from textual.pilot import Pilot

from taskkit import (
    Changes,
    Every,
    Figures,
    OutcomeKind,
    PastRun,
    Progress,
    RetrySnapshot,
    RunSnapshot,
    Schedule,
    TaskDetails,
    TaskSnapshot,
    TaskState,
    Trigger,
)
from taskkit.outcome import FAILURES
from taskkit.store import StoredRun, StoredSkip
from taskkit_tui.app import TaskkitApp
from taskkit_tui.backend import Frame
from taskkit_tui.log.line import LogLine
from taskkit_tui.viewmodel.row import TaskRow
from taskkit_tui.viewmodel.typed_schedule import read_schedule

NOW = 1_700_000_000.0


def task(number: int = 1, name: str = "heartbeat", **fields: Any) -> TaskSnapshot:
    """A scheduled task that is due in ten seconds, unless `fields` says otherwise."""
    given: dict[str, Any] = {
        "number": number,
        "name": name,
        "state": TaskState.SCHEDULED,
        "disabled": False,
        "schedule": "every 30 s",
        "overrides": None,
        "period": 30.0,
        "next_run": NOW + 10,
        "description": "",
        "replaces_running": False,
        "again": False,
        "run": None,
        "retry": None,
        "past": (),
        "run_count": 0,
        "skipped": {},
        "unregistered": False,
    }
    past = fields.get("past", ())
    given["failing"] = bool(past) and past[-1].kind in FAILURES
    given["failing_since"] = past[-1].finished if given["failing"] else None
    return TaskSnapshot(**{**given, **fields})


def running(number: int = 1, name: str = "crawl", *, since: float = 12.0, **fields: Any) -> TaskSnapshot:
    """A task that has run for `since` seconds."""
    run = {
        "number": 7,
        "trigger": Trigger.SCHEDULE,
        "due": NOW - since,
        "started": NOW - since,
        "attempt": 1,
        "asked_to_stop": None,
        "progress": None,
    }
    run.update({key: fields.pop(key) for key in list(fields) if key in run})
    return task(number, name, state=TaskState.RUNNING, run=RunSnapshot(**run), **fields)


def on_demand(number: int = 1, name: str = "rebuild site", **fields: Any) -> TaskSnapshot:
    """A task that waits to be asked."""
    given: dict[str, Any] = {
        "state": TaskState.ON_DEMAND,
        "schedule": "on demand",
        "period": None,
        "next_run": None,
    }
    return task(number, name, **{**given, **fields})


def row(snapshot: TaskSnapshot, trend: int = 0) -> TaskRow:
    """A row of a snapshot."""
    return TaskRow(snapshot, trend)


def past(
    *durations: float, kind: OutcomeKind = OutcomeKind.SUCCEEDED, ago: float = 12.0
) -> tuple[PastRun, ...]:
    """Runs that ended, the last one `ago` seconds ago."""
    error = "ValueError: no such feed" if kind is OutcomeKind.FAILED else None
    return tuple(PastRun(kind, NOW - ago, duration, error) for duration in durations)


FAILED = past(0.1, kind=OutcomeKind.FAILED)
RETRY = RetrySnapshot(2, 5, NOW + 8)
HALF = Progress(31, 50, "page 31 of 50")


def figures(tasks: Sequence[TaskSnapshot] = (), time: float = NOW, **fields: Any) -> Figures:
    """The figures of some tasks."""
    given: dict[str, Any] = {
        "time": time,
        "is_running": True,
        "paused": False,
        "tasks": len(tasks),
        "running": sum(each.run is not None for each in tasks),
        "disabled": sum(each.disabled for each in tasks),
        "failing": sum(row(each).failing for each in tasks),
        "threads": 4,
        "lateness_p99": 0.0004,
        "next_time": None,
    }
    return Figures(**{**given, **fields})


def _words(run: StoredRun) -> tuple[str, ...]:
    return (run.outcome.exception or "", str(run.outcome.result or ""), *run.outcome.output)


class FakeBackend:
    """Shows what it is given, and writes down what it is asked for."""

    def __init__(self, *tasks: TaskSnapshot) -> None:
        self.tasks = {each.number: each for each in tasks}
        self.calls: list[tuple[object, ...]] = []
        self.time = NOW
        self.paused = False
        self.is_running = True
        self.opened = False
        self.leaving_stops_runs = True
        self.details: dict[str, TaskDetails] = {}
        self.offered: tuple[Any, ...] = ()
        self.stored: list[StoredRun | StoredSkip] = []
        self.trouble: str | None = None
        self.file_trouble: str | None = None
        self._changed: dict[int, TaskSnapshot] = dict(self.tasks)
        self._gone: list[int] = []
        self._lines: list[LogLine] = []
        self._failures: list[Any] = []

    def put(self, *tasks: TaskSnapshot) -> None:
        """Let tasks be new, or different."""
        for each in tasks:
            self.tasks[each.number] = self._changed[each.number] = each

    def remove(self, number: int) -> None:
        """Let a task be gone."""
        del self.tasks[number]
        self._changed.pop(number, None)
        self._gone.append(number)

    def write(self, *lines: LogLine) -> None:
        """Let tasks have written."""
        self._lines += lines

    def fail(self, failure: Any) -> None:
        """Let a run have failed."""
        self._failures.append(failure)

    def _named(self, name: str) -> TaskSnapshot | None:
        return next((each for each in self.tasks.values() if each.name == name), None)

    def _change(self, name: str, **fields: Any) -> bool:
        found = self._named(name)
        if found is None:
            return False
        self.put(replace(found, **fields))
        return True

    def open(self) -> None:
        self.opened = True

    def close(self, timeout: float) -> Sequence[str]:
        return []

    def collect(self) -> Frame:
        changes = Changes(
            figures(tuple(self.tasks.values()), self.time, paused=self.paused, is_running=self.is_running),
            tuple(self._changed.values()),
            tuple(self._gone),
        )
        frame = Frame(changes, tuple(self._lines), 0, tuple(self._failures))
        self._changed, self._gone, self._lines, self._failures = {}, [], [], []
        return frame

    def describe(self, name: str) -> TaskDetails | None:
        return self.details.get(name)

    def source(self, name: str) -> str:
        return "program"

    def earlier(
        self,
        name: str,
        *,
        limit: int,
        before: int | None = None,
        search: str = "",
        kinds: Collection[Any] = (),
        go_on: Callable[[], bool] | None = None,
    ) -> Sequence[StoredRun | StoredSkip]:
        return [
            each
            for each in sorted(self.stored, key=lambda each: -each.id)
            if each.name == name and (before is None or each.id < before)
            if not kinds or (each.outcome.kind if isinstance(each, StoredRun) else each.skip.reason) in kinds
            if not search or (isinstance(each, StoredRun) and search in "\n".join(_words(each)))
        ][:limit]

    def run(self, name: str, parameters: Mapping[str, object]) -> bool:
        self.calls.append(("run", name, dict(parameters)))
        return self._named(name) is not None

    def stop(self, name: str) -> bool:
        self.calls.append(("stop", name))
        found = self._named(name)
        if found is None or found.run is None:
            return False
        return self._change(name, run=replace(found.run, asked_to_stop=self.time))

    def disable(self, name: str) -> bool:
        self.calls.append(("disable", name))
        return self._change(name, disabled=True)

    def enable(self, name: str) -> bool:
        self.calls.append(("enable", name))
        return self._change(name, disabled=False)

    def set_period(self, name: str, seconds: float) -> bool:
        self.calls.append(("set_period", name, seconds))
        return self._change(name, period=seconds, schedule=f"every {seconds:g} s")

    def schedule(self, name: str) -> Schedule | None:
        found = self._named(name)
        return None if found is None else read_schedule(found.schedule, self.time)

    def reschedule(self, name: str, schedule: Schedule) -> bool:
        self.calls.append(("reschedule", name, schedule))
        period = schedule.period if isinstance(schedule, Every) else None
        return self._change(name, period=period, schedule=str(schedule))

    def due_times_with(self, name: str, seconds: float, count: int) -> Sequence[float] | None:
        found = self._named(name)
        if found is None:
            return None
        return [] if found.disabled else [self.time + seconds * number for number in range(1, count + 1)]

    def drop_override(self, name: str) -> bool:
        self.calls.append(("drop_override", name))
        found = self._named(name)
        if found is None:
            return False
        return self._change(name, schedule=found.overrides or found.schedule, overrides=None)

    def unregister(self, name: str) -> bool:
        self.calls.append(("unregister", name))
        found = self._named(name)
        if found is None:
            return False
        self.remove(found.number)
        return True

    def offers(self) -> tuple[Any, ...]:
        return self.offered

    def register(self, new: Any) -> None:
        self.calls.append(("register", new))
        if new.name == "unwanted":
            raise ValueError("no such file")
        self.put(task(99, new.name, schedule=str(new.schedule)))

    def pause(self) -> bool:
        self.calls.append(("pause",))
        self.paused = True
        return True

    def resume(self) -> bool:
        self.calls.append(("resume",))
        self.paused = False
        return True


@asynccontextmanager
async def dashboard(
    *tasks: TaskSnapshot,
    size: tuple[int, int] = (120, 36),
    kind: type[TaskkitApp] = TaskkitApp,
    **options: Any,
) -> AsyncIterator[tuple[TaskkitApp, FakeBackend, Pilot[None]]]:
    """A dashboard of hand-made tasks, on a screen of that size."""
    backend = FakeBackend(*tasks)
    app = kind(backend, **options)
    async with app.run_test(size=size, notifications=True) as pilot:
        await pilot.pause()
        app.look()
        await pilot.pause()
        yield app, backend, pilot


def screen_text(app: TaskkitApp) -> list[str]:
    """What is on the screen, line by line."""
    width, height = app.size
    lines = app.screen._compositor.render_strips()
    return [strip.text.ljust(width)[:width] for strip in lines][:height]


def toasts(app: TaskkitApp) -> list[str]:
    """What the toasts say that are on the screen now."""
    return [notification.message for notification in app._notifications]
