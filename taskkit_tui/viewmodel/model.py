"""Holds the rows of all three panels, and updates only those that changed.

The cost of a tick depends on the changes since the last one, not on the number of tasks. For one thread only:
the app's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from math import inf
from time import perf_counter
from typing import Final

from taskkit import Changes, Figures, SchedulerState, TaskSnapshot, TaskState, Trigger
from taskkit.outcome import FAILURES
from taskkit.words.name_forms import ShownNames
from taskkit_tui.viewmodel.filtering import RowFilter, SearchText
from taskkit_tui.viewmodel.ordering import Ordering, in_steps
from taskkit_tui.viewmodel.panel_order import PanelOrder, Sorting, ordering_by
from taskkit_tui.viewmodel.panels.columns import FIRST_SORT, PLANS, by_next
from taskkit_tui.viewmodel.panels.content_widths import ContentWidths
from taskkit_tui.viewmodel.row import Panel, TaskRow
from taskkit_tui.viewmodel.row_kinds import RowKinds

LEAST_VISIBLE_SECONDS: Final = 0.3
"""A scheduled run that ends sooner does not move its row to the Running panel and back: it could not be read
there, and all rows below it would jump twice."""

RECOVERED_SECONDS: Final = 600.0
"""Time that a recovered task is still listed among the failing ones."""

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


class _Steps:
    """Work on all rows that is done step by step. Rows may change meanwhile, and are done again at the end.

    Args:
        make: Makes the steps; gets the set of the numbers that change from now on.
    """

    def __init__(self, make: Callable[[set[int]], Iterator[None]]) -> None:
        self.touched: set[int] = set()
        self._steps = make(self.touched)

    def go_on(self, until: float) -> bool:
        """Do steps until a time by `perf_counter()`; at least one. Return True after the last one."""
        return all(perf_counter() < until for _ in self._steps)


class TaskModel:
    """All rows by number, the order of each panel, the filter and the marks."""

    def __init__(self) -> None:
        self.figures = NO_FIGURES
        self.filter = RowFilter()
        self.marked: set[int] = set()
        """The numbers of the marked rows. `toggle_marks` and `clear_marks` change them."""
        self._rows: dict[int, TaskRow] = {}
        self._delayed: dict[int, TaskSnapshot] = {}
        self._failed: dict[int, float] = {}  # the time of the last failure, for tasks that have failed
        self._newest: dict[str, int] = {}
        self._names = ShownNames()
        self._count = dict.fromkeys(Panel, 0)
        self._sorting = {panel: Sorting(PLANS[panel].column(key)) for panel, key in FIRST_SORT.items()}
        self._order = {panel: PanelOrder(sorting) for panel, sorting in self._sorting.items()}
        self._filter_in_effect = self.filter
        self._texts: dict[int, SearchText] = {}  # made when they are first searched
        self._kinds: RowKinds | None = None  # of the marked rows; None: to be found again
        self._work: dict[Panel | None, _Steps] = {}  # sorting of a panel; of None: the filter
        self._widths = {panel: ContentWidths(plan.columns) for panel, plan in PLANS.items()}
        self._due = Ordering(by_next)

    @property
    def is_stopped(self) -> bool:
        """True once the program has stopped the scheduler: it ran when the dashboard started."""
        figures = self.figures
        waits = figures.state in (SchedulerState.STANDBY, SchedulerState.DRAINING)
        return bool(figures.time) and not figures.is_running and not waits

    def apply(self, changes: Changes) -> None:
        """Apply the changes since the last call."""
        self.figures = changes.figures
        now = changes.figures.time
        tasks = {number: task for number, task in self._delayed.items() if not _is_too_brief(task, now)}
        for task in changes.changed:
            if _is_too_brief(task, now) and task.number in self._rows:
                self._delayed[task.number] = task
                tasks.pop(task.number, None)
            else:
                tasks[task.number] = task
        for number in (*tasks, *changes.gone):
            self._delayed.pop(number, None)
        for number in changes.gone:
            tasks.pop(number, None)
        if self.filter.only_failing:
            for number in self._failed:
                row = self._rows[number]
                if row.recovered and not self._is_recovered(row.task):
                    tasks.setdefault(number, row.task)
        if tasks or changes.gone:
            self._update(tasks.values(), changes.gone)

    def _update(self, tasks: Iterable[TaskSnapshot], gone: Sequence[int]) -> None:
        rows = [self._row(task) for task in self._with_alike(tasks, gone)]
        leaving: dict[Panel, list[int]] = {panel: list(gone) for panel in Panel}
        arriving: dict[Panel, list[TaskRow]] = {panel: [] for panel in Panel}
        for row in rows:
            number, panel = row.task.number, row.panel
            before = self._rows.get(number)
            self._rows[number] = row
            arriving[panel].append(row)
            self._widths[panel].add(row)
            if before is None:
                self._count[panel] += 1
                self._newest[row.name] = max(number, self._newest.get(row.name, 0))
                continue
            if before.panel is not panel:
                self._count[panel] += 1
                self._count[before.panel] -= 1
                leaving[before.panel].append(number)
            if before.shown_name != row.shown_name or before.task.schedule != row.task.schedule:
                self._texts.pop(number, None)
        for number in gone:
            lost = self._rows.pop(number, None)
            self._failed.pop(number, None)
            if lost is not None:
                self._count[lost.panel] -= 1
                if self._newest.get(lost.name) == number:
                    del self._newest[lost.name]
                if number in self.marked and lost.name in self._newest:
                    self.marked.add(self._newest[lost.name])  # it was registered again under its name
                    self._kinds = None
            self.marked.discard(number)
            self._texts.pop(number, None)
            for widths in self._widths.values():
                widths.forget(number)
        for panel, order in self._order.items():
            if arriving[panel] or leaving[panel]:
                order.update(arriving[panel], leaving[panel], self._filter_in_effect.shows)
        self._due.update(rows, gone)
        if self._kinds is not None:
            self._kinds.update((row for row in rows if row.task.number in self.marked), gone)
        for work in self._work.values():
            work.touched.update(gone, (row.task.number for row in rows))

    def _with_alike(self, tasks: Iterable[TaskSnapshot], gone: Sequence[int]) -> Iterable[TaskSnapshot]:
        """Add the tasks whose shown name changes because similar names come or go."""
        tasks_by_number = {task.number: task for task in tasks}
        arriving = {task.name for task in tasks_by_number.values() if task.number not in self._rows}
        alike: set[str] = set()
        for name in arriving:
            alike |= self._names.add(name)
        for number in gone:
            row = self._rows.get(number)
            if row is not None and row.name not in arriving and self._newest.get(row.name) == number:
                alike |= self._names.discard(row.name)
        for name in alike:
            row = self.named(name)
            if row is not None and row.number not in gone:
                tasks_by_number.setdefault(row.number, row.task)
        return tasks_by_number.values()

    def _row(self, task: TaskSnapshot) -> TaskRow:
        before = self._rows.get(task.number)
        shown = self._names.of(task.name)
        self._note_failure(task)
        recovered = self.filter.only_failing and self._is_recovered(task)
        if before is None or before.task.period is None or task.period is None:
            return TaskRow(task, 0, shown, recovered)
        if task.period == before.task.period:
            return TaskRow(task, before.trend, shown, recovered)
        return TaskRow(task, 1 if task.period > before.task.period else -1, shown, recovered)

    def _note_failure(self, task: TaskSnapshot) -> None:
        # A snapshot has only the last few runs: soon after a failure they may all be successes.
        failed = next((run.finished for run in reversed(task.past) if run.kind in FAILURES), None)
        if failed is not None:
            self._failed[task.number] = failed
        elif not task.past:
            self._failed.pop(task.number, None)

    def _is_recovered(self, task: TaskSnapshot) -> bool:
        failed = self._failed.get(task.number)
        return failed is not None and not task.failing and self.figures.time - failed < RECOVERED_SECONDS

    @property
    def has_delayed_rows(self) -> bool:
        """True while a run has just begun, and its row has not moved yet."""
        return bool(self._delayed)

    def toggle_marks(self, numbers: Iterable[int]) -> None:
        """Mark rows; if all of them are marked, unmark them."""
        wanted = set(numbers)
        self.marked = self.marked - wanted if wanted <= self.marked else self.marked | wanted
        self._kinds = None

    def clear_marks(self) -> None:
        """Unmark all rows."""
        self.marked = set()
        self._kinds = None

    def marked_examples(self) -> list[TaskRow]:
        """Return marked rows, one of each kind that commands treat alike."""
        if self._kinds is None:
            self._kinds = RowKinds()
            self._kinds.update(self.rows_of(sorted(self.marked)), ())
        return self.rows_of(self._kinds.examples())

    def row(self, number: int) -> TaskRow | None:
        """Return one row, shown or hidden; `None` if there is none."""
        return self._rows.get(number)

    def total(self, panel: Panel) -> int:
        """Return the number of rows in a panel, including hidden ones."""
        return self._count[panel]

    def contents(self, panel: Panel) -> Mapping[str, int]:
        """Return the cells that the rows of a panel need per column key, including hidden rows."""
        return self._widths[panel].cells()

    def rows_in(self, panel: Panel) -> PanelRows:
        """Return a live view of the rows that a panel shows, in its order."""
        return PanelRows(self, panel)

    def named(self, name: str) -> TaskRow | None:
        """Return the newest row of that name; `None` if there is none."""
        number = self._newest.get(name)
        return None if number is None else self._rows.get(number)

    def rows_of(self, numbers: Iterable[int]) -> list[TaskRow]:
        """Return the rows of these numbers, in that order. Raise `KeyError` for an unknown one."""
        return [self._rows[number] for number in numbers]

    def order(self, panel: Panel) -> Ordering:
        """Return the rows that a panel shows, never reversed. Read it at once; do not change it."""
        return self._order[panel].shown

    def is_reversed(self, panel: Panel) -> bool:
        """True if a panel's rows are shown in reverse order."""
        return self._order[panel].sorting.reverse

    def rows(self) -> Iterable[TaskRow]:
        """Return all rows, shown or hidden."""
        return self._rows.values()

    def due_until(self, instant: float) -> Iterator[TaskRow]:
        """Yield the rows that fall due up to `instant`, in epoch seconds, earliest first."""
        for number in self._due.numbers(0, self._due.count_until((instant,))):
            yield self._rows[number]

    def show_only(self, wanted: RowFilter, within: float = inf) -> None:
        """Set the filter: hide the rows that `wanted` does not show.

        Args:
            wanted: The filter.
            within: Seconds to work on it. If that is not enough, what is shown stays, and `work` continues.
        """
        self.filter = wanted
        for number in self._failed:
            row = self._rows[number]
            recovered = wanted.only_failing and self._is_recovered(row.task)
            self._rows[number] = replace(row, recovered=recovered)
        self._work[None] = _Steps(partial(self._filter_rows, wanted))
        self.work(within)

    def _filter_rows(self, wanted: RowFilter, touched: set[int]) -> Iterator[None]:
        numbers: set[int] = set()
        if wanted.active:
            for step in in_steps(list(self._rows)):
                rows = self._still(step)
                if wanted.searches:
                    for row in rows:
                        if row.task.number not in self._texts:
                            self._texts[row.task.number] = SearchText.of(row)
                numbers |= wanted.numbers(rows, self._texts)
                yield
            numbers -= touched
            numbers.update(row.number for row in self._still(touched) if wanted.shows(row))
        self._filter_in_effect = wanted
        for order in self._order.values():
            if wanted.active:
                order.show_only(numbers)
            else:
                order.show_all()

    def sorting(self, panel: Panel) -> Sorting:
        """Return how a panel is sorted, or will be as soon as that is done."""
        return self._sorting[panel]

    def sort(self, panel: Panel, sorting: Sorting, within: float = inf) -> None:
        """Sort a panel. Raise `ValueError` if it cannot be sorted by that column.

        Args:
            panel: The panel.
            sorting: The column and the direction.
            within: As for `show_only`.
        """
        ordering = ordering_by(sorting)
        self._sorting[panel] = sorting
        self._work[panel] = _Steps(partial(self._sort_rows, panel, sorting, ordering))
        self.work(within)

    def _sort_rows(
        self, panel: Panel, sorting: Sorting, ordering: Ordering, touched: set[int]
    ) -> Iterator[None]:
        numbers = self._order[panel].numbers()
        yield from ordering.fill(row for number in numbers if (row := self._rows.get(number)) is not None)
        rows = [row for row in self._still(touched) if row.panel is panel]
        ordering.update(rows, touched.difference(row.number for row in rows))
        self._order[panel].use(sorting, ordering)

    def _still(self, numbers: Iterable[int]) -> list[TaskRow]:
        """Return the rows of those numbers that still exist."""
        return [row for number in numbers if (row := self._rows.get(number)) is not None]

    @property
    def has_work(self) -> bool:
        """True while a sorting or a filter is not in effect yet."""
        return bool(self._work)

    def work(self, seconds: float) -> bool:
        """Continue what `show_only` and `sort` have begun. Return True if nothing is left to do."""
        until = perf_counter() + seconds
        for key, steps in list(self._work.items()):
            if not steps.go_on(until):
                return False
            del self._work[key]
        return True


