"""Shows one field per parameter, and checks it while a person types. Both forms use it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Input, Static

from taskkit import Parameter, parse_parameter
from taskkit_tui.formatting import harmless

_TYPE_WORDS: Final = {"str": "text", "int": "whole number", "float": "number", "bool": "yes or no"}


class ParameterFields(Vertical):
    """Labels and fields, with room for an error under each field.

    Args:
        parameters: The parameters.
        proposed: The first texts of the fields, by the names of parameters; otherwise the defaults.
        id: The widget's id.
    """

    DEFAULT_CSS = """
    ParameterFields {
        height: auto;
        & > .label { color: $dim; }
        & > .wrong { color: $bad; height: auto; display: none; }
    }
    """

    def __init__(
        self,
        parameters: Sequence[Parameter],
        proposed: Mapping[str, str],
        *,
        id: str | None = None,  # noqa: A002  as Textual calls it
    ) -> None:
        super().__init__(id=id)
        self._parameters = tuple(parameters)
        self._proposed = proposed

    def compose(self) -> ComposeResult:
        """Make the fields."""
        yield from self._make_fields()

    async def ask_for(self, parameters: Sequence[Parameter], proposed: Mapping[str, str]) -> None:
        """Replace the fields by those of other parameters."""
        self._parameters, self._proposed = tuple(parameters), proposed
        await self.remove_children()
        await self.mount(*self._make_fields())

    def changed(self) -> dict[str, str]:
        """Return the texts that differ from the proposed ones, by the names of the parameters."""
        proposed = {parameter.name: self._first_text(parameter) for parameter in self._parameters}
        return {name: text for name, text in self.typed().items() if text != proposed[name]}

    def typed(self) -> dict[str, str]:
        """Return the texts of the fields, by the names of the parameters."""
        texts: dict[str, str] = {}
        for number, parameter in enumerate(self._parameters):
            for field in self.query(f"#field-{number}").results(Input):
                first_text = self._first_text(parameter)
                # An untouched field keeps its first text, even if it could only show a harmless form of it.
                texts[parameter.name] = first_text if field.value == harmless(first_text) else field.value
        return texts

    def values(self, *, sending: bool = False) -> dict[str, object]:
        """Return the values of the fields. An invalid field is left out, with an error under it.

        Args:
            sending: Report empty fields as well, and focus the first invalid one. While a person still
                types, an empty field is not an error.
        """
        values: dict[str, object] = {}
        typed = self.typed()
        for number, parameter in enumerate(self._parameters):
            text = typed.get(parameter.name)
            if text is None:  # its field is not mounted yet
                continue
            try:
                values[parameter.name] = parse_parameter(parameter, text)
            except ValueError as error:
                self._show_error(number, f"✗ {harmless(str(error))}" if text or sending else "")
                if sending and len(values) == number:
                    self.query_one(f"#field-{number}").focus()
            else:
                self._show_error(number, "")
        return values

    def _show_error(self, number: int, words: str) -> None:
        error = self.query_one(f"#wrong-{number}", Static)
        error.update(words)
        error.display = bool(words)

    def _first_text(self, parameter: Parameter) -> str:
        return self._proposed.get(parameter.name, text_of(parameter))

    def _make_fields(self) -> list[Widget]:
        fields: list[Widget] = []
        for number, parameter in enumerate(self._parameters):
            fields += [
                Static(label_of(parameter), classes="label", markup=False),
                Input(harmless(self._first_text(parameter)), id=f"field-{number}"),
                Static(id=f"wrong-{number}", classes="wrong", markup=False),
            ]
        return fields


def label_of(parameter: Parameter) -> str:
    """Return the label of its field, with what can be typed: `stale_after  (number, optional)`."""
    kind = ", ".join(parameter.choices) or _TYPE_WORDS.get(parameter.type, parameter.type)
    return f"{harmless(parameter.name)}  ({harmless(kind)}{'' if parameter.required else ', optional'})"


def text_of(parameter: Parameter) -> str:
    """Return its default as text that `parse_parameter` reads."""
    if isinstance(parameter.default, bool):
        return "yes" if parameter.default else "no"
    return "" if parameter.default is None else str(parameter.default)
