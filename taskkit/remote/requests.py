"""The requests of clients: their arguments, their effects and their answers.

A request is a function of the operations of the scheduler and of its arguments. Requests that may take long,
since they read the disk or call other people's code, are marked as slow. They run on a thread of the session,
so that a stop never waits behind a search.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf, isfinite
from typing import TYPE_CHECKING, Any, Final

from taskkit.operations import Answer, Operations, UndoError
from taskkit.outcome import Outcome, OutcomeKind, Skip, SkipReason
from taskkit.remote.errors import RefusedError
from taskkit.remote.protocol import json_text
from taskkit.remote.rows import to_row
from taskkit.remote.shortening import (
    MOST_DETAILS_BYTES,
    MOST_OUTCOME_BYTES,
    newest_lines,
    shortened_details,
    shortened_outcome,
)
from taskkit.schedules.typed_schedule import read_schedule
from taskkit.words.durations import LONGEST_PERIOD_SECONDS, SHORTEST_PERIOD_SECONDS
from taskkit.words.typed_times import future_time

if TYPE_CHECKING:
    from taskkit.schedules import Schedule
    from taskkit.store import StoredRun, StoredSkip

MOST_NAMES: Final = 100_000
MOST_DUE_TIMES: Final = 100
MOST_ROWS: Final = 200
_PERIODS_ALLOWED: Final = f"a period must be from {SHORTEST_PERIOD_SECONDS} seconds to ten years"

Kind = OutcomeKind | SkipReason


class Arguments:
    """The arguments of one request, each read with its type. All methods raise `RefusedError`."""

    def __init__(self, given: Mapping[str, object], is_cancelled: Callable[[], bool] = lambda: False) -> None:
        self._given = given
        self.is_cancelled = is_cancelled
        """True once the client no longer wants the answer."""

    def value(self, key: str) -> object:
        """Return any value; None if it is missing."""
        return self._given.get(key)

    def text(self, key: str, default: str | None = None) -> str:
        """Return a string."""
        value = self._given.get(key, default)
        if not isinstance(value, str):
            raise _bad(key, "a string")
        return value

    def text_or_none(self, key: str) -> str | None:
        """Return a string, or None."""
        return None if self._given.get(key) is None else self.text(key)

    def number(self, key: str) -> float:
        """Return a finite number."""
        value = self._given.get(key)
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise _bad(key, "a number")
        try:
            number = float(value)
        except OverflowError:  # a whole number of more than 308 digits
            number = inf
        if not isfinite(number):
            raise _bad(key, "a number")
        return number

    def whole(self, key: str, most: int, default: int | None = None) -> int:
        """Return a whole number from 0 to `most`."""
        value = self._given.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
            raise _bad(key, f"a whole number up to {most:,}")
        return value

    def whole_or_none(self, key: str) -> int | None:
        """Return a whole number, or None."""
        return None if self._given.get(key) is None else self.whole(key, 2**63 - 1)

    def names(self) -> list[str]:
        """Return names of tasks."""
        value = self._given.get("names")
        if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
            raise _bad("names", "a list of names of tasks")
        if len(value) > MOST_NAMES:
            raise _bad("names", f"at most {MOST_NAMES:,} names")
        return value

    def mapping(self, key: str) -> dict[str, object]:
        """Return an object with plain values; empty if it is missing."""
        value = self._given.get(key, {})
        if not isinstance(value, dict):
            raise _bad(key, "an object")
        return value

    def numbers(self, key: str) -> dict[str, float]:
        """Return an object with finite numbers."""
        items = self.mapping(key)
        return {name: Arguments(items).number(name) for name in items}

    def texts(self, key: str) -> dict[str, str]:
        """Return an object with strings."""
        items = self.mapping(key)
        return {name: Arguments(items).text(name) for name in items}

    def kinds(self) -> tuple[Kind, ...]:
        """Return kinds of outcomes and reasons of skips, without those that are not known here."""
        value = self._given.get("kinds", [])
        if not isinstance(value, list) or not all(isinstance(kind, str) for kind in value):
            raise _bad("kinds", "a list of kinds")
        known: dict[str, Kind] = {str(kind): kind for kind in (*OutcomeKind, *SkipReason)}
        return tuple(known[kind] for kind in value if kind in known)


def _bad(key: str, wanted: str) -> RefusedError:
    return RefusedError("bad_request", f"{key} must be {wanted}")


@dataclass(frozen=True, slots=True)
class Request:
    """One kind of request."""

    perform: Callable[[Operations, Arguments, object], object]
    """Returns the answer, a plain value. The last argument is the client, which alone may undo the change."""
    verb: str = ""
    """The verb of the notice to other clients, as in `disabled`; empty for requests that change nothing."""
    slow: bool = False

    @property
    def changes_something(self) -> bool:
        """True if it is refused on a view-only socket."""
        return bool(self.verb)


def _answer(answer: Answer) -> dict[str, object]:
    return {"names": answer.names, "token": answer.token}


def _schedule(operations: Operations, text: str) -> Schedule:
    try:
        return read_schedule(text, operations.scheduler.now)
    except ValueError as error:
        raise RefusedError("bad_schedule", str(error)) from None


def _time(operations: Operations, given: Arguments, key: str) -> float:
    """Return a future time, in epoch seconds; it may be given as a person types it."""
    if isinstance(given.value(key), int | float):
        return given.number(key)
    try:
        return future_time(given.text(key), operations.scheduler.now)
    except ValueError as error:
        raise RefusedError("bad_time", str(error)) from None


def _run(operations: Operations, given: Arguments, _who: object) -> object:
    return _answer(operations.run(given.names(), given.mapping("parameters")))


def _stop(operations: Operations, given: Arguments, _who: object) -> object:
    return _answer(operations.stop(given.names()))


def _abandon(operations: Operations, given: Arguments, _who: object) -> object:
    return _answer(operations.abandon(given.names()))


def _disable(operations: Operations, given: Arguments, who: object) -> object:
    return _answer(operations.disable(given.names(), who))


def _disable_until(operations: Operations, given: Arguments, who: object) -> object:
    names, until = given.names(), _time(operations, given, "until")
    try:
        answer = operations.disable(names, who, until=until)
    except ValueError as error:
        raise RefusedError("bad_time", str(error)) from None
    return {**_answer(answer), "until": until}


def _enable(operations: Operations, given: Arguments, who: object) -> object:
    return _answer(operations.enable(given.names(), who))


def _set_periods(operations: Operations, given: Arguments, who: object) -> object:
    periods = given.numbers("periods")
    for seconds in periods.values():
        # As everywhere that a person sets a period: one of a nanosecond would be all that the service does.
        if not SHORTEST_PERIOD_SECONDS <= seconds <= LONGEST_PERIOD_SECONDS:
            raise RefusedError("bad_request", _PERIODS_ALLOWED)
    return _answer(operations.set_periods(periods, who))


def _reschedule(operations: Operations, given: Arguments, who: object) -> object:
    schedule = _schedule(operations, given.text("schedule"))
    return _answer(operations.reschedule(given.names(), schedule, who))


def _drop_override(operations: Operations, given: Arguments, who: object) -> object:
    return _answer(operations.drop_override(given.names(), who))


def _unregister(operations: Operations, given: Arguments, _who: object) -> object:
    return _answer(operations.unregister(given.names()))


def _register(operations: Operations, given: Arguments, who: object) -> object:
    schedule = _schedule(operations, given.text("schedule"))
    offer, name, values = given.text("offer"), given.text("name"), given.texts("values")
    try:
        return _answer(operations.register(offer, values, name, schedule, who))
    except KeyError:
        raise RefusedError("bad_request", f"offer {offer!r} is not one of the offers") from None
    except Exception as error:  # noqa: BLE001 - a constructor of a user's class raises what it likes
        raise RefusedError("not_registered", f"{type(error).__name__}: {error}") from None


def _pause(operations: Operations, _given: Arguments, who: object) -> object:
    return _answer(operations.pause(who))


def _resume(operations: Operations, _given: Arguments, who: object) -> object:
    return _answer(operations.resume(who))


def _undo(operations: Operations, given: Arguments, who: object) -> object:
    try:
        return _answer(operations.undo(given.text("token"), who))
    except UndoError as error:
        raise RefusedError("cannot_undo", str(error)) from None


def _preview(operations: Operations, given: Arguments, _who: object) -> object:
    from taskkit.schedules.typed_schedule import preview

    schedule = _schedule(operations, given.text("schedule"))
    most = given.whole("most", MOST_DUE_TIMES, 3)
    at_once = given.whole("at_once", 1, 1) == 1
    limits = operations.limits(given.text_or_none("name"), schedule)
    try:
        times = preview(schedule, operations.scheduler.now, most, at_once=at_once, limits=limits)
    except ValueError as error:
        raise RefusedError("bad_schedule", str(error)) from None
    return {"schedule": str(schedule), "due_times": times, "repeats": schedule.repeats}


def _preview_time(operations: Operations, given: Arguments, _who: object) -> object:
    return {"at": _time(operations, given, "time")}


def _due_times_with(operations: Operations, given: Arguments, _who: object) -> object:
    seconds, most = given.number("seconds"), given.whole("most", MOST_DUE_TIMES, 3)
    try:
        return {"due_times": operations.due_times_with(given.text("name"), seconds, most)}
    except ValueError as error:
        raise RefusedError("bad_schedule", str(error)) from None


def _describe(operations: Operations, given: Arguments, _who: object) -> object:
    details = operations.describe(given.text("name"), given.whole("due_times", MOST_DUE_TIMES, 10))
    if details is None:
        return {"details": None}
    details, cut = shortened_details(details)
    by_hand = details.task.name in operations.registered_by_hand
    return {"details": to_row(details), "cut": cut, "by_hand": by_hand}


def _outcome(operations: Operations, given: Arguments, _who: object) -> object:
    number = given.whole("run", 2**63 - 1)
    details = operations.describe(given.text("name"), 0)
    for each in () if details is None else details.history:
        if isinstance(each, Outcome) and each.run == number:
            return {"outcome": to_row(shortened_outcome(each, MOST_OUTCOME_BYTES))}
    return {"outcome": None}


def _earlier(operations: Operations, given: Arguments, _who: object) -> object:
    found = operations.earlier(
        given.text_or_none("name"),
        limit=max(1, given.whole("limit", MOST_ROWS, 50)),
        before=given.whole_or_none("before"),
        search=given.text("search", ""),
        kinds=given.kinds(),
        should_continue=lambda: not given.is_cancelled(),
    )
    rows: list[object] = []
    size = 0
    for each in found:
        row = _stored_row(each)
        size += len(json_text(row))
        if rows and size > MOST_DETAILS_BYTES:
            break  # the client asks for what is before the last row
        rows.append(row)
    return {"rows": rows, "complete": len(rows) == len(found)}


def _offers(operations: Operations, _given: Arguments, _who: object) -> object:
    return {
        "offers": [
            {
                "key": offer.key,
                "title": offer.title,
                "summary": offer.summary,
                "parameters": [to_row(each) for each in offer.parameters],
                "prefilled": dict(offer.prefilled),
            }
            for offer in operations.offers()
        ]
    }


def _explain(operations: Operations, given: Arguments, _who: object) -> object:
    handle = operations.scheduler.handle(given.text("name"))
    return {"explanation": None if handle is None else handle.explain()}


def _output(operations: Operations, given: Arguments, _who: object) -> object:
    details = operations.describe(given.text("name"), 0)
    return {"lines": None if details is None else newest_lines(details.output, MOST_DETAILS_BYTES)}


def _names(operations: Operations, _given: Arguments, _who: object) -> object:
    scheduler = operations.scheduler
    views = (scheduler.scheduled, scheduler.running, scheduler.on_demand)
    return {"names": list(dict.fromkeys(name for view in views for name in list(view)))}


REQUESTS: Final[dict[str, Request]] = {
    "names": Request(_names),
    "run": Request(_run, "started"),
    "stop": Request(_stop, "asked to stop"),
    "abandon": Request(_abandon, "abandoned the run of"),
    "disable": Request(_disable, "disabled"),
    "disable_until": Request(_disable_until, "disabled"),
    "enable": Request(_enable, "enabled"),
    "set_periods": Request(_set_periods, "changed the period of"),
    "reschedule": Request(_reschedule, "changed the schedule of"),
    "drop_override": Request(_drop_override, "put back"),
    "unregister": Request(_unregister, "unregistered"),
    "register": Request(_register, "registered", slow=True),
    "pause": Request(_pause, "paused the scheduler"),
    "resume": Request(_resume, "resumed the scheduler"),
    "undo": Request(_undo, "undid the last change of"),
    "preview": Request(_preview, slow=True),
    "preview_time": Request(_preview_time),
    "due_times_with": Request(_due_times_with),
    "describe": Request(_describe, slow=True),
    "outcome": Request(_outcome, slow=True),
    "earlier": Request(_earlier, slow=True),
    "offers": Request(_offers, slow=True),
    "explain": Request(_explain, slow=True),
    "output": Request(_output, slow=True),
}
"""All requests by name, without the session's own; see `session.OWN_REQUESTS`."""


def _stored_row(stored: StoredRun | StoredSkip) -> list[Any]:
    result = getattr(stored, "outcome", None) or getattr(stored, "skip")  # noqa: B009 - one class has one, one the other
    kind = "skip" if isinstance(result, Skip) else "outcome"
    return [kind, stored.id, stored.name, stored.session, getattr(stored, "at", None), to_row(result)]
