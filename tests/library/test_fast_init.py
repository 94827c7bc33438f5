"""A faster `__init__` makes the same objects, and refuses what it cannot make."""

from __future__ import annotations

import copy
import inspect
import pickle
from dataclasses import FrozenInstanceError, dataclass, field, replace

import pytest

from taskkit._helpers.fast_init import fast_init


@dataclass(frozen=True, slots=True)
class Base:
    at: float


@dataclass(frozen=True, slots=True)
class Slow(Base):
    name: str
    lines: list[str] = field(default_factory=list)
    attempt: int = 1


@fast_init
@dataclass(frozen=True, slots=True)
class Fast(Base):
    name: str
    lines: list[str] = field(default_factory=list)
    attempt: int = 1


def test_the_signature_is_the_same():
    assert str(inspect.signature(Fast)) == str(inspect.signature(Slow))
    assert inspect.get_annotations(Fast.__init__) == inspect.get_annotations(Slow.__init__)


@pytest.mark.parametrize(
    ("arguments", "keywords"),
    [
        ((1.0, "a"), {}),
        ((1.0, "a", ["x"], 2), {}),
        ((), {"attempt": 3, "name": "b", "at": 2.0}),
        ((1.0,), {"name": "b", "lines": ["y"]}),
    ],
)
def test_the_fields_are_the_same(arguments, keywords):
    fast, slow = Fast(*arguments, **keywords), Slow(*arguments, **keywords)
    assert [(each, getattr(fast, each)) for each in ("at", "name", "lines", "attempt")] == [
        (each, getattr(slow, each)) for each in ("at", "name", "lines", "attempt")
    ]


def test_a_default_that_is_made_is_made_for_each():
    assert Fast(1.0, "a").lines is not Fast(1.0, "a").lines


def test_it_is_compared_copied_and_shown_as_any_dataclass():
    one = Fast(1.0, "a")
    assert one == Fast(1.0, "a")
    assert replace(one, attempt=2) == Fast(1.0, "a", [], 2)
    assert copy.copy(one) == one
    assert pickle.loads(pickle.dumps(one)) == one
    assert repr(one) == "Fast(at=1.0, name='a', lines=[], attempt=1)"


def test_it_stays_frozen():
    one = Fast(1.0, "a")
    with pytest.raises(FrozenInstanceError):
        one.at = 2.0


@pytest.mark.parametrize(
    ("arguments", "keywords"), [((1.0,), {}), ((1.0, "a", [], 1, 2), {}), ((1.0, "a"), {"b": 1})]
)
def test_wrong_arguments_are_refused_with_the_words_of_a_dataclass(arguments, keywords):
    with pytest.raises(TypeError) as slow:
        Slow(*arguments, **keywords)
    with pytest.raises(TypeError) as fast:
        Fast(*arguments, **keywords)
    assert str(fast.value) == str(slow.value).replace("Slow", "Fast")


def test_what_it_cannot_do_is_refused():
    @dataclass(frozen=True, slots=True)
    class Checked:
        at: float

        def __post_init__(self) -> None:
            pass

    @dataclass(frozen=True, slots=True)
    class ByKeyword:
        at: float = field(kw_only=True)

    @dataclass(frozen=True, slots=True)
    class Hidden:
        at: float = field(init=False)

    for each in (Checked, ByKeyword, Hidden):
        with pytest.raises(TypeError, match=f"{each.__name__} does more than to set its fields"):
            fast_init(each)

    @dataclass(frozen=True)
    class WithoutSlots:
        at: float

    with pytest.raises(TypeError, match="WithoutSlots has no slot for at"):
        fast_init(WithoutSlots)
    with pytest.raises(TypeError):
        fast_init(int)
