"""Measure the dashboard as its user sees it: from outside, in a pseudo-terminal, beside the goals.

The dashboard runs in a process and a terminal of its own; this process presses keys and reads the screen.
First paint is the time from the start of the process, with TARGET, to the first row on the screen. A key is
answered when the screen shows its effect: the row that it selects as selected, the count of the rows that a
filter shows, the column that the rows are sorted by. A bare Textual app with as many lines is measured in the
same run. Read the ratios: figures differ from machine to machine and from hour to hour. Use two cores: one
for the dashboard, one for this process.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from time import monotonic

from benchmarks.dashboard_keys import ALL_DISABLED, DEEDS, WAKE_SECONDS, cursor_meanwhile, seconds_of
from benchmarks.terminals import PAUSE_SECONDS, Terminal, dashboard

FIRST_PAINTS = 5
IDLE_SECONDS = 10.0
"""The duration for which the use of the processor is measured."""

PRESSES = 200
KEY_GOAL_MS = 50.0

_MADE = re.compile(rb"made (\d+) so far")


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table; less is better."""

    what: str
    value: float
    unit: str
    goal: float | None = None


@dataclass(frozen=True, slots=True)
class Response:
    """The latencies of keys under a load."""

    seconds: list[float]
    rate: float
    """The load that there really was, per second."""


def first_paint(state: Path | None = None) -> float:
    """Return the seconds from the start of the process to the first row of 10,000."""
    with dashboard("ten_thousand", state) as terminal:
        terminal.read_until(lambda got: b"task 0" in got)
        took = monotonic() - terminal.began
        if state is not None:
            terminal.press("q")
            while terminal.process.poll() is None:  # so that it is kept
                terminal.read_for(0.05)
        return took


def bare_app() -> Terminal:
    """Start a bare Textual app with 10,000 lines."""
    return Terminal([sys.executable, "-m", "benchmarks.bare_app"])


def first_paint_of_bare_app() -> float:
    """Return the seconds from the start of its process to its first line."""
    with bare_app() as terminal:
        terminal.read_until(lambda got: b"task 0" in got)
        return monotonic() - terminal.began


def first_paint_of_what_was_kept() -> float:
    """Return the same after a restart that restores a saved state; the median."""
    with TemporaryDirectory() as folder:
        state = Path(folder) / "state.db"
        first_paint(state)
        return median(first_paint(state) for _ in range(FIRST_PAINTS))


def share_at_rest(terminal: Terminal) -> float:
    """Return the share of a core that a process uses while no key is pressed, from 0 to 1."""
    terminal.read_for(3.0)
    before, began = terminal.cpu_seconds, monotonic()
    terminal.read_for(IDLE_SECONDS)
    return (terminal.cpu_seconds - before) / (monotonic() - began)


def response(target: str) -> Response:
    """Measure the keys that go from one task to the other and back."""
    with dashboard(target) as terminal:
        terminal.read_until(lambda got: b"task 0" in got and b"beta" in got)
        terminal.press("3")
        terminal.read_for(3.0)
        return responses(terminal)


def responses(terminal: Terminal) -> Response:
    """Measure the same in a dashboard whose cursor is on the first of two tasks, alpha and beta."""
    seconds = []
    made: list[tuple[float, int]] = []
    for number in range(PRESSES):
        key, name = ("k", b"alpha") if number % 2 else ("j", b"beta")
        selected = re.compile(rb"\x1b\[1;[0-9;]*m" + name)
        pressed = monotonic()
        terminal.press(key)
        got = terminal.read_until(selected.search)
        seconds.append(monotonic() - pressed)
        got += terminal.read_for(random.uniform(*PAUSE_SECONDS))
        made += [(monotonic(), int(count)) for count in _MADE.findall(got)[-1:]]
    if len(made) < 2:
        return Response(seconds, 0.0)
    (first, fewest), (last, most) = made[0], made[-1]
    return Response(seconds, (most - fewest) / (last - first))


def paints() -> Iterator[Figure]:
    """Measure the first paint, by turns with that of the bare app."""
    ours, bare = [], []
    for _ in range(FIRST_PAINTS):
        ours.append(first_paint() * 1000)
        bare.append(first_paint_of_bare_app() * 1000)
    yield Figure(f"first paint with 10,000 handles, median of {FIRST_PAINTS}", median(ours), "ms", 350)
    yield Figure("  a bare Textual app with 10,000 lines", median(bare), "ms")
    yield Figure("  ratio", median(ours) / median(bare), "×", 1.3)
    yield Figure("  that go on where they were kept", first_paint_of_what_was_kept() * 1000, "ms")


