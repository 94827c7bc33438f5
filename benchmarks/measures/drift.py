"""Drift: how far a task is off its grid after a while of ten runs a second, and how many runs were lost."""

from __future__ import annotations

import os
from statistics import median
from time import sleep, time

from benchmarks.measures.measure import Case, Figures, Measure
from benchmarks.peers import SCHEDULERS
from benchmarks.peers.peer import Peer

PERIOD_SECONDS = 0.1
HEAD_START_SECONDS = 0.3
GOLDEN = 0.618033988749895
AT_THE_ENDS = 25
"""The number of runs at the beginning and at the end that are compared."""


def run(peer: Peer, case: Case) -> Figures:
    starts: list[float] = []
    # All peers run at the same time: their ticks must not fall together.
    at = time() + HEAD_START_SECONDS + os.getpid() * GOLDEN % 1.0 * PERIOD_SECONDS
    peer.every("tick", at, PERIOD_SECONDS, lambda: starts.append(time()))
    peer.start()
    expected = round(case.seconds / PERIOD_SECONDS)
    sleep(at + (expected - 0.5) * PERIOD_SECONDS - time())
    count = len(starts)
    peer.stop()
    off = [start - at - index * PERIOD_SECONDS for index, start in enumerate(starts)]
    drift = median(off[-AT_THE_ENDS:]) - median(off[:AT_THE_ENDS])
    return {"drift": abs(drift) * 1e3, "lost": expected - count}


MEASURE = Measure(
    name="drift",
    title="Drift from the first second to the last, and runs lost, at ten runs a second",
    units={"drift": "ms", "lost": "runs"},
    run=run,
    cases=(Case(1, (*SCHEDULERS, "Condition.wait"), rounds=1, seconds=20.0),),
    quick=(Case(1, (*SCHEDULERS, "Condition.wait"), rounds=1, seconds=6.0),),
    goal="at most 0.2 ms, none lost",
    together=True,
)
