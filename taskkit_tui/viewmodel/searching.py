"""What a search through the history of a task finds."""

from __future__ import annotations

import re
from typing import Final

from taskkit import Outcome, OutcomeKind, SkipReason
from taskkit.words import kind_words
from taskkit_tui.viewmodel.history_rows import SKIP_WORDS, Entry, Restart, entry_words

_LEAST_NAMED: Final = 3
"""Letters from which a text may mean a way to end."""


def matching(told: tuple[Entry, ...], typed: str, now: float) -> tuple[Entry, ...]:
    """The entries that pass a search.

    What was typed is looked for in an entry's row, its traceback and its output, in either case of letters;
    in the row as a regular expression as well. A leading `!` inverts. Restarts are told only among all.
    """
    inverted = typed.startswith("!")
    wanted = typed[inverted:].strip()
    if not wanted:
        return told
    needle = wanted.casefold()
    try:
        pattern = re.compile(wanted, re.IGNORECASE)
    except (re.error, OverflowError, RecursionError):
        pattern = re.compile(re.escape(wanted), re.IGNORECASE)

    def passes(entry: Entry) -> bool:
        words = entry_words(entry, now)
        found = pattern.search(words) is not None or needle in f"{words}\n{_hidden_words(entry)}".casefold()
        return found is not inverted

    return tuple(entry for entry in told if not isinstance(entry, Restart) and passes(entry))


def _hidden_words(entry: Entry) -> str:
    return "\n".join((entry.traceback or "", *entry.output)) if isinstance(entry, Outcome) else ""


def kinds_named(text: str) -> frozenset[OutcomeKind | SkipReason]:
    """The ways to end, or to be skipped, whose words hold a text of some letters."""
    text = text.casefold()
    if len(text) < _LEAST_NAMED:
        return frozenset()
    ends = {kind for kind in OutcomeKind if text in kind_words(kind)}
    return frozenset(ends | {reason for reason in SkipReason if text in f"skipped · {SKIP_WORDS[reason]}"})
