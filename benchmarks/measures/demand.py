"""Demanding a run: from the call to the first instruction of the task, on a warm scheduler."""

from __future__ import annotations

from threading import Lock
from time import perf_counter, sleep

from benchmarks.measures.measure import Case, Figures, Measure, percentile
from benchmarks.peers import THREADED
from benchmarks.peers.peer import Peer

PAUSE_SECONDS = 0.002
"""The time between two demands, so that all threads are idle again."""

WARM_UP = 20


def run(peer: Peer, case: Case) -> Figures:
    began = Lock()
    began.acquire()
    first_instruction = 0.0

    def body() -> None:
        nonlocal first_instruction
        first_instruction = perf_counter()
        began.release()

    peer.keep("task", body)
    peer.start()
    sleep(0.05)
    latencies = []
    for _ in range(WARM_UP + case.size):
        sleep(PAUSE_SECONDS)
        asked = perf_counter()
        peer.demand("task")
        if not began.acquire(timeout=10):
            raise TimeoutError("a demand was lost")
        latencies.append((first_instruction - asked) * 1e6)
    latencies = latencies[WARM_UP:]
    return {"p50": percentile(latencies, 50), "p99": percentile(latencies, 99)}


_PEERS = (*THREADED, "asyncio", "idle thread", "new thread")

MEASURE = Measure(
    name="demand",
    title="From a demand to the first instruction of the task",
    units={"p50": "µs", "p99": "µs"},
    run=run,
    cases=(Case(500, _PEERS, rounds=5),),
    quick=(Case(300, _PEERS, rounds=1),),
    goal="p50 at most 25 µs, p99 at most 100 µs",
    size_word="demands",
)
