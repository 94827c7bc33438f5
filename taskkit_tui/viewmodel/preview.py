"""What a new period would mean, before anybody sends it."""

from __future__ import annotations

from math import floor

from taskkit_tui.viewmodel.row import TaskRow


def due_with_period(row: TaskRow, seconds: float, now: float, count: int) -> tuple[float, ...]:
    """The next due times if the row had that period, in epoch seconds.

    The grid then goes on from the last due time, and nothing is due before now; before the first run the
    start stays.
    """
    task = row.task
    due = now if task.next_run is None else task.next_run
    if task.period is None or (task.run_count == 0 and not task.past):
        return tuple(due + k * seconds for k in range(count))
    base = due - task.period
    first = base + seconds
    if first < now:
        # The point that the grid missed is made up for at once, the next ones are on it again.
        missed = floor((now - base) / seconds)
        return (now, *(base + (missed + k) * seconds for k in range(1, count)))[:count]
    return tuple(base + k * seconds for k in range(1, count + 1))
