"""What stands in the rows of a store: plain values, bounded, and the way there and back.

Texts of tasks may hold what is no Unicode (lone surrogates). A name must read back as it was, so such a one
is stored as bytes; in anything else those characters are replaced.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import PurePath
from typing import Any, Final, NamedTuple

from taskkit.events import RunSkipped, RunStarted
from taskkit.frozen_dict import FrozenDict
from taskkit.keeping import KeptRetry, KeptTask
from taskkit.outcome import NOTHING_SKIPPED, Outcome, OutcomeKind, Skip, SkipReason, Trigger
from taskkit.schedules import Schedule
from taskkit.spec import TaskSpec, schedule_from_json, schedule_to_json, spec_from_json, spec_to_json

OUTPUT_LINES: Final = 20
"""How many of a run's last lines are stored."""
OUTPUT_WIDTH: Final = 500
"""Characters of each line that are stored."""
TRACEBACK_LENGTH: Final = 8_000
"""Characters; of a longer one the end is stored."""

StoredText = str | bytes


class StartedRun(NamedTuple):
    """A run that began, as a row of `open_runs`."""

    run: int
    name: StoredText
    trigger: str
    due: float
    started: float
    attempt: int

    @property
    def weight(self) -> int:
        """About how many bytes it takes."""
        return 300


class PastRow(NamedTuple):
    """A run that ended, or a skip, as a row of `history`; without its id and its session."""

    name: StoredText
    kind: str
    at: float
    """When it ended, or was told of, in epoch seconds."""
    run: int | None
    """`None` for a skip."""
    trigger: str | None
    due: float
    """Of a skip, the first due time."""
    started: float | None
    duration: float | None
    lateness: float | None
    attempt: int | None
    times: int | None
    """Of a skip: of how many due times."""
    last_due: float | None
    skipped: str | None
    result: str | None
    exception: str | None
    dropped: int | None
    output: str | None
    traceback: str | None
    last_try: int | None

    @property
    def weight(self) -> int:
        """About how many bytes it takes."""
        return 600 + 2 * (len(self.output or "") + len(self.traceback or ""))


class Registration(NamedTuple):
    """How a registration stands, as a row of `registrations`."""

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
    """When, in epoch seconds."""


def stored_name(name: str) -> StoredText:
    """A name as it is stored, equal only for equal names."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return name.encode("utf-8", "surrogatepass")
    return name


def read_name(stored: StoredText) -> str:
    """The reverse of `stored_name`."""
    return stored if isinstance(stored, str) else stored.decode("utf-8", "surrogatepass")


def stored_text(text: str) -> str:
    """A text as it is stored, whatever it holds."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


# Runs and skips


def started_row(event: RunStarted) -> StartedRun:
    """The row of a run that begins."""
    return StartedRun(
        event.run, stored_name(event.name), event.trigger.value, event.due, event.at, event.attempt
    )


def run_row(name: str, outcome: Outcome) -> PastRow:
    """The row of a run that ended."""
    output = "\n".join(line[:OUTPUT_WIDTH] for line in outcome.output[-OUTPUT_LINES:])
    return PastRow(
        name=stored_name(name),
        kind=outcome.kind.value,
        at=outcome.finished,
        run=outcome.run,
        trigger=outcome.trigger.value,
        due=outcome.due,
        started=outcome.started,
        duration=outcome.duration,
        lateness=outcome.lateness,
        attempt=outcome.attempt,
        times=None,
        last_due=None,
        skipped=json.dumps(dict(outcome.skipped)) if outcome.skipped else None,
        result=None if outcome.result is None else stored_text(_json(outcome.result)),
        exception=None if outcome.exception is None else stored_text(outcome.exception),
        dropped=outcome.output_dropped + max(0, len(outcome.output) - OUTPUT_LINES),
        output=stored_text(output) if outcome.output else None,
        traceback=None if outcome.traceback is None else stored_text(outcome.traceback[-TRACEBACK_LENGTH:]),
        last_try=int(outcome.last_try),
    )


