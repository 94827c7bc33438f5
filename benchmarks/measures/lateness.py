"""Lateness: the time from the due time of a periodic task to its begin."""

from __future__ import annotations

from functools import partial
from time import sleep, time

from benchmarks.measures.measure import Case, Figures, Measure, percentile
from benchmarks.peers import SCHEDULERS
from benchmarks.peers.peer import Peer

GOLDEN = 0.618033988749895
"""Spreads any number of starts over a period without two of them at one instant."""

HEAD_START_SECONDS = 0.3

_PERIODS = {1: 0.02}
"""The period in seconds by the number of tasks; 1 for any other number."""


def run(peer: Peer, case: Case) -> Figures:
    period = _PERIODS.get(case.size, 1.0)
    began: list[list[float]] = [[] for _ in range(case.size)]

    def body(starts: list[float]) -> None:
        starts.append(time())

    at = time() + HEAD_START_SECONDS
    offsets = [period * (index * GOLDEN % 1.0) for index in range(case.size)]
    for index, offset in enumerate(offsets):
        peer.every(f"task {index}", at + offset, period, partial(body, began[index]))
    peer.start()
    sleep(at + case.seconds - time())
    peer.stop()
    latenesses: list[float] = []
    for offset, starts in zip(offsets, began, strict=True):
        if peer.keeps_grid:
            latenesses += [(start - at - offset) % period for start in starts]
        else:
            dues = [at + offset, *(start + period for start in starts)]
            latenesses += [start - due for due, start in zip(dues, starts, strict=False)]
    milliseconds = [each * 1e3 for each in latenesses]
    return {"p50": percentile(milliseconds, 50), "p99": percentile(milliseconds, 99)}


_PEERS = (*SCHEDULERS, "Condition.wait")

MEASURE = Measure(
    name="lateness",
    title="From the due time of a periodic task to its first instruction",
    units={"p50": "ms", "p99": "ms"},
    run=run,
    cases=(
        Case(1, _PEERS, rounds=2, seconds=1.5),
        Case(100, _PEERS, rounds=3, seconds=1.5),
        Case(1_000, _PEERS, rounds=2, seconds=1.5),
    ),
    quick=(Case(100, _PEERS, rounds=1, seconds=1.5),),
    goal="p50 at N = 100 at most 1.0 × the bare Condition.wait",
)
