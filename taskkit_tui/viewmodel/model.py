"""The rows of all three panels, kept up to date by what changed and by nothing else.

A tick costs what happened since the last one, not how many tasks there are. One thread only: the app's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from taskkit import Changes, Figures, TaskSnapshot, TaskState, Trigger
from taskkit_tui.viewmodel.columns import FIRST_SORT, PLANS, Column, by_next
from taskkit_tui.viewmodel.content_widths import ContentWidths
from taskkit_tui.viewmodel.filtering import RowFilter
from taskkit_tui.viewmodel.ordering import Ordering
from taskkit_tui.viewmodel.row import Place, TaskRow

GLIMPSE: Final = 0.3
"""Seconds. A scheduled run that ends sooner does not move its row to the panel of the running ones and
back: nobody could read it there, and every row below would jump twice."""

NO_FIGURES: Final = Figures(
    time=0.0,
    is_running=False,
    paused=False,
    tasks=0,
    running=0,
    disabled=0,
    failing=0,
    threads=0,
    lateness_p99=None,
    next_time=None,
)


@dataclass(frozen=True, slots=True)
class Sorting:
    """What a panel is sorted by."""

    column: Column
    reverse: bool = False


class TaskModel:
    """All rows by number, the order of each panel, the filter and the marks."""

    def __init__(self) -> None:
        self.figures = NO_FIGURES
        self.filter = RowFilter()
        self.marked: set[int] = set()
        self._rows: dict[int, TaskRow] = {}
        self._held: dict[int, TaskSnapshot] = {}
        self._newest: dict[str, int] = {}
        self._count = dict.fromkeys(Place, 0)
        self._sorting = {place: Sorting(PLANS[place].column(key)) for place, key in FIRST_SORT.items()}
        self._order = {place: _ordering(sorting) for place, sorting in self._sorting.items()}
        self._widths = {place: ContentWidths(plan.columns) for place, plan in PLANS.items()}
        self._due = Ordering(by_next)

    @property
    def is_stopped(self) -> bool:
        """Whether the program has stopped the scheduler: the dashboard begins with one that runs."""
        return bool(self.figures.time) and not self.figures.is_running

    def apply(self, changes: Changes) -> None:
        """Take in what is different since the last call."""
        self.figures = changes.figures
        now = changes.figures.time
        tasks = {number: task for number, task in self._held.items() if not _is_glimpse(task, now)}
        for task in changes.changed:
            if _is_glimpse(task, now) and task.number in self._rows:
                self._held[task.number] = task
                tasks.pop(task.number, None)
            else:
                tasks[task.number] = task
        for number in (*tasks, *changes.gone):
            self._held.pop(number, None)
        if tasks or changes.gone:
            self._take_in(tasks.values(), changes.gone)

    def _take_in(self, tasks: Iterable[TaskSnapshot], gone: Sequence[int]) -> None:
        rows = [self._row(task) for task in tasks]
        leaving: dict[Place, list[int]] = {place: list(gone) for place in Place}
        arriving: dict[Place, list[TaskRow]] = {place: [] for place in Place}
        for row in rows:
            before = self._rows.get(row.number)
            if before is None or before.place is not row.place:
                self._count[row.place] += 1
                if before is not None:
                    self._count[before.place] -= 1
                    leaving[before.place].append(row.number)
            if self.filter.shows(row):
                arriving[row.place].append(row)
            else:
                leaving[row.place].append(row.number)
            self._rows[row.number] = row
            self._widths[row.place].take(row)
            if before is None:
                self._newest[row.name] = max(row.number, self._newest.get(row.name, 0))
        for number in gone:
            lost = self._rows.pop(number, None)
            if lost is not None:
                self._count[lost.place] -= 1
                if self._newest.get(lost.name) == number:
                    del self._newest[lost.name]
                if number in self.marked and lost.name in self._newest:
                    self.marked.add(self._newest[lost.name])  # it was added again under its name
            self.marked.discard(number)
            for widths in self._widths.values():
                widths.forget(number)
        for place, order in self._order.items():
            if arriving[place] or leaving[place]:
                order.update(arriving[place], leaving[place])
        self._due.update(rows, gone)

    def _row(self, task: TaskSnapshot) -> TaskRow:
        before = self._rows.get(task.number)
        if before is None or before.task.period is None or task.period is None:
            return TaskRow(task)
        if task.period == before.task.period:
            return TaskRow(task, before.trend)
        return TaskRow(task, 1 if task.period > before.task.period else -1)

    @property
    def holds_back(self) -> bool:
        """Whether a run has only just begun, and its row waits to be moved."""
        return bool(self._held)

    def row(self, number: int) -> TaskRow | None:
        """One row, shown or not."""
        return self._rows.get(number)

    def total(self, place: Place) -> int:
        """How many rows belong in a panel, hidden ones counted."""
        return self._count[place]

    def contents(self, place: Place) -> Mapping[str, int]:
        """The cells that the rows of a panel need in its columns, by their keys; hidden ones counted."""
        return self._widths[place].cells()

    def panel(self, place: Place) -> PanelRows:
        """The rows that a panel shows, in its order, now and later."""
        return PanelRows(self, place)

    def named(self, name: str) -> TaskRow | None:
        """The newest row of that name."""
        number = self._newest.get(name)
        return None if number is None else self._rows.get(number)

    def rows_of(self, numbers: Iterable[int]) -> list[TaskRow]:
        """The rows of some numbers, in that order. Raises `KeyError` for one that there is not."""
        return [self._rows[number] for number in numbers]

    def order(self, place: Place) -> Ordering:
        """The rows that a panel shows, as it is sorted, but never reversed. For looking only, and at once."""
        return self._order[place]

    def rows(self) -> Iterable[TaskRow]:
        """All rows, shown or not."""
        return self._rows.values()

    def due_until(self, instant: float) -> list[TaskRow]:
        """The rows that fall due up to `instant`, in epoch seconds, the earliest first."""
        return self.rows_of(self._due.numbers(0, self._due.count_until((instant,))))

    def show_only(self, wanted: RowFilter) -> None:
        """Hide whatever `wanted` does not show."""
        self.filter = wanted
        for place in Place:
            self._rearrange(place)

    def sorting(self, place: Place) -> Sorting:
        """What a panel is sorted by."""
        return self._sorting[place]

    def sort(self, place: Place, sorting: Sorting) -> None:
        """Sort a panel anew. Raises `ValueError` if it cannot be sorted by that column."""
        if sorting.column.sort is None:
            raise ValueError(f"cannot sort by {sorting.column.key!r}")
        self._sorting[place] = sorting
        self._rearrange(place)

    def _rearrange(self, place: Place) -> None:
        order = _ordering(self._sorting[place])
        order.update(
            (row for row in self._rows.values() if row.place is place and self.filter.shows(row)), ()
        )
        self._order[place] = order


class PanelRows:
    """One panel's rows as a sequence that widgets look into: a window of it, or where a row is."""

    def __init__(self, model: TaskModel, place: Place) -> None:
        self._model = model
        self._place = place

    def __len__(self) -> int:
        return len(self._model.order(self._place))

    @property
    def total(self) -> int:
        """How many there are, hidden ones counted."""
        return self._model.total(self._place)

    @property
    def paused(self) -> bool:
        """Whether nothing falls due."""
        return self._model.figures.paused

    @property
    def sorting(self) -> Sorting:
        """What they are sorted by."""
        return self._model.sorting(self._place)

    @property
    def contents(self) -> Mapping[str, int]:
        """The cells that they need in the columns, by their keys."""
        return self._model.contents(self._place)

    def window(self, start: int, stop: int) -> list[TaskRow]:
        """The rows from `start` up to `stop`, as far as there are that many."""
        order = self._model.order(self._place)
        if self.sorting.reverse:
            count = len(order)
            numbers = order.numbers(max(0, count - stop), max(0, count - start))[::-1]
        else:
            numbers = order.numbers(max(0, start), max(0, stop))
        return self._model.rows_of(numbers)

    def position(self, number: int) -> int | None:
        """The index of a row, `None` if it is not shown here."""
        order = self._model.order(self._place)
        position = order.position(number)
        if position is None or not self.sorting.reverse:
            return position
        return len(order) - 1 - position

    def number_of(self, name: str) -> int | None:
        """The number of the newest row of that name, whether it is shown here or not."""
        row = self._model.named(name)
        return None if row is None else row.number

    def is_marked(self, number: int) -> bool:
        """Whether a row is marked."""
        return number in self._model.marked

    def marked(self) -> list[TaskRow]:
        """The marked rows of all panels, in the order of registration."""
        return self._model.rows_of(sorted(self._model.marked))


def _ordering(sorting: Sorting) -> Ordering:
    assert sorting.column.sort is not None
    return Ordering(sorting.column.sort)


def _is_glimpse(task: TaskSnapshot, now: float) -> bool:
    """Whether a run has only just begun, and nobody asked for it by hand."""
    run = task.run
    return (
        task.state is TaskState.RUNNING
        and run is not None
        and run.trigger in {Trigger.SCHEDULE, Trigger.RETRY}
        and run.started is not None
        and run.asked_to_stop is None
        and run.progress is None
        and 0 <= now - run.started < GLIMPSE
    )
