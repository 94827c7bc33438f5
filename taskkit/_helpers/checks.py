"""Checks of arguments; the errors name the argument and the value."""

from __future__ import annotations

from math import inf, isfinite
from numbers import Integral, Real
from typing import TypeGuard, cast


def is_number(value: object) -> TypeGuard[int | float]:
    """True if it is a number; `True` and `False` are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_whole(value: object) -> TypeGuard[int]:
    """True if it is a whole number; `True` and `False` are none."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_finite(number: Real | float) -> bool:
    """True if it is finite and within the range of floats."""
    return isfinite(_as_float(number))


def _as_float(number: Real | float) -> float:
    try:
        return float(number)
    except OverflowError:
        return inf if cast(float, number) > 0 else -inf


def _in_digits(number: float) -> str:
    """Return the number as text; Python may refuse to write the digits of a very large one."""
    return repr(number) if is_finite(number) else repr(_as_float(number))


def check_number(argument: str, value: object, wanted: str = "a number") -> None:
    """Raise TypeError unless `value` is a number.

    Raises:
        TypeError: It is not; the message says that it must be `wanted`.
    """
    if not is_number(value):
        raise TypeError(f"{argument} must be {wanted}, not {value!r}")


def check_whole(
    argument: str, value: object, wanted: str = "a whole number", *, least: int | None = None
) -> None:
    """Raise TypeError unless `value` is a whole number.

    Raises:
        TypeError: It is not; the message says that it must be `wanted`.
        ValueError: It is less than `least`.
    """
    if not is_whole(value):
        raise TypeError(f"{argument} must be {wanted}, not {value!r}")
    if least is not None and value < least:
        raise ValueError(f"{argument} must be {least} or more, not {value}")


def check_seconds(argument: str, value: object, *, positive: bool = False, endless: bool = False) -> None:
    """Raise unless `value` is a number of seconds.

    Args:
        argument: The name of the argument.
        value: Its value.
        positive: Refuse zero.
        endless: Allow infinity.

    Raises:
        TypeError: It is not a number.
        ValueError: It is out of that range.
    """
    if not is_number(value):
        raise TypeError(f"{argument} must be a number of seconds, not {value!r}")
    if (endless and value == inf) or (is_finite(value) and value >= 0 and not (positive and value == 0)):
        return
    least, finite = "more than 0" if positive else "0 or more", "" if endless else " and finite"
    raise ValueError(f"{argument} must be {least} seconds{finite}, not {_in_digits(value)}")


def finite(argument: str, value: object, wanted: str = "a number") -> float:
    """Return `value` as a float.

    Raises:
        TypeError: It is not a number; the message says that it must be `wanted`.
        ValueError: It is infinite, not a number, or beyond the range of floats.
    """
    if not is_number(value):
        raise TypeError(f"{argument} must be {wanted}, not {value!r}")
    number = _as_float(value)
    if not isfinite(number):
        raise ValueError(f"{argument} must be a finite number, not {_in_digits(value)}")
    return number


def plain_number(argument: str, value: float, wanted: str = "a number") -> float:
    """Return `value` as an `int` or a `float`, whatever class of number it is.

    Raises:
        TypeError: It is not a number; the message says that it must be `wanted`.
        ValueError: It is infinite, not a number, or beyond the range of floats.
    """
    number: object = value  # the annotation is not a guarantee
    if type(number) is int or type(number) is float:
        plain: int | float = number
    elif isinstance(number, bool) or not isinstance(number, Real):
        raise TypeError(f"{argument} must be {wanted}, not {number!r}")
    else:
        plain = int(number) if isinstance(number, Integral) else _as_float(number)
    if not is_finite(plain):
        raise ValueError(f"{argument} must be a finite number, not {_in_digits(plain)}")
    return plain


def check_flag(argument: str, value: object) -> None:
    """Raise TypeError unless `value` is `True` or `False`.

    Raises:
        TypeError: It is not.
    """
    if not isinstance(value, bool):
        raise TypeError(f"{argument} must be True or False, not {value!r}")


def check_callable(argument: str, value: object) -> None:
    """Raise TypeError unless `value` can be called.

    Raises:
        TypeError: It cannot.
    """
    if not callable(value):
        raise TypeError(f"{argument} must be callable, not {value!r}")


def check_methods(argument: str, value: object, methods: tuple[str, ...], wanted: str) -> None:
    """Raise TypeError unless `value` has these methods.

    Raises:
        TypeError: It lacks one, or is a class; the message says that it must be `wanted`.
    """
    if isinstance(value, type) or not all(callable(getattr(value, method, None)) for method in methods):
        raise TypeError(f"{argument} must be {wanted}, with {', '.join(methods)}, not {value!r}")


def check_clock(clock: object) -> None:
    """Raise TypeError unless `clock` is a `Clock`.

    Raises:
        TypeError: It is none.
    """
    check_methods("clock", clock, ("time", "monotonic", "now", "gate", "alarm"), "a clock")
