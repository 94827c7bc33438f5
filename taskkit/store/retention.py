"""How much history is kept, and the small deletes that see to it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from math import inf
from typing import Final

from taskkit.checks import check_number, check_whole, is_finite

DAY: Final = 86_400.0

FEW: Final = 500
"""How many rows are deleted at a time, beyond as many as were just written."""

TASKS_AT_A_TIME: Final = 20

LOOK_SECONDS: Final = 60.0
"""Between two looks for what has become too old."""


@dataclass(frozen=True, slots=True)
class Retention:
    """How much of the past is kept.

    Raises:
        TypeError: A value is of another type.
        ValueError: A value is out of its range.
    """

    runs_per_task: int | None = 1_000
    """How many runs and skips of each task are kept, at least; at most a tenth more. `None` for all."""
    days: float | None = 90.0
    """After so many days they are forgotten, as is what the program has not registered since. `None` for
    never."""

    def __post_init__(self) -> None:
        runs, days = self.runs_per_task, self.days
        if runs is not None:
            check_whole("runs_per_task", runs, "a whole number or None", least=1)
        if days is not None:
            check_number("days", days, "a number or None")
            if not is_finite(days) or days <= 0:
                raise ValueError(f"days must be more than 0, and finite, not {days}")

    def oldest(self, now: float) -> float:
        """What is older than this is forgotten; epoch seconds."""
        return -inf if self.days is None else now - self.days * DAY


def check_retention(retention: object) -> None:
    """Nothing, if it is a `Retention` or `None`.

    Raises:
        TypeError: It is something else.
    """
    if retention is not None and not isinstance(retention, Retention):
        raise TypeError(f"retention must be a Retention, not {retention!r}")


class Pruner:
    """Deletes a little at a time of what is no longer to be kept, between the writes that add to it.

    Args:
        retention: How much is kept.
    """

    def __init__(self, retention: Retention) -> None:
        self._retention = retention
        runs = retention.runs_per_task
        self._slack = max(1, min(100, (runs or 1) // 10))
        self._since: dict[int, int] = {}  # rows written since a task was last looked at
        self._full: dict[int, None] = {}  # tasks that may have too many
        self._looked = -inf
        self._aged = True  # whether there may be more that is too old

    def note(self, tasks: Iterable[int]) -> None:
        """A row was written for each of these tasks, named by their numbers."""
        for task in tasks:
            since = self._since.get(task)
            if since is None or since + 1 >= self._slack:  # one that is new here may have many from before
                self._since[task] = 0
                self._full[task] = None
            else:
                self._since[task] = since + 1

    def prune(self, connection: sqlite3.Connection, now: float, written: int) -> bool:
        """Delete some. To be called in a transaction.

        Args:
            connection: Of the database.
            now: Epoch seconds.
            written: How many rows were just added.

        Returns:
            Whether names may have been deleted.
        """
        left = FEW + written
        if self._retention.runs_per_task is not None:
            left = self._prune_count(connection, self._retention.runs_per_task, left)
        if self._retention.days is None or left <= 0:
            return False
        if not self._aged and abs(now - self._looked) < LOOK_SECONDS:
            return False
        self._looked = now
        return self._prune_age(connection, self._retention.oldest(now), left)

    def _prune_count(self, connection: sqlite3.Connection, most: int, left: int) -> int:
        for task in list(self._full)[:TASKS_AT_A_TIME]:
            if left <= 0:
                break
            last = connection.execute(
                "SELECT id FROM history WHERE task = ? ORDER BY id DESC LIMIT 1 OFFSET ?", (task, most)
            ).fetchone()
            if last is not None:
                deleted = connection.execute(
                    "DELETE FROM history WHERE id IN"
                    " (SELECT id FROM history WHERE task = ? AND id <= ? ORDER BY id LIMIT ?)",
                    (task, last[0], left),
                ).rowcount
                left -= deleted
                if left <= 0:
                    break  # there may be more: it stays on the list
            del self._full[task]
        return left

    def _prune_age(self, connection: sqlite3.Connection, before: float, left: int) -> bool:
        # Rows are in the order of time but for the steps of the clock; a look at the oldest few bears those.
        old = connection.execute(
            "SELECT id, task FROM (SELECT id, task, at FROM history ORDER BY id LIMIT ?) WHERE at < ?",
            (left, before),
        ).fetchall()
        connection.executemany("DELETE FROM history WHERE id = ?", [(number,) for number, _ in old])
        tasks = {task for _, task in old}
        connection.executemany(
            "DELETE FROM names WHERE id = ? AND NOT EXISTS (SELECT 1 FROM history WHERE task = names.id)",
            [(task,) for task in tasks],
        )
        for task in tasks:
            self._since.pop(task, None)
        self._aged = len(old) == left
        return bool(tasks)
