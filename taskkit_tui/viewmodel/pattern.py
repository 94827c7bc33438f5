r"""Matches regular expressions that a person types, in bounded time for any expression.

Python's `re` backtracks: `(\w+\s?)+!` on a name of forty letters takes years, and it holds the GIL meanwhile.
Here all alternatives are followed at once, character by character (Thompson, 1968), and the step after each
character is cached. That takes time in proportion to the text. Backreferences and lookaheads cannot be
matched like that, and are not supported. An expression that takes too much work anyway is given up.

Rejected: the package `regex`, which has a timeout. Only the filter would need it, and it must be compiled
on platforms without a wheel.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any, Final

LONGEST: Final = 500
"""The most characters of an expression; a longer one is not supported."""

MOST_STEPS: Final = 2_000
"""The most steps of an expression, after its repetitions are expanded."""

MOST_WORK: Final = 30_000
"""The most uncached steps that are followed; about 30 ms."""

_SIGNS: Final = frozenset(".^$*+?{}[]\\|()")
_SUPPORTED_FLAGS: Final = re.IGNORECASE | re.DOTALL | re.MULTILINE | re.UNICODE | re.VERBOSE

_Test = Callable[[str], bool]


class Pattern:
    """A regular expression that ignores case.

    Args:
        typed: The expression.

    Raises:
        ValueError: It is invalid, or not supported.
    """

    def __init__(self, typed: str) -> None:
        if len(typed) > LONGEST:
            raise ValueError("the expression is too long")
        self._tests: list[_Test | None] = []
        self._next: list[tuple[int, ...]] = []
        self._at: dict[int, object] = {}
        self._goal = self._step(None, ())
        try:
            parsed = _parser.parse(typed, re.IGNORECASE)
            flags = parsed.state.flags
            if flags & ~_SUPPORTED_FLAGS:
                raise _UnsupportedError
            self._start = self._sequence(parsed, self._goal, flags)
        except (re.error, OverflowError, RecursionError, Warning, _UnsupportedError) as error:
            raise ValueError(f"not a supported expression: {error}") from None
        self._work = 0
        self._states: dict[tuple[frozenset[int], str], _State] = {}
        self._first = self._state(frozenset([self._start]), "")

    @property
    def is_given_up(self) -> bool:
        """True if it took too much work. From then on it matches nothing."""
        return self._work > MOST_WORK

    def matches(self, text: str) -> bool:
        """True if it matches anywhere in `text`."""
        state = self._first
        for character in text:
            following = state.after.get(character)
            if following is None:
                if self.is_given_up:
                    return False
                following = self._follow(state, character)
            if following.matched:
                return True
            state = following
        return not self.is_given_up and self._goal in self._open(state, "")

    # Compiling: the steps of the expression, last one first

    def _step(self, test: _Test | None, following: tuple[int, ...]) -> int:
        if len(self._next) >= MOST_STEPS:
            raise _UnsupportedError("it is too large")
        self._tests.append(test)
        self._next.append(following)
        return len(self._next) - 1

    def _sequence(self, parts: Iterable[tuple[Any, Any]], following: int, flags: int) -> int:
        for kind, details in reversed(list(parts)):
            following = self._part(kind, details, following, flags)
        return following

    def _part(self, kind: Any, details: Any, following: int, flags: int) -> int:
        if kind is op.BRANCH:
            ways = tuple(self._sequence(way, following, flags) for way in details[1])
            return self._step(None, ways)
        if kind is op.SUBPATTERN:
            _, added, removed, parts = details
            if removed or added & ~_SUPPORTED_FLAGS:
                raise _UnsupportedError
            # A step of its own, so that many empty groups count as too large.
            return self._step(None, (self._sequence(parts, following, flags | added),))
        if kind in (op.MAX_REPEAT, op.MIN_REPEAT):
            return self._repetition(details, following, flags)
        if kind is op.AT:
            step = self._step(None, (following,))
            multiline = flags & re.MULTILINE
            self._at[step] = {
                op.AT_BEGINNING: op.AT_BEGINNING_LINE if multiline else op.AT_BEGINNING_STRING,
                op.AT_END: op.AT_END_LINE if multiline else op.AT_END_STRING,
            }.get(details, details)
            return step
        return self._step(_test_of(kind, details, flags), (following,))

    def _repetition(self, details: tuple[int, int, Any], following: int, flags: int) -> int:
        least, most, parts = details
        if most is op.MAXREPEAT:
            loop = self._step(None, ())
            self._next[loop] = (self._sequence(parts, loop, flags), following)
            step = loop
        else:
            step = following
            for _ in range(most - least):
                step = self._step(None, (self._sequence(parts, step, flags), following))
        for _ in range(least):
            step = self._sequence(parts, step, flags)
        return step

    # Matching: following the steps

    def _state(self, steps: frozenset[int], before: str) -> _State:
        key = steps, _kind_of(before)
        state = self._states.get(key)
        if state is None:
            state = self._states[key] = _State(steps, before)
        return state

    def _follow(self, state: _State, character: str) -> _State:
        reached = self._open(state, character)
        if self._goal in reached:
            following = _MATCHED
        else:
            forms = {character, character.lower(), character.upper()}
            steps = {self._start}
            for step in reached:
                test = self._tests[step]
                if test is not None and any(map(test, forms)):
                    steps.update(self._next[step])
            following = self._state(frozenset(steps), character)
        state.after[character] = following
        return following

    def _open(self, state: _State, coming: str) -> set[int]:
        """Return the steps that are possible in a state, before the next character or the end."""
        reached: set[int] = set()
        left = list(state.steps)
        while left:
            step = left.pop()
            if step in reached:
                continue
            reached.add(step)
            if self._tests[step] is None and (
                step not in self._at or _holds(self._at[step], state.before, coming)
            ):
                left += self._next[step]
        self._work += 2 + len(reached)
        return reached


class _State:
    """A set of possible steps after some text, with the state that each seen character leads to."""

    __slots__ = ("after", "before", "matched", "steps")

    def __init__(self, steps: frozenset[int], before: str, *, matched: bool = False) -> None:
        self.steps = steps
        self.before = before
        """The last character; empty at the beginning."""
        self.matched = matched
        self.after: dict[str, _State] = {}


_MATCHED: Final = _State(frozenset(), "", matched=True)


class _UnsupportedError(Exception):
    """An expression contains something that is not supported here."""


def typed_pattern(typed: str) -> Pattern | None:
    """Return the expression that a person typed; `None` for plain text, or an invalid or unsupported one."""
    if _SIGNS.isdisjoint(typed):
        return None
    try:
        return Pattern(typed)
    except ValueError:
        return None


def _test_of(kind: Any, details: Any, flags: int) -> _Test:
    if kind is op.LITERAL:
        forms = _forms(details)
        return forms.__contains__
    if kind is op.NOT_LITERAL:
        forms = _forms(details)
        return lambda character: character not in forms
    if kind is op.ANY:
        return (lambda _: True) if flags & re.DOTALL else (lambda character: character != "\n")
    if kind is op.IN:
        negated = details[0][0] is op.NEGATE
        tests = [_test_of(part, more, flags) for part, more in details[negated:]]
        if negated:
            return lambda character: not any(test(form) for form in _forms(ord(character)) for test in tests)
        return lambda character: any(test(character) for test in tests)
    if kind is op.RANGE:
        first, last = details
        return lambda character: first <= ord(character) <= last
    if kind is op.CATEGORY:
        return _CATEGORIES[details]
    raise _UnsupportedError(str(kind))


def _forms(code: int) -> set[str]:
    character = chr(code)
    return {character, character.lower(), character.upper()}


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"


_CATEGORIES: Final[dict[Any, _Test]] = {
    op.CATEGORY_DIGIT: str.isdecimal,
    op.CATEGORY_NOT_DIGIT: lambda character: not character.isdecimal(),
    op.CATEGORY_SPACE: str.isspace,
    op.CATEGORY_NOT_SPACE: lambda character: not character.isspace(),
    op.CATEGORY_WORD: _is_word,
    op.CATEGORY_NOT_WORD: lambda character: not _is_word(character),
}


def _kind_of(before: str) -> str:
    """Return the class of a character, as far as `_holds` needs it."""
    return before if before in {"", "\n"} else "a" if _is_word(before) else "."


def _holds(at: object, before: str, coming: str) -> bool:
    if at is op.AT_BEGINNING_STRING:
        return before == ""
    if at is op.AT_BEGINNING_LINE:
        return before in {"", "\n"}
    if at is op.AT_END_STRING:
        return coming == ""
    if at is op.AT_END_LINE:
        return coming in {"", "\n"}
    is_boundary = _is_word(before) is not _is_word(coming)
    return is_boundary is (at is op.AT_BOUNDARY)
