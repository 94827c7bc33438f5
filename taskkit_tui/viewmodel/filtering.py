"""Decides which rows a filter shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from unicodedata import normalize

from taskkit.words.name_forms import look
from taskkit_tui.viewmodel.pattern import Pattern, typed_pattern
from taskkit_tui.viewmodel.row import TaskRow

_MOST_KNOWN: Final = 50_000

_BETWEEN: Final = "\n"
"""Separates the parts of a row's text, so that no typed text matches across them."""


@dataclass(frozen=True, slots=True)
class RowFilter:
    """The text of the filter field, and the switch for failing tasks only.

    The text is searched in a row's name and schedule, ignoring case, literally and as a regular expression.
    An expression that is unfinished, or not supported by `Pattern`, counts as plain text. A leading `!`
    inverts.
    """

    text: str = ""
    only_failing: bool = False
    _needle: str = field(init=False, repr=False, compare=False)
    _inverted: bool = field(init=False, repr=False, compare=False)
    _pattern: Pattern | None = field(init=False, repr=False, compare=False)
    _known: dict[str, bool] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        inverted = self.text.startswith("!")
        typed = self.text[inverted:].strip()
        object.__setattr__(self, "_inverted", inverted)
        object.__setattr__(self, "_needle", normalize("NFC", typed).casefold())
        object.__setattr__(self, "_pattern", typed_pattern(typed))
        object.__setattr__(self, "_known", {})

    @property
    def active(self) -> bool:
        """True if it may hide rows."""
        return bool(self._needle) or self.only_failing

    @property
    def searches(self) -> bool:
        """True if it has a text to search."""
        return bool(self._needle)

    def shows(self, row: TaskRow) -> bool:
        """True if `row` passes."""
        if self.only_failing and not (row.failing or row.recovered):
            return False
        return not self._needle or self._passes(SearchText.of(row))

    def numbers(self, rows: Iterable[TaskRow], texts: Mapping[int, SearchText]) -> set[int]:
        """Return the numbers of the rows that pass. The same as `shows` for each, but quicker.

        Args:
            rows: The rows to check.
            texts: Their texts, by their numbers; needed if `searches`.
        """
        if self.only_failing:
            rows = [row for row in rows if row.failing or row.recovered]
        numbers = {row.task.number for row in rows}
        if not self._needle:
            return numbers
        needle = self._needle
        found = {number for number in numbers if needle in texts[number].folded}
        if self._pattern is not None:
            found |= {number for number in numbers - found if any(map(self._matches, texts[number].parts))}
        return numbers - found if self._inverted else found

    def _passes(self, text: SearchText) -> bool:
        found = self._needle in text.folded or (
            self._pattern is not None and any(map(self._matches, text.parts))
        )
        return found is not self._inverted

    def _matches(self, part: str) -> bool:
        assert self._pattern is not None
        known = self._known.get(part)  # the same rows are checked again and again
        if known is None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            known = self._known[part] = self._pattern.matches(part)
        return known


class SearchText(NamedTuple):
    """The parts of a row in which a filter searches."""

    folded: str
    """All parts in a form that ignores case, with `_BETWEEN` between them."""
    parts: tuple[str, ...]

    @classmethod
    def of(cls, row: TaskRow) -> SearchText:
        """Return the texts of a row: its name, as it is and as it looks, and its schedule."""
        name, schedule = row.task.name, row.task.schedule
        parts = (name, schedule) if name.isascii() else (name, row.shown_name, look(name), schedule)
        return cls(_BETWEEN.join(parts).casefold(), parts)
