"""Defines the columns of the three panels: width, priority, cell and sort value."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NamedTuple

from taskkit_tui.viewmodel.ordering import SortValue
from taskkit_tui.viewmodel.panels import row_cells, running_cells
from taskkit_tui.viewmodel.row import Panel, TaskRow
from taskkit_tui.viewmodel.text_lines import Cell

GAP: Final = 1
"""Cells between two columns, unless a column sets its own gap."""


@dataclass(frozen=True, slots=True)
class PanelColumn:
    """One column of a panel."""

    key: str
    title: str
    min_width: int
    """The least width in cells."""
    max_width: int
    """The greatest width that it can use."""
    cell: Callable[[TaskRow, float, int], Cell]
    """Makes the cell of a row, at a time in epoch seconds, for a width in cells."""
    sort: Callable[[TaskRow], SortValue] | None = None
    counts_down: bool = False
    """True if its content is meaningless while the scheduler is paused."""
    right: bool = False
    gap: int = GAP
    """Cells between it and the previous column."""
    preferred_width: int = 0
    """No column gets more than this before all others have theirs."""
    content_width: Callable[[TaskRow], int] | None = None
    """Gives the cells that a row can use in it, if rows differ much. The column gets no more than its rows
    need, and is left out if no row has content for it."""
    tight_width: int = 0
    """A narrower width that keeps the column from being dropped."""
    grow_order: int = 0
    """Spare cells go to the columns in the order of this number."""
    drop_order: int = 0
    """In a narrow panel, columns are dropped in the order of this number; those with 0 stay."""


class PlacedColumn(NamedTuple):
    """A column with its position and width in a line."""

    column: PanelColumn
    x: int
    width: int


@dataclass(frozen=True, slots=True)
class PanelPlan:
    """The plan of one panel: title, columns, and the text for an empty one."""

    panel: Panel
    title: str
    columns: tuple[PanelColumn, ...]
    empty: tuple[str, ...]
    """The empty state: what belongs there and how to add it, line by line."""

    def sortable(self) -> tuple[PanelColumn, ...]:
        """Return the columns that the rows can be sorted by, from left to right."""
        return tuple(column for column in self.columns if column.sort is not None)

    def column(self, key: str) -> PanelColumn:
        """Return the column with that key."""
        return next(column for column in self.columns if column.key == key)


NOTHING_KNOWN: Final[Mapping[str, int]] = MappingProxyType({})


def place_columns(
    columns: Sequence[PanelColumn], width: int, contents: Mapping[str, int] = NOTHING_KNOWN
) -> tuple[PlacedColumn, ...]:
    """Lay columns out in `width` cells.

    Columns are dropped until the rest fits. The spare cells are given to the columns in their order, first
    up to their preferred widths, then up to what their rows need. If even the essential columns do not fit,
    the name gets narrower, and then the right edge cuts.

    Args:
        columns: From left to right.
        width: Cells of a line.
        contents: The cells that the rows need in a column, by its key, as far as known.
    """
    claims = [
        _Claim.of(column, contents.get(column.key)) for column in columns if contents.get(column.key) != 0
    ]
    while (surplus := _needed(claims) - width) > 0 and any(claim.column.drop_order for claim in claims):
        last = min(
            (claim for claim in claims if claim.column.drop_order), key=lambda claim: claim.column.drop_order
        )
        if 0 < last.column.tight_width <= last.width - surplus:
            last.width -= surplus
        else:
            claims.remove(last)
    spare = width - _needed(claims)
    if spare < 0:
        name = next(claim for claim in claims if claim.column.key == "name")
        name.width -= max(0, min(-spare, name.width - 4))
    in_order = sorted(claims, key=lambda claim: claim.column.grow_order)
    for is_preferred in (True, False):
        for claim in in_order:
            more = max(
                0, min(spare, (claim.preferred_width if is_preferred else claim.max_width) - claim.width)
            )
            claim.width += more
            spare -= more
    placed = []
    x = 0
    for index, claim in enumerate(claims):
        x += claim.column.gap if index else 0
        room = min(claim.width, width - x)
        if room <= 0:
            break
        placed.append(PlacedColumn(claim.column, x, room))
        x += claim.width
    return tuple(placed)


@dataclass(slots=True, eq=False)
class _Claim:
    """The width that a column asks for: never more than its rows need."""

    column: PanelColumn
    width: int
    preferred_width: int
    max_width: int

    @classmethod
    def of(cls, column: PanelColumn, content: int | None) -> _Claim:
        need = column.max_width if content is None else max(content, len(column.title))
        return cls(
            column,
            *(min(cells, need) for cells in (column.min_width, column.preferred_width, column.max_width)),
        )


def _needed(claims: Sequence[_Claim]) -> int:
    return sum(claim.width for claim in claims) + sum(claim.column.gap for claim in claims[1:])


def by_next(row: TaskRow) -> SortValue:
    """Sort by next due time; disabled tasks and those without a due time come last."""
    due = row.next_due
    return (float("inf") if due is None or row.task.disabled else due,)


def _by_name(row: TaskRow) -> SortValue:
    return (row.name.casefold(),)


def _by_period(row: TaskRow) -> SortValue:
    return (float("inf") if row.task.period is None else row.task.period, row.task.schedule)


def _by_last(row: TaskRow) -> SortValue:
    # Failing tasks first, then the latest runs: a person who sorts by LAST looks for these.
    last = row.last
    return (0.0 if row.failing else 1.0, -last.finished if last else float("inf"))


def _by_duration(row: TaskRow) -> SortValue:
    return (-row.last.duration if row.last else 1.0,)


def _by_start(row: TaskRow) -> SortValue:
    run = row.task.run
    return (float("inf") if run is None or run.started is None else run.started,)


def _by_where(row: TaskRow) -> SortValue:
    run = row.task.run
    return (row.task.executor, "" if run is None or run.where is None else run.where)


def _by_progress(row: TaskRow) -> SortValue:
    run = row.task.run
    if run is None or run.progress is None or not run.progress.total:
        return (1.0,)
    return (-run.progress.done / run.progress.total,)


def _by_state(row: TaskRow) -> SortValue:
    return (1.0 if row.task.disabled else 0.0, row.name.casefold())


SCHEDULED: Final = PanelPlan(
    Panel.SCHEDULED,
    "Scheduled",
    (
        PanelColumn("status", "", min_width=1, max_width=1, cell=row_cells.status),
        PanelColumn(
            "name",
            "NAME",
            min_width=20,
            max_width=40,
            cell=row_cells.name,
            sort=_by_name,
            content_width=row_cells.name_cells,
        ),
        PanelColumn(
            "schedule",
            "SCHEDULE",
            min_width=12,
            max_width=40,
            cell=row_cells.schedule,
            sort=_by_period,
            preferred_width=18,
            content_width=row_cells.schedule_cells,
            drop_order=3,
            tight_width=8,
        ),
        PanelColumn(
            "next",
            "IN",
            min_width=8,
            max_width=9,
            cell=row_cells.due_in,
            sort=by_next,
            counts_down=True,
            right=True,
        ),
        PanelColumn("clock", "NEXT", min_width=9, max_width=9, cell=row_cells.due_at, drop_order=2, gap=2),
        PanelColumn(
            "last",
            "LAST",
            min_width=11,
            max_width=15,
            cell=row_cells.last_outcome,
            sort=_by_last,
            gap=2,
            preferred_width=15,
            content_width=row_cells.last_cells,
        ),
        PanelColumn(
            "runs", "RUNS", min_width=4, max_width=8, cell=row_cells.runs, sort=_by_duration, drop_order=1
        ),
    ),
    (
        "No scheduled tasks.",
        "Tasks with a schedule appear here.",
        "Press n to add one, or in code:",
        "scheduler.add_periodic_task(…)",
    ),
)

RUNNING: Final = PanelPlan(
    Panel.RUNNING,
    "Running",
    (
        PanelColumn("status", "", min_width=1, max_width=1, cell=running_cells.running_status),
        PanelColumn(
            "name",
            "NAME",
            min_width=9,
            max_width=40,
            cell=row_cells.name,
            sort=_by_name,
            preferred_width=16,
            content_width=row_cells.name_cells,
        ),
        PanelColumn(
            "elapsed",
            "ELAPSED",
            min_width=7,
            max_width=21,
            cell=running_cells.elapsed,
            sort=_by_start,
            preferred_width=13,
            content_width=running_cells.elapsed_cells,
            grow_order=2,
        ),
        PanelColumn(
            "where",
            "WHERE",
            min_width=5,
            max_width=30,
            cell=running_cells.where,
            sort=_by_where,
            preferred_width=14,
            content_width=running_cells.where_cells,
            drop_order=1,
        ),
        PanelColumn(
            "progress",
            "PROGRESS",
            min_width=10,
            max_width=60,
            cell=running_cells.progress,
            sort=_by_progress,
            content_width=running_cells.progress_cells,
            grow_order=1,
        ),
    ),
    (
        "Nothing is running.",
        "r runs the selected task.",
    ),
)

ON_DEMAND: Final = PanelPlan(
    Panel.ON_DEMAND,
    "On demand",
    (
        PanelColumn("status", "", min_width=1, max_width=1, cell=row_cells.demand_status),
        PanelColumn(
            "name",
            "NAME",
            min_width=12,
            max_width=40,
            cell=row_cells.name,
            sort=_by_name,
            preferred_width=15,
            content_width=row_cells.name_cells,
            grow_order=1,
        ),
        PanelColumn(
            "state",
            "STATE",
            min_width=5,
            max_width=12,
            cell=row_cells.demand_state,
            sort=_by_state,
            preferred_width=7,
            grow_order=2,
        ),
        PanelColumn(
            "last",
            "LAST",
            min_width=9,
            max_width=12,
            cell=row_cells.last_ago,
            sort=_by_last,
            preferred_width=12,
        ),
    ),
    (
        "No on-demand tasks.",
        "To add one in code:",
        "add_on_demand_task(…)",
    ),
)

PLANS: Final = {plan.panel: plan for plan in (SCHEDULED, RUNNING, ON_DEMAND)}

FIRST_SORT: Final = {Panel.SCHEDULED: "next", Panel.RUNNING: "elapsed", Panel.ON_DEMAND: "name"}
"""The column that each panel is sorted by at first."""
