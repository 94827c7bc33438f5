"""What a measure is: a question, the cases it is asked in, and the figures that answer it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.peers.peer import Peer

Figures = dict[str, float]
"""The answers of one peer in one round, by the name of the figure."""


@dataclass(frozen=True, slots=True)
class Case:
    """One size at which a question is asked."""

    size: int
    """How many tasks, demands or prints; which, the measure says."""
    peers: tuple[str, ...]
    rounds: int = 3
    seconds: float = 0.0
    """How long to look, where that is the measure's to choose."""


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
    """What taskkit is meant to reach, for the reader; nothing is asserted."""
    size_word: str = "N"
    more_is_better: bool = False
    together: bool = False
    """Whether all peers may be asked at once: they sleep nearly all the time, or only counts are told."""


def percentile(values: Sequence[float], percent: float) -> float:
    """The value that `percent` of all values do not exceed.

    Raises:
        IndexError: There are no values.
    """
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]
