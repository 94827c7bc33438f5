"""How a parameter is asked for: the label of its field, and what the field holds at first."""

from __future__ import annotations

from typing import Final

from taskkit import Parameter
from taskkit_tui.formatting import harmless

_IN_WORDS: Final = {"str": "text", "int": "whole number", "float": "number", "bool": "yes or no"}


def label_of(parameter: Parameter) -> str:
    """Its name, and what can be typed: `stale_after  (number, optional)`."""
    kind = ", ".join(parameter.choices) or _IN_WORDS.get(parameter.type, parameter.type)
    return f"{harmless(parameter.name)}  ({harmless(kind)}{'' if parameter.required else ', optional'})"


def text_of(parameter: Parameter) -> str:
    """Its default, as `parse_parameter` reads it."""
    if isinstance(parameter.default, bool):
        return "yes" if parameter.default else "no"
    return "" if parameter.default is None else str(parameter.default)
