"""Job after job: due when other tasks have ended, without due times of its own.

A schedule knows times only. The engine notes the ends and makes such a task due: `engine/chain_ledger.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from json import JSONDecodeError, dumps, loads
from typing import ClassVar, Final, Literal, get_args
from unicodedata import category

from taskkit.outcome import FAILURES, OutcomeKind
from taskkit.schedules.kinds import Schedule

EndKind = Literal["success", "failure", "end"]
"""The ends that count: those of successful runs, of failed ones, or all."""

END_KINDS: Final = get_args(EndKind)

_TYPED: Final = re.compile(r"after (.+?)(?: on (success|failure|end))?", re.IGNORECASE)
_NAME: Final = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[^",]+)\s*(?:,|$)')


@dataclass(frozen=True, slots=True, init=False)
class After(Schedule):
    """Due when other tasks have ended since its own last scheduled run began. `After("extract")` follows it.

    With several names it is due when all of them have ended. A name that is not registered is waited for. A
    failed try that another one follows does not count as an end.

    Args:
        names: The names of the tasks; one at least.
        on: `success` for runs that succeeded, `failure` for those that failed, timed out, were abandoned or
            interrupted, `end` for any end.

    Raises:
        TypeError: A name is not a text.
        ValueError: There is no name, one is empty or has control characters, or `on` is something else.
    """

    follows_wall_clock: ClassVar[bool] = False
    repeats: ClassVar[bool] = True
    has_due_times: ClassVar[bool] = False

    names: tuple[str, ...]
    """The names of the tasks that it follows, each once."""
    on: EndKind
    """The ends that count."""

    def __init__(self, *names: str, on: EndKind = "success") -> None:
        if not names:
            raise ValueError("names must be at least one name of a task, not none")
        if on not in END_KINDS:
            raise ValueError(f"on must be success, failure or end, not {on!r}")
        object.__setattr__(self, "names", tuple(dict.fromkeys(_checked(each) for each in names)))
        object.__setattr__(self, "on", on)

    def next_after(self, instant: float) -> float | None:  # noqa: ARG002 - no time makes it due
        """Return `None`."""
        return None

    def counts(self, kind: OutcomeKind) -> bool:
        """True if a run that ended so is one that it waits for."""
        if self.on == "success":
            return kind is OutcomeKind.SUCCEEDED
        return self.on == "end" or kind in FAILURES

    def __str__(self) -> str:
        words = f"after {', '.join(map(_shown, self.names))}"
        return words if self.on == "success" else f"{words} on {self.on}"


def _checked(name: object) -> str:
    if not isinstance(name, str):
        raise TypeError(f"names must be names of tasks, not {name!r}")
    if not name or any(category(character) == "Cc" for character in name):
        raise ValueError(f"names must be names of tasks, not empty or with control characters as {name!r}")
    return str.__str__(name)


def _shown(name: str) -> str:
    """Return a name as it can be read again: in quotes if it would be read as something else."""
    plain = name == name.strip() and not any(each in name for each in ',"\\')
    is_plain = plain and re.search(r" on (success|failure|end)$", name, re.IGNORECASE) is None
    return name if is_plain else dumps(name, ensure_ascii=False)


def read_after(typed: str) -> After | None:
    """Return what a typed text such as `after extract, load on failure` means; `None` if it is another one.

    Raises:
        ValueError: It begins as one, and names no task.
    """
    match = _TYPED.fullmatch(typed)
    if match is None:
        return None
    names, at = [], 0
    while at < len(match[1]):
        part = _NAME.match(match[1], at)
        if part is None:
            raise ValueError(f"after needs names of tasks, with commas between them, not {match[1]!r}")
        names.append(_unquoted(part[1].strip()))
        at = part.end()
    on: EndKind = "success"
    for kind in END_KINDS:
        if match[2] and kind == match[2].lower():
            on = kind
    return After(*names, on=on)


def _unquoted(name: str) -> str:
    if not name.startswith('"'):
        return name
    try:
        return str(loads(name))
    except JSONDecodeError:
        raise ValueError(f"{name} is not a name in quotes") from None


def find_cycle(name: str, names: Iterable[str], followed: dict[str, tuple[str, ...]]) -> list[str] | None:
    """Return the names along a cycle that a task closes, from it back to it; `None` if it closes none.

    Args:
        name: The task.
        names: Those that it is to follow.
        followed: The names that each other task follows.
    """
    paths = [[name, each] for each in names]
    seen: set[str] = set()
    while paths:
        path = paths.pop()
        if path[-1] == name:
            return path
        if path[-1] not in seen:
            seen.add(path[-1])
            paths += [[*path, each] for each in followed.get(path[-1], ())]
    return None
