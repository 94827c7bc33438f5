"""The dialog that asks what a run shall be given: one field a parameter, checked as one types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static

from taskkit import Parameter, parse_parameter
from taskkit_tui.formatting import harmless, shorten
from taskkit_tui.screens.dialog import Dialog


class RunParametersScreen(Dialog[Mapping[str, object]]):
    """Answers the parameters of a run by name, or `None`.

    Args:
        name: The task's.
        parameters: What a run of it can be given; at least one.
        recalled: What was typed the last time, by the name of the parameter.
    """

    DEFAULT_CSS = """
    RunParametersScreen {
        .label { color: $dim; margin-top: 1; }
        .wrong { color: $bad; height: auto; }
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
        """What the fields held when they were sent."""

    def compose(self) -> ComposeResult:
        """A label, a field and room for what is wrong, for each parameter."""
        with VerticalScroll(id="box", can_focus=False) as box:
            # As content, not as a string: names are foreign text, which may look like markup.
            box.border_title = Content(f"Run {shorten(harmless(self._task_name), 40)} with")
            box.border_subtitle = "⏎ next, then run · esc leave"
            for number, parameter in enumerate(self._parameters):
                default = "" if parameter.default is None else str(parameter.default)
                yield Static(_label(parameter), classes="label", markup=False)
                yield Input(self._recalled.get(parameter.name, default), id=f"field-{number}")
                yield Static(id=f"wrong-{number}", classes="wrong", markup=False)

    def on_input_changed(self) -> None:
        """Say at once what is wrong."""
        self._values()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go to the next field; from the last one, send."""
        if event.input.id == f"field-{len(self._parameters) - 1}":
            self.action_send()
        else:
            self.focus_next(Input)

    def action_send(self) -> None:
        """Answer, unless something is wrong."""
        values = self._values()
        if values is None:
            self.app.bell()
            return
        self.dismiss(values)

    def _values(self) -> dict[str, object] | None:
        """What the fields mean; `None` if one of them means nothing."""
        values: dict[str, object] = {}
        for number, parameter in enumerate(self._parameters):
            text = self.query_one(f"#field-{number}", Input).value
            wrong = self.query_one(f"#wrong-{number}", Static)
            self.typed[parameter.name] = text
            try:
                values[parameter.name] = parse_parameter(parameter, text)
            except ValueError as error:
                wrong.update(f"✗ {harmless(str(error))}")
            else:
                wrong.update("")
        return values if len(values) == len(self._parameters) else None


def _label(parameter: Parameter) -> str:
    kind = ", ".join(parameter.choices) if parameter.choices else parameter.type
    return f"{harmless(parameter.name)}  ({harmless(kind)}{'' if parameter.required else ', optional'})"
