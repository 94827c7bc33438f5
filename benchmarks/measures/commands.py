"""Commands: what it costs to add, change, disable and remove one task among many that wait.

The scheduler is running. `fill` is the mean over all that were added before, the garbage collector's share
included; the others are medians of small batches on tasks taken at random.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from statistics import median
from time import perf_counter, time

from benchmarks.measures.measure import Case, Figures, Measure
from benchmarks.peers import SCHEDULERS, TASKKIT
from benchmarks.peers.peer import Peer

BATCH = 200
BATCHES = 7
MAX_SECONDS = 0.5
"""The time limit for commands of one kind; some peers need milliseconds for one."""


def run(peer: Peer, case: Case) -> Figures:
    figures: Figures = {}
    random = Random(1)
    far = time() + 7200

    def body() -> None:
        pass

    def add(name: str) -> None:
        peer.every(name, far + random.random() * 3600, 3600.0, body)

    def measure() -> None:
        began = perf_counter()
        for index in range(case.size):
            add(f"task {index}")
        figures["fill"] = (perf_counter() - began) / case.size * 1e6
        some = random.sample(range(case.size), min(case.size, BATCH * BATCHES))
        names = [f"task {index}" for index in some]
        more = [f"more {index}" for index in range(BATCH * BATCHES)]
        figures["add"] = _cost(add, more)
        figures["change"] = _cost(lambda name: peer.change(name, 1800.0), names)
        figures["disable"] = _cost(peer.disable, names)
        figures["remove"] = _cost(peer.remove, more)

    peer.start()
    peer.call(measure)
    return figures


def _cost(command: Callable[[str], None], names: list[str]) -> float:
    """Return the median cost of `command` in µs."""
    began = perf_counter()
    costs = []
    size = min(BATCH, max(1, len(names) // BATCHES))
    while names and perf_counter() - began < MAX_SECONDS:
        batch, names = names[:size], names[size:]
        at = perf_counter()
        done = 0
        for name in batch:
            command(name)
            done += 1
            if perf_counter() - at > MAX_SECONDS:
                break
        costs.append((perf_counter() - at) / done)
    return median(costs) * 1e6


MEASURE = Measure(
    name="commands",
    title="One command among N tasks that wait",
    units={"add": "µs", "change": "µs", "disable": "µs", "remove": "µs", "fill": "µs"},
    run=run,
    cases=(
        Case(1_000, SCHEDULERS),
        Case(10_000, SCHEDULERS),
        Case(100_000, (*TASKKIT, "APScheduler", "Webware", "asyncio")),
        Case(1_000_000, TASKKIT, rounds=1),
    ),
    quick=(Case(1_000, SCHEDULERS, rounds=1), Case(100_000, (*TASKKIT, "Webware", "asyncio"), rounds=1)),
    goal="at most 8 µs each, and flat from 1,000 to 1,000,000",
)
