"""What a program reads: one JSON object a line, in ASCII, with nothing in it that JSON does not have."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import isfinite


def json_line(values: Mapping[str, object]) -> str:
    """One object, without a line end."""
    return json.dumps({key: _plain(value) for key, value in values.items()}, separators=(",", ":"))


def _plain(value: object) -> object:
    if isinstance(value, float) and not isfinite(value):
        return str(value)
    if isinstance(value, str):
        return str(value)  # a StrEnum as its text
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return str(value)
