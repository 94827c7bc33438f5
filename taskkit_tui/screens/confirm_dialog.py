"""Asks before something that cannot be undone: yes or no, and no by default."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Button, Static

from taskkit_tui.formatting import harmless, shorten
from taskkit_tui.screens.dialog import Dialog

_MOST_NAMES = 6


class ConfirmScreen(Dialog[bool]):
    """Answers `True` for yes; `None` and `False` mean no.

    Args:
        question: One short sentence.
        lines: The subject, and the consequences.
    """

    DEFAULT_CSS = """
    ConfirmScreen {
        & > #box > Horizontal { height: 1; margin-top: 1; align-horizontal: right; }
        & Button {
            min-width: 9; height: 1; border: none; margin-left: 2; color: $foreground; background: $rule;
            &:focus {
                border: none; background: $next; color: $background;
                text-style: bold !important; background-tint: $next 0%;
            }
            &:hover { border: none; }
        }
    }
    """

    AUTO_FOCUS = "#no"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes", id="confirm.yes", tooltip="Do it."),
        Binding("n", "answer(False)", "No", id="confirm.no", tooltip="Leave it."),
        Binding(
            "left,right,up,down",
            "other",
            "Other",
            id="confirm.other",
            tooltip="The other answer.",
            show=False,
        ),
    ]

    def __init__(self, question: str, lines: Sequence[str] = ()) -> None:
        super().__init__()
        self.question = question
        self.lines = tuple(lines)

    def compose(self) -> ComposeResult:
        """Make the lines and two buttons."""
        with VerticalScroll(id="box", can_focus=False) as box:
            box.border_title = self.question
            box.border_subtitle = "y yes · n no"
            for line in self.lines:
                yield Static(line, markup=False)
            with Horizontal():
                yield Button("No", id="no", compact=True)
                yield Button("Yes", id="yes", compact=True)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer with the button."""
        self.action_answer(event.button.id == "yes")

    def action_answer(self, yes: bool) -> None:
        """Answer."""
        self.dismiss(yes)

    def action_other(self) -> None:
        """Go to the other answer."""
        self.focus_next()


def listed_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return lines with the first of some names."""
    lines = tuple(f"• {shorten(harmless(name), 54)}" for name in names[:_MOST_NAMES])
    rest = len(names) - _MOST_NAMES
    return lines if rest <= 0 else (*lines, f"  … and {rest:,} more")
