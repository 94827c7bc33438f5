"""A dictionary that cannot be changed, for plain data that is stored, compared and sent.

`MappingProxyType` of the standard library is only a view: it can be neither hashed nor pickled nor copied.
"""

from __future__ import annotations

from typing import NoReturn, Self, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class FrozenDict(dict[K, V]):
    """A dictionary that cannot be changed; equal to any other with the same items.

    It can be hashed if its values can. Reading it works as with any dictionary, also for `json` and `copy`.
    """

    __slots__ = ()

    def __hash__(self) -> int:  # type: ignore[override]  # a dict has none
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[type[Self], tuple[dict[K, V]]]:
        # In one piece: by default Python would set one key after the other.
        return type(self), (dict(self),)

    def copy(self) -> Self:
        """Return itself, as it cannot be changed."""
        return self

    __copy__ = copy

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} cannot be changed")

    __setitem__ = __delitem__ = __ior__ = _refuse
    update = setdefault = pop = popitem = clear = _refuse
