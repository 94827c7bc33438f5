"""Reads cron expressions as people paste them: from a crontab, from Quartz, from Go or Jenkins.

What has one meaning is translated for `cronsim`: `MON-SUN`, `FRI-MON`, `?`. What a crontab says besides the
five fields has another place here: the error names the part and that place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from json import dumps
from typing import Final

from taskkit.words.durations import parse_period

ALIASES: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}

_DAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_FIELDS: Final = ("minute", "hour", "day-of-month", "month", "day-of-week")

ZONE_SETTING: Final = re.compile(r"(?:CRON_)?TZ=(\S+)\s+(.*)", re.IGNORECASE)
"""A time zone before the expression, as cronie and Go write it: `CRON_TZ=Europe/Berlin 0 9 * * *`."""
EVERY_ALIAS: Final = re.compile(r"@every\b\s*(.*)", re.IGNORECASE)
"""A period, as Go writes it: `@every 1h30m`."""

_SETTING: Final = re.compile(r"([A-Za-z_]\w*)\s*=")
_RANGE: Final = re.compile(r"(\w+)-(\w+)(?:/(\d+))?")
_YEAR: Final = re.compile(r"\*|\d{4}(?:[-/,]\d+)*")
_HASHED: Final = re.compile(r"H(?:\(.*\))?(?:/\d+)?")


class CrontabPartError(ValueError):
    """A part of a pasted line has another place here.

    Args:
        problem: What is wrong, without a full stop or a colon.
        in_python: Where it goes in a program; empty if there is no such place.
        in_file: Where it goes in a task file; `None` for the same.
    """

    def __init__(self, problem: str, in_python: str, in_file: str | None = None) -> None:
        super().__init__(f"{problem}; {in_python}" if in_python else problem)
        self.in_file = f"{problem}; {in_python if in_file is None else in_file}".rstrip("; ")
        """The message for a task file."""


def plain_expression(expression: str, parse: Callable[[str], object]) -> str:
    """Return an expression of five or six fields, without aliases, names of days in ranges, and `?`.

    Args:
        expression: The expression, with single spaces.
        parse: Raises unless a text is an expression that needs no translation.

    Raises:
        CrontabPartError: It has a part that has another place here, or that no field can have.
    """
    _refuse_settings(expression)
    parts = expression.split(" ")
    if expression.startswith("@"):
        alias = ALIASES.get(parts[0].lower())
        if alias is None:
            raise CrontabPartError(*_unknown_alias(parts[0]))
        if len(parts) > 1:
            raise _command(parts[1:], parts[0])
        return alias
    seconds = _seconds_fields(parts, parse)
    begin = 1 if seconds else 0
    end = begin + len(_FIELDS)
    for name, part in zip(_FIELDS, parts[begin:end], strict=False):
        _refuse_random(name, part)
    fields = parts[:end]
    fields[begin:end] = [_field(name, part) for name, part in zip(_FIELDS, parts[begin:end], strict=False)]
    rest = parts[end:]
    if rest == ["*"] and seconds and "?" in parts:  # of Quartz: any year
        return " ".join(fields)
    if rest and _parses(" ".join(fields), parse):
        if seconds and len(rest) == 1 and _YEAR.fullmatch(rest[0]):
            problem = f"the seventh field, {rest[0]}, is a year, for which an expression here has no field"
            raise CrontabPartError(problem, "not_before and until limit the due times")
        raise _command(rest, "the six fields" if seconds else "the five fields")
    return " ".join([*fields, *rest])


def _refuse_settings(expression: str) -> None:
    if match := ZONE_SETTING.fullmatch(expression):
        zone = match[1]
        problem = f"{expression.partition(' ')[0]} is not part of the expression"
        raise CrontabPartError(problem, f"write tz={zone!r}", f'write timezone = "{zone}"')
    if match := _SETTING.match(expression):
        problem = f"{match[1]}= is a setting of the crontab, not part of the expression"
        raise CrontabPartError(problem, "leave it out", "env sets variables of a command")
    if match := EVERY_ALIAS.fullmatch(expression):
        raise CrontabPartError(*_period(expression, match[1]))
    if expression.lower().partition(" ")[0] == "@reboot":
        raise CrontabPartError(
            "@reboot is not a time",
            "use Once(), which is due when the task is registered",
            "let the program or service that starts the scheduler do that",
        )


def _period(expression: str, span: str) -> tuple[str, str, str]:
    try:
        seconds = f"{parse_period(span):.15g}"
        written = f'"{span}"'
    except ValueError:
        seconds, written = "SECONDS", '"SPAN"'
    return f"{expression} is a period", f"use Every({seconds})", f"write every = {written}"


def _unknown_alias(name: str) -> tuple[str, str]:
    from difflib import get_close_matches  # imported late: only a misspelling needs it

    found = get_close_matches(name.lower(), ALIASES, 1)
    perhaps = f"did you mean {found[0]}?" if found else f"there are {', '.join(ALIASES)}"
    return f"{name} is not known", perhaps


def _command(rest: list[str], behind: str) -> CrontabPartError:
    """Return the error about what stands behind the fields."""
    text = " ".join(rest)
    if text.startswith("#"):
        return CrontabPartError(f"a comment follows {behind}", "leave it out")
    shown = text.replace("\\%", "%")  # a crontab ends the command at a bare %
    problem = f"a command follows {behind}, {shown!r}"
    return CrontabPartError(
        problem, f"use CommandTask({shown!r})", f"write command = {dumps(shown, ensure_ascii=False)}"
    )


def _seconds_fields(parts: list[str], parse: Callable[[str], object]) -> bool:
    """True if the first of the fields is that of the seconds."""
    if len(parts) < 6:
        return False
    fields = [parts[0], *(_field(name, part) for name, part in zip(_FIELDS, parts[1:6], strict=True))]
    return _parses(" ".join(fields), parse)


def _parses(expression: str, parse: Callable[[str], object]) -> bool:
    try:
        parse(expression)
    except ValueError:
        return False
    return True


def _refuse_random(name: str, part: str) -> None:
    if "~" in part or _HASHED.fullmatch(part):
        problem = f"{part} as the {name} is a random time"
        raise CrontabPartError(problem, "jitter delays each start at random")


def _field(name: str, part: str) -> str:
    """Return a field as `cronsim` reads it."""
    if part == "?" and name in ("day-of-month", "day-of-week"):
        return "*"
    if name == "day-of-week":
        return ",".join(_terms(part.upper(), _DAYS, 0, 7))
    if name == "month":
        return ",".join(_terms(part.upper(), _MONTHS, 1, 12))
    return part


def _terms(part: str, names: tuple[str, ...], lowest: int, count: int) -> Iterator[str]:
    """Yield the terms of a field of names, with ranges in numbers; those across its end as lists."""
    for term in part.split(","):
        match = _RANGE.fullmatch(term)
        if match is None:
            yield term
            continue
        begin, end = _number(match[1], names, lowest), _number(match[2], names, lowest)
        if begin is None or end is None:
            yield term
            continue
        if lowest == 0:  # Sunday is 0 and 7
            begin %= count
        if not lowest <= begin <= lowest + count - 1 or not lowest <= end <= 12:
            yield term
            continue
        span = range(begin, end + 1 + (count if end < begin else 0))
        step = int(match[3] or 1)
        if not step:
            yield term
        elif end >= begin:
            yield f"{begin}-{end}" + (f"/{step}" if match[3] else "")
        else:
            yield from (str((each - lowest) % count + lowest) for each in span[::step])


def _number(text: str, names: tuple[str, ...], lowest: int) -> int | None:
    if text in names:
        return names.index(text) + lowest
    return int(text) if text.isascii() and text.isdigit() and len(text) < 3 else None


def complaint(fields: str, message: str) -> str:
    """Return what a parser says of an expression, with the part that it means.

    Args:
        fields: The expression, as it was parsed.
        message: What the parser says, as in `Bad hour`.
    """
    parts = fields.split()
    name = message.removeprefix("Bad ")
    if name not in _FIELDS or len(parts) not in (5, 6):
        if message != "Wrong number of fields":
            return message
        number = f"{len(parts)} field{'' if len(parts) == 1 else 's'}"
        return f"it has {number}, but must have five, or six with seconds first"
    part = parts[len(parts) - 5 + _FIELDS.index(name)]
    match = _RANGE.fullmatch(part)
    if match is not None and match[1].isdigit() and match[2].isdigit() and int(match[1]) > int(match[2]):
        highest = {"minute": 59, "hour": 23, "day-of-month": 31}.get(name, 0)
        if int(match[1]) <= highest and not match[3]:
            instead = f"{match[1]}-{highest},{int(name == 'day-of-month')}-{match[2]}"
            return f"Bad {name} {part}, which ends before it begins; write {instead}"
    return f"Bad {name} {part}"
