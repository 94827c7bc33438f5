"""The rows of registrations, and the conversions between them and `SavedTask`.

Each column is read by itself, so that one that cannot be read does not cost the others.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, replace
from enum import Enum
from typing import Any, Final, NamedTuple, TypeVar

from taskkit._helpers.checks import is_number
from taskkit._helpers.frozen_dict import FrozenDict
from taskkit.engine.summaries import one_line
from taskkit.outcome import Outcome, OutcomeKind, Skip, SkipReason
from taskkit.persistence import SavedRetry, SavedTask
from taskkit.schedules import Schedule
from taskkit.snapshot import TaskTotals
from taskkit.spec import TaskSpec, schedule_from_json, schedule_to_json, spec_from_json, spec_to_json
from taskkit.store.rows import (
    StoredText,
    read_count,
    read_name,
    read_seconds,
    stored_name,
    stored_text,
    to_json,
)

T = TypeVar("T")
E = TypeVar("E", bound=Enum)


class RegistrationRow(NamedTuple):
    """The state of a registration: a row of `registrations`."""

    name: StoredText
    declared: str | None
    override: str | None
    due: float | None
    last_due: float | None
    disabled: int | None
    run_count: int
    retry: str | None
    again: str | None
    spec: str | None
    written: float
    """When the row was written, by `StoreTime`."""
    disabled_until: float | None = None
    ended: str | None = None
    totals: str | None = None


def is_paused(fact: object) -> bool:
    """True if the fact `paused` says that the scheduler was paused, or cannot be read."""
    return fact is not None and (not is_number(fact) or bool(fact))


def registration_row(saved: SavedTask, written: float, complain: Callable[[str], object]) -> RegistrationRow:
    """Return the row of a registration.

    Args:
        saved: The state of the registration.
        written: This moment by `StoreTime`.
        complain: Called with a sentence for each part that cannot be stored.
    """

    def part(what: str, make: Callable[[], object]) -> str | None:
        try:
            made = make()
            return None if made is None else stored_text(to_json(made))
        except (TypeError, ValueError) as error:
            complain(f"the {what} of {saved.name!r} cannot be stored: {error}")
            return None

    # Only the program knows a schedule of a class of its own: that cannot be stored, and needs no complaint.
    try:
        declared = None if saved.declared is None else to_json(schedule_to_json(saved.declared))
    except ValueError:
        declared = None
    retry, again, spec, override = saved.retry, saved.again, saved.spec, saved.override
    return RegistrationRow(
        name=stored_name(saved.name),
        declared=declared,
        override=part("schedule", lambda: None if override is None else schedule_to_json(override)),
        due=saved.due,
        last_due=saved.last_due,
        disabled=None if saved.disabled is None else int(saved.disabled),
        run_count=saved.run_count,
        retry=part(
            "retry",
            lambda: (
                None
                if retry is None
                else {"attempt": retry.attempt, "at": retry.at, "parameters": dict(retry.parameters)}
            ),
        ),
        again=part("parameters", lambda: None if again is None else dict(again)),
        spec=part("registration", lambda: None if spec is None else spec_to_json(spec)),
        written=written,
        disabled_until=saved.disabled_until,
        ended=part("tasks that have ended", lambda: list(saved.ended) or None),
        totals=part("totals", lambda: None if saved.totals is None else totals_to_json(saved.totals)),
    )


PRESERVED_COLUMNS: Final = frozenset(RegistrationRow._fields) - {"name", "written"}
"""The columns that stay as they are in the file if one of them cannot be read."""


class ReadTask(NamedTuple):
    """A row of `registrations`, as far as it could be read."""

    saved: SavedTask
    unread: tuple[str, ...]
    """The columns that could not be read, each with the reason."""


def read_saved_task(
    row: RegistrationRow,
    *,
    history: tuple[Outcome | Skip, ...] = (),
    interrupted: tuple[Outcome, ...] = (),
) -> ReadTask:
    """Read a row of `registrations`, each column by itself.

    If every column can be read, the spec is left to `read_spec`.

    If one cannot be read, only a person's decisions are taken from the others, and nothing that depends on
    past runs. A decision that cannot be read counts as “do not run”.

    Raises:
        ValueError: The name cannot be read.
    """
    name = read_name(row.name)
    unread: dict[str, str] = {}

    def part(column: str, read: Callable[[Any], T]) -> T | None:
        value = getattr(row, column)
        if value is None:
            return None
        try:
            return read(value)
        except Exception as error:  # noqa: BLE001 - a package or a time zone may be missing, or anything else
            unread[column] = f"{column} ({one_line(error)})"
            return None

    saved = SavedTask(
        name,
        declared=part("declared", _schedule),
        override=part("override", _schedule),
        due=part("due", read_seconds),
        last_due=part("last_due", read_seconds),
        disabled=part("disabled", _flag),
        disabled_until=part("disabled_until", read_seconds),
        ended=part("ended", _names) or (),
        run_count=part("run_count", read_count) or 0,
        retry=part("retry", _retry),
        again=part("again", _parameters),
        totals=read_totals(row.totals),
        history=history,
        interrupted=interrupted,
    )
    if unread:
        undecided = "disabled" in unread or "override" in unread
        saved = replace(
            saved,
            due=None,
            last_due=None,
            retry=None,
            again=None,
            disabled=True if undecided else saved.disabled,
            spec=part("spec", lambda _: read_spec(row)),
            preserved=PRESERVED_COLUMNS,
        )
    return ReadTask(saved, tuple(unread.values()))


def unread_notice(name: str, unread: Iterable[str]) -> str:
    """Return a sentence about a registration that cannot be read whole, without a full stop."""
    return (
        f"the registration of {name!r} cannot be read: {', '.join(unread)}; what a person decided stays, and"
        " what is not known does not run until it can be read or is enabled"
    )


def read_spec(row: RegistrationRow) -> TaskSpec | None:
    """Return the spec to register a task again; `None` if the program does that.

    Raises:
        Exception: The spec cannot be read: something is missing, has the wrong type, or is not known here.
    """
    if row.spec is None:
        return None
    # The name inside the spec has lost its lone surrogates; that of the row has not.
    return replace(spec_from_json(json.loads(row.spec)), name=read_name(row.name))


def totals_to_json(totals: TaskTotals) -> Mapping[str, object]:
    """Return totals as an object of plain values."""
    return {field.name: getattr(totals, field.name) for field in fields(totals)}


def read_totals(text: str | None) -> TaskTotals | None:
    """Return stored totals; `None` if they cannot be read, as only metrics need them."""
    if text is None:
        return None
    try:
        stored = json.loads(text)
        success = stored["last_success"]
        return TaskTotals(
            _counts(OutcomeKind, stored["runs"]),
            read_seconds(stored["seconds"]),
            read_count(stored["scheduled"]),
            read_seconds(stored["lateness"]),
            _counts(SkipReason, stored["skipped"]),
            None if success is None else read_seconds(success),
        )
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return None


def _counts(kind: type[E], stored: Mapping[str, object]) -> Mapping[E, int]:
    """Return counts by the members of an enum, without those that this version does not know."""
    known = {each.value for each in kind}
    return FrozenDict({kind(name): read_count(count) for name, count in stored.items() if name in known})


def _schedule(text: str) -> Schedule:
    return schedule_from_json(json.loads(text))


def _names(text: str) -> tuple[str, ...]:
    names = json.loads(text)
    if not isinstance(names, list) or not all(isinstance(each, str) for each in names):
        raise ValueError(f"it must be a list of names, not {names!r}")
    return tuple(names)


def _flag(value: object) -> bool:
    if not is_number(value):
        raise ValueError(f"it must be 0 or 1, not {value!r}")
    return bool(value)


def _parameters(text: str) -> Mapping[str, object]:
    parameters = json.loads(text)
    if not isinstance(parameters, dict):
        raise ValueError(f"it must be an object of parameters, not {parameters!r}")
    return FrozenDict(parameters)


def _retry(text: str) -> SavedRetry:
    retry = json.loads(text)
    attempt = read_count(retry["attempt"])
    if attempt < 2:
        raise ValueError(f"attempt must be 2 or more, not {attempt}")
    if not isinstance(retry["parameters"], dict):
        raise ValueError(f"parameters must be an object, not {retry['parameters']!r}")
    return SavedRetry(attempt, read_seconds(retry["at"]), FrozenDict(retry["parameters"]))
