"""The hours in which a task may run: `window="mon-fri 09:00-17:00"`, without the days of `not_on`.

Pure: it knows the wall clock of one zone, and no schedule. A time is inside if the clocks show it there: a
part includes its start and excludes its end. So a part that clocks skip is never open, and one that they
repeat is open twice. A part over midnight belongs to the day on which it begins.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from difflib import get_close_matches
from math import floor
from typing import Final, NamedTuple

from taskkit.schedules.local_times import DAY, LAST_INSTANT, offset_at, on_calendar, stretches

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LONG_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_GROUPS: Final = {"weekdays": range(5), "weekends": range(5, 7), "daily": range(7)}
_HOURS: Final = re.compile(r"(\d{1,2})(?::(\d{2}))?\s*-\s*(\d{1,2})(?::(\d{2}))?")
_ENDS_WITH_HOURS: Final = re.compile(rf"^(.*?)\s*({_HOURS.pattern})$")
_THURSDAY: Final = 3
"""The day of the week of the first of January 1970, where Monday is 0."""
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
EXAMPLE: Final = '"mon-fri 09:00-17:00"'


class WindowPart(NamedTuple):
    """One part of a window."""

    days: tuple[int, ...]
    """The days of the week on which it begins, ascending; Monday is 0."""
    begin: int
    """Seconds from midnight."""
    end: int
    """Seconds from the same midnight; more than a day if it goes over the next one."""


def read_window(text: str) -> tuple[WindowPart, ...]:
    """Return the parts of a window such as `mon-fri 09:00-17:00, sat 10:00-14:00`.

    Days that a comma separates have the hours that follow; hours that a comma separates have the days before.

    Raises:
        ValueError: The message says what is wrong, to follow “window”.
    """
    parts: list[WindowPart] = []
    days: list[int] = []  # those that wait for their hours
    last_days: tuple[int, ...] = ()
    for term in text.lower().split(","):
        words = re.sub(r"\s*-\s*", "-", " ".join(term.split()))
        if not words:
            raise ValueError(f"must be days and hours such as {EXAMPLE}, not {text!r}")
        match = _ENDS_WITH_HOURS.match(words)
        named = words if match is None else match[1]
        days += _days(named, text)
        if match is not None:
            chosen = tuple(sorted({*days})) or last_days or tuple(range(7))
            parts.append(WindowPart(chosen, *_hours(match[2], text)))
            last_days, days = chosen, []
    if days:
        parts.append(WindowPart(tuple(sorted({*days})), 0, DAY))
    return tuple(dict.fromkeys(parts))


def _days(words: str, text: str) -> list[int]:
    found: list[int] = []
    for word in words.split():
        if word in _GROUPS:
            found += _GROUPS[word]
            continue
        first, dash, last = word.partition("-")
        begin = _day(first, text)
        end = _day(last, text) if dash else begin
        found += [day % 7 for day in range(begin, end + 1 + (7 if end < begin else 0))]
    return found


def _day(word: str, text: str) -> int:
    for names in (_DAYS, _LONG_DAYS):
        if word in names:
            return names.index(word)
    meant = get_close_matches(word, (*_DAYS, *_LONG_DAYS, *_GROUPS), 1)
    perhaps = f"; did you mean {meant[0]}?" if meant else f"; it is written like {EXAMPLE}"
    raise ValueError(f"has no day {word!r}, as in {text!r}{perhaps}")


def _hours(words: str, text: str) -> tuple[int, int]:
    match = _HOURS.fullmatch(words)
    assert match is not None
    begin, end = _seconds(match[1], match[2], text), _seconds(match[3], match[4], text)
    if begin == DAY:
        raise ValueError(f"must begin before 24:00, not {words!r} as in {text!r}")
    if begin == end:
        raise ValueError(f"must be open for a while, and {words!r} is not; the whole day is 00:00-24:00")
    return begin, end if end > begin else end + DAY


def _seconds(hour: str, minute: str | None, text: str) -> int:
    seconds = int(hour) * 3600 + int(minute or 0) * 60
    if int(minute or 0) > 59 or seconds > DAY:
        raise ValueError(f"must have hours from 00:00 to 24:00, not {hour}:{minute or '00'} as in {text!r}")
    return seconds


def window_words(parts: Sequence[WindowPart]) -> str:
    """Return a window as it can be read again: `mon-fri 09:00-17:00, sat 10:00-14:00`."""
    if len(parts) > 1:  # each with its days and hours, as it would else take those of its neighbour
        return ", ".join(f"{_days_words(part.days)} {_hours_words(part)}" for part in parts)
    (part,) = parts
    if len(part.days) == 7:
        return _hours_words(part)
    days = _days_words(part.days)
    return days if (part.begin, part.end) == (0, DAY) else f"{days} {_hours_words(part)}"


def _hours_words(part: WindowPart) -> str:
    return f"{_hour(part.begin)}-{_hour(part.end if part.end <= DAY else part.end - DAY)}"


def _hour(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}"


def _days_words(days: tuple[int, ...]) -> str:
    runs: list[list[int]] = []
    for day in days:
        if runs and day == runs[-1][-1] + 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return ",".join(f"{_DAYS[run[0]]}-{_DAYS[run[-1]]}" if run[1:] else _DAYS[run[0]] for run in runs)


def read_dates(value: object) -> tuple[str, ...]:
    """Return dates as ISO texts, ascending, each once.

    Args:
        value: A date, or several; each an ISO text or a `date`.

    Raises:
        TypeError: It is something else; the message follows “not_on”.
        ValueError: A text is not a date; the message follows “not_on”.
    """
    if not isinstance(value, Iterable) or isinstance(value, str):
        value = (value,)
    return tuple(sorted({_date(each) for each in value}))


def _date(value: object) -> str:
    wanted = "must be dates such as '2026-12-25'"
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    if not isinstance(value, str):
        raise TypeError(f"{wanted}, not {value!r}")
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", value.strip()):
            return date.fromisoformat(value.strip()).isoformat()
    except ValueError:  # the 31st of February
        pass
    raise ValueError(f"{wanted}, not {value!r}")


ALWAYS: Final = (WindowPart(tuple(range(7)), 0, DAY),)
"""The window of a task that has none: every day, the whole day."""


@dataclass(frozen=True, slots=True)
class OpenHours:
    """The instants at which the wall clock of a zone is inside a window. All instants are epoch seconds."""

    parts: tuple[WindowPart, ...]
    closed: frozenset[int]
    """The days of `not_on`, counted from 1970-01-01: no part begins on them."""
    tz: tzinfo | None
    """The time zone; `None` for that of the machine."""

    @classmethod
    def of(cls, window: str | None, not_on: Iterable[str], tz: tzinfo | None) -> OpenHours:
        """Return the open hours of a window and the dates without any, both as the policies hold them."""
        parts = ALWAYS if window is None else read_window(window)
        closed = frozenset(date.fromisoformat(each).toordinal() - _EPOCH_DAY for each in not_on)
        return cls(parts, closed, tz)

    def is_open(self, instant: float) -> bool:
        """True if the clocks show a time inside at `instant`."""
        at = on_calendar(instant)
        local = at + offset_at(self.tz, at)
        return any(begin <= local < end for begin, end in self._near(local, local))

    def spans(self, after: float, until: float) -> Iterator[tuple[int, int]]:
        """Yield the open spans between two instants, in order; their last instants are not included."""
        pending: tuple[int, int] | None = None
        for stretch in stretches(self.tz, on_calendar(after), floor(min(until + 1, LAST_INSTANT))):
            begins, ends = stretch.first_local, stretch.last_local + 1
            for begin, end in self._near(begins, ends):
                first, last = max(begin, begins) - stretch.offset, min(end, ends) - stretch.offset
                if first >= last:
                    continue
                if pending is not None and first <= pending[1]:
                    pending = pending[0], max(pending[1], last)
                    continue
                if pending is not None:
                    yield pending
                pending = first, last
        if pending is not None:
            yield pending

    def opening_after(self, instant: float, until: float) -> int | None:
        """Return the first instant after `instant` at which the window opens; `None` if none by `until`."""
        return next((begin for begin, _ in self.spans(instant, until) if begin > instant), None)

    def closing_after(self, instant: float) -> float:
        """Return the end of the open span at `instant`; `instant` itself if it is not open."""
        begin, end = next(self.spans(instant, instant + 8 * DAY), (0, 0))
        return end if begin <= instant < end else instant

    def _near(self, first: int, last: int) -> list[tuple[int, int]]:
        """Return the local spans of the days around two local times, in order of their starts."""
        found = []
        for day in range(first // DAY - 1, last // DAY + 1):
            if day not in self.closed:
                weekday = (day + _THURSDAY) % 7
                found += [
                    (day * DAY + part.begin, day * DAY + part.end)
                    for part in self.parts
                    if weekday in part.days
                ]
        return sorted(found)
