"""One table of the file, read key by key: a method returns a checked value, or `None` and adds a problem."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from taskkit._helpers.checks import is_number, is_whole
from taskkit.taskfile.problems import ABSENT, KeyPath, Problem, TaskFileText, nearest, shown
from taskkit.words.durations import LONGEST_PERIOD_SECONDS, parse_span, period_text

MAX_WHOLE: Final = 2**63 - 1
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


class TomlTable:
    """The keys of one table, and the problems with them.

    Args:
        source: The file that holds it.
        path: The names that lead to it.
        data: The values, as `tomllib` has read them.
        problems: The list to add problems to.
    """

    def __init__(
        self, source: TaskFileText, path: KeyPath, data: Mapping[str, Any], problems: list[Problem]
    ) -> None:
        self.data = data
        self._defaults: TomlTable | None = None
        self._own = data
        self.suggested: set[str] = set()
        """The keys that were suggested instead of unknown ones."""
        self._source = source
        self._path = path
        self._problems = problems

    def __contains__(self, key: str) -> bool:
        return key in self.data

    def over(self, defaults: TomlTable, keys: Iterable[str]) -> TomlTable:
        """Return this table with those `keys` of another one that it lacks. Tables in both are joined.

        A problem with a key of the other table is reported there.
        """
        inherited = {key: defaults.data[key] for key in keys if key in defaults.data}
        joined = self.with_data({**inherited, **self.data})
        joined._defaults, joined._own = defaults, self.data
        return joined

    def without(self, keys: Collection[str]) -> TomlTable:
        """Return this table without some keys."""
        return self.with_data({key: value for key, value in self.data.items() if key not in keys})

    def with_data(self, data: Mapping[str, Any]) -> TomlTable:
        """Return a table at the same place with other keys."""
        table = TomlTable(self._source, self._path, data, self._problems)
        table.suggested = self.suggested
        return table

    def is_inherited(self, key: str) -> bool:
        """True if the key is from the other table of `over`."""
        return key in self.data and key not in self._own

    def wrong(
        self, key: str | None, message: str, value: object = ABSENT, suggestion: str | None = None
    ) -> None:
        """Add a problem at a key; at the table itself for `None`."""
        if self._defaults is not None and key is not None and self.is_inherited(key):
            self._defaults.wrong(key, message, value, suggestion)
            return
        path = self._path if key is None else (*self._path, key)
        self._problems.append(self._source.problem(path, message, value, suggestion))

    def table(self, key: str) -> TomlTable | None:
        """Return the table at a key."""
        value = self.data.get(key, ABSENT)
        if isinstance(value, dict):
            other = None if self._defaults is None else self._defaults.data.get(key)
            if self._defaults is None or not isinstance(other, dict):
                return TomlTable(self._source, (*self._path, key), value, self._problems)
            defaults = self._defaults.table(key)
            own = {} if self.is_inherited(key) else value
            table = TomlTable(self._source, (*self._path, key), own, self._problems)
            return table if defaults is None else table.over(defaults, other)
        if value is not ABSENT:
            self.wrong(key, "must be a table", value)
        return None

    def refuse_unknown(self, known: Iterable[str], noun: str) -> None:
        """Add a problem for each key that is not `known`, and suggest one that is."""
        known = tuple(known)
        for key in self.data:
            if key not in known:
                meant = nearest(key, known)
                self.suggested |= {meant} if meant is not None else set()
                self.wrong(key, f"{noun} has no such key", suggestion=meant)

    def text(self, key: str, wanted: str) -> str | None:
        """Return a text, which may be empty. `wanted` says in the message what it must be."""
        value = self.data.get(key, ABSENT)
        if value is ABSENT or isinstance(value, str):
            return None if value is ABSENT else value
        self.wrong(key, f"must be {wanted}, in quotes", value)
        return None

    def choice(self, key: str, choices: Iterable[str]) -> str | None:
        """Return one of some words."""
        value, words = self.data.get(key, ABSENT), tuple(choices)
        if value is ABSENT or (isinstance(value, str) and value in words):
            return None if value is ABSENT else value
        wanted = ", ".join(f'"{word}"' for word in words[:-1])
        meant = nearest(value, words) if isinstance(value, str) else None
        self.wrong(key, f'must be {wanted} or "{words[-1]}"', value, meant and f'"{meant}"')
        return None

    def flag(self, key: str) -> bool | None:
        """Return `True` or `False`."""
        value = self.data.get(key, ABSENT)
        if value is ABSENT or isinstance(value, bool):
            return None if value is ABSENT else value
        meant = _FLAGS.get(shown(value).strip('"').lower())
        self.wrong(key, "must be true or false, without quotes", value, meant)
        return None

    def flag_or_seconds(self, key: str) -> bool | float | None:
        """Return `True`, `False`, or a span in seconds, more than 0."""
        value = self.data.get(key, ABSENT)
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and (meant := _FLAGS.get(value.strip().lower())) is not None:
            self.wrong(key, "must be true or false, without quotes, or a span", value, meant)
            return None
        if value is not ABSENT and not isinstance(value, str) and not is_number(value):
            self.wrong(key, 'must be true, false, a number of seconds, or a text such as "10m"', value)
            return None
        return self.seconds(key, positive=True)

    def whole(self, key: str, least: int) -> int | None:
        """Return a whole number of at least `least`."""
        value = self.data.get(key, ABSENT)
        if value is ABSENT:
            return None
        if is_whole(value) and least <= value <= MAX_WHOLE:
            return value
        meant = value if isinstance(value, str) and re.fullmatch("[0-9]{1,9}", value) else None
        self.wrong(key, f"must be a whole number, {least} or more", value, meant)
        return None

    def seconds(self, key: str, *, positive: bool = False) -> float | None:
        """Return a span in seconds, from a number of seconds or a text such as `1h30m`."""
        value = self.data.get(key, ABSENT)
        if value is ABSENT:
            return None
        if isinstance(value, str):
            try:
                seconds = parse_span(value, "span")
            except ValueError as error:
                meant = _span_meant(value)
                self.wrong(key, "is not a span of time" if meant else str(error), value, meant)
                return None
        elif not is_number(value):
            self.wrong(key, 'must be a number of seconds, or a text such as "90s" or "1h30m"', value)
            return None
        else:
            seconds = value
        if 0 <= seconds <= LONGEST_PERIOD_SECONDS and not (positive and seconds == 0):
            return float(seconds)
        least = "more than 0" if positive else "0 or more"
        self.wrong(key, f"must be {least} seconds, and at most ten years", value)
        return None


def _span_meant(text: str) -> str | None:
    """Return the span that was meant by a text such as `90 secnods` or `1.5 hours`."""
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
    if not 0 < total <= LONGEST_PERIOD_SECONDS:
        return None
    try:
        parse_span(literal)
    except ValueError:  # another order, weeks, or decimals of more than seconds
        literal = period_text(total)
    return f'"{literal}"' if literal[-1].isalpha() else f'"{literal}s"'