class PanelRows:
    """A live view of one panel's rows: widgets ask for a window of them, or for the position of a row."""

    def __init__(self, model: TaskModel, panel: Panel) -> None:
        self._model = model
        self._panel = panel

    def __len__(self) -> int:
        return len(self._model.order(self._panel))

    @property
    def total(self) -> int:
        """The number of rows, including hidden ones."""
        return self._model.total(self._panel)

    @property
    def paused(self) -> bool:
        """True while the scheduler is paused."""
        return self._model.figures.paused

    @property
    def sorting(self) -> Sorting:
        """The sorting of the rows."""
        return self._model.sorting(self._panel)

    @property
    def contents(self) -> Mapping[str, int]:
        """The cells that the rows need per column key."""
        return self._model.contents(self._panel)

    def window(self, start: int, stop: int) -> list[TaskRow]:
        """Return the rows from `start` up to `stop`, as many as there are."""
        order = self._model.order(self._panel)
        if self._model.is_reversed(self._panel):
            count = len(order)
            numbers = order.numbers(max(0, count - stop), max(0, count - start))[::-1]
        else:
            numbers = order.numbers(max(0, start), max(0, stop))
        return self._model.rows_of(numbers)

    def position(self, number: int) -> int | None:
        """Return the index of a row; `None` if this panel does not show it."""
        order = self._model.order(self._panel)
        position = order.position(number)
        if position is None or not self._model.is_reversed(self._panel):
            return position
        return len(order) - 1 - position

    def number_of(self, name: str) -> int | None:
        """Return the number of the newest row of that name, shown here or not."""
        row = self._model.named(name)
        return None if row is None else row.number

    def is_marked(self, number: int) -> bool:
        """True if a row is marked."""
        return number in self._model.marked

    def marked(self) -> list[TaskRow]:
        """Return the marked rows of all panels, in the order of registration."""
        return self._model.rows_of(sorted(self._model.marked))

    @property
    def marks(self) -> int:
        """The number of marked rows of all panels."""
        return len(self._model.marked)

    def marked_examples(self) -> list[TaskRow]:
        """Return marked rows, one of each kind that commands treat alike."""
        return self._model.marked_examples()


def _is_too_brief(task: TaskSnapshot, now: float) -> bool:
    """True for a run that has just begun and was started by its schedule, not by hand."""
    run = task.run
    return (
        task.state is TaskState.RUNNING
        and run is not None
        and run.trigger in {Trigger.SCHEDULE, Trigger.RETRY}
        and run.started is not None
        and run.asked_to_stop is None
        and run.progress is None
        and 0 <= now - run.started < LEAST_VISIBLE_SECONDS
    )
