"""What is said in the same words wherever a person reads it: in a dashboard, or behind a prompt."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Final

from taskkit.calendar import local_time
from taskkit.outcome import OutcomeKind

BEYOND_THE_CALENDAR: Final = "beyond the calendar"
"""What is said of an instant that no date can be told of."""


def kind_words(kind: OutcomeKind) -> str:
    """How a run ended: `failed`, `timed out`."""
    return kind.value.replace("_", " ")


def full_time(instant: float, tz: tzinfo | None = None) -> str:
    """When an instant in epoch seconds is, in full: `Wed 2026-11-25 03:30:00`.

    Args:
        instant: Epoch seconds.
        tz: `None` for the zone of the machine.
    """
    when = local_time(instant, tz)
    return BEYOND_THE_CALENDAR if when is None else f"{when:%a %Y-%m-%d %H:%M:%S}"


def offset_text(when: datetime) -> str:
    """How far a local time is ahead of UTC: `+01:00`; empty where it does not say."""
    return when.isoformat()[len(when.replace(tzinfo=None).isoformat()) :]
