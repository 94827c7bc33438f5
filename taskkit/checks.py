"""Whether an argument is what it should be: the errors name the argument and the value."""

from __future__ import annotations

from math import isfinite
from typing import TypeGuard


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether it is a number; `True` and `False` are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_whole(value: object) -> TypeGuard[int]:
    """Whether it is a whole number; `True` and `False` are none."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_finite(number: float) -> bool:
    """Whether it is neither infinite nor not a number, nor beyond what floats reach."""
    try:
        return isfinite(number)
    except OverflowError:
        return False
