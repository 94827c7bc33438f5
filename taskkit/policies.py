"""How a registered task is run, apart from when: the keywords that every `add_*` takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypedDict

from taskkit.checks import check_callable, check_flag, check_seconds, check_whole
from taskkit.outcome import Outcome

LONGEST_RETRY_DELAY: Final = 3_600.0
"""Seconds; where doubling the delay ends, unless `retry_delay` itself is longer."""


@dataclass(frozen=True, slots=True)
class Policies:
    """The keywords of `Scheduler.add_*`.

    Raises:
        TypeError: A value is of the wrong type.
        ValueError: A number is out of its range, infinite or not a number.
    """

    timeout: float | None = None
    """Seconds that a run may take; then it is asked to stop and counts as timed out."""
    retries: int = 0
    """How often a run that failed or timed out is tried again."""
    retry_delay: float = 1.0
    """Seconds before the first retry; doubled for each further one, up to an hour."""
    jitter: float = 0.0
    """Seconds; a start is put off at random by up to this much."""
    catch_up: bool = True
    """Whether due times missed in a stall, or on a suspended machine, are made up for by one late run."""
    max_runs: int | None = None
    """After so many runs the task is gone. Retries do not count, runs by hand do."""
    on_error: Callable[[Outcome], object] | None = None
    """Called with the outcome of each try that failed, timed out or was abandoned, on the run's thread and
    before its task goes on. `task` and `last_try` say which one that is, and whether another try follows."""
    description: str = ""
    """For people."""
    keep: bool = True
    """Whether an on-demand task is still there after its run. Only `add_on_demand_task` takes it."""

    def __post_init__(self) -> None:
        if self.timeout is not None:
            check_seconds("timeout", self.timeout, positive=True)
        check_whole("retries", self.retries, least=0)
        check_seconds("retry_delay", self.retry_delay)
        check_seconds("jitter", self.jitter)
        if self.max_runs is not None:
            check_whole("max_runs", self.max_runs, least=1)
        check_flag("catch_up", self.catch_up)
        check_flag("keep", self.keep)
        if self.on_error is not None:
            check_callable("on_error", self.on_error)
        if not isinstance(self.description, str):
            raise TypeError(f"description must be a string, not {self.description!r}")

    def delay_before(self, attempt: int) -> float:
        """Seconds to wait before the try of this number; the first retry is 2."""
        doubled = self.retry_delay * 2.0 ** min(attempt - 2, 64)
        return min(doubled, max(self.retry_delay, LONGEST_RETRY_DELAY))


class PolicyKeywords(TypedDict, total=False):
    """The fields of `Policies` as keywords; see there what they mean."""

    timeout: float | None
    retries: int
    retry_delay: float
    jitter: float
    catch_up: bool
    max_runs: int | None
    on_error: Callable[[Outcome], object] | None
    description: str


DEFAULT_POLICIES: Final = Policies()


def policies_of(keywords: PolicyKeywords) -> Policies:
    """The policies that an `add_…` was given as keywords.

    Raises:
        TypeError: There is no such policy, or a value is of the wrong type.
        ValueError: A number is out of its range, infinite or not a number.
    """
    if not keywords:
        return DEFAULT_POLICIES
    known = PolicyKeywords.__annotations__
    for name in keywords:
        if name not in known:
            from difflib import get_close_matches  # which every program would import for its misspellings

            found = get_close_matches(name, known, 1)
            perhaps = f"did you mean {found[0]!r}?" if found else f"there are {', '.join(known)}"
            raise TypeError(f"add_… got an unknown policy {name!r}; {perhaps}")
    return Policies(**keywords)
