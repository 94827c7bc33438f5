"""What a line of `taskkit list` says of a task, in more or fewer letters, as there is room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from taskkit.cli.console import Console
from taskkit.cli.outlook import Prospect
from taskkit.cli.standing import LastRun, Standing
from taskkit.cli.table import Column
from taskkit.cli.words import full_time, kind_words, near_time, offset, on_a_clock, until
from taskkit.local_times import zone_name
from taskkit.outcome import FAILURES, OutcomeKind
from taskkit.plain_text import harmless
from taskkit.schedules import Once

COLUMNS: Final = (
    *(Column("TASK", 20, 8), Column("STATE"), Column("LAST", 18, 8), Column("NEXT"), Column("", whole=True)),
    *(Column("SCHEDULE", 20), Column("DESCRIPTION", 20)),
)
"""Those of the cells, for a table."""

_WIDE: Final = 100
_NARROW: Final = 60
"""Columns of a terminal, from which on there is more room, and under which there is less."""

_SOON: Final = 60.0
"""Seconds before a due time in which it is told how long it is until then."""


class Room(IntEnum):
    """How much is told."""

    NARROW = 0
    """Times as short as can be, in the zone of the machine."""
    USUAL = 1
    WIDE = 2
    """How long it is until the next run, too."""
    ENDLESS = 3
    """No terminal: everything in full."""


def room_of(console: Console) -> Room:
    """How much room there is."""
    width = console.width
    if width is None:
        return Room.ENDLESS
    return Room.WIDE if width >= _WIDE else Room.USUAL if width >= _NARROW else Room.NARROW


@dataclass(frozen=True, slots=True)
class TaskCells:
    """Makes the cells of all tasks of a list.

    Args:
        now: Epoch seconds.
        paused: Whether nothing falls due until somebody resumes the scheduler.
        room: How much is told.
        offsets: Whether the times that are to come are told with their offset from UTC.
    """

    now: float
    paused: bool
    room: Room
    offsets: bool

    def of(self, task: Prospect, standing: Standing) -> tuple[str, ...]:
        """The cells of one task; harmless texts."""
        description = " ".join(task.policies.description.split())
        cells = (task.name, self._state(task, standing), self._last(standing.last), *self._next(task))
        return tuple(map(harmless, (*cells, self._schedule(task), description)))

    def _state(self, task: Prospect, standing: Standing) -> str:
        if standing.running_since is not None:
            since = on_a_clock(self.now - standing.running_since)
            return f"▶ {since}" if self.room is Room.NARROW else f"running {since}"
        if not task.enabled:
            return "disabled"
        if self.paused and task.next_run is not None:
            return "paused"
        return "failing" if standing.failing else ""

    def _last(self, last: LastRun | None) -> str:
        if last is None:
            return ""
        if self.room is Room.NARROW:
            return f"{_mark(last.kind)} {near_time(last.finished, self.now, brief=True)}"
        when = full_time(last.finished) if self.room is Room.ENDLESS else near_time(last.finished, self.now)
        words = last.exception if last.kind is OutcomeKind.FAILED else None
        if words is None and last.kind is not OutcomeKind.SUCCEEDED:
            words = kind_words(last.kind)
        return f"{_mark(last.kind)} {when} {words or ''}".rstrip()

    def _next(self, task: Prospect) -> tuple[str, str]:
        due, tz = task.next_run, task.tz
        if due is None:
            return "-", ""
        if self.room <= Room.USUAL and due - self.now < _SOON:
            return until(due, self.now), ""
        if self.room is Room.NARROW:
            tz = None
        when = full_time(due, tz) if self.room is Room.ENDLESS else near_time(due, self.now, tz)
        if self.offsets and self.room is not Room.NARROW:
            when = f"{when} {offset(due, tz)}"
        return when, until(due, self.now) if self.room >= Room.WIDE else ""

    def _schedule(self, task: Prospect) -> str:
        schedule = task.schedule
        words = str(schedule)
        if isinstance(schedule, Once) and schedule.at is not None:
            words += f" {full_time(schedule.at).partition(' ')[2].removesuffix(':00')}"
        return words if task.overrides is None else f"{words} (instead of {task.overrides})"


def differ_in_zone(tasks: Sequence[Prospect]) -> bool:
    """Whether not all times that are to come are of the zone of the machine."""
    here = zone_name(None)
    return any(task.zone != here for task in tasks if task.next_run is not None)


def _mark(kind: OutcomeKind) -> str:
    if kind in FAILURES:
        return "✗"
    return "■" if kind is OutcomeKind.STOPPED else "✓"
