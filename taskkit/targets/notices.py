"""Sentences about a target and its state that the command and the dashboard both print at the start."""

from __future__ import annotations

from pathlib import Path
from shlex import quote

from taskkit.words.plain_text import harmless


def how_to_look(target: str, state: Path | None) -> str:
    """Return what a person can type while another process runs a target.

    Args:
        target: The target as it was typed.
        state: The state file, if it is not the usual one.
    """
    where = quote(target) if state is None else f"{quote(target)} --state {quote(str(state))}"
    return harmless(f"meanwhile: taskkit list {where}, taskkit history {where}")


def new_state(state: Path, other: Path | None) -> str:
    """Return a sentence that a state file is new. Where a person expects an old one, the path is wrong.

    Args:
        state: The state file.
        other: Another state file of the same target, if there is one.
    """
    words = f"{state} is new: no earlier runs are recorded"
    if other is not None:
        words += (
            f" for this path; those for the path without symbolic links are in --state {quote(str(other))}"
        )
    return harmless(words)
