"""The types of a measure: a question, its cases, and the figures that answer it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.peers.peer import Peer

Figures = dict[str, float]
"""The figures of one peer in one round, by name."""


@dataclass(frozen=True, slots=True)
class Case:
    """One size at which a question is asked."""

    size: int
    """The number of tasks, demands or lines, as the measure says in `size_word`."""
    peers: tuple[str, ...]
    rounds: int = 3
    seconds: float = 0.0
    """The duration of the measurement, for a measure that can choose."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One question to several schedulers."""

    name: str
    title: str
    units: dict[str, str]
    """The unit of each figure, by its name."""
    run: Callable[[Peer, Case], Figures]
    """Asks one fresh peer, in a process of its own."""
    cases: tuple[Case, ...]
    quick: tuple[Case, ...]
    goal: str = ""
    """The goal of taskkit, for the reader; nothing is asserted."""
    size_word: str = "N"
    more_is_better: bool = False
    together: bool = False
    """True if all peers may run at the same time: they sleep nearly always, or the figures are counts."""


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the value that `percent` of all values do not exceed.

    Raises:
        IndexError: There are no values.
    """
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]
