"""Requests of widgets and screens to the app. Only the app knows a scheduler.

A request names tasks; it holds no handle, so it could go to another process. It bubbles up from the widget
that has the key to the app.
"""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message


@dataclass
class CommandAsked(Message):
    """Carry out a command of the table; if it asks first, open its dialog."""

    command: str
    """Its id in the table of commands."""
    names: tuple[str, ...] = ()
    """The tasks that it goes to."""
    answers: tuple[object, ...] | None = None
    """The answers from its dialog; None before it was opened."""


@dataclass
class ShowDetails(Message):
    """Open the details of one task."""

    name: str
    run: int | None = None
    """The number of the run of this life that is selected there; the newest one by default."""


@dataclass
class ShowLog(Message):
    """Show only one task in the log, or all of them."""

    name: str | None


class ShowFailures(Message):
    """Open the list of the last failures of all tasks."""
