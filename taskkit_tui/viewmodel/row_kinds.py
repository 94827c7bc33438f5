"""Groups rows by what decides which commands apply to them: one of each kind stands for the others."""

from __future__ import annotations

from collections.abc import Iterable

from taskkit_tui.viewmodel.row import TaskRow, command_facts


class RowKinds:
    """Rows by kind. An update costs what has changed, not what there is."""

    def __init__(self) -> None:
        self._kind_of: dict[int, tuple[bool, ...]] = {}
        self._numbers: dict[tuple[bool, ...], dict[int, None]] = {}  # in the order in which they came

    def update(self, rows: Iterable[TaskRow], gone: Iterable[int]) -> None:
        """Add or replace `rows`, and remove all `gone`."""
        for number in gone:
            if (kind := self._kind_of.pop(number, None)) is not None:
                del self._numbers[kind][number]
        for row in rows:
            number, kind = row.task.number, command_facts(row)
            before = self._kind_of.get(number)
            if kind != before:
                if before is not None:
                    del self._numbers[before][number]
                self._kind_of[number] = kind
                self._numbers.setdefault(kind, {})[number] = None

    def examples(self) -> list[int]:
        """Return the number of one row of each kind, in the order of numbers."""
        return sorted(next(iter(numbers)) for numbers in self._numbers.values() if numbers)
