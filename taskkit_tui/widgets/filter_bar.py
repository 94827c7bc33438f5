"""The line in which one types which tasks to see. It is there only while one types."""

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
        hint: What stands in the field while it is empty.
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
        """Another text is in the field."""

        text: str

    class Closed(Message):
        """One is done typing."""

    def __init__(
        self,
        *,
        id: str,  # noqa: A002  Textual's name
        hint: str = "text or regular expression; ! in front inverts",
    ) -> None:
        super().__init__(id=id)
        self._hint = hint

    def open(self, text: str) -> None:
        """Let a person type, beginning with `text`."""
        # Built when first needed: a field costs milliseconds that the first paint does not have.
        from textual.widgets import Input, Static

        self.display = True
        if not self.children:
            field = Input(placeholder=self._hint, compact=True)
            self.mount(Static("/"), field)
        else:
            field = self.query_one(Input)
        with self.prevent(Input.Changed):
            field.value = text
        # At once, not by `field.focus()`, which puts it off: letters typed fast would be commands.
        self.screen.set_focus(field)
        field.focus()  # and once more, after whatever else was put off

    def close(self) -> None:
        """Put the line away."""
        self.display = False

    def on_input_changed(self, event: Input.Changed) -> None:
        """Tell every letter."""
        event.stop()
        if self.display:
            self.post_message(self.Changed(event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Done."""
        event.stop()
        self.action_leave()

    def action_leave(self) -> None:
        """Go to the rows, and keep the filter."""
        self.close()
        self.post_message(self.Closed())

    def action_clear(self) -> None:
        """Show all rows again."""
        self.close()
        self.post_message(self.Changed(""))
        self.post_message(self.Closed())
