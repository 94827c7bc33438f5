"""Whether an argument is what it should be: the errors name the argument and the value."""

from __future__ import annotations

from math import inf, isfinite
from numbers import Integral, Real
from typing import TypeGuard, cast


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether it is a number; `True` and `False` are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_whole(value: object) -> TypeGuard[int]:
    """Whether it is a whole number; `True` and `False` are none."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_finite(number: Real | float) -> bool:
    """Whether it is a number, and one that floats reach."""
    return isfinite(_as_float(number))


def _as_float(number: Real | float) -> float:
    try:
        return float(number)
    except OverflowError:
        return inf if cast(float, number) > 0 else -inf


def _told(number: float) -> str:
    """As it is; of a whole number that floats do not reach Python may refuse to tell the digits."""
    return repr(number) if is_finite(number) else repr(_as_float(number))


def check_number(argument: str, value: object, wanted: str = "a number") -> None:
    """Nothing, if it is a number.

    Raises:
        TypeError: It is not; the message says that it must be what is `wanted`.
    """
    if not is_number(value):
        raise TypeError(f"{argument} must be {wanted}, not {value!r}")


def check_whole(
    argument: str, value: object, wanted: str = "a whole number", *, least: int | None = None
) -> None:
    """Nothing, if it is a whole number.

    Raises:
        TypeError: It is not; the message says that it must be what is `wanted`.
        ValueError: It is less than `least`.
    """
    if not is_whole(value):
        raise TypeError(f"{argument} must be {wanted}, not {value!r}")
    if least is not None and value < least:
        raise ValueError(f"{argument} must be {least} or more, not {value}")


def check_seconds(argument: str, value: object, *, positive: bool = False, endless: bool = False) -> None:
    """Nothing, if it is a number of seconds.

    Args:
        argument: What the caller calls it.
        value: What it is.
        positive: Zero is none.
        endless: Infinity is one.

    Raises:
        TypeError: It is not a number.
        ValueError: It is out of that range.
    """
    if not is_number(value):
        raise TypeError(f"{argument} must be a number of seconds, not {value!r}")
    if (endless and value == inf) or (is_finite(value) and value >= 0 and not (positive and value == 0)):
        return
    least, finite = "more than 0" if positive else "0 or more", "" if endless else " and finite"
    raise ValueError(f"{argument} must be {least} seconds{finite}, not {_told(value)}")


def finite(argument: str, value: object, wanted: str = "a number") -> float:
    """`value` as a float.

    Raises:
        TypeError: It is not a number; the message says that it must be what is `wanted`.
        ValueError: It is infinite, not a number, or beyond what floats reach.
    """
    if not is_number(value):
        raise TypeError(f"{argument} must be {wanted}, not {value!r}")
    if not is_finite(value):
        raise ValueError(f"{argument} must be a finite number, not {_told(value)}")
    return float(value)


def plain_number(argument: str, value: float, wanted: str = "a number") -> float:
    """`value` as a number of Python's own, whole or not, whosever it is.

    Raises:
        TypeError: It is not a number; the message says that it must be what is `wanted`.
        ValueError: It is infinite, not a number, or beyond what floats reach.
    """
    number: object = value  # what it is said to be it need not be
    if type(number) is int or type(number) is float:
        plain: int | float = number
    elif isinstance(number, bool) or not isinstance(number, Real):
        raise TypeError(f"{argument} must be {wanted}, not {number!r}")
    else:
        plain = int(number) if isinstance(number, Integral) else _as_float(number)
    if not is_finite(plain):
        raise ValueError(f"{argument} must be a finite number, not {_told(plain)}")
    return plain


def check_flag(argument: str, value: object) -> None:
    """Nothing, if it is `True` or `False`.

    Raises:
        TypeError: It is not.
    """
    if not isinstance(value, bool):
        raise TypeError(f"{argument} must be True or False, not {value!r}")


def check_callable(argument: str, value: object) -> None:
    """Nothing, if it can be called.

    Raises:
        TypeError: It cannot.
    """
    if not callable(value):
        raise TypeError(f"{argument} must be callable, not {value!r}")


def check_methods(argument: str, value: object, methods: tuple[str, ...], wanted: str) -> None:
    """Nothing, if it has these methods.

    Raises:
        TypeError: It lacks one, or is a class; the message says that it must be what is `wanted`.
    """
    if isinstance(value, type) or not all(callable(getattr(value, method, None)) for method in methods):
        raise TypeError(f"{argument} must be {wanted}, with {', '.join(methods)}, not {value!r}")


def check_clock(clock: object) -> None:
    """Nothing, if it is a `Clock`.

    Raises:
        TypeError: It is none.
    """
    check_methods("clock", clock, ("time", "monotonic", "now", "gate", "alarm"), "a clock")
