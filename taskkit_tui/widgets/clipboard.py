"""Copies text to the clipboard of the terminal, which gives no answer."""

from __future__ import annotations

from textual.widget import Widget


def copy(widget: Widget, text: str, what: str) -> None:
    """Ask the terminal (OSC 52) to put a text into its clipboard, and say so in a toast.

    Args:
        widget: Any widget of the app.
        text: The text.
        what: A few harmless words for the text, such as `the line`.
    """
    widget.app.copy_to_clipboard(text)
    widget.notify(f"Sent to the terminal: {what}", markup=False, timeout=3)
