"""Asks for the parameters of a run: one field for each, checked while a person types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Input

from taskkit import Parameter
from taskkit_tui.formatting import harmless, shorten
from taskkit_tui.screens.dialog import Dialog
from taskkit_tui.widgets.parameter_fields import ParameterFields


class RunParametersScreen(Dialog[Mapping[str, object]]):
    """Answers the parameters of a run by name, or None.

    Args:
        name: The name of the task.
        parameters: The parameters of its runs; at least one.
        recalled: The texts of the last time, by the names of the parameters.
    """

    DEFAULT_CSS = """
    RunParametersScreen {
        .label { color: $dim; margin-top: 1; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+enter,ctrl+j", "send", "Run", id="dialog.send", tooltip="Run it with these values."),
    ]

    def __init__(self, name: str, parameters: Sequence[Parameter], recalled: Mapping[str, str]) -> None:
        super().__init__()
        self._task_name = name
        self._parameters = tuple(parameters)
        self._recalled = recalled
        self.typed: dict[str, str] = {}
        """The texts of the fields when they were sent."""

    def compose(self) -> ComposeResult:
        """Make a field for each parameter."""
        with VerticalScroll(id="box", can_focus=False) as box:
            # As content, not as a string: names are foreign text, which may look like markup.
            box.border_title = Content(f"Run {shorten(harmless(self._task_name), 40)} with")
            box.border_subtitle = "⏎ next, then run · esc leave"
            yield ParameterFields(self._parameters, self._recalled)

    def on_input_changed(self) -> None:
        """Show errors at once."""
        self.query_one(ParameterFields).values()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go to the next field; send from the last one."""
        if event.input.id == f"field-{len(self._parameters) - 1}":
            self.action_send()
        else:
            self.focus_next(Input)

    def action_send(self) -> None:
        """Answer, unless a field is invalid."""
        fields = self.query_one(ParameterFields)
        self.typed = fields.typed()
        values = fields.values(sending=True)
        if len(values) < len(self._parameters):
            self.app.bell()
        else:
            self.dismiss(values)
