"""The columns of the three panels, as data: how wide, how important, what they say, how they sort."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NamedTuple

from taskkit_tui.viewmodel import row_cells, running_cells
from taskkit_tui.viewmodel.ordering import SortValue
from taskkit_tui.viewmodel.pieces import Cell
from taskkit_tui.viewmodel.row import Place, TaskRow

GAP: Final = 1
"""Cells between two columns, unless a column says otherwise."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a panel."""

    key: str
    title: str
    least: int
    """Cells it needs."""
    most: int
    """Cells it can use."""
    paint: Callable[[TaskRow, float, int], Cell]
    """The cell of a row at an instant in epoch seconds, in so many cells."""
    sort: Callable[[TaskRow], SortValue] | None = None
    counts_down: bool = False
    """Whether it says nothing true while the scheduler is paused."""
    right: bool = False
    gap: int = GAP
    """Cells between it and the column before."""
    wants: int = 0
    """Cells that it gets before any column gets more than it wants."""
    content: Callable[[TaskRow], int] | None = None
    """The cells that what it says of a row can use, where they differ much. It gets no more than its rows
    need; one in which no row says anything is left out."""
    tight: int = 0
    """Cells with which it still stays where it would have to leave."""
    grows: int = 0
    """Cells to spare go to the columns in the order of this number."""
    leaves: int = 0
    """When a panel is narrow, columns leave in the order of this number; those with 0 stay."""


class PlacedColumn(NamedTuple):
    """A column with its place in a line."""

    column: Column
    x: int
    width: int


@dataclass(frozen=True, slots=True)
class PanelPlan:
    """What one panel is about."""

    place: Place
    title: str
    columns: tuple[Column, ...]
    empty: tuple[str, ...]
    """What an empty panel teaches, line by line."""

    def sortable(self) -> tuple[Column, ...]:
        """The columns that the rows can be sorted by, the usual one first."""
        return tuple(column for column in self.columns if column.sort is not None)

    def column(self, key: str) -> Column:
        """The column called `key`."""
        return next(column for column in self.columns if column.key == key)


NOTHING_KNOWN: Final[Mapping[str, int]] = MappingProxyType({})


def place_columns(
    columns: Sequence[Column], width: int, contents: Mapping[str, int] = NOTHING_KNOWN
) -> tuple[PlacedColumn, ...]:
    """Lay columns out in `width` cells.

    Columns that may leave do so until the rest fits; what is then left over is given away in their
    order, first up to what each wants, then up to what its rows need; where even the essential ones do not
    fit, the name gives way and then the right edge cuts.

    Args:
        columns: From left to right.
        width: Cells of a line.
        contents: The cells that the rows of a column need, by its key, as far as that is known.
    """
    kept = [
        _Claim.of(column, contents.get(column.key)) for column in columns if contents.get(column.key) != 0
    ]
    while (surplus := _needed(kept) - width) > 0 and any(claim.column.leaves for claim in kept):
        last = min((claim for claim in kept if claim.column.leaves), key=lambda claim: claim.column.leaves)
        if 0 < last.column.tight <= last.width - surplus:
            last.width -= surplus
        else:
            kept.remove(last)
    spare = width - _needed(kept)
    if spare < 0:
        name = next(claim for claim in kept if claim.column.key == "name")
        name.width -= max(0, min(-spare, name.width - 4))
    in_order = sorted(kept, key=lambda claim: claim.column.grows)
    for wanted in (True, False):
        for claim in in_order:
            more = max(0, min(spare, (claim.wants if wanted else claim.most) - claim.width))
            claim.width += more
            spare -= more
    placed = []
    x = 0
    for index, claim in enumerate(kept):
        x += claim.column.gap if index else 0
        room = min(claim.width, width - x)
        if room <= 0:
            break
        placed.append(PlacedColumn(claim.column, x, room))
        x += claim.width
    return tuple(placed)


@dataclass(slots=True, eq=False)
class _Claim:
    """What a column asks for, which is never more than its rows need."""

    column: Column
    width: int
    wants: int
    most: int

    @classmethod
    def of(cls, column: Column, content: int | None) -> _Claim:
        need = column.most if content is None else max(content, len(column.title))
        return cls(column, *(min(cells, need) for cells in (column.least, column.wants, column.most)))


