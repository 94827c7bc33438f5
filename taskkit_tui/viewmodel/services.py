"""Running schedulers to choose from, one per line, with live figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from taskkit import Figures
from taskkit.words.durations import coarse
from taskkit_tui.formatting import fit, harmless, plural, shorten


@dataclass(frozen=True, slots=True)
class ServiceChoice:
    """A running scheduler that can be attached to."""

    key: str
    """Its identity: the path of its socket."""
    name: str
    pid: int
    target: str | None
    """The target that it was loaded from; None if it does not say."""
    since: float | None
    """The start of serving, in epoch seconds; None if it did not answer."""
    figures: Figures | None
    """None if it did not answer in time."""


def who_watches(people: Sequence[str]) -> str:
    """Return who watches, with the verb: `ada (pts/3) watches`, `ada (pts/3) and 2 others watch`."""
    first, others = shorten(harmless(people[0]), 40), len(people) - 1
    return f"{first} and {plural(others, 'other')} watch" if others else f"{first} watches"


def service_line(choice: ServiceChoice) -> str:
    """Return one line of the list: name, process, target, and its tasks."""
    figures, words = choice.figures, "no answer"
    if figures is not None:
        words = f"{plural(figures.tasks, 'task')}, {figures.running} running, {figures.failing} failing"
        if choice.since is not None:
            words += f", up {coarse(max(0.0, figures.time - choice.since))}"
    name, target = fit(harmless(choice.name), 16), fit(harmless(choice.target or ""), 24)
    return f"{name} {choice.pid:>7}  {target}  {words}"
