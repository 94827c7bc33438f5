"""Snapshots, outcomes and stored history as rows of plain values, and back. Pure.

A row is a list of values in the order of its columns. The greeting names the columns of each kind of row,
so a reader finds a value by the name of its column. It ignores a column that it does not know, and takes the
default for one that is missing. An enum member that it does not know becomes the fallback of that enum.

The codecs are made from the fields of the dataclasses, so a new field travels without a change here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, fields
from enum import Enum
from functools import cache
from math import isfinite
from operator import attrgetter
from types import NoneType, UnionType
from typing import Any, Final, Generic, TypeVar, Union, get_args, get_origin, get_type_hints

from taskkit._helpers.frozen_dict import FrozenDict
from taskkit.events import OutputWritten
from taskkit.outcome import Outcome, OutcomeKind, Skip, SkipReason, Trigger
from taskkit.output_lines import OutputLine, Stream
from taskkit.remote.errors import ProtocolError
from taskkit.run import Progress
from taskkit.snapshot import (
    Figures,
    Parameter,
    ParameterType,
    PastRun,
    RetrySnapshot,
    RunSnapshot,
    SchedulerState,
    TaskDetails,
    TaskSnapshot,
    TaskState,
    TaskTotals,
)

T = TypeVar("T")
Convert = Callable[[Any], Any]
"""Converts the value of a field to a plain value, or back; None if it is plain already."""

_LONGEST_NUMBER: Final = 10**1000
"""Whole numbers up to this travel as numbers; Python refuses to write much longer ones."""
_LARGEST_FLOAT: Final = 10**300
LATEST: Final = 253_370_764_800.0
"""The start of the year 9999, in epoch seconds; in its last days not every zone has a date."""

_KINDS: Final[dict[str, type]] = {
    "figures": Figures,
    "task": TaskSnapshot,
    "totals": TaskTotals,
    "run": RunSnapshot,
    "retry": RetrySnapshot,
    "past": PastRun,
    "progress": Progress,
    "outcome": Outcome,
    "skip": Skip,
    "parameter": Parameter,
    "details": TaskDetails,
}
"""The kinds of rows, by the names that the greeting has for them."""
_NAMES: Final = {kind: name for name, kind in _KINDS.items()}

_FALLBACKS: Final[dict[type[Enum], Enum]] = {
    OutcomeKind: OutcomeKind.INTERRUPTED,
    ParameterType: ParameterType.STR,
    SchedulerState: SchedulerState.RUNNING,
    SkipReason: SkipReason.MISSED,
    TaskState: TaskState.SCHEDULED,
    Trigger: Trigger.SCHEDULE,
}
"""The members that stand for unknown ones, which a newer version may send."""

_STREAMS: Final[dict[object, Stream]] = {stream.value: stream for stream in Stream}
"""The streams of lines. An unknown one, which a newer version may send, counts as standard output."""

Columns = Mapping[str, Sequence[str]]
"""The columns of each kind of row, by the name of the kind."""


def own_columns() -> dict[str, list[str]]:
    """Return the columns of the rows that this side writes, for the greeting."""
    return {name: [field.name for field in fields(kind)] for name, kind in _KINDS.items()}


def check_columns(value: object) -> Columns:
    """Return the columns of a greeting, checked.

    Raises:
        ProtocolError: It is something else.
    """
    if not isinstance(value, dict) or not all(
        isinstance(names, list) and all(isinstance(name, str) for name in names) for names in value.values()
    ):
        raise ProtocolError("not a greeting: it does not name the columns of its rows")
    return value


def to_row(value: object) -> list[object]:
    """Return a dataclass of one of the kinds as a row.

    Raises:
        KeyError: It is of another class.
    """
    kind: Any = type(value)
    row: list[object] = _writer(kind)(value)
    return row


class RowReader:
    """Reads the rows of one connection, by the column names of its greeting.

    Args:
        columns: See `own_columns`.
    """

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._readers: dict[type, _Reader[Any]] = {}

    def read(self, kind: type[T], row: object) -> T:
        """Return a row as the dataclass that it was made from.

        Raises:
            ProtocolError: It is not a row of that kind.
        """
        try:
            return self._reader(kind)(row)
        except ProtocolError:
            raise
        except (TypeError, ValueError, KeyError, IndexError, AttributeError) as error:
            raise ProtocolError(f"not a row of {_NAMES[kind]}: {type(error).__name__}") from None

    def _reader(self, kind: type[T]) -> _Reader[T]:
        reader = self._readers.get(kind)
        if reader is None:
            reader = self._readers[kind] = _Reader(kind, self._columns.get(_NAMES[kind], ()), self)
        return reader


class _Reader(Generic[T]):
    """Makes one kind of dataclass from rows with given columns."""

    def __init__(self, kind: type[T], columns: Sequence[str], rows: RowReader) -> None:
        hints = get_type_hints(kind)
        self._kind = kind
        self._defaults: dict[str, object] = {}
        self._places: list[tuple[str, int, Convert]] = []
        places = {name: place for place, name in enumerate(columns)}
        for field in fields(kind):  # type: ignore[arg-type]  # every kind is a dataclass
            place = places.get(field.name)
            if place is None:
                known = field.default is not MISSING
                self._defaults[field.name] = field.default if known else _default_of(hints[field.name])
            else:
                self._places.append((field.name, place, _reading(hints[field.name], rows)))

    def __call__(self, row: object) -> T:
        if not isinstance(row, list):
            raise ProtocolError(f"not a row of {_NAMES[self._kind]}: it is not an array")
        found = {name: read(row[place]) for name, place, read in self._places if place < len(row)}
        if len(found) < len(self._places):
            raise ProtocolError(f"not a row of {_NAMES[self._kind]}: it is shorter than its columns")
        return self._kind(**self._defaults, **found)


@cache
def _writer(kind: type) -> Callable[[Any], list[object]]:
    if kind not in _NAMES:
        raise KeyError(kind)
    hints = get_type_hints(kind)
    names = [field.name for field in fields(kind)]
    values_of = attrgetter(*names)
    steps = [(place, write) for place, name in enumerate(names) if (write := _writing(hints[name]))]

    def write_row(value: object) -> list[object]:
        row = list(values_of(value))
        for place, write in steps:
            if row[place] is not None:
                row[place] = write(row[place])
        return row

    return write_row


def _writing(hint: object) -> Convert | None:
    hint = _without_none(hint)
    if hint is object:
        return _plain
    if hint in _NAMES:
        return to_row
    if get_origin(hint) is tuple:
        member = get_args(hint)[0]
        if _is_union(member):
            return lambda values: [[_NAMES[type(each)], to_row(each)] for each in values]
        write = _writing(member)
        return None if write is None else lambda values: [write(each) for each in values]
    return None


def _reading(hint: object, rows: RowReader) -> Convert:
    inner = _without_none(hint)
    read = _reading_value(inner, rows)
    if inner is hint:
        return read
    return lambda value: None if value is None else read(value)


def _reading_value(hint: object, rows: RowReader) -> Convert:
    if hint is object:
        return lambda value: value if isinstance(value, str | int | float | NoneType) else str(value)
    if hint in _NAMES:
        kind: Any = hint
        return lambda row: rows._reader(kind)(row)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _reading_enum(hint)
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is tuple:
        if _is_union(arguments[0]):
            kinds = {_NAMES[each]: each for each in get_args(arguments[0])}
            return lambda pairs: tuple(rows._reader(kinds[name])(row) for name, row in pairs if name in kinds)
        read = _reading(arguments[0], rows)
        return lambda values: tuple(read(each) for each in values)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        key, value = _reading(arguments[0], rows), _reading(arguments[1], rows)
        return lambda items: FrozenDict({key(name): value(each) for name, each in items.items()})
    assert isinstance(hint, type)
    return _checking(hint)


def _reading_enum(kind: type[Enum]) -> Convert:
    members: dict[object, Enum] = {member.value: member for member in kind}
    fallback = _FALLBACKS[kind]

    def read(value: object) -> Enum:
        if not isinstance(value, str):
            raise ProtocolError(f"not a row: {kind.__name__} is not a text")
        return members.get(value, fallback)

    return read


def _checking(kind: type) -> Convert:
    """Return a reader of values of one plain type; an `int` counts as a `float`."""
    if kind is float:
        return _number

    def read(value: object) -> object:
        if type(value) is not kind:
            raise ProtocolError(f"not a row: a value is not of type {kind.__name__}")
        return value

    return read


def _number(value: object) -> float:
    if type(value) is float and isfinite(value):
        return value
    if type(value) is int and abs(value) < _LARGEST_FLOAT:
        return float(value)
    raise ProtocolError("not a row: a value is not a finite number")


def read_time(value: object) -> float:
    """Return an instant that has a date, in epoch seconds.

    Raises:
        ProtocolError: It is something else.
    """
    instant = _number(value)
    if not 0 <= instant < LATEST:
        raise ProtocolError("not a time: it is before 1970 or beyond the calendar")
    return instant


def read_chunk(chunk: object, at: float) -> OutputWritten:
    """Return some lines of one run in a frame as an event.

    Args:
        chunk: An object of the array `log`.
        at: The time of the event, in epoch seconds.

    Raises:
        ProtocolError: It is something else.
    """
    if not isinstance(chunk, dict):
        raise ProtocolError("not lines of a run: it is not an object")
    name, run, lines, dropped = (chunk.get(key) for key in ("name", "run", "lines", "dropped"))
    if not isinstance(name, str) or not isinstance(run, int) or not isinstance(lines, list):
        raise ProtocolError("not lines of a run: its name, its run or its lines are missing")
    lost = dropped if isinstance(dropped, int) and 0 < dropped < _LONGEST_NUMBER else 0
    return OutputWritten(at, name, run, tuple(map(_line, lines)), lost)


def _line(row: object) -> OutputLine:
    if not isinstance(row, list) or len(row) < 4:
        raise ProtocolError("not a line: it is not an array of time, stream, level and text")
    at, stream, level, text = row[:4]
    if not isinstance(stream, str) or not isinstance(level, int) or not isinstance(text, str):
        raise ProtocolError("not a line: a value is of a wrong type")
    return OutputLine(read_time(at), _STREAMS.get(stream, Stream.STDOUT), text, level)


def _plain(value: object) -> object:
    """Return a task's result, or a default, as a plain number or text: it may be of a subclass."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value) if abs(value) < _LONGEST_NUMBER else f"a number of {value.bit_length():,} bits"
    if isinstance(value, float):
        return float(value)
    return str.__str__(value) if isinstance(value, str) else str(value)


def _default_of(hint: object) -> object:
    """Return the value for a field whose column is missing, and which has no default."""
    inner = _without_none(hint)
    if inner is not hint or inner is object:
        return None
    if isinstance(inner, type) and inner in _NAMES:
        names = get_type_hints(inner)
        return inner(**{field.name: _default_of(names[field.name]) for field in fields(inner)})
    if isinstance(inner, type) and issubclass(inner, Enum):
        return _FALLBACKS[inner]
    origin = get_origin(inner)
    if origin is tuple:
        return ()
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return FrozenDict()
    assert isinstance(inner, type)
    return inner()


def _is_union(hint: object) -> bool:
    return get_origin(hint) in (Union, UnionType)


def _without_none(hint: object) -> object:
    """Return the hint, or `X` if it is `X | None`."""
    if not _is_union(hint):
        return hint
    members = [each for each in get_args(hint) if each is not NoneType]
    return members[0] if len(members) == 1 else hint
