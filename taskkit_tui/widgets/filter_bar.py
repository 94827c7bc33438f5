"""Shows the field for a filter or a search, while a person types in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message

if TYPE_CHECKING:
    from textual.widgets import Input


class FilterBar(Horizontal):
    """A prompt and a field; the rows follow every letter.

    Args:
        id: The widget's id.
        hint: The text of the empty field.
    """

    DEFAULT_CSS = """
    FilterBar {
        height: 1;
        display: none;
        background: $bar;
        & > Static { width: auto; color: $next; text-style: bold; padding: 0 0 0 1; }
        & > Input {
            width: 1fr; height: 1; border: none; padding: 0 1; background: $bar;
            &:focus { border: none; background-tint: $foreground 0%; }
        }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "clear", "Clear", id="filter.clear", tooltip="Show all again."),
        Binding(
            "down,tab", "leave", "To the rows", id="filter.leave", tooltip="Keep the filter.", show=False
        ),
    ]

    @dataclass
    class Changed(Message):
        """Says that the text has changed."""

        text: str

    class Closed(Message):
        """Says that the field was closed."""

    def __init__(
        self,
        *,
        id: str,  # noqa: A002  Textual's name
        hint: str = "text or regular expression; ! in front inverts",
    ) -> None:
        super().__init__(id=id)
        self._hint = hint

    def open(self, text: str) -> None:
        """Show the field, with `text` in it, and focus it."""
        # Built when it is first needed: a field would cost the first paint some milliseconds.
        from textual.widgets import Input, Static

        self.display = True
        if not self.children:
            field = Input(placeholder=self._hint, compact=True)
            self.mount(Static("/"), field)
        else:
            field = self.query_one(Input)
        with self.prevent(Input.Changed):
            field.value = text
        # Focus it now. `field.focus()` does it later, and letters that are typed fast would be commands.
        self.screen.set_focus(field)
        field.focus()  # once more, after other deferred calls

    def close(self) -> None:
        """Hide the field."""
        self.display = False

    def on_input_changed(self, event: Input.Changed) -> None:
        """Report the new text."""
        event.stop()
        if self.display:
            self.post_message(self.Changed(event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Close the field, and keep the filter."""
        event.stop()
        self.action_leave()

    def action_leave(self) -> None:
        """Close the field, and keep the filter."""
        self.close()
        self.post_message(self.Closed())

    def action_clear(self) -> None:
        """Clear the filter, and close the field."""
        self.close()
        self.post_message(self.Changed(""))
        self.post_message(self.Closed())
