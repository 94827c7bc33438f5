"""The keywords that every `add_…` takes: timeout, retries, jitter, limits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime
from enum import StrEnum
from math import inf
from typing import Any, Final, Literal, TypedDict, TypeVar, cast

from taskkit._helpers.checks import check_callable, check_flag, check_seconds, check_whole, is_number
from taskkit._helpers.frozen_dict import FrozenDict
from taskkit.jitter import Jitter, read_jitter
from taskkit.outcome import Outcome
from taskkit.schedules import OnDemand, Schedule
from taskkit.schedules.arguments import checked_zone
from taskkit.schedules.due_limits import (
    DueLimits,
    bound_in,
    checked_bound,
    has_own_zone,
    zone_of_limits,
)
from taskkit.schedules.open_hours import EXAMPLE, OpenHours, read_dates, read_window, window_words

LONGEST_RETRY_DELAY_SECONDS: Final = 3_600.0
"""The longest delay that doubling reaches, unless `retry_delay` itself is longer."""

PUNCTUAL_SECONDS: Final = 1.0
"""The most seconds of lateness with `catch_up=False`; a shorter period counts instead."""


class Overlap(StrEnum):
    """The choices for a due time that comes during a run. Two runs of a task never overlap."""

    SKIP = "skip"
    """It is skipped and counted."""
    QUEUE = "queue"
    """One more run starts right after the present one, however many due times have passed."""
    RESTART = "restart"
    """The present run is asked to stop. As soon as it has ended, a new one starts."""


@dataclass(frozen=True, slots=True)
class Policies:
    """The keywords of `Scheduler.add_*`.

    Raises:
        TypeError: A value is of the wrong type.
        ValueError: A number is out of range, infinite or NaN.
    """

    timeout: float | None = None
    """Seconds that a run may take. Then it is asked to stop, and counts as timed out."""
    retries: int = 0
    """The most retries of a run that failed or timed out."""
    retry_delay: float = 1.0
    """Seconds before the first retry, doubled for each further one, up to an hour."""
    jitter: float | str | Jitter = 0.0
    """The longest random delay of a start, in seconds; or a text such as `20m`. With a fixed one,
    `Jitter(1200, fixed=True)` or `"fixed:20m"`, the delay is the same each time. A fixed one is a `Jitter`
    here, and any other is in seconds."""
    catch_up: bool | float = True
    """The limit on lateness after misfires: due times missed in a stall or on a suspended machine.

    True for one run, however late; a number for at most that many seconds (`misfire_grace_time` in
    APScheduler); False for a second, or the period if that is shorter. What is later is skipped."""
    max_runs: int | None = None
    """The task is unregistered after this many runs. Retries do not count, runs by hand do."""
    on_error: Callable[[Outcome], object] | None = None
    """Called with the outcome of each try that failed, timed out or was abandoned: on the thread of the run,
    or one of the scheduler's if it ran elsewhere, and before the task runs again. The outcome says which task
    it is, and in `last_try` if a retry follows."""
    description: str = ""
    """A line for people."""

    not_before: float | datetime | str | None = None
    """The first instant at which it may be due: epoch seconds, a `datetime` (a naive one is local time), or
    ISO text, such as `2030-12-24 18:00` in the task's zone. `None` for no limit."""
    until: float | datetime | str | None = None
    """The last instant at which it may be due, in the same forms. With its last due time the task is done,
    and unregistered."""
    window: str | None = None
    """The hours in which it may run: `mon-fri 09:00-17:00`, in the zone of its schedule. What is due outside
    is skipped. `None` for always."""
    not_on: tuple[str, ...] = ()
    """The dates on which it does not run: ISO texts, given also as `date` objects."""
    timezone: str | None = None
    """The zone of the four above, where the schedule has none of its own, as `Every`. `None` for that of the
    machine."""
    overlap: Overlap | Literal["skip", "queue", "restart"] = Overlap.SKIP
    """What a due time during a run causes: a skip, one more run, or a new run in its place. See
    `Overlap`. Always an `Overlap` here, also if it was given as a text."""
    keep: bool = True
    """False to unregister an on-demand task after its run. Only `add_on_demand_task` takes it."""

    def __post_init__(self) -> None:
        if self.timeout is not None:
            check_seconds("timeout", self.timeout, positive=True)
        check_whole("retries", self.retries, least=0)
        check_seconds("retry_delay", self.retry_delay)
        object.__setattr__(self, "jitter", _checked_jitter(self.jitter))
        if self.max_runs is not None:
            check_whole("max_runs", self.max_runs, least=1)
        object.__setattr__(self, "catch_up", _checked_catch_up(self.catch_up))
        object.__setattr__(self, "overlap", _checked_overlap(self.overlap))
        check_flag("keep", self.keep)
        if self.on_error is not None:
            check_callable("on_error", self.on_error)
        if not isinstance(self.description, str):
            raise TypeError(f"description must be a string, not {self.description!r}")
        if type(self.description) is not str:  # of a subclass only the text: snapshots are plain data
            object.__setattr__(self, "description", str.__str__(self.description))
        self._check_limits()

    def _check_limits(self) -> None:
        for argument in ("not_before", "until"):
            object.__setattr__(self, argument, checked_bound(argument, getattr(self, argument)))
        if self.window is not None:
            if not isinstance(self.window, str):
                raise TypeError(f"window must be days and hours such as {EXAMPLE}, not {self.window!r}")
            object.__setattr__(
                self, "window", _named("window", lambda it: window_words(read_window(it)), self.window)
            )
        object.__setattr__(self, "not_on", _named("not_on", read_dates, self.not_on))
        if self.timezone is not None and not isinstance(self.timezone, str):
            raise TypeError(f"timezone must be the name of a time zone, not {self.timezone!r}")
        checked_zone(self.timezone, "timezone")

    def __eq__(self, other: object) -> bool:
        """Compare all fields; `catch_up=1`, a second, is not `catch_up=True`."""
        if not isinstance(other, Policies):
            return NotImplemented
        return all(_are_equal(getattr(self, each.name), getattr(other, each.name)) for each in fields(self))

    @property
    def has_limits(self) -> bool:
        """True if due times are limited: to a span of time, to hours, or to some dates."""
        return not (
            self.not_before is None and self.until is None and self.window is None and not self.not_on
        )

    def limits(self, schedule: Schedule) -> DueLimits | None:
        """Return the limits of the due times of a task with this schedule; `None` if there are none."""
        if not self.has_limits or isinstance(schedule, OnDemand):
            return None
        zone = zone_of_limits(schedule, self.timezone)
        has_hours = self.window is not None or self.not_on
        return DueLimits(
            -inf if self.not_before is None else bound_in(zone, cast("float | str", self.not_before)),
            inf if self.until is None else bound_in(zone, cast("float | str", self.until)),
            OpenHours.of(self.window, self.not_on, zone) if has_hours else None,
        )

    @property
    def limits_as_texts(self) -> Mapping[str, str]:
        """The policies that limit due times, as texts that mean the same; the dates of `not_on` with commas.

        A bound beyond the calendar is left out.
        """
        bounds = {"not_before": self.not_before, "until": self.until}
        given = {name: _as_text(bound) for name, bound in bounds.items()}
        given |= {"window": self.window, "not_on": ",".join(self.not_on), "timezone": self.timezone}
        return FrozenDict({name: text for name, text in given.items() if text})

    def check_limits(self, schedule: Schedule) -> None:
        """Raise unless `not_before`, `until`, `window`, `not_on` and `timezone` suit a schedule.

        Raises:
            ValueError: One of them has no meaning with it, or `until` is before `not_before`.
        """
        if not self.has_limits and self.timezone is None:
            return
        names = ("not_before", "until", "window", "not_on")
        given = [name for name in names if getattr(self, name) not in (None, ())]
        if given and isinstance(schedule, OnDemand):
            raise ValueError(f"{given[0]} has no meaning for a task on demand, which has no due times")
        if self.timezone is not None and has_own_zone(schedule):
            raise ValueError(f"timezone has no meaning with {schedule}; give the zone to the schedule, as tz")
        in_zone = {"window", "not_on"}.intersection(given) or any(
            isinstance(each, str) for each in (self.not_before, self.until)
        )
        if self.timezone is not None and not in_zone:
            raise ValueError(
                f"timezone={self.timezone!r} has no meaning without window, not_on or local times"
            )
        limits = self.limits(schedule)
        if limits is not None and limits.until < limits.not_before:
            raise ValueError(f"until must not be before not_before={self.not_before!r}, as {self.until!r} is")

    @property
    def jitter_seconds(self) -> float:
        """The longest delay of a start, in seconds."""
        return self.jitter.seconds if isinstance(self.jitter, Jitter) else cast("float", self.jitter)

    @property
    def jitter_is_fixed(self) -> bool:
        """True if the delay is the same each time."""
        return isinstance(self.jitter, Jitter)

    def with_jitter(self, seconds: float) -> Policies:
        """Return these policies with another longest delay of a start."""
        return replace(self, jitter=Jitter(seconds, self.jitter_is_fixed))

    def delay_before(self, attempt: int) -> float:
        """Return the seconds before the try of that number; the first retry is number 2."""
        doubled = self.retry_delay * 2.0 ** min(attempt - 2, 64)
        return min(doubled, max(self.retry_delay, LONGEST_RETRY_DELAY_SECONDS))

    def latest_start(self, period: float | None) -> float:
        """Return the seconds after a due time within which its run may start; infinite for no limit.

        Args:
            period: Seconds between two due times; `None` for a schedule without a period.
        """
        if self.catch_up is True:
            return inf
        if self.catch_up is not False:
            return self.catch_up
        return PUNCTUAL_SECONDS if period is None else min(PUNCTUAL_SECONDS, period)

    def given(self) -> Mapping[str, object]:
        """Return the policies that differ from the default, by name."""
        found = {}
        for each in fields(self):
            value, default = getattr(self, each.name), getattr(DEFAULT_POLICIES, each.name)
            if not _are_equal(value, default):
                found[each.name] = value
        return found


