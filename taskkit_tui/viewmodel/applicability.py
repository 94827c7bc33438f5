"""Which command applies to which rows, and if none does, why not: the words for a person."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from taskkit_tui.formatting import harmless, shorten
from taskkit_tui.viewmodel.row import TaskRow

READ_ONLY: Final = "read-only: this dashboard only looks"


def _no_run(row: TaskRow) -> str | None:
    if row.task.unregistered:
        return "is unregistered; it only ends its run"
    return None


def _no_stop(row: TaskRow) -> str | None:
    if row.task.run is None:
        return "is not running"
    if row.task.run.asked_to_stop is not None:
        return "is stopping already"
    return None


def _no_disable(row: TaskRow) -> str | None:
    return "is disabled already" if row.task.disabled else _no_run(row)


def _no_enable(row: TaskRow) -> str | None:
    return None if row.task.disabled else "is enabled already"


def _no_period(row: TaskRow) -> str | None:
    if row.task.period is None:
        return f"has no period: it runs {harmless(row.task.schedule)}"
    return _no_run(row)


def _no_override(row: TaskRow) -> str | None:
    return "has the schedule that it was registered with" if row.task.overrides is None else _no_run(row)


_OBSTACLES: Final[dict[str, Callable[[TaskRow], str | None]]] = {
    "run_now": _no_run,
    "run_with": _no_run,
    "stop": _no_stop,
    "disable": _no_disable,
    "enable": _no_enable,
    "period": _no_run,  # without a period the schedule is changed
    "slower": _no_period,
    "faster": _no_period,
    "as_registered": _no_override,
    "unregister": _no_run,
}

_LOOKING: Final = frozenset({"details", "log_of_task", "mark", "mark_all", "copy_name"})
_CHANGING: Final = frozenset({*_OBSTACLES, "new_task", "undo", "pause"})


def why_not(action: str, rows: Sequence[TaskRow], *, read_only: bool = False) -> str | None:
    """Why a command does not apply to any of `rows`; `None` if it applies to one at least."""
    if read_only and action in _CHANGING:
        return READ_ONLY
    if action in _LOOKING or action in _OBSTACLES:
        if not rows:
            return "no task is selected"
        obstacle = _OBSTACLES.get(action)
        if obstacle is None:
            return None
        reasons = [obstacle(row) for row in rows]
        if None not in reasons:
            return _sentence(rows, reasons[0] or "")
    return None


def applicable(action: str, rows: Sequence[TaskRow]) -> tuple[TaskRow, ...]:
    """The rows that a command applies to."""
    obstacle = _OBSTACLES.get(action)
    return tuple(row for row in rows if obstacle is None or obstacle(row) is None)


def _sentence(rows: Sequence[TaskRow], reason: str) -> str:
    if len(rows) == 1:
        return f"{shorten(harmless(rows[0].name), 40)} {reason}"
    return f"applies to none of the {len(rows)} marked tasks"
