"""The results of the benchmarks: as a table for a reader, and as JSON for a program."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median

from benchmarks.measures.measure import Case, Figures, Measure

RESULTS = Path(__file__).parent / "results"
OURS = "taskkit"
PACKAGES = ("taskkit-tui", "APScheduler", "schedule", "Webware-for-Python")


@dataclass(slots=True)
class Result:
    """The figures of all peers in one case of one measure."""

    measure: str
    size: int
    figures: dict[str, Figures] = field(default_factory=dict)
    """The medians over all rounds, by peer."""
    rounds: dict[str, list[Figures]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    """The error of each peer that has no figures."""

    def add(self, peer: str, figures: Figures) -> None:
        """Add the figures of a peer in one more round."""
        rounds = self.rounds.setdefault(peer, [])
        rounds.append(figures)
        self.figures[peer] = {name: median(each[name] for each in rounds) for name in figures}


def machine() -> dict[str, object]:
    """Describe the machine and the versions of the packages."""
    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "packages": {name: version(name) for name in PACKAGES},
    }


def table(measure: Measure, case: Case, result: Result) -> str:
    """Format the figures of each peer, each with its ratio to taskkit's."""
    direction = "more is better" if measure.more_is_better else "less is better"
    lines = [f"{measure.title}, {measure.size_word} = {case.size:,} ({direction})"]
    width = max(len(peer) for peer in case.peers)
    heads = [f"{name} {unit}" for name, unit in measure.units.items()]
    lines.append("  " + " " * width + "".join(f"{head:>14}{'×':>7}" for head in heads))
    ours = result.figures.get(OURS, {})
    for peer in case.peers:
        if (figures := result.figures.get(peer)) is None:
            lines.append(f"  {peer:<{width}}  {result.failures.get(peer, 'not measured')}")
            continue
        cells = [
            f"{_number(figures[name]):>14}{_ratio(figures[name], ours.get(name)):>7}"
            for name in measure.units
        ]
        lines.append(f"  {peer:<{width}}" + "".join(cells))
    return "\n".join(lines)


def save(results: list[Result], about: dict[str, object], label: str) -> Path:
    """Write everything, every round included, to a new file in `benchmarks/results`."""
    RESULTS.mkdir(exist_ok=True)
    now = datetime.now(UTC)
    path = RESULTS / f"{label}-{now:%Y%m%dT%H%M%SZ}.json"
    whole = {"taken": now.isoformat(), "machine": about, "results": [asdict(each) for each in results]}
    path.write_text(json.dumps(whole, indent=1) + "\n")
    return path


def _number(value: float) -> str:
    if value >= 1000 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.3f}"


def _ratio(value: float, ours: float | None) -> str:
    return f"{value / ours:.2f}" if ours else ""
