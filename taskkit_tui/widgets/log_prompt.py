"""The line at the bottom of the log in which one types what to find."""

from __future__ import annotations

from enum import Enum, auto

from textual import events


class Typed(Enum):
    """What a key meant to the prompt."""

    NOTHING = auto()
    TEXT = auto()
    """The text changed."""
    DONE = auto()
    CANCELLED = auto()
    NEXT = auto()
    PREVIOUS = auto()


class FindPrompt:
    """A text that keys change. It knows no widget."""

    def __init__(self) -> None:
        self.text = ""

    def press(self, key: events.Key) -> Typed:
        """Take a key, or answer `NOTHING` if it means nothing here."""
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
        """Take the first line of a pasted text."""
        self.text += text.strip().partition("\n")[0]
