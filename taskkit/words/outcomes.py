"""Words and signs for runs and skips: how a run ended, what started it, why a due time was skipped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from taskkit.outcome import FAILURES, OutcomeKind, SkipReason, Trigger
from taskkit.words.durations import in_words

_TRIGGER_WORDS: Final = {
    Trigger.SCHEDULE: "schedule",
    Trigger.DEMAND: "on demand",
    Trigger.RUN_NOW: "by hand",
}

_SKIP_WORDS: Final = {
    SkipReason.OVERLAP: "overlap: the run before was still going on",
    SkipReason.DISABLED: "it was disabled",
    SkipReason.MISSED: "missed: the machine slept or the program did not run",
    SkipReason.PAUSED: "the scheduler was paused",
    SkipReason.REPLACED: "replaced: a run of its former registration was still going on",
    SkipReason.WINDOW: "window: outside its hours, or on a date on which it does not run",
}

_PASSIVE: Final = frozenset({OutcomeKind.STOPPED, OutcomeKind.ABANDONED, OutcomeKind.INTERRUPTED})


def kind_words(kind: OutcomeKind) -> str:
    """Return how a run ended: `failed`, `timed out`."""
    return kind.value.replace("_", " ")


def ended_words(kind: OutcomeKind) -> str:
    """Return how a run ended, as the verb of a sentence: `failed`, `was stopped`."""
    return f"was {kind_words(kind)}" if kind in _PASSIVE else kind_words(kind)


def outcome_mark(kind: OutcomeKind) -> str:
    """Return the sign of an outcome: `✓`, `✗` for a failure, `■` for stopped, `⊘` for interrupted."""
    if kind is OutcomeKind.INTERRUPTED:
        return "⊘"
    if kind in FAILURES:
        return "✗"
    return "■" if kind is OutcomeKind.STOPPED else "✓"


def trigger_words(trigger: Trigger, attempt: int) -> str:
    """Return what started a run: `schedule`, `on demand`, `by hand`, `try 2`."""
    if attempt > 1 or trigger is Trigger.RETRY:
        return f"try {attempt}"
    return _TRIGGER_WORDS[trigger]


def skip_words(reason: SkipReason) -> str:
    """Return why due times were skipped, explained: `overlap: the run before was still going on`."""
    return _SKIP_WORDS[reason]


def late_words(late_by: float | None, count: int) -> str:
    """Return by how much skipped due times were too late: `, the last by 2 h`; nothing for `None`.

    Args:
        late_by: Seconds by which the last of them was late.
        count: How many they are.
    """
    if late_by is None:
        return ""
    return f", {'the last ' if count > 1 else ''}by {in_words(round(late_by))}"


def skip_counts(skipped: Mapping[SkipReason, int]) -> str:
    """Return how many due times were skipped, by reason: `3 overlap, 1 missed`."""
    return ", ".join(f"{count:,} {reason}" for reason, count in skipped.items())
