"""Edits the text that a person types to search the log.

Textual's `Input` does not fit: the log would lose the focus to it, and with the focus its cursor and frame.
"""

from __future__ import annotations

from enum import Enum, auto

from textual import events


class Typed(Enum):
    """The effect of a key in the prompt."""

    NOTHING = auto()
    TEXT = auto()
    """The text has changed."""
    DONE = auto()
    CANCELLED = auto()
    NEXT = auto()
    PREVIOUS = auto()


class FindPrompt:
    """A text that keys change. It does not know any widget."""

    def __init__(self) -> None:
        self.text = ""

    def press(self, key: events.Key) -> Typed:
        """Handle a key, and return its effect; `NOTHING` for a key without one."""
        match key.key:
            case "enter":
                return Typed.DONE
            case "escape":
                return Typed.CANCELLED
            case "up":
                return Typed.PREVIOUS
            case "down":
                return Typed.NEXT
            case "backspace" if not self.text:
                return Typed.CANCELLED
            case "backspace":
                self.text = self.text[:-1]
            case "ctrl+u":
                self.text = ""
            case "ctrl+w":
                self.text = self.text.rstrip().rpartition(" ")[0]
            case _ if key.is_printable and key.character:
                self.text += key.character
            case _:
                return Typed.NOTHING
        return Typed.TEXT

    def paste(self, text: str) -> None:
        """Add the first line of a pasted text."""
        self.text += text.strip().partition("\n")[0]
