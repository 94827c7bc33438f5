"""Measure the dashboard as its user sees it: in a pseudo-terminal, from outside, with the goals beside.

The dashboard runs as its command does, in a process and a terminal of its own; this process presses keys
and reads what comes back. First paint is counted from the start of the process, TARGET included, to the
first row on the screen; a key is answered when the row that it selects is painted as selected. Figures
differ from machine to machine and from hour to hour. It wants two cores: one for the dashboard, one for
whoever looks at it.
"""

from __future__ import annotations

import fcntl
import os
import pty
import random
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Self

COLUMNS, ROWS = 120, 40
PATIENCE = 20.0
"""Seconds after which something that should have come is given up."""

FIRST_PAINTS = 5
AT_REST = 10.0
"""Seconds over which the use of the processor is measured."""

PRESSES = 200
PAUSE = (0.02, 0.07)
"""Seconds between two keys, at random, so that they keep no step with the dashboard's timers."""

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
    """How keys were answered under a load."""

    seconds: list[float]
    rate: float
    """Of the load that there really was, per second."""


class Terminal:
    """A command in a session of its own, whose terminal this is the other end of."""

    def __init__(self, command: Sequence[str]) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self.began = monotonic()
        self.process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"},
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(slave)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.process.send_signal(signal.SIGTERM)
            self.read_until(lambda _: self.process.poll() is not None)
        except TimeoutError:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self._master)

    def press(self, keys: str) -> None:
        """Type keys."""
        os.write(self._master, keys.encode())

    def read_until(self, enough: Callable[[bytes], object], seconds: float = PATIENCE) -> bytes:
        """Read until the last mebibyte of what came is enough.

        Raises:
            TimeoutError: It never was; says what came last.
        """
        got = b""
        deadline = monotonic() + seconds
        while not enough(got):
            if monotonic() > deadline:
                raise TimeoutError(f"nothing of that kind came in {seconds} s, but {got[-500:]!r}")
            got = (got + self._read(0.01))[-(1 << 20) :]
        return got

    def read_for(self, seconds: float) -> bytes:
        """Read for so long, and return what came."""
        deadline = monotonic() + seconds
        got = []
        while (left := deadline - monotonic()) > 0:
            got.append(self._read(left))
        return b"".join(got)

    def _read(self, seconds: float) -> bytes:
        ready, _, _ = select.select([self._master], [], [], seconds)
        if not ready:
            return b""
        try:
            return os.read(self._master, 1 << 16)
        except OSError:
            return b""  # nobody is left at the other end

    @property
    def cpu_seconds(self) -> float:
        """What the process has used of processors."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def dashboard(target: str, state: Path | None = None) -> Terminal:
    """The dashboard of one of the schedulers in `benchmarks.dashboard_targets`, with a state or none."""
    start = "import sys; from taskkit_tui.cli import main; sys.exit(main())"
    kept = ["--no-state"] if state is None else ["--state", str(state)]
    return Terminal([sys.executable, "-c", start, f"benchmarks.dashboard_targets:{target}", *kept])


def first_paint(state: Path | None = None) -> float:
    """Seconds from the start of the process to the first row of 10,000."""
    with dashboard("ten_thousand", state) as terminal:
        terminal.read_until(lambda got: b"task 0" in got)
        took = monotonic() - terminal.began
        if state is not None:
            terminal.press("q")
            while terminal.process.poll() is None:  # so that it is kept
                terminal.read_for(0.05)
        return took


def first_paint_of_what_was_kept() -> float:
    """The same in a later life, which goes on where the one before it left off; the median."""
    with TemporaryDirectory() as folder:
        state = Path(folder) / "state.db"
        first_paint(state)
        return median(first_paint(state) for _ in range(FIRST_PAINTS))


def share_at_rest(terminal: Terminal) -> float:
    """The share of a core that a process uses with nobody at the keys, from 0 to 1."""
    terminal.read_for(3.0)
    before, began = terminal.cpu_seconds, monotonic()
    terminal.read_for(AT_REST)
    return (terminal.cpu_seconds - before) / (monotonic() - began)


def response(target: str) -> Response:
    """How the dashboard answers the keys that go from one task to the other and back."""
    with dashboard(target) as terminal:
        terminal.read_until(lambda got: b"task 0" in got and b"beta" in got)
        terminal.press("3")
        terminal.read_for(3.0)
        seconds = []
        made: list[tuple[float, int]] = []
        for number in range(PRESSES):
            key, name = ("k", b"alpha") if number % 2 else ("j", b"beta")
            selected = re.compile(rb"\x1b\[1;[0-9;]*m" + name)
            pressed = monotonic()
            terminal.press(key)
            got = terminal.read_until(selected.search)
            seconds.append(monotonic() - pressed)
            got += terminal.read_for(random.uniform(*PAUSE))
            made += [(monotonic(), int(count)) for count in _MADE.findall(got)[-1:]]
    if len(made) < 2:
        return Response(seconds, 0.0)
    (first, fewest), (last, most) = made[0], made[-1]
    return Response(seconds, (most - fewest) / (last - first))


def main() -> None:
    began = monotonic()
    figures = [
        Figure(
            f"first paint with 10,000 handles, median of {FIRST_PAINTS}",
            median(first_paint() for _ in range(FIRST_PAINTS)) * 1000,
            "ms",
            350,
        ),
        Figure("  that go on where they were kept", first_paint_of_what_was_kept() * 1000, "ms"),
    ]
    with dashboard("hundred") as terminal:
        figures.append(
            Figure("at rest, 100 handles, countdowns ticking", share_at_rest(terminal) * 100, "%", 2)
        )
    if htop := shutil.which("htop"):
        with Terminal([htop, "--delay=10"]) as terminal:
            figures.append(Figure("  htop beside it, once a second", share_at_rest(terminal) * 100, "%"))
    for target, load in (("hundred", "at rest"), ("runs", "runs/s"), ("lines", "lines/s printed")):
        answered = response(target)
        under = f"at {answered.rate:,.0f} {load}" if answered.rate else load
        cuts = quantiles(answered.seconds, n=100)
        figures += [
            Figure(f"key → screen {under}, p50", cuts[49] * 1000, "ms"),
            Figure(f"key → screen {under}, p99", cuts[98] * 1000, "ms", 50),
        ]
    _say(f"{'':<52}{'figure':>10}{'goal':>10}")
    for figure in figures:
        goal = "" if figure.goal is None else f"< {figure.goal:g} {figure.unit}"
        missed = figure.goal is not None and figure.value >= figure.goal
        value = f"{figure.value:.1f} {figure.unit}"
        _say(f"{figure.what:<52}{value:>10}{goal:>10}{'   missed' if missed else ''}")
    _say(f"\n{monotonic() - began:.0f} s, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    main()
