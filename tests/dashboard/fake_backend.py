"""A scheduler that is none: rows made by hand, commands written down. Dashboard tests need no real one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, TypeVar

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
from taskkit.operations import Answer, UndoError
from taskkit.outcome import FAILURES
from taskkit.schedules.typed_schedule import preview, read_schedule
from taskkit.store import StoredRun, StoredSkip
from taskkit.words.typed_times import future_time
from taskkit_tui.app import TaskkitApp
from taskkit_tui.backend import Frame
from taskkit_tui.commands import Commands
from taskkit_tui.log.log_line import LogLine
from taskkit_tui.viewmodel.forms.schedule_preview import SchedulePreview, TypedSchedule
from taskkit_tui.viewmodel.row import TaskRow

Result = TypeVar("Result")

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
        "where": None,
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
        self.connection = ""
        self.is_connected = True
        self.details: dict[str, TaskDetails] = {}
        self.offered: tuple[Any, ...] = ()
        self.stored: list[StoredRun | StoredSkip] = []
        self.trouble: str | None = None
        self.file_trouble: str | None = None
        self._changed: dict[int, TaskSnapshot] = dict(self.tasks)
        self._gone: list[int] = []
        self._lines: list[LogLine] = []
        self._failures: list[Any] = []
        self._undoable: list[tuple[tuple[TaskSnapshot, ...], bool | None]] = []

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

    async def describe(self, name: str) -> TaskDetails | None:
        return self.details.get(name)

    def source(self, name: str) -> str:
        return "program"

    def earlier(
        self,
        name: str | None,
        *,
        limit: int,
        before: int | None = None,
        search: str = "",
        kinds: Collection[Any] = (),
        should_continue: Callable[[], bool] | None = None,
    ) -> Sequence[StoredRun | StoredSkip]:
        return [
            each
            for each in sorted(self.stored, key=lambda each: -each.id)
            if name in (None, each.name) and (before is None or each.id < before)
            if not kinds or (each.outcome.kind if isinstance(each, StoredRun) else each.skip.reason) in kinds
            if not search or (isinstance(each, StoredRun) and search in "\n".join(_words(each)))
        ][:limit]

    async def run(self, names: Sequence[str], parameters: Mapping[str, object]) -> Answer:
        self.calls += [("run", name, dict(parameters)) for name in names]
        return Answer(tuple(name for name in names if self._named(name) is not None))

    async def stop(self, names: Sequence[str]) -> Answer:
        self.calls += [("stop", name) for name in names]
        rows = [found for name in names if (found := self._named(name)) is not None and found.run is not None]
        for row in rows:
            assert row.run is not None
            self._change(row.name, run=replace(row.run, asked_to_stop=self.time))
        return Answer(tuple(row.name for row in rows))

    def _change_all(self, names: Iterable[str], fields: Callable[[TaskSnapshot], dict[str, Any]]) -> Answer:
        before = [found for name in names if (found := self._named(name)) is not None]
        for row in before:
            self._change(row.name, **fields(row))
        return Answer(tuple(row.name for row in before), self._remember(before) if before else None)

    def _remember(self, before: Sequence[TaskSnapshot], *, paused: bool | None = None) -> str:
        self._undoable.append((tuple(before), paused))
        return str(len(self._undoable) - 1)

    async def disable(self, names: Sequence[str]) -> Answer:
        self.calls += [("disable", name) for name in names]
        return self._change_all(names, lambda _row: {"disabled": True, "disabled_until": None})

    async def disable_until(self, names: Sequence[str], typed: str) -> Answer:
        until = await self.preview_time(typed)
        self.calls += [("disable_until", name, until) for name in names]
        return self._change_all(names, lambda _row: {"disabled": True, "disabled_until": until})

    async def preview_time(self, typed: str) -> float:
        return future_time(typed, self.time)

    async def enable(self, names: Sequence[str]) -> Answer:
        self.calls += [("enable", name) for name in names]
        return self._change_all(names, lambda _row: {"disabled": False, "disabled_until": None})

    async def set_periods(self, periods: Mapping[str, float]) -> Answer:
        self.calls += [("set_period", name, seconds) for name, seconds in periods.items()]
        return self._change_all(
            periods,
            lambda row: {"period": periods[row.name], "schedule": f"every {periods[row.name]:g} s"},
        )

    async def reschedule(self, names: Sequence[str], typed: str) -> Answer:
        schedule = read_schedule(typed, self.time)
        self.calls += [("reschedule", name, schedule) for name in names]
        period = schedule.period if isinstance(schedule, Every) else None
        return self._change_all(names, lambda _row: {"period": period, "schedule": str(schedule)})

    async def drop_override(self, names: Sequence[str]) -> Answer:
        self.calls += [("drop_override", name) for name in names]
        return self._change_all(
            names, lambda row: {"schedule": row.overrides or row.schedule, "overrides": None}
        )

    async def undo(self, token: str) -> Answer:
        before, paused = self._undoable[int(token)]
        self.calls.append(("undo", *(row.name for row in before)))
        if paused is not None:
            self.paused = paused
            return Answer(())
        there = [row for row in before if row.number in self.tasks]
        self.put(*there)
        if not there:
            raise UndoError("the tasks were changed since")
        return Answer(tuple(row.name for row in there))

    async def due_times_with(self, name: str, seconds: float, count: int) -> Sequence[float] | None:
        found = self._named(name)
        if found is None:
            return None
        return [] if found.disabled else [self.time + seconds * number for number in range(1, count + 1)]

    async def preview(
        self, typed: str, count: int, *, at_once: bool, name: str | None = None
    ) -> SchedulePreview:
        schedule = read_schedule(typed, self.time)
        return SchedulePreview(str(schedule), preview(schedule, self.time, count, at_once=at_once))

    async def abandon(self, names: Sequence[str]) -> Answer:
        self.calls += [("abandon", name) for name in names]
        there = [
            found for name in names if (found := self._named(name)) is not None and found.run is not None
        ]
        self.put(*(replace(row, run=None, state=TaskState.SCHEDULED, abandoned=1) for row in there))
        return Answer(tuple(row.name for row in there))

    async def unregister(self, names: Sequence[str]) -> Answer:
        self.calls += [("unregister", name) for name in names]
        there = [found for name in names if (found := self._named(name)) is not None]
        for row in there:
            self.remove(row.number)
        return Answer(tuple(row.name for row in there))

    async def offers(self) -> tuple[Any, ...]:
        return self.offered

    async def register(self, new: Any) -> Answer:
        schedule = read_schedule(new.schedule.text, self.time)
        self.calls.append(("register", replace(new, schedule=typed_schedule(schedule))))
        if new.name == "unwanted":
            raise ValueError("no such file")
        replaces = self._named(new.name) is not None
        self.put(made := task(99, new.name, schedule=str(schedule)))
        return Answer((new.name,), None if replaces else self._remember([made]))

    async def pause(self) -> Answer:
        self.calls.append(("pause",))
        was_paused, self.paused = self.paused, True
        return Answer((), None if was_paused else self._remember([], paused=False))

    async def resume(self) -> Answer:
        self.calls.append(("resume",))
        was_paused, self.paused = self.paused, False
        return Answer((), self._remember([], paused=True) if was_paused else None)


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


def typed_schedule(schedule: Schedule) -> TypedSchedule:
    """A schedule as a person could have typed it."""
    return TypedSchedule(str(schedule), str(schedule))


def done_at_once(work: Coroutine[Any, Any, Result]) -> Result:
    """What a command answers that waits for nothing, as all do whose scheduler is in this process."""
    try:
        work.send(None)
    except StopIteration as end:
        answer: Result = end.value
        return answer
    raise AssertionError("it waits")


class CommandsAtOnce:
    """Commands whose answers are there at once."""

    def __init__(self, commands: Commands) -> None:
        self._commands = commands

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._commands, name)
        return (lambda *given: done_at_once(found(*given))) if callable(found) else found


def screen_text(app: TaskkitApp) -> list[str]:
    """What is on the screen, line by line."""
    width, height = app.size
    lines = app.screen._compositor.render_strips()
    return [strip.text.ljust(width)[:width] for strip in lines][:height]


def toasts(app: TaskkitApp) -> list[str]:
    """What the toasts say that are on the screen now."""
    return [notification.message for notification in app._notifications]
