"""Short summaries of what tasks return or raise: bounded, and safe with any broken `repr`."""

from __future__ import annotations

from functools import partial
from reprlib import Repr
from typing import Any, Final

LONGEST_SUMMARY: Final = 200
"""Characters."""

_LARGEST_NUMBER: Final = 10**LONGEST_SUMMARY

_repr = Repr()
_repr.maxstring = _repr.maxother = _repr.maxlong = LONGEST_SUMMARY


def summary(result: object) -> object:
    """Return a number or a short text as it is; of anything else its repr, shortened."""
    kind = type(result)
    if kind is bool or kind is float or kind is type(None):
        return result
    if kind is int and -_LARGEST_NUMBER < result < _LARGEST_NUMBER:  # type: ignore[operator]
        return result
    try:
        if isinstance(result, str):
            # Of a subclass only the text is kept: outcomes are plain data.
            return shortened(str.__getitem__(result, slice(LONGEST_SUMMARY + 1)))
        if isinstance(result, bytes | bytearray):
            result = result[: LONGEST_SUMMARY + 1]
        return shortened(_repr.repr(result))
    except BaseException:  # noqa: BLE001 - a repr is a task's code too
        return nameless(result)


def one_line(error: BaseException) -> str:
    """Return the type of an exception and its message, as in `ValueError: no such feed`."""
    try:
        # Longer than the result, as white space is removed next.
        message = " ".join(str(error)[: 10 * LONGEST_SUMMARY].split())
        name = type(error).__name__
        return shortened(f"{name}: {message}" if message else name)
    except BaseException:  # noqa: BLE001 - as above
        return nameless(error)


def body_in_words(task: object) -> str:
    """Return what a task runs: its own words if it has some, as a command has; else the place of its code."""
    try:
        if type(task).__str__ is not object.__str__:
            return shortened(" ".join(str(task).split()))
        while isinstance(task, partial):
            task = task.func
        named: Any = task if hasattr(task, "__qualname__") else type(task)
        return shortened(f"{named.__module__}:{named.__qualname__}")
    except BaseException:  # noqa: BLE001 - as above
        return nameless(task)


def callable_in_words(function: object) -> str:
    """Return the name of a function, also of a `partial`; of any other callable its own words."""
    try:
        while isinstance(function, partial):
            function = function.func
        name = getattr(function, "__name__", None)
        return shortened(name if isinstance(name, str) else " ".join(str(function).split()))
    except BaseException:  # noqa: BLE001 - as above
        return nameless(function)


def shortened(text: str) -> str:
    """Return the text, cut with an ellipsis if it is long."""
    return text if len(text) <= LONGEST_SUMMARY else text[: LONGEST_SUMMARY - 1] + "…"


def nameless(thing: object) -> str:
    """Return the type of something that has no usable words."""
    return f"<{_name_of(type(thing))}>"[:LONGEST_SUMMARY]


_name_of: Final = type.__dict__["__name__"].__get__
"""The `__name__` of a class, even if its metaclass spoils the attribute."""
