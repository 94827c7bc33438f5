"""What is said in the same words wherever a person reads it: in a dashboard, or behind a prompt."""

from __future__ import annotations

from datetime import datetime, tzinfo
from pathlib import Path
from shlex import quote
from typing import Final

from taskkit.local_times import local_time
from taskkit.outcome import OutcomeKind
from taskkit.plain_text import harmless

BEYOND_THE_CALENDAR: Final = "beyond the calendar"
"""What is said of an instant that no date can be told of."""


def kind_words(kind: OutcomeKind) -> str:
    """How a run ended: `failed`, `timed out`."""
    return kind.value.replace("_", " ")


def how_to_look(target: str, state: Path | None) -> str:
    """What a person can type while another process runs a target.

    Args:
        target: The target.
        state: The file that keeps its state, if it is not the usual one.
    """
    where = quote(target) if state is None else f"{quote(target)} --state {quote(str(state))}"
    return harmless(f"meanwhile: taskkit list {where}, taskkit history {where}")


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
