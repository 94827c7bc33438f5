"""A dictionary that cannot be changed, and is plain data otherwise."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from taskkit._helpers.frozen_dict import FrozenDict

HELD = {"a": 1, "b": 2}


@pytest.mark.parametrize("held", [{}, HELD], ids=["empty", "with two keys"])
def test_it_is_equal_to_any_dictionary_that_holds_the_same(held: dict[str, int]) -> None:
    frozen = FrozenDict(held)
    assert frozen == held
    assert held == frozen
    assert frozen == FrozenDict(held)
    assert frozen != FrozenDict({"c": 3})
    assert isinstance(frozen, Mapping)


def test_its_hash_is_that_of_what_it_holds_in_whatever_order() -> None:
    assert hash(FrozenDict(HELD)) == hash(FrozenDict(reversed(HELD.items())))
    assert len({FrozenDict(HELD), FrozenDict(HELD), FrozenDict()}) == 2
    with pytest.raises(TypeError, match="unhashable"):
        hash(FrozenDict(a=[]))


def test_what_is_made_of_it_later_leaves_it_alone() -> None:
    held = dict(HELD)
    frozen = FrozenDict(held)
    held["c"] = 3
    assert frozen == HELD
    assert frozen | {"c": 3} == held
    assert {**frozen, "c": 3} == held
    assert frozen == HELD


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_it_can_be_pickled(protocol: int) -> None:
    again = pickle.loads(pickle.dumps(FrozenDict(HELD), protocol))
    assert again == HELD
    assert type(again) is FrozenDict


def test_it_can_be_copied() -> None:
    frozen = FrozenDict(a=[1])
    assert copy.copy(frozen) is frozen.copy() is frozen
    deep = copy.deepcopy(frozen)
    assert (deep, type(deep)) == (frozen, FrozenDict)
    assert deep["a"] is not frozen["a"]


def test_it_is_shown_as_any_dictionary() -> None:
    assert repr(FrozenDict(HELD)) == str(FrozenDict(HELD)) == "{'a': 1, 'b': 2}"
    assert json.dumps(FrozenDict(HELD)) == json.dumps(HELD)


@pytest.mark.parametrize(
    "change",
    [
        lambda it: it.__setitem__("a", 2),
        lambda it: it.__delitem__("a"),
        lambda it: it.__ior__({"c": 3}),
        lambda it: it.update(c=3),
        lambda it: it.update({"c": 3}),
        lambda it: it.setdefault("c", 3),
        lambda it: it.pop("a"),
        lambda it: it.popitem(),
        lambda it: it.clear(),
        lambda it: setattr(it, "other", 3),
    ],
)
def test_nothing_changes_it(change: Callable[[Any], object]) -> None:
    frozen = FrozenDict(HELD)
    with pytest.raises((TypeError, AttributeError)):
        change(frozen)
    assert frozen == HELD
