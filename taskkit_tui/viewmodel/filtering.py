"""Which rows a person wants to see."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from taskkit_tui.viewmodel.row import TaskRow


@dataclass(frozen=True, slots=True)
class RowFilter:
    """What was typed in the filter field, and whether only failing tasks are wanted.

    The text is looked for in a row's name and schedule, in either case of letters, as it stands and as a
    regular expression; one that is not finished yet counts as plain text. A leading `!` inverts.
    """

    text: str = ""
    only_failing: bool = False
    _needle: str = field(init=False, repr=False, compare=False)
    _inverted: bool = field(init=False, repr=False, compare=False)
    _pattern: re.Pattern[str] | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        inverted = self.text.startswith("!")
        needle = self.text[inverted:].strip().casefold()
        try:
            pattern = re.compile(self.text[inverted:].strip(), re.IGNORECASE)
        except (re.error, OverflowError, RecursionError):
            pattern = None
        object.__setattr__(self, "_inverted", inverted)
        object.__setattr__(self, "_needle", needle)
        object.__setattr__(self, "_pattern", pattern if needle != re.escape(needle) else None)

    @property
    def active(self) -> bool:
        """Whether it may hide anything."""
        return bool(self._needle) or self.only_failing

    def shows(self, row: TaskRow) -> bool:
        """Whether `row` passes."""
        if self.only_failing and not row.failing:
            return False
        if not self._needle:
            return True
        return (self._matches(row.name) or self._matches(row.task.schedule)) is not self._inverted

    def _matches(self, text: str) -> bool:
        if self._needle in text.casefold():
            return True
        return self._pattern is not None and self._pattern.search(text) is not None
