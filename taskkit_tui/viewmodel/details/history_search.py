"""Searches the history of a task."""

from __future__ import annotations

from typing import Final

from taskkit import Outcome, OutcomeKind, SkipReason
from taskkit.words.outcomes import kind_words, skip_words
from taskkit_tui.viewmodel.details.history_rows import HistoryEntry, Restart, entry_words
from taskkit_tui.viewmodel.pattern import typed_pattern

_LEAST_NAMED: Final = 3
"""The least letters of a text that may name an outcome or a skip reason."""


def matching(shown: tuple[HistoryEntry, ...], typed: str, now: float) -> tuple[HistoryEntry, ...]:
    """Return the entries that match a search.

    The text is searched in an entry's row, its traceback and its output, ignoring case; in the row also as a
    regular expression. A leading `!` inverts. Restarts are only shown without a search.
    """
    inverted = typed.startswith("!")
    wanted = typed[inverted:].strip()
    if not wanted:
        return shown
    needle = wanted.casefold()
    pattern = typed_pattern(wanted)

    def passes(entry: HistoryEntry) -> bool:
        words = entry_words(entry, now)
        found = needle in f"{words}\n{_hidden_words(entry)}".casefold()
        found = found or (pattern is not None and pattern.matches(words))
        return found is not inverted

    return tuple(entry for entry in shown if not isinstance(entry, Restart) and passes(entry))


def _hidden_words(entry: HistoryEntry) -> str:
    return "\n".join((entry.traceback or "", *entry.output)) if isinstance(entry, Outcome) else ""


def kinds_named(text: str) -> frozenset[OutcomeKind | SkipReason]:
    """Return the outcomes and skip reasons whose words contain the text."""
    text = text.casefold()
    if len(text) < _LEAST_NAMED:
        return frozenset()
    ends = {kind for kind in OutcomeKind if text in kind_words(kind)}
    return frozenset(ends | {reason for reason in SkipReason if text in f"skipped · {skip_words(reason)}"})
