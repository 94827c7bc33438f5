"""A dictionary that cannot be changed, for plain data that is kept, compared and sent elsewhere.

What Python has for it, `MappingProxyType`, is a view: it can be neither hashed nor pickled nor copied.
"""

from __future__ import annotations

from typing import NoReturn, Self, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class FrozenDict(dict[K, V]):
    """A dictionary that stays as it was made; equal to any other that holds the same.

    It has a hash if its values have one. What is read of it, `json` and `copy` included, is as of any
    other.
    """

    __slots__ = ()

    def __hash__(self) -> int:  # type: ignore[override]  # a dict says that it has none
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[type[Self], tuple[dict[K, V]]]:
        # As a whole: what Python does by itself sets one key after the other.
        return type(self), (dict(self),)

    def copy(self) -> Self:
        """Itself, as nobody can change it."""
        return self

    __copy__ = copy

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} cannot be changed")

    __setitem__ = __delitem__ = __ior__ = _refuse
    update = setdefault = pop = popitem = clear = _refuse
