"""One field for each parameter, checked as one types. Both forms are made of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Input, Static

from taskkit import Parameter, parse_parameter
from taskkit_tui.formatting import harmless
from taskkit_tui.viewmodel.parameter_text import label_of, text_of


class ParameterFields(Vertical):
    """Labels, fields, and under each room for what is wrong.

    Args:
        parameters: What is asked for.
        proposed: What fields hold at first, by the names of parameters; the defaults where there is nothing.
        id: The widget's.
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
        """The fields."""
        yield from self._made()

    async def ask_for(self, parameters: Sequence[Parameter], proposed: Mapping[str, str]) -> None:
        """Put other fields in the place of these."""
        self._parameters, self._proposed = tuple(parameters), proposed
        await self.remove_children()
        await self.mount(*self._made())

    def typed(self) -> dict[str, str]:
        """What the fields hold, by the names of the parameters."""
        texts: dict[str, str] = {}
        for number, parameter in enumerate(self._parameters):
            for field in self.query(f"#field-{number}").results(Input):
                at_first = self._text_at_first(parameter)
                # What nobody touched is as it was, though the field could not show it as it is.
                texts[parameter.name] = at_first if field.value == harmless(at_first) else field.value
        return texts

    def values(self, *, sending: bool = False) -> dict[str, object]:
        """What the fields mean; one that means nothing is left out, and told under it.

        Args:
            sending: Whether an empty field is told as well, and the first that is wrong gets the focus.
                While one types, what nobody has typed yet is missing, not wrong.
        """
        values: dict[str, object] = {}
        typed = self.typed()
        for number, parameter in enumerate(self._parameters):
            text = typed.get(parameter.name)
            if text is None:  # its field is about to come
                continue
            try:
                values[parameter.name] = parse_parameter(parameter, text)
            except ValueError as error:
                self._tell(number, f"✗ {harmless(str(error))}" if text or sending else "")
                if sending and len(values) == number:
                    self.query_one(f"#field-{number}").focus()
            else:
                self._tell(number, "")
        return values

    def _tell(self, number: int, words: str) -> None:
        told = self.query_one(f"#wrong-{number}", Static)
        told.update(words)
        told.display = bool(words)

    def _text_at_first(self, parameter: Parameter) -> str:
        return self._proposed.get(parameter.name, text_of(parameter))

    def _made(self) -> list[Widget]:
        made: list[Widget] = []
        for number, parameter in enumerate(self._parameters):
            made += [
                Static(label_of(parameter), classes="label", markup=False),
                Input(harmless(self._text_at_first(parameter)), id=f"field-{number}"),
                Static(id=f"wrong-{number}", classes="wrong", markup=False),
            ]
        return made