def rests() -> Iterator[Figure]:
    """Measure what the dashboard costs while nothing happens."""
    for target, handles in (("hundred", "100"), ("ten_thousand", "10,000")):
        with dashboard(target) as terminal:
            share = share_at_rest(terminal) * 100
            yield Figure(f"at rest, {handles} handles, countdowns ticking", share, "%", 1)
            yield Figure(f"  memory, {handles} handles", terminal.resident_mib, "MiB", 80)
    with bare_app() as terminal:
        yield Figure("  a bare Textual app", share_at_rest(terminal) * 100, "%")
        yield Figure("  its memory", terminal.resident_mib, "MiB")
    if htop := shutil.which("htop"):
        with Terminal([htop, "--delay=10"]) as terminal:
            yield Figure("  htop beside it, once a second", share_at_rest(terminal) * 100, "%")


def loads() -> Iterator[Figure]:
    """Measure the cursor keys under loads."""
    for target, load, goal in (
        ("hundred", "at rest", KEY_GOAL_MS),
        ("runs", "runs/s", KEY_GOAL_MS),
        ("lines", "lines/s printed", KEY_GOAL_MS),
        ("computing", "beside two computing processes", 30.0),
    ):
        answered = response(target)
        under = f"at {answered.rate:,.0f} {load}" if answered.rate else load
        yield from _percentiles(f"key → screen {under}", answered.seconds, goal)


def many() -> Iterator[Figure]:
    """Measure what a person does with 10,000 tasks: at rest, and beside 1,000 runs a second."""
    with bare_app() as terminal:
        terminal.read_for(WAKE_SECONDS)
        for deed in DEEDS[:2]:
            yield from _percentiles(f"bare app: {deed.what}", seconds_of(deed, terminal), goal=None)
    for target, load in (("ten_thousand", "at rest"), ("ten_thousand_running", "1,000 runs/s")):
        with dashboard(target) as terminal:
            terminal.read_until(lambda got: b"Scheduled 9,99" in got)  # all of them are read
            terminal.read_for(WAKE_SECONDS)
            for deed in DEEDS:
                yield from _percentiles(f"10,000 {load}: {deed.what}", seconds_of(deed, terminal))
            seconds = list(seconds_of(ALL_DISABLED, terminal))
            yield Figure(f"10,000 {load}: {ALL_DISABLED.what}", median(seconds) * 1000, "ms")
            terminal.press("*")
            terminal.read_for(1.0)
            yield from _percentiles("  the cursor meanwhile", cursor_meanwhile(terminal, "d"))


def very_many() -> Iterator[Figure]:
    """Measure the longest pause with 100,000 tasks."""
    with dashboard("hundred_thousand") as terminal:
        terminal.read_until(lambda got: b"task 0" in got)
        yield Figure("100,000 handles: first paint", (monotonic() - terminal.began) * 1000, "ms")
        terminal.read_until(lambda got: b"Scheduled 99,998" in got)
        yield Figure("  all of them read", (monotonic() - terminal.began) * 1000, "ms")
        terminal.read_for(WAKE_SECONDS)
        for deed in DEEDS[:3]:
            yield Figure(f"  {deed.what}, longest", max(seconds_of(deed, terminal)) * 1000, "ms", 100)
        yield Figure("  memory", terminal.resident_mib, "MiB")


def _percentiles(what: str, seconds: Iterable[float], goal: float | None = KEY_GOAL_MS) -> Iterator[Figure]:
    cuts = quantiles(seconds, n=100, method="inclusive")
    yield Figure(f"{what}, p50", cuts[49] * 1000, "ms")
    yield Figure(f"{what}, p99", cuts[98] * 1000, "ms", goal)


PARTS: dict[str, Callable[[], Iterator[Figure]]] = {
    "paint": paints,
    "rest": rests,
    "load": loads,
    "many": many,
    "very-many": very_many,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.dashboard", description=__doc__)
    parser.add_argument("--only", action="append", choices=list(PARTS), help="may be given several times")
    options = parser.parse_args()
    began = monotonic()
    _say(f"{'':<64}{'figure':>12}{'goal':>12}")
    for name, part in PARTS.items():
        if options.only and name not in options.only:
            continue
        for figure in part():
            goal = "" if figure.goal is None else f"< {figure.goal:g} {figure.unit}"
            missed = figure.goal is not None and figure.value >= figure.goal
            value = f"{figure.value:.1f} {figure.unit}"
            _say(f"{figure.what:<64}{value:>12}{goal:>12}{'   missed' if missed else ''}")
    _say(f"\n{monotonic() - began:.0f} s, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    main()
