"""One table of the file, read key by key: each answers a value of the right type, or `None` and a problem."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from taskkit.checks import is_number, is_whole
from taskkit.durations import LONGEST_PERIOD, parse_span, period_text
from taskkit.taskfile.problems import ABSENT, KeyPath, Problem, Source, nearest, shown

MOST: Final = 2**63 - 1
"""The largest whole number that TOML promises."""

_PART: Final = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]+)[\s,]*")
_FLAGS: Final = {
    **dict.fromkeys(("true", "yes", "on", "1"), "true"),
    **dict.fromkeys(("false", "no", "off", "0"), "false"),
}
_LONGEST_SPAN: Final = 60
_UNITS: Final = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3600),
    **dict.fromkeys(("d", "day", "days"), 86_400),
    **dict.fromkeys(("w", "week", "weeks"), 604_800),
    **dict.fromkeys(("mon", "month", "months", "y", "year", "years"), 0),  # of no fixed length
}


class Table:
    """The keys of one table, and what is wrong with them.

    Args:
        source: The file that it is in.
        path: Its own name.
        data: What `tomllib` has read.
        problems: Where to put what is wrong.
    """

    def __init__(
        self, source: Source, path: KeyPath, data: Mapping[str, Any], problems: list[Problem]
    ) -> None:
        self.data = data
        self.perhaps: set[str] = set()
        """The keys that unknown ones were perhaps meant to be."""
        self._source = source
        self._path = path
        self._problems = problems

    def __contains__(self, key: str) -> bool:
        return key in self.data

    def wrong(
        self, key: str | None, message: str, value: object = ABSENT, suggestion: str | None = None
    ) -> None:
        """Something is wrong at a key; at the table itself for `None`."""
        path = self._path if key is None else (*self._path, key)
        self._problems.append(self._source.problem(path, message, value, suggestion))

    def table(self, key: str) -> Table | None:
        """The table inside."""
        value = self.data.get(key, ABSENT)
        if isinstance(value, dict):
            return Table(self._source, (*self._path, key), value, self._problems)
        if value is not ABSENT:
            self.wrong(key, "must be a table", value)
        return None

    def refuse_unknown(self, known: Iterable[str], noun: str) -> None:
        """Say of each key that is not `known`, which one was perhaps meant."""
        known = tuple(known)
        for key in self.data:
            if key not in known:
                meant = nearest(key, known)
                self.perhaps |= {meant} if meant is not None else set()
                self.wrong(key, f"{noun} has no such key", suggestion=meant)

    def text(self, key: str, wanted: str) -> str | None:
        """A text, also an empty one."""
        value = self.data.get(key, ABSENT)
        if value is ABSENT or isinstance(value, str):
            return None if value is ABSENT else value
        self.wrong(key, f"must be {wanted}, in quotes", value)
        return None

    def flag(self, key: str) -> bool | None:
        """True or false."""
        value = self.data.get(key, ABSENT)
        if value is ABSENT or isinstance(value, bool):
            return None if value is ABSENT else value
        meant = _FLAGS.get(shown(value).strip('"').lower())
        self.wrong(key, "must be true or false, without quotes", value, meant)
        return None

    def whole(self, key: str, least: int) -> int | None:
        """A whole number."""
        value = self.data.get(key, ABSENT)
        if value is ABSENT:
            return None
        if is_whole(value) and least <= value <= MOST:
            return value
        meant = value if isinstance(value, str) and re.fullmatch("[0-9]{1,9}", value) else None
        self.wrong(key, f"must be a whole number, {least} or more", value, meant)
        return None

    def seconds(self, key: str, *, positive: bool = False) -> float | None:
        """A number of seconds, or a text such as `1h30m`."""
        value = self.data.get(key, ABSENT)
        if value is ABSENT:
            return None
        if isinstance(value, str):
            try:
                seconds = parse_span(value, "span")
            except ValueError as error:
                meant = _span_meant(value)
                self.wrong(key, "is no span of time" if meant else str(error), value, meant)
                return None
        elif not is_number(value):
            self.wrong(key, 'must be a number of seconds, or a text such as "90s" or "1h30m"', value)
            return None
        else:
            seconds = value
        if 0 <= seconds <= LONGEST_PERIOD and not (positive and seconds == 0):
            return float(seconds)
        least = "more than 0" if positive else "0 or more"
        self.wrong(key, f"must be {least} seconds, and ten years at most", value)
        return None


def _span_meant(text: str) -> str | None:
    """What someone who writes `90 secnods` or `1.5 hours` means."""
    if len(text) > _LONGEST_SPAN:
        return None
    literal, total, at = "", 0.0, 0
    while at < len(text):
        part = _PART.match(text, at)
        unit = None if part is None else nearest(part[2], _UNITS)
        if part is None or unit is None or not _UNITS[unit]:
            return None
        literal += part[1] + unit[0]
        total, at = total + float(part[1]) * _UNITS[unit], part.end()
    if not 0 < total <= LONGEST_PERIOD:
        return None
    try:
        parse_span(literal)
    except ValueError:  # another order, weeks, or decimals of more than seconds
        literal = period_text(total)
    return f'"{literal}"' if literal[-1].isalpha() else f'"{literal}s"'
