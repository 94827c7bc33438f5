"""Printing: the cost of a line in a task, and outside any task while a scheduler runs."""

from __future__ import annotations

import os
import sys
from statistics import median
from threading import Lock
from time import perf_counter

from benchmarks.measures.measure import Case, Figures, Measure
from benchmarks.peers import TASKKIT
from benchmarks.peers.peer import Peer

BATCHES = 10


def run(peer: Peer, case: Case) -> Figures:
    figures: Figures = {}
    done = Lock()
    done.acquire()

    def body() -> None:
        figures["in a task"] = _cost(case.size)
        figures["outside"] = 0.0
        done.release()

    kept = sys.stdout
    with open(os.devnull, "w") as sink:  # noqa: PTH123 - a device, not a path to work with
        sys.stdout = sink
        try:
            peer.keep("task", body)
            peer.start()
            peer.demand("task")
            done.acquire()
            figures["outside"] = _cost(case.size)
            peer.stop()
        finally:
            sys.stdout = kept
    return figures


def _cost(lines: int) -> float:
    """Return the median cost of one `print` in µs."""
    batch = lines // BATCHES
    costs = []
    for _ in range(BATCHES):
        began = perf_counter()
        for index in range(batch):
            print("line", index, "of what a task has to say")
        costs.append((perf_counter() - began) / batch)
    return median(costs) * 1e6


MEASURE = Measure(
    name="printing",
    title="One printed line, in a task and outside any",
    units={"in a task": "µs", "outside": "µs"},
    run=run,
    cases=(Case(20_000, (*TASKKIT, "new thread"), rounds=5),),
    quick=(Case(10_000, (*TASKKIT, "new thread"), rounds=1),),
    goal="in a task little more than a plain print",
    size_word="lines",
)
