"""Sleepers: one task ticks while others start at one instant and block. How late do the ticks become?

`Condition.wait` runs the ticks without any sleepers, which shows the lateness that the machine itself causes.
"""

from __future__ import annotations

from time import sleep, time

from benchmarks.measures.measure import Case, Figures, Measure, percentile
from benchmarks.peers import THREADED
from benchmarks.peers.peer import Peer

TICK_SECONDS = 0.02
SLEEP_SECONDS = 0.4
HEAD_START_SECONDS = 0.2


def run(peer: Peer, case: Case) -> Figures:
    ticks: list[float] = []
    at = time() + HEAD_START_SECONDS
    peer.every("tick", at, TICK_SECONDS, lambda: ticks.append(time()))
    if not peer.inline:
        for index in range(case.size):
            peer.every(f"sleeper {index}", at + 0.25, 1.0, lambda: sleep(SLEEP_SECONDS))
    peer.start()
    sleep(at + case.seconds - time())
    peer.stop()
    latenesses = [(tick - at) % TICK_SECONDS * 1e3 for tick in ticks]
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
