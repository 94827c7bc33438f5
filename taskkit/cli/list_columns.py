"""The columns of `taskkit list`: their titles, and the cells of each task.

To add a column, add its title to `COLUMNS` and its cell to `TaskCells.of`, in the same place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from taskkit.cli.console import Console
from taskkit.cli.table import TableColumn
from taskkit.cli.task_status import LastRun, TaskStatus
from taskkit.cli.upcoming import UpcomingTask
from taskkit.engine.registration import THREAD
from taskkit.outcome import OutcomeKind
from taskkit.schedules import After, Once
from taskkit.schedules.zones import zone_name
from taskkit.words.durations import clock_span, until
from taskkit.words.outcomes import kind_words, outcome_mark
from taskkit.words.plain_text import harmless
from taskkit.words.times import full_time, near_time, offset_words
from taskkit.words.urgency import is_near

COLUMNS: Final = (
    TableColumn("TASK", 20, 8),
    TableColumn("STATE"),
    TableColumn("LAST", 18, 8),
    TableColumn("NEXT"),
    TableColumn("", never_cut=True),
    TableColumn("SCHEDULE", 20),
    TableColumn("EXECUTOR", 12),
    TableColumn("DESCRIPTION", 20),
)

_WIDE_FROM: Final = 100
_NARROW_BELOW: Final = 60
"""Widths of a terminal, in columns."""


class ListWidth(IntEnum):
    """The width of a line, which decides how much it shows."""

    NARROW = 0
    """Times as short as possible, in the time zone of the machine."""
    USUAL = 1
    WIDE = 2
    """Also the time left until the next run."""
    UNLIMITED = 3
    """Not a terminal: everything in full."""


def list_width(console: Console) -> ListWidth:
    """Return how wide the lines of a console may be."""
    width = console.width
    if width is None:
        return ListWidth.UNLIMITED
    return (
        ListWidth.WIDE
        if width >= _WIDE_FROM
        else ListWidth.USUAL
        if width >= _NARROW_BELOW
        else ListWidth.NARROW
    )


@dataclass(frozen=True, slots=True)
class TaskCells:
    """Makes the cells of each task of a list.

    Args:
        now: Epoch seconds.
        paused: True if the scheduler is paused.
        width: How wide a line may be.
        offsets: True to show the UTC offset of next runs.
        shown: Makes a name fit to be shown.
    """

    now: float
    paused: bool
    width: ListWidth
    offsets: bool
    shown: Callable[[str], str] = harmless

    def of(self, task: UpcomingTask, status: TaskStatus) -> tuple[str, ...]:
        """Return the cells of one task, in the order of `COLUMNS`."""
        description = " ".join(task.policies.description.split())
        cells = (self._state(task, status), self._last(status.last), *self._next(task))
        others = (self._schedule(task), _place(task, status), description)
        return self.shown(task.name), *map(harmless, (*cells, *others))

    def _state(self, task: UpcomingTask, status: TaskStatus) -> str:
        if status.running_since is not None:
            since = clock_span(self.now - status.running_since)
            return f"▶ {since}" if self.width is ListWidth.NARROW else f"running {since}"
        if task.done:
            return "done"
        if not task.enabled:
            return self._disabled(task.disabled_until)
        if self.paused and task.next_run is not None:
            return "paused"
        return "failing" if status.failing else ""

    def _disabled(self, until: float | None) -> str:
        if until is None or self.width is ListWidth.NARROW:
            return "disabled"
        when = full_time(until) if self.width is ListWidth.UNLIMITED else near_time(until, self.now)
        return f"disabled until {when}"

    def _last(self, last: LastRun | None) -> str:
        if last is None:
            return ""
        if self.width is ListWidth.NARROW:
            return f"{outcome_mark(last.kind)} {near_time(last.finished, self.now, brief=True)}"
        when = (
            full_time(last.finished)
            if self.width is ListWidth.UNLIMITED
            else near_time(last.finished, self.now)
        )
        words = last.exception if last.kind is OutcomeKind.FAILED else None
        if words is None and last.kind is not OutcomeKind.SUCCEEDED:
            words = kind_words(last.kind)
        return f"{outcome_mark(last.kind)} {when} {words or ''}".rstrip()

    def _next(self, task: UpcomingTask) -> tuple[str, str]:
        due, tz = task.next_run, task.tz
        if due is None:
            follows = isinstance(task.schedule, After) and task.enabled and not task.done
            return str(task.schedule) if follows else "-", ""
        if self.width <= ListWidth.USUAL and is_near(due, self.now):
            return until(due, self.now), ""
        if self.width is ListWidth.NARROW:
            tz = None
        when = full_time(due, tz) if self.width is ListWidth.UNLIMITED else near_time(due, self.now, tz)
        if self.offsets and self.width is not ListWidth.NARROW:
            when = f"{when} {offset_words(due, tz)}"
        return when, until(due, self.now) if self.width >= ListWidth.WIDE else ""

    def _schedule(self, task: UpcomingTask) -> str:
        schedule = task.schedule
        words = task.words or "not known"
        if isinstance(schedule, Once) and schedule.at is not None:
            words += f" {full_time(schedule.at).partition(' ')[2].removesuffix(':00')}"
        if task.policies.window is not None:
            words += f", only {task.policies.window}"
        return words if task.overrides is None else f"{words} (instead of {task.overrides})"


def _place(task: UpcomingTask, status: TaskStatus) -> str:
    """Return where it runs now, or its executor; empty for threads."""
    if status.where is not None:
        return status.where
    return "" if task.executor in (None, THREAD) else task.executor or ""


def zones_differ(tasks: Sequence[UpcomingTask]) -> bool:
    """True if a next run is in another time zone than that of the machine."""
    here = zone_name(None)
    return any(task.zone != here for task in tasks if task.next_run is not None)
