"""One command of the dashboard: a row of the table of commands, its binding, and what it applies to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, Flag, auto
from typing import Final

from textual.binding import Binding
from textual.message import Message

from taskkit_tui.formatting import shorten
from taskkit_tui.viewmodel.row import TaskRow

READ_ONLY: Final = "read-only: the tasks run, and no key changes them"

HIDDEN: Final = 0
"""The footer rank of a key that is in the help but not in the footer."""
STAYS: Final = 100
"""The footer rank of a key that leaves the footer after all that have a lower rank."""

WITH_NEXT: Final = "…"
"""The brief words of a key that is listed together with the one of the next row."""


class Place(Flag):
    """The places where a key can be pressed."""

    APP = auto()
    MAIN = auto()
    """The main screen: its panels and its log alike. All its commands are in the palette."""
    PANEL = auto()
    LOG = auto()
    """The log of the main screen. All its commands are in the palette."""
    DETAILS = auto()
    LINES = auto()
    CHART = auto()
    TOUR = auto()


class AppliesTo(Enum):
    """The tasks that a command applies to."""

    NOTHING = "nothing"
    """No task: the whole scheduler, or the screen."""
    SELECTED = "selected"
    """The selected task."""
    MARKED = "marked"
    """All marked tasks; the selected one if none is marked."""


@dataclass(frozen=True, slots=True)
class Command:
    """One row of the table of commands.

    A row without an `action` is a command to the scheduler. The method that carries it out has the name that
    follows the dot of its id: `Commands.as_registered` carries out `task.as-registered`. If it `asks` first,
    `Dialogs.as_registered` would open the dialog.
    """

    id: str
    """Names it in `keymap.toml`. The help groups commands by the part before the dot."""
    keys: str
    """Textual's names of keys, with commas between them."""
    words: str
    """A word or two for the footer."""
    tooltip: str
    """A sentence for the help and for `docs/keys.md`."""
    where: Place
    action: str = ""
    """A Textual action of the widget that has the key."""
    display: str | None = None
    """The key as the footer and the help write it; Textual's way by default."""
    footer: int = HIDDEN
    """Its rank in the footer. As that gets narrow, the lowest ranks are left out first, and among equals the
    rightmost."""
    footer_in: Place | None = None
    """The places where the footer shows it; by default all where it applies."""
    palette: str = ""
    """Its entry in the palette; `words` by default. Outside the main screen and the log, a command without
    one is not in the palette."""
    verb: str = ""
    """Its entry for each task, as in “Run backup”; none by default."""
    synonyms: str = ""
    """Other words by which the palette finds it."""
    applies_to: AppliesTo = AppliesTo.NOTHING
    changes: bool = False
    """True if it changes something; then it is refused in a read-only dashboard."""
    asks: bool = False
    """A dialog opens first."""
    obstacle: Callable[[TaskRow], str | None] | None = None
    """Returns why it does not apply to a task, as the rest of a sentence; None if it applies."""
    request: Callable[[str], Message] | None = None
    """Makes the message that asks for it, of the name of a task; `CommandAsked` by default."""
    brief: str = ""
    """A few words for the table in docs/dashboard.md; empty to leave the command out of it."""
    priority: bool = False
    """The app takes the key before whatever has the focus."""

    @property
    def method(self) -> str:
        """The name of the method that carries it out."""
        return self.id.partition(".")[2].replace("-", "_")

    def binding(self, place: Place) -> Binding:
        """The key at one place."""
        return Binding(
            self.keys,
            self.action or f"command('{self.id}')",
            self.words,
            key_display=self.display,
            show=self.footer != HIDDEN and (self.footer_in is None or place in self.footer_in),
            id=self.id,
            tooltip=self.tooltip,
            priority=self.priority,
        )

    def why_not(
        self, rows: Sequence[TaskRow], *, read_only: bool = False, of: int | None = None
    ) -> str | None:
        """Return why it applies to none of `rows`, in words for a person; None if it applies to one.

        Args:
            rows: The rows that it would apply to, or one of each kind; see `command_facts`.
            read_only: True if nothing may be changed.
            of: The number of all these rows, if `rows` are examples of them.
        """
        if read_only and self.changes:
            return READ_ONLY
        if self.applies_to is AppliesTo.NOTHING:
            return None
        if not rows:
            return "no task is selected"
        if self.obstacle is None:
            return None
        reason = ""
        for row in rows:
            obstacle = self.obstacle(row)
            if obstacle is None:
                return None
            reason = reason or obstacle
        count = len(rows) if of is None else of
        if count == 1:
            return f"{shorten(rows[0].shown_name, 40)} {reason}"
        return f"applies to none of the {count:,} marked tasks"

    def applicable(self, rows: Sequence[TaskRow]) -> tuple[TaskRow, ...]:
        """Return the rows that it applies to."""
        return tuple(row for row in rows if self.obstacle is None or self.obstacle(row) is None)
