"""Rest: the processor time used while many tasks wait and one runs ten times a second."""

from __future__ import annotations

import gc
from pathlib import Path
from resource import getpagesize
from time import process_time, sleep, time

from benchmarks.measures.measure import Case, Figures, Measure
from benchmarks.peers import SCHEDULERS, TASKKIT
from benchmarks.peers.peer import Peer

SETTLE_SECONDS = 0.5


def run(peer: Peer, case: Case) -> Figures:
    def body() -> None:
        pass

    far = time() + 3600
    peer.every("tick", time(), 0.1, body)
    before = _resident()
    for index in range(case.size):
        peer.every(f"task {index}", far + index * 0.01, 3600.0, body)
    gc.collect()
    resident = _resident() - before
    peer.start()
    sleep(SETTLE_SECONDS)
    used, at = process_time(), time()
    sleep(case.seconds)
    used, at = process_time() - used, time() - at
    return {"cpu": used / at * 1e3, "resident": resident / case.size}


def _resident() -> int:
    """Return the resident bytes of this process; 0 where the system does not say."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[1]) * getpagesize() if statm.exists() else 0


MEASURE = Measure(
    name="rest",
    title="Processor time at rest with N tasks waiting and one ticking, and the process's growth by each",
    units={"cpu": "ms/s", "resident": "bytes"},
    run=run,
    cases=(
        Case(10_000, TASKKIT, rounds=1, seconds=2.5),
        Case(100_000, (*SCHEDULERS, "Condition.wait"), rounds=1, seconds=2.5),
    ),
    quick=(Case(100_000, (*TASKKIT, "Webware", "asyncio", "Condition.wait"), rounds=1, seconds=2.0),),
    goal="at most 2.5 ms/s, at any N",
)