def skip_row(event: RunSkipped) -> PastRow:
    """The row of due times that passed."""
    return PastRow(
        name=stored_name(event.name),
        kind=event.reason.value,
        at=event.at,
        run=None,
        trigger=None,
        due=event.first_due,
        started=None,
        duration=None,
        lateness=None,
        attempt=None,
        times=event.count,
        last_due=event.last_due,
        skipped=None,
        result=None,
        exception=None,
        dropped=None,
        output=None,
        traceback=None,
        last_try=None,
    )


def past_of(row: PastRow) -> Outcome | Skip:
    """What a row of `history` tells.

    Raises:
        ValueError: Nothing that is known here.
    """
    if row.run is None:
        first = row.due
        return Skip(
            SkipReason(row.kind), row.times or 1, first, first if row.last_due is None else row.last_due
        )
    skipped = json.loads(row.skipped) if row.skipped else None
    return Outcome(
        kind=OutcomeKind(row.kind),
        trigger=Trigger(row.trigger or ""),
        run=row.run,
        due=row.due,
        started=row.started,
        finished=row.at,
        duration=row.duration or 0.0,
        lateness=row.lateness or 0.0,
        result=None if row.result is None else json.loads(row.result),
        exception=row.exception,
        traceback=row.traceback,
        attempt=row.attempt or 1,
        skipped=FrozenDict({SkipReason(reason): count for reason, count in skipped.items()})
        if skipped
        else NOTHING_SKIPPED,
        output=() if row.output is None else tuple(row.output.split("\n")),
        output_dropped=row.dropped or 0,
        task=read_name(row.name),
        last_try=row.last_try != 0,
    )


# Registrations


def registration_row(kept: KeptTask, written: float, complain: Callable[[str], object]) -> Registration:
    """The row of a registration.

    Args:
        kept: How it stands.
        written: Epoch seconds.
        complain: Called with a sentence for each part that cannot be written down.
    """

    def part(what: str, make: Callable[[], object]) -> str | None:
        try:
            made = make()
            return None if made is None else stored_text(_json(made))
        except (TypeError, ValueError) as error:
            complain(f"the {what} of {kept.name!r} cannot be stored: {error}")
            return None

    # A schedule of one's own is known only by the program that registers it, which is nothing to complain of.
    try:
        declared = None if kept.declared is None else _json(schedule_to_json(kept.declared))
    except ValueError:
        declared = None
    retry, again, spec, override = kept.retry, kept.again, kept.spec, kept.override
    return Registration(
        name=stored_name(kept.name),
        declared=declared,
        override=part("schedule", lambda: None if override is None else schedule_to_json(override)),
        due=kept.due,
        last_due=kept.last_due,
        disabled=None if kept.disabled is None else int(kept.disabled),
        run_count=kept.run_count,
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
    )


def kept_task(row: Registration, history: tuple[Outcome | Skip, ...]) -> KeptTask:
    """What a row of `registrations` tells.

    Raises:
        KeyError: Something is missing in it.
        TypeError: Something in it is of another type.
        ValueError: Something in it is not known here.
    """
    retry = None if row.retry is None else json.loads(row.retry)
    return KeptTask(
        name=read_name(row.name),
        declared=_schedule(row.declared),
        override=_schedule(row.override),
        due=row.due,
        last_due=row.last_due,
        disabled=None if row.disabled is None else bool(row.disabled),
        run_count=row.run_count,
        retry=None
        if retry is None
        else KeptRetry(retry["attempt"], retry["at"], FrozenDict(retry["parameters"])),
        again=None if row.again is None else FrozenDict(json.loads(row.again)),
        spec=None if row.spec is None else kept_spec(row.spec),
        history=history,
    )


def kept_spec(text: str) -> TaskSpec:
    """What the column `spec` tells.

    Raises:
        KeyError: Something is missing in it.
        TypeError: Something in it is of another type.
        ValueError: Something in it is not known here.
    """
    return spec_from_json(json.loads(text))


def _schedule(text: str | None) -> Schedule | None:
    return None if text is None else schedule_from_json(json.loads(text))


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain)


def _plain(value: object) -> Any:
    """What a form gives that `json` does not know, as `Recipe` reads it back."""
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{value!r} has no form in JSON")
