"""Retention: how much history is kept, and the small deletes that remove the rest."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Final

from taskkit._helpers.checks import check_number, check_whole, is_finite
from taskkit.store.store_time import DAY_SECONDS

if TYPE_CHECKING:
    from taskkit.store.store_time import StoreTime

MAX_DELETED_ROWS: Final = 500
"""The most rows deleted with one batch, beyond as many as the batch has added."""

MAX_PRUNED_TASKS: Final = 20
"""The most tasks whose history is shortened with one batch."""

AGE_CHECK_SECONDS: Final = 60.0
"""The time between two searches for rows that have become too old."""


@dataclass(frozen=True, slots=True)
class Retention:
    """The amount of history to keep.

    Raises:
        TypeError: A value is of the wrong type.
        ValueError: A value is out of its range.
    """

    runs_per_task: int | None = 1_000
    """The number of runs and skips kept of each task, or up to a tenth more; `None` for all."""
    days: float | None = 90.0
    """The days after which runs and skips are deleted, and tasks that no program has registered since; `None`
    for never."""

    def __post_init__(self) -> None:
        runs, days = self.runs_per_task, self.days
        if runs is not None:
            check_whole("runs_per_task", runs, "a whole number or None", least=1)
        if days is not None:
            check_number("days", days, "a number or None")
            if not is_finite(days) or days <= 0:
                raise ValueError(f"days must be more than 0, and finite, not {days}")

    def oldest(self, time: StoreTime) -> float:
        """Return the store's time before which rows are too old."""
        return -inf if self.days is None else time.oldest(self.days * DAY_SECONDS)


def check_retention(retention: object) -> None:
    """Raise TypeError unless `retention` is a `Retention` or `None`."""
    if retention is not None and not isinstance(retention, Retention):
        raise TypeError(f"retention must be a Retention, not {retention!r}")


class Pruner:
    """Deletes history that is no longer kept, a little with each batch that adds to it.

    Args:
        retention: How much history is kept.
    """

    def __init__(self, retention: Retention) -> None:
        self._retention = retention
        runs = retention.runs_per_task
        self._slack = max(1, min(100, (runs or 1) // 10))
        self._since: dict[int, int] = {}  # rows written since the task was last in `_full`
        self._full: dict[int, None] = {}  # tasks that may have too many rows
        self._last_age_check = -inf
        self._more_old = True  # there may be more rows that are too old

    def note(self, tasks: Iterable[int]) -> None:
        """Note that a row was written for each of these tasks, given by their ids."""
        for task in tasks:
            since = self._since.get(task)
            if since is None or since + 1 >= self._slack:  # one seen for the first time may have many rows
                self._since[task] = 0
                self._full[task] = None
            else:
                self._since[task] = since + 1

    def prune(self, connection: sqlite3.Connection, time: StoreTime, now: float, written: int) -> bool:
        """Delete some rows. Call it inside a transaction.

        Args:
            connection: The connection to the database.
            time: The store's own time.
            now: This moment by the store's time.
            written: The number of rows that the batch has added.

        Returns:
            True if names may have been deleted.
        """
        left = MAX_DELETED_ROWS + written
        if self._retention.runs_per_task is not None:
            left = self._prune_count(connection, self._retention.runs_per_task, left)
        if self._retention.days is None or left <= 0:
            return False
        if not self._more_old and now - self._last_age_check < AGE_CHECK_SECONDS:
            return False
        self._last_age_check = now
        return self._prune_age(connection, self._retention.oldest(time), left)

    def _prune_count(self, connection: sqlite3.Connection, most: int, left: int) -> int:
        for task in list(self._full)[:MAX_PRUNED_TASKS]:
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
                    break  # the task may have more: it stays in `_full`
            del self._full[task]
        return left

    def _prune_age(self, connection: sqlite3.Connection, before: float, left: int) -> bool:
        # Rows are in the order of the store's time. Rows of an earlier version are in the order of a clock
        # that may have been set, so the oldest few are all looked at.
        old = connection.execute(
            "SELECT id, task FROM (SELECT id, task, at, written FROM history ORDER BY id LIMIT ?)"
            " WHERE coalesce(written, at) < ?",
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
        self._more_old = len(old) == left
        return bool(tasks)
