"""What the details screen says of a task itself: its state, its schedule and policies, its due times."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from rich.cells import cell_len

from taskkit import Outcome, OutcomeKind, Parameter, TaskDetails
from taskkit.calendar import local_time
from taskkit.words import BEYOND_THE_CALENDAR, offset_text
from taskkit_tui.formatting import (
    clock_span,
    clock_time,
    coarse,
    countdown,
    duration,
    harmless,
    shorten,
)
from taskkit_tui.viewmodel.cell import Piece, Tone
from taskkit_tui.viewmodel.cells import IMMINENT
from taskkit_tui.viewmodel.lines import Line, line, line_width, wrapped
from taskkit_tui.viewmodel.moments import DueTime, due_times
from taskkit_tui.viewmodel.row import FAILING, TaskRow
from taskkit_tui.viewmodel.usual import usual_duration

_LABEL: Final = 13
"""Cells for the name of a fact, two blanks counted."""
_LEAST_VALUE: Final = 14
"""Cells below which a value goes beneath its name."""


class State(NamedTuple):
    """What a task does now."""

    glyph: str
    words: str
    tone: Tone


def state_of(details: TaskDetails, now: float, *, gone: bool = False) -> State:
    """What a task does now, in a glyph and a few words."""
    task = details.task
    failing = TaskRow(task).failing
    if gone:
        return State("○", "gone · as it last was", Tone.BAD)
    if task.run is not None:
        if task.run.started is None:
            return State("◌", "waiting for a thread", Tone.SOON)
        if task.run.asked_to_stop is not None:
            return State("▶", f"stopping {coarse(now - task.run.asked_to_stop)}", Tone.SOON)
        again = " · once more after it" if task.again else ""
        return State("▶", f"running {clock_span(now - task.run.started)}{again}", Tone.BUSY)
    if task.replaces_running:
        return State("◌", "waiting for the run before", Tone.SOON)
    if task.retry is not None:
        return State("●", f"failed · retry {task.retry.number}/{task.retry.of}", Tone.BAD)
    words = str(task.state).replace("_", " ")
    if task.disabled:
        return State("∥", "disabled · failing" if failing else "disabled", Tone.BAD if failing else Tone.DIM)
    return State("●", f"{words} · failing", Tone.BAD) if failing else State("●", words, Tone.GOOD)


def headline(details: TaskDetails, now: float, width: int, *, gone: bool = False) -> Line:
    """The first line: which task, what it does, when it is due, what time it is."""
    task = details.task
    state = state_of(details, now, gone=gone)
    right: list[Piece] = [Piece(clock_time(now, now), Tone.DIM)]
    due = TaskRow(task).next_due
    if due is not None and task.run is None and not task.disabled and not gone:
        soon = due - now <= IMMINENT
        words = countdown(due, now)
        if due > now:
            words = f"in {words}"
        right = [Piece(words, Tone.SOON if soon else Tone.NEXT), Piece("   ", Tone.DIM), *right]
    state_words = state.words
    name = harmless(task.name)
    room = width - 2 - 3  # a blank at each side; glyph and blank; one blank before the right side
    if room - cell_len(state_words) - line_width(tuple(right)) < min(12, cell_len(name)) + 2:
        right = right[:1] if len(right) > 1 else []
    if room - cell_len(state_words) - line_width(tuple(right)) < min(12, cell_len(name)) + 2:
        right = []
    name = shorten(name, max(1, room - cell_len(state_words) - 2 - line_width(tuple(right))))
    left = [
        Piece(f" {state.glyph} ", state.tone),
        Piece(name, Tone.STRONG),
        Piece(f"  {state_words}", state.tone),
    ]
    gap = width - 1 - line_width(tuple(left)) - line_width(tuple(right))
    return (*left, Piece(" " * max(1, gap), Tone.PLAIN), *right)


class Fact(NamedTuple):
    """Something about a task, with the name of what it is."""

    name: str
    value: str
    tone: Tone = Tone.PLAIN
    wide: bool = False
    """Whether it takes whole lines, and needs no name."""


_SAYS: Final = {"program": "program says", "file": "file says"}
"""What the schedule of a registration is called, by whose it is."""


def facts(details: TaskDetails, source: str = "") -> tuple[Fact, ...]:
    """What there is to know of a task beside its history.

    Args:
        details: How the task stands.
        source: Who registered it: `program` or `file`; anything else for a person.
    """
    task = details.task
    told: list[Fact] = []
    if task.description:
        told.append(Fact("description", harmless(" ".join(task.description.split())), wide=True))
    told.append(Fact("schedule", harmless(task.schedule)))
    if task.overrides is not None:
        says = _SAYS.get(source, "registered")
        told.append(Fact(says, f"{harmless(task.overrides)} · = puts it back", Tone.CHANGED))
    if details.body:
        told.append(Fact("does", harmless(details.body)))
    if details.zone is not None:
        told.append(Fact("time zone", harmless(details.zone)))
    told += _figures(details)
    policies = tuple(_policy(name, value) for name, value in details.policies.items())
    told += policies or (Fact("policies", "the defaults", Tone.DIM),)
    for index, parameter in enumerate(details.parameters):
        told.append(Fact("" if index else "parameters", _parameter(parameter)))
    return tuple(told)


def _figures(details: TaskDetails) -> list[Fact]:
    task = details.task
    runs = [past for past in details.history if isinstance(past, Outcome)]
    failed = sum(run.kind in FAILING or run.kind is OutcomeKind.ABANDONED for run in runs)
    told = [Fact("runs", f"{task.run_count:,}", Tone.PLAIN if task.run_count else Tone.DIM)]
    if failed:
        told.append(Fact("failed", f"{failed} of the last {len(runs)}", Tone.BAD))
    usual = usual_duration(runs)
    if usual is not None:
        told.append(Fact("usually", duration(usual)))
    if task.skipped:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in task.skipped.items())
        told.append(Fact("skipped", reasons, Tone.SOON))
    return told


def _seconds(value: str) -> str:
    try:
        return duration(float(value))
    except (ValueError, OverflowError):
        return value


_POLICY_WORDS: Final[Mapping[str, tuple[str, Callable[[str], str]]]] = {
    "timeout": ("timeout", _seconds),
    "retries": ("retries", lambda value: f"up to {value}"),
    "retry_delay": ("retry delay", lambda value: f"{_seconds(value)}, doubling"),
    "jitter": ("jitter", lambda value: f"up to {_seconds(value)}"),
    "catch_up": ("catch up", lambda value: "no" if value == "False" else "yes"),
    "max_runs": ("at most", lambda value: "1 run" if value == "1" else f"{value} runs"),
    "on_error": ("on error", lambda value: f"{value}()"),
    "keep": ("keep", lambda value: "no: gone after a run" if value == "False" else "yes"),
}
"""What each policy is called for a person, and how its value is told."""


def _policy(name: str, value: str) -> Fact:
    label, told = _POLICY_WORDS.get(name, (name.replace("_", " "), str))
    return Fact(harmless(label), harmless(told(value)))


def _parameter(parameter: Parameter) -> str:
    default = "" if parameter.required or parameter.default is None else f" = {parameter.default!r}"
    return harmless(f"{parameter.name}: {parameter.type}{default}")


def fact_lines(told: Sequence[Fact], width: int) -> list[Line]:
    """Facts as aligned lines of at most `width` cells."""
    beneath = width - _LABEL < _LEAST_VALUE
    indent = 2 if beneath else _LABEL
    lines: list[Line] = []
    for fact in told:
        if fact.wide:
            lines += [line(row, fact.tone) for row in wrapped(fact.value, width)]
            continue
        rows = wrapped(fact.value, width - indent)
        if beneath and fact.name:
            lines.append(line(shorten(fact.name, max(1, width)), Tone.DIM))
        for index, row in enumerate(rows):
            label = fact.name if index == 0 and not beneath else ""
            lines.append((Piece(f"{label:<{indent}.{indent - 1}}", Tone.DIM), Piece(row, fact.tone)))
    return lines


def explanation_lines(details: TaskDetails, width: int, *, gone: bool = False) -> list[Line]:
    """Why it is not running now and when it will, as the library says it."""
    if gone:
        return [line(row, Tone.BAD) for row in wrapped(f"{harmless(details.task.name)} is gone.", width)]
    return [line(row) for row in wrapped(harmless(details.explanation), width)]


def due_title(details: TaskDetails) -> str:
    """What stands above the due times: how many, and in which zone."""
    count = len(details.due_times)
    words = f"Next {count}" if count > 1 else "Retry" if details.task.retry else "Next"
    return f"{words} · {harmless(details.zone) if details.zone else 'local time'}"


def due_lines(details: TaskDetails, now: float, width: int) -> list[Line]:
    """The next due times, one a line; where the clocks were set meanwhile, by how much."""
    told = due_times(details.due_times, details.zone, now)
    if not told:
        return [line(row, Tone.DIM) for row in wrapped(_why_nothing_is_due(details), width)]
    style = next(
        (each for each in _due_styles(told, details, now) if _due_width(told, now, each) <= width), _BAREST
    )
    return [_due_line(each, now, width, style) for each in told]


class _DueStyle(NamedTuple):
    """How due times are written; the same for all of a list, so that they stay aligned."""

    day: str
    """A format; empty for none."""
    time: str
    fraction: bool
    offset: bool
    span: bool
    """Whether it is told how long it is until then."""


_BAREST: Final = _DueStyle("", "%H:%M:%S", False, False, False)


def _due_styles(told: Sequence[DueTime], details: TaskDetails, now: float) -> Iterator[_DueStyle]:
    """Ways to write some due times, the fullest first."""
    period = details.task.period
    fraction = period is not None and period != int(period)
    whole_minutes = all(each.local is None or each.local.second == 0 for each in told) and not fraction
    today = local_time(now)
    years = today is not None and any(each.local and each.local.year != today.year for each in told)
    full = _DueStyle("%a %d %b %Y" if years else "%a %d %b", "%H:%M:%S", fraction, offset=True, span=True)
    yield full
    if whole_minutes:
        yield full._replace(time="%H:%M")
    bare = full._replace(offset=False)
    yield bare
    if whole_minutes:
        yield bare._replace(time="%H:%M")
    yield bare._replace(time="%H:%M" if whole_minutes else "%H:%M:%S", day="%d %b %Y" if years else "%a %d")
    yield bare._replace(time="%H:%M" if whole_minutes else "%H:%M:%S", day="%d %b", span=False)


def _due_width(told: Sequence[DueTime], now: float, style: _DueStyle) -> int:
    return max(line_width(_due_left(each, style)) + 1 + len(_due_span(each, now, style)) for each in told)


def _due_span(due: DueTime, now: float, style: _DueStyle) -> str:
    return countdown(due.instant, now) if style.span else ""


def _due_left(due: DueTime, style: _DueStyle) -> Line:
    if due.local is None:
        return line(BEYOND_THE_CALENDAR, Tone.DIM)
    time = due.local.strftime(style.time)
    if style.fraction:
        time += f".{due.local.microsecond // 1000:03}"
    pieces = [Piece(due.local.strftime(f"{style.day}  "), Tone.DIM)] if style.day else []
    pieces.append(Piece(time, Tone.PLAIN))
    if style.offset:
        pieces.append(Piece(f" {offset_text(due.local)}", Tone.SOON if due.shift else Tone.DIM))
    if due.shift:
        pieces.append(Piece(f" {due.shift_words}", Tone.SOON))
    return tuple(pieces)


def _due_line(due: DueTime, now: float, width: int, style: _DueStyle) -> Line:
    left, span = _due_left(due, style), _due_span(due, now, style)
    gap = max(1, width - line_width(left) - len(span))
    tone = Tone.SOON if due.instant - now <= IMMINENT else Tone.NEXT
    return (*left, Piece(" " * gap, Tone.PLAIN), Piece(span, tone))


def _why_nothing_is_due(details: TaskDetails) -> str:
    if details.task.disabled:
        return "Nothing is due while it is disabled; e enables it."
    if details.task.schedule == "on demand":
        return "It runs only when asked; r runs it now."
    return "Nothing is due any more."


def due_copy(due: DueTime) -> str:
    """A due time as one would paste it: ISO 8601 with its offset."""
    return f"{due.instant:.3f}" if due.local is None else due.local.isoformat(timespec="milliseconds")
