"""What there is to know of a task beside its history: schedule, figures, policies and parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from taskkit import Outcome, Parameter, TaskDetails
from taskkit.outcome import FAILURES
from taskkit_tui.formatting import duration, harmless, shorten
from taskkit_tui.viewmodel.pieces import Piece, Tone
from taskkit_tui.viewmodel.text_lines import Line, line, wrapped
from taskkit_tui.viewmodel.usual import usual_duration

_LABEL: Final = 13
"""Cells for the name of a fact, two blanks counted."""
_LEAST_VALUE: Final = 14
"""Cells below which a value goes beneath its name."""


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
    failed = sum(run.kind in FAILURES for run in runs)
    told = [Fact("runs", f"{task.run_count:,}", Tone.PLAIN if task.run_count else Tone.DIM)]
    if failed:
        tries = " tries" if any(run.attempt > 1 for run in runs) else ""
        told.append(Fact("failed", f"{failed} of the last {len(runs)}{tries}", Tone.BAD))
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