def _needed(claims: Sequence[_Claim]) -> int:
    return sum(claim.width for claim in claims) + sum(claim.column.gap for claim in claims[1:])


def by_next(row: TaskRow) -> SortValue:
    """What falls due first comes first; what is disabled comes last, with all that is never due."""
    due = row.next_due
    return (float("inf") if due is None or row.task.disabled else due,)


def _by_name(row: TaskRow) -> SortValue:
    return (row.name.casefold(),)


def _by_period(row: TaskRow) -> SortValue:
    return (float("inf") if row.task.period is None else row.task.period, row.task.schedule)


def _by_last(row: TaskRow) -> SortValue:
    # Failing ones first, then the latest: what one looks for when sorting by how it went.
    last = row.last
    return (0.0 if row.failing else 1.0, -last.finished if last else float("inf"))


def _by_duration(row: TaskRow) -> SortValue:
    return (-row.last.duration if row.last else 1.0,)


def _by_start(row: TaskRow) -> SortValue:
    run = row.task.run
    return (float("inf") if run is None or run.started is None else run.started,)


def _by_progress(row: TaskRow) -> SortValue:
    run = row.task.run
    if run is None or run.progress is None or not run.progress.total:
        return (1.0,)
    return (-run.progress.done / run.progress.total,)


def _by_state(row: TaskRow) -> SortValue:
    return (1.0 if row.task.disabled else 0.0, row.name.casefold())


SCHEDULED: Final = PanelPlan(
    Place.SCHEDULED,
    "Scheduled",
    (
        Column("status", "", 1, 1, row_cells.status),
        Column("name", "NAME", 20, 40, row_cells.name, _by_name, content=row_cells.name_cells),
        Column(
            "schedule",
            "SCHEDULE",
            12,
            40,
            row_cells.schedule,
            _by_period,
            wants=18,
            content=row_cells.schedule_cells,
            leaves=3,
            tight=8,
        ),
        Column("next", "IN", 8, 9, row_cells.due_in, by_next, counts_down=True, right=True),
        Column("clock", "NEXT", 9, 9, row_cells.due_at, leaves=2, gap=2),
        Column(
            "last",
            "LAST",
            11,
            15,
            row_cells.last_outcome,
            _by_last,
            gap=2,
            wants=15,
            content=row_cells.last_cells,
        ),
        Column("runs", "RUNS", 4, 8, row_cells.runs, _by_duration, leaves=1),
    ),
    (
        "No task is scheduled.",
        "Tasks that run by the clock stand here.",
        "n adds one; in code:",
        "scheduler.add_periodic_task(…)",
    ),
)

RUNNING: Final = PanelPlan(
    Place.RUNNING,
    "Running",
    (
        Column("status", "", 1, 1, running_cells.running_status),
        Column("name", "NAME", 9, 40, row_cells.name, _by_name, wants=16, content=row_cells.name_cells),
        Column(
            "elapsed",
            "ELAPSED",
            7,
            21,
            running_cells.elapsed,
            _by_start,
            wants=13,
            content=running_cells.elapsed_cells,
            grows=2,
        ),
        Column(
            "progress",
            "PROGRESS",
            10,
            60,
            running_cells.progress,
            _by_progress,
            content=running_cells.progress_cells,
            grows=1,
        ),
    ),
    (
        "Nothing runs at the moment.",
        "r runs the selected task.",
    ),
)

ON_DEMAND: Final = PanelPlan(
    Place.ON_DEMAND,
    "On demand",
    (
        Column("status", "", 1, 1, row_cells.demand_status),
        Column(
            "name", "NAME", 12, 40, row_cells.name, _by_name, wants=15, content=row_cells.name_cells, grows=1
        ),
        Column("state", "STATE", 5, 12, row_cells.demand_state, _by_state, wants=7, grows=2),
        Column("last", "LAST", 9, 12, row_cells.last_ago, _by_last, wants=12),
    ),
    (
        "No task waits to be asked.",
        "In code, on the scheduler:",
        "add_on_demand_task(…)",
    ),
)

PLANS: Final = {plan.place: plan for plan in (SCHEDULED, RUNNING, ON_DEMAND)}

FIRST_SORT: Final = {Place.SCHEDULED: "next", Place.RUNNING: "elapsed", Place.ON_DEMAND: "name"}
"""How each panel is sorted before anybody asks for something else."""
