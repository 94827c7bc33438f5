"""A faster `__init__` for the frozen dataclasses that a busy scheduler makes several of for each run.

The `__init__` of a frozen dataclass sets each field by its name, past its own refusal
(`object.__setattr__`). Setting the slots directly has the same effect and takes half as long, which is most
of the cost of an event: see docs/performance.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, Field, fields
from typing import Any, TypeVar

T = TypeVar("T")


def fast_init(cls: type[T]) -> type[T]:
    """Give a dataclass that is frozen and has slots a faster `__init__` of the same signature.

    Raises:
        TypeError: It is not a dataclass, has no slots, or has something unsupported: keyword-only fields,
            fields that are not arguments, or a `__post_init__`.
    """
    known: tuple[Field[Any], ...] = fields(cls)  # type: ignore[arg-type]  # it raises if there are none
    if hasattr(cls, "__post_init__") or any(each.kw_only or not each.init for each in known):
        raise TypeError(f"{cls.__name__} does more than to set its fields from its arguments")
    slow = cls.__init__
    fast = _setting_slots(cls, known, slow.__defaults__ or ())
    fast.__qualname__, fast.__annotations__ = slow.__qualname__, slow.__annotations__
    fast.__defaults__ = slow.__defaults__
    cls.__init__ = fast  # type: ignore[method-assign]
    return cls


def _setting_slots(
    cls: type, known: tuple[Field[Any], ...], defaults: tuple[object, ...]
) -> Callable[..., None]:
    names = [each.name for each in known]
    # The placeholder of dataclasses for a field whose default is made for each object.
    unset = dict(zip(names[len(names) - len(defaults) :], defaults, strict=True))
    namespace: dict[str, Any] = {}
    body = []
    for field in known:
        name = value = field.name
        namespace[f"_set_{name}"] = _slot(cls, name)
        if field.default_factory is not MISSING:
            namespace[f"_make_{name}"] = field.default_factory
            namespace[f"_unset_{name}"] = unset[name]
            value = f"_make_{name}() if {name} is _unset_{name} else {name}"
        body.append(f"    _set_{name}(self, {value})\n")
    exec(f"def __init__(self, {', '.join(names)}):\n{''.join(body)}", namespace)
    made: Callable[..., None] = namespace["__init__"]
    return made


def _slot(cls: type, name: str) -> Callable[[object, object], None]:
    try:
        setter: Callable[[object, object], None] = getattr(cls, name).__set__
    except AttributeError:
        raise TypeError(f"{cls.__name__} has no slot for {name}") from None
    return setter
