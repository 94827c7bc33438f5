"""Reasons why a command does not apply to a task: each is the rest of a sentence after its name.

An obstacle depends on nothing but the `command_facts` of a row. So of many marked rows, only one of each kind
has to be looked at.
"""

from __future__ import annotations

from taskkit_tui.formatting import harmless
from taskkit_tui.viewmodel.row import TaskRow


def no_run(row: TaskRow) -> str | None:
    """Refuse a task that is unregistered."""
    if row.task.unregistered:
        return "is unregistered; it only ends its run"
    return None


def no_stop(row: TaskRow) -> str | None:
    """Refuse a task without a run that can be asked to stop."""
    if row.task.run is None:
        return "is not running"
    if row.task.run.asked_to_stop is not None:
        return "is stopping already"
    return None


def no_abandon(row: TaskRow) -> str | None:
    """Refuse a task without a run that was asked to stop."""
    if row.task.run is None:
        return "is not running"
    if row.task.run.asked_to_stop is None:
        return "was not asked to stop yet; stop it first"
    return None


def no_disable(row: TaskRow) -> str | None:
    """Refuse a task that is disabled."""
    return "is disabled already" if row.task.disabled else no_run(row)


def no_enable(row: TaskRow) -> str | None:
    """Refuse a task that is enabled."""
    return None if row.task.disabled else "is enabled already"


def no_period(row: TaskRow) -> str | None:
    """Refuse a task without a period."""
    if row.task.period is None:
        return f"has no period: it runs {harmless(row.task.schedule)}"
    return no_run(row)


def no_override(row: TaskRow) -> str | None:
    """Refuse a task whose schedule no person has changed."""
    return "has the schedule that it was registered with" if row.task.overrides is None else no_run(row)
