"""Lists the facts about a task: schedule, figures, policies and parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from taskkit import Outcome, Parameter, TaskDetails
from taskkit.outcome import FAILURES
from taskkit.words.durations import duration, parse_span
from taskkit.words.outcomes import skip_counts
from taskkit_tui.formatting import harmless, shorten
from taskkit_tui.tones import Tone
from taskkit_tui.viewmodel.row import usual_duration
from taskkit_tui.viewmodel.text_lines import Line, Piece, line, wrapped

_LABEL: Final = 13
"""Cells for the name of a fact, including two spaces."""
_LEAST_VALUE: Final = 14
"""The least cells for a value; below that it goes under its name."""


class Fact(NamedTuple):
    """A fact about a task, with its name."""

    name: str
    value: str
    tone: Tone = Tone.PLAIN
    wide: bool = False
    """True if it takes whole lines, without its name."""


_SOURCE_WORDS: Final = {"program": "program says", "file": "file says"}
"""The name of the registered schedule, by the origin of the registration."""


def facts(details: TaskDetails, source: str = "") -> tuple[Fact, ...]:
    """Return the facts about a task.

    Args:
        details: The task's details.
        source: The origin of its registration: `program`, `file`, or anything else for a person.
    """
    task = details.task
    found: list[Fact] = []
    if task.description:
        found.append(Fact("description", harmless(" ".join(task.description.split())), wide=True))
    found.append(Fact("schedule", harmless(task.schedule)))
    if task.overrides is not None:
        says = _SOURCE_WORDS.get(source, "registered")
        found.append(Fact(says, f"{harmless(task.overrides)} · = restores it", Tone.CHANGED))
    if details.chain:
        found.append(Fact("chain", harmless(" → ".join(details.chain))))
    if details.body:
        found.append(Fact("does", harmless(details.body)))
    if details.zone is not None:
        found.append(Fact("time zone", harmless(details.zone)))
    if task.executor != "thread":
        where = None if task.run is None else task.run.where
        words = task.executor if where is None else f"{task.executor} · {where}"
        found.append(Fact("executor", harmless(words)))
    found += _figures(details)
    policies = tuple(_policy(name, value) for name, value in details.policies.items())
    found += policies or (Fact("policies", "the defaults", Tone.DIM),)
    for index, parameter in enumerate(details.parameters):
        found.append(Fact("" if index else "parameters", _parameter(parameter)))
    return tuple(found)


def _figures(details: TaskDetails) -> list[Fact]:
    task = details.task
    past = [each for each in details.history if isinstance(each, Outcome)]
    failed = sum(run.kind in FAILURES for run in past)
    found = [Fact("runs", f"{task.run_count:,}", Tone.PLAIN if task.run_count else Tone.DIM)]
    if failed:
        tries = " tries" if any(run.attempt > 1 for run in past) else ""
        found.append(Fact("failed", f"{failed} of the last {len(past)}{tries}", Tone.BAD))
    usual = usual_duration(past)
    if usual is not None:
        found.append(Fact("usually", duration(usual)))
    if task.abandoned:
        runs = "a run" if task.abandoned == 1 else f"{task.abandoned:,} runs"
        found.append(
            Fact("abandoned", f"{runs} that {'has' if task.abandoned == 1 else 'have'} not ended", Tone.BAD)
        )
    if task.skipped:
        found.append(Fact("skipped", skip_counts(task.skipped), Tone.SOON))
    return found


def _seconds(value: str) -> str:
    try:
        return duration(float(value))
    except (ValueError, OverflowError):
        return value


def _jitter_words(value: str) -> str:
    span = value.removeprefix("fixed:")
    if span == value:
        return f"up to {_seconds(value)}"
    return f"up to {duration(parse_span(span))}, the same each time"


_OVERLAP_WORDS: Final = {"queue": "one more run after it", "restart": "stops the run, starts again"}

_POLICY_WORDS: Final[Mapping[str, tuple[str, Callable[[str], str]]]] = {
    "timeout": ("timeout", _seconds),
    "retries": ("retries", lambda value: f"up to {value}"),
    "retry_delay": ("retry delay", lambda value: f"{_seconds(value)}, doubling"),
    "jitter": ("jitter", lambda value: _jitter_words(value)),
    "catch_up": ("catch up", lambda value: "no" if value == "False" else f"up to {_seconds(value)} late"),
    "overlap": ("on overlap", lambda value: _OVERLAP_WORDS.get(value, value)),
    "max_runs": ("at most", lambda value: "1 run" if value == "1" else f"{value} runs"),
    "on_error": ("on error", lambda value: f"{value}()"),
    "keep": ("keep", lambda value: "no: removed after a run" if value == "False" else "yes"),
}
"""The name of each policy, and how to write its value."""


def _policy(name: str, value: str) -> Fact:
    label, write = _POLICY_WORDS.get(name, (name.replace("_", " "), str))
    return Fact(harmless(label), harmless(write(value)))


def _parameter(parameter: Parameter) -> str:
    default = "" if parameter.required or parameter.default is None else f" = {parameter.default!r}"
    return harmless(f"{parameter.name}: {parameter.type}{default}")


def fact_lines(found: Sequence[Fact], width: int) -> list[Line]:
    """Return facts as aligned lines of at most `width` cells."""
    below = width - _LABEL < _LEAST_VALUE
    indent = 2 if below else _LABEL
    lines: list[Line] = []
    for fact in found:
        if fact.wide:
            lines += [line(row, fact.tone) for row in wrapped(fact.value, width)]
            continue
        rows = wrapped(fact.value, width - indent)
        if below and fact.name:
            lines.append(line(shorten(fact.name, max(1, width)), Tone.DIM))
        for index, row in enumerate(rows):
            label = fact.name if index == 0 and not below else ""
            lines.append((Piece(f"{label:<{indent}.{indent - 1}}", Tone.DIM), Piece(row, fact.tone)))
    return lines
