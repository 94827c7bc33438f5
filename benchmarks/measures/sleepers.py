"""Sleepers: a task ticks while others start at one instant and block; how late do its ticks get?

The floor runs its ticks without any sleepers: that is what the machine itself does to a tick.
"""

from __future__ import annotations

from time import sleep, time

from benchmarks.measures.measure import Case, Figures, Measure, percentile
from benchmarks.peers import THREADED
from benchmarks.peers.peer import Peer

TICK = 0.02
SLEEP = 0.4
HEAD_START = 0.2


def run(peer: Peer, case: Case) -> Figures:
    ticks: list[float] = []
    at = time() + HEAD_START
    peer.every("tick", at, TICK, lambda: ticks.append(time()))
    if not peer.inline:
        for index in range(case.size):
            peer.every(f"sleeper {index}", at + 0.25, 1.0, lambda: sleep(SLEEP))
    peer.start()
    sleep(at + case.seconds - time())
    peer.stop()
    latenesses = [(tick - at) % TICK * 1e3 for tick in ticks]
    return {"p50": percentile(latenesses, 50), "max": max(latenesses)}


_PEERS = (*THREADED, "Condition.wait")

MEASURE = Measure(
    name="sleepers",
    title="How late a tick is while N tasks block",
    units={"p50": "ms", "max": "ms"},
    run=run,
    cases=(Case(50, _PEERS, rounds=3, seconds=2.0),),
    quick=(Case(50, _PEERS, rounds=1, seconds=2.0),),
    goal="at most 1 ms",
)