def limits_from_texts(texts: Mapping[str, str]) -> Policies:
    """Return policies with the limits that `Policies.limits_as_texts` gave; none if they cannot be read.

    They may be those of a newer version, or be in a time zone that is not known here.
    """
    given: dict[str, Any] = dict(texts)
    if "not_on" in given:
        given["not_on"] = given["not_on"].split(",")
    try:
        return Policies(**given)
    except (TypeError, ValueError):
        return DEFAULT_POLICIES


NO_LIMITS: Final[Mapping[str, str]] = FrozenDict()

T = TypeVar("T")


def _as_text(bound: float | datetime | str | None) -> str | None:
    if bound is None or isinstance(bound, str | datetime):
        return None if bound is None else str(bound)
    try:
        return datetime.fromtimestamp(bound, UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return None


def _named(argument: str, read: Callable[[Any], T], value: object) -> T:
    """Return `read(value)`; its errors begin with the name of the argument."""
    try:
        return read(value)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{argument} {error}") from None


def _are_equal(value: object, other: object) -> bool:
    """Compare two values of one field; to Python, 1 equals True."""
    return bool(value == other) and isinstance(value, bool) == isinstance(other, bool)


def _checked_jitter(value: object) -> float | Jitter:
    """Return a fixed jitter as such, and any other in seconds."""
    if isinstance(value, str):
        try:
            value = read_jitter(value)
        except ValueError as error:
            raise ValueError(
                f"jitter must be a span such as '20m' or 'fixed:20m', not {value!r}: {error}"
            ) from None
    if isinstance(value, Jitter):
        return value if value.fixed and value.seconds else value.seconds
    check_seconds("jitter", value)
    return cast("float", value)


def _checked_catch_up(value: object) -> bool | float:
    """Return a valid `catch_up`: `True` for infinity, and seconds as a float."""
    if isinstance(value, bool):
        return value
    if not is_number(value):
        raise TypeError(f"catch_up must be True, False or a number of seconds, not {value!r}")
    if value == 0:
        raise ValueError(f"catch_up must be more than 0 seconds, not {value!r}; False skips what is late")
    check_seconds("catch_up", value, endless=True)
    return True if value == inf else float(value)


class PolicyKeywords(TypedDict, total=False):
    """The fields of `Policies` as keywords, but `keep`."""

    timeout: float | None
    retries: int
    retry_delay: float
    jitter: float | str | Jitter
    catch_up: bool | float
    max_runs: int | None
    on_error: Callable[[Outcome], object] | None
    description: str
    not_before: float | datetime | str | None
    until: float | datetime | str | None
    window: str | None
    not_on: date | str | Iterable[date | str]
    timezone: str | None
    overlap: Overlap | Literal["skip", "queue", "restart"]


def _checked_overlap(value: object) -> Overlap:
    if not isinstance(value, str):
        raise TypeError(f"overlap must be 'skip', 'queue' or 'restart', not {value!r}")
    try:
        return Overlap(value)
    except ValueError:
        raise ValueError(f"overlap must be 'skip', 'queue' or 'restart', not {value!r}") from None


DEFAULT_POLICIES: Final = Policies()


def policies_of(keywords: PolicyKeywords) -> Policies:
    """Return the policies that an `add_…` was given as keywords.

    Raises:
        TypeError: There is no such policy, or a value is of the wrong type.
        ValueError: A number is out of range, infinite or NaN.
    """
    if not keywords:
        return DEFAULT_POLICIES
    known = PolicyKeywords.__annotations__
    for name in keywords:
        if name not in known:
            from difflib import get_close_matches  # imported late: only a misspelling needs it

            found = get_close_matches(name, known, 1)
            perhaps = f"did you mean {found[0]!r}?" if found else f"there are {', '.join(known)}"
            raise TypeError(f"add_… got an unknown policy {name!r}; {perhaps}")
    return Policies(**cast("dict[str, Any]", keywords))
