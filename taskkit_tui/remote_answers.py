"""Reads the answers of a served scheduler. Pure.

Each function returns what was asked for, or raises `ProtocolError`: a service of another version, or another
program behind the socket, may answer anything, and the dashboard must not fail.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from taskkit import Outcome, Parameter, Skip, TaskDetails
from taskkit.operations import Answer, Offer
from taskkit.remote.errors import ProtocolError
from taskkit.remote.rows import RowReader, read_time
from taskkit_tui.viewmodel.forms.schedule_preview import SchedulePreview

if TYPE_CHECKING:
    from taskkit.store import StoredRun, StoredSkip

P = ParamSpec("P")
R = TypeVar("R")


def _reading(read: Callable[P, R]) -> Callable[P, R]:
    """Raise `ProtocolError` where an answer is not of the expected shape."""

    @wraps(read)
    def guarded(*arguments: P.args, **keywords: P.kwargs) -> R:
        try:
            return read(*arguments, **keywords)
        except (AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError) as error:
            raise ProtocolError(f"the answer cannot be read: {type(error).__name__}") from None

    return guarded


@_reading
def read_change(answer: Mapping[str, Any]) -> Answer:
    """Return what a command did."""
    names, token = answer.get("names") or (), answer.get("token")
    return Answer(tuple(_text(name) for name in names), token if isinstance(token, str) else None)


@_reading
def read_details(rows: RowReader, answer: Mapping[str, Any]) -> TaskDetails | None:
    """Return the details of a task; None if it is gone."""
    row = answer.get("details")
    return None if row is None else rows.read(TaskDetails, row)


@_reading
def read_due_times(answer: Mapping[str, Any]) -> Sequence[float] | None:
    """Return due times, in epoch seconds; None if there are none to foresee."""
    times = answer.get("due_times")
    return None if times is None else tuple(float(each) for each in times)


@_reading
def read_preview(answer: Mapping[str, Any]) -> SchedulePreview:
    """Return how a typed schedule is read, with its next due times."""
    return SchedulePreview(_text(answer["schedule"]), tuple(float(each) for each in answer["due_times"]))


@_reading
def read_previewed_time(answer: Mapping[str, Any]) -> float:
    """Return how a typed time is read, in epoch seconds."""
    return read_time(answer["at"])


@_reading
def read_offers(rows: RowReader, answer: Mapping[str, Any]) -> Sequence[Offer]:
    """Return the task classes from which a person can make tasks."""
    return [
        Offer(
            _text(each["key"]),
            _text(each["title"]),
            _text(each["summary"]),
            tuple(rows.read(Parameter, row) for row in each["parameters"]),
            {_text(key): _text(value) for key, value in each["prefilled"].items()},
        )
        for each in answer["offers"]
    ]


@_reading
def read_page(rows: RowReader, answer: Mapping[str, Any]) -> Sequence[StoredRun | StoredSkip]:
    """Return one page of the stored past."""
    from taskkit.store import StoredRun, StoredSkip

    found: list[StoredRun | StoredSkip] = []
    for kind, identity, task, session, at, row in answer["rows"]:
        if kind == "skip":
            found.append(
                StoredSkip(int(identity), _text(task), int(session), float(at), rows.read(Skip, row))
            )
        else:
            found.append(StoredRun(int(identity), _text(task), int(session), rows.read(Outcome, row)))
    return found


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value
