"""The rows of the history, the values that all rows hold, and the conversions there and back.

Values in rows are plain and of bounded size. A text may hold lone surrogates, which are not valid Unicode. A
name must read back unchanged, so such a name is stored as bytes. In all other texts they are replaced.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import Enum
from pathlib import PurePath
from sys import getsizeof
from typing import Any, Final, NamedTuple, cast

from taskkit._helpers.checks import is_finite, is_number, is_whole
from taskkit._helpers.frozen_dict import FrozenDict
from taskkit.engine.summaries import summary
from taskkit.events import RunSkipped, RunStarted
from taskkit.outcome import NOTHING_SKIPPED, Outcome, OutcomeKind, Skip, SkipReason, Trigger

OUTPUT_LINES: Final = 20
"""The number of a run's last lines that are stored."""
OUTPUT_WIDTH: Final = 500
"""The characters of each line that are stored."""
TRACEBACK_LENGTH: Final = 8_000
"""The characters of a traceback that are stored: the last ones."""
MAX_COUNT: Final = 2**53
"""The limit for counts that are read: nothing has happened that often."""

StoredText = str | bytes


class StartedRun(NamedTuple):
    """A run that began: a row of `open_runs`."""

    run: int
    name: StoredText
    trigger: str
    due: float
    started: float
    attempt: int

    @property
    def weight(self) -> int:
        """The bytes of memory that it takes, about."""
        return 300


class PastRow(NamedTuple):
    """A run that ended, or a skip: a row of `history`, without its id and its session."""

    name: StoredText
    kind: str
    at: float
    """When the run ended, or the skip was noted, in epoch seconds."""
    run: int | None
    """The number of the run; `None` for a skip."""
    trigger: str | None
    due: float
    """The due time; the first one of a skip."""
    started: float | None
    duration: float | None
    lateness: float | None
    attempt: int | None
    times: int | None
    """The number of due times of a skip."""
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
        """The bytes of memory that it takes, about."""
        return 600 + getsizeof(self.output) + getsizeof(self.traceback)


def stored_name(name: str) -> StoredText:
    """Return a name as it is stored. Different names stay different."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return name.encode("utf-8", "surrogatepass")
    return name


def read_name(stored: object) -> str:
    """Return the name that `stored_name` has stored.

    Raises:
        ValueError: The value is not a stored name.
    """
    if isinstance(stored, str):
        return stored
    try:
        if isinstance(stored, bytes):
            return stored.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        pass
    raise ValueError(f"name must be a text, not {stored!r}")


def stored_text(text: str) -> str:
    """Return a text as it is stored: lone surrogates are replaced."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


# Runs and skips


def started_row(event: RunStarted) -> StartedRun:
    """Return the row of a run that begins."""
    return StartedRun(
        event.run, stored_name(event.name), event.trigger.value, event.due, event.at, event.attempt
    )


def run_row(name: str, outcome: Outcome) -> PastRow:
    """Return the row of a run that ended."""
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
        result=None if outcome.result is None else stored_text(to_json(outcome.result)),
        exception=None if outcome.exception is None else stored_text(outcome.exception),
        dropped=outcome.output_dropped + max(0, len(outcome.output) - OUTPUT_LINES),
        output=stored_text(output) if outcome.output else None,
        traceback=None if outcome.traceback is None else stored_text(outcome.traceback[-TRACEBACK_LENGTH:]),
        last_try=int(outcome.last_try),
    )


def interrupted_row(begun: StartedRun, at: float) -> PastRow:
    """Return the row of a run that its process did not survive.

    Args:
        begun: The run, as it began.
        at: When its process was seen last, or when it began, in epoch seconds.
    """
    nothing = dict.fromkeys(PastRow._fields)
    values = {
        "name": begun.name,
        "kind": OutcomeKind.INTERRUPTED.value,
        "at": at,
        "run": begun.run,
        "trigger": begun.trigger,
        "due": begun.due,
        "started": begun.started,
        "duration": at - begun.started,
        "lateness": max(0.0, begun.started - begun.due),
        "attempt": begun.attempt,
    }
    return PastRow(**{**nothing, **values})  # type: ignore[arg-type]


def skip_row(event: RunSkipped) -> PastRow:
    """Return the row of due times that were skipped."""
    return PastRow(
        name=stored_name(event.name),
        kind=event.reason.value,
        at=event.at,
        run=None,
        trigger=None,
        due=event.first_due,
        started=None,
        duration=None,
        lateness=event.late_by,
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


def read_past(row: PastRow) -> Outcome | Skip:
    """Return the outcome or the skip in a row of `history`.

    Raises:
        ValueError: It is of a kind that this version does not know, or a value has the wrong type.
    """
    try:
        return _read_past(row)
    except ValueError:
        raise
    except Exception as error:
        raise ValueError(f"a row of the history cannot be read: {error!r}") from error


def _read_past(row: PastRow) -> Outcome | Skip:
    if row.run is None:
        first = read_seconds(row.due)
        last = first if row.last_due is None else read_seconds(row.last_due)
        late_by = None if row.lateness is None else read_seconds(row.lateness)
        return Skip(SkipReason(row.kind), read_count(row.times) or 1, first, last, late_by)
    skipped = json.loads(row.skipped) if row.skipped else None
    output = _text(row.output)
    return Outcome(
        kind=OutcomeKind(row.kind),
        trigger=Trigger(row.trigger or ""),
        run=read_count(row.run),
        due=read_seconds(row.due),
        started=None if row.started is None else read_seconds(row.started),
        finished=read_seconds(row.at),
        duration=read_seconds(row.duration or 0.0),
        lateness=read_seconds(row.lateness or 0.0),
        result=None if row.result is None else json.loads(row.result),
        exception=_text(row.exception),
        traceback=_text(row.traceback),
        attempt=read_count(row.attempt) or 1,
        skipped=FrozenDict({SkipReason(reason): read_count(count) for reason, count in skipped.items()})
        if skipped
        else NOTHING_SKIPPED,
        output=() if output is None else tuple(output.split("\n")),
        output_dropped=read_count(row.dropped),
        task=read_name(row.name),
        last_try=row.last_try != 0,
    )


def _text(value: object) -> str | None:
    """Return a text; bytes that are not UTF-8 are replaced, as it is only shown."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else cast(str | None, value)


def read_seconds(value: object) -> float:
    """Return a stored time or span.

    Raises:
        ValueError: The value is not a finite number.
    """
    if not is_number(value) or not is_finite(value):
        raise ValueError(f"it must be a number of seconds, not {value!r}")
    return value


def seconds_or(otherwise: float, value: object) -> float:
    """Return a stored time; `otherwise` if the value is not a finite number."""
    try:
        return read_seconds(value)
    except ValueError:
        return otherwise


def read_count(value: object) -> int:
    """Return a stored count; 0 for `None`.

    Raises:
        ValueError: The value is not a whole number from 0 to `MAX_COUNT`.
    """
    if value is None:
        return 0
    if not is_whole(value) or not 0 <= value < MAX_COUNT:
        raise ValueError(f"it must be a whole number from 0 on, not {value!r}")
    return value


def to_json(value: object) -> str:
    """Return a value as JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain)


def _plain(value: object) -> Any:
    """Return a value that a form gives and `json` does not know, in the form that `Recipe` reads back."""
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{summary(value)} has no form in JSON")
