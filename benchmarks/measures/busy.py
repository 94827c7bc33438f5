"""A burst of tasks that compute: does a thread for each task slow a scheduler down?"""

from __future__ import annotations

from itertools import count
from threading import Lock, active_count
from time import time

from benchmarks.measures.measure import Case, Figures, Measure
from benchmarks.peers import THREADED
from benchmarks.peers.peer import Peer

STEPS = 4_000
"""The steps of the computation in each task: some tens of microseconds."""

LOOK_EVERY = 100
"""The number of runs between two counts of the threads."""

HEAD_START_SECONDS = 0.4


def run(peer: Peer, case: Case) -> Figures:
    number = count(1).__next__
    all_done = Lock()
    all_done.acquire()
    most_threads = 0

    def body() -> None:
        nonlocal most_threads
        sum(range(STEPS))
        done = number()
        if done % LOOK_EVERY == 0:
            most_threads = max(most_threads, active_count())
        if done == case.size:
            all_done.release()

    due = time() + HEAD_START_SECONDS
    for index in range(case.size):
        peer.once(f"task {index}", due, body)
    peer.start()
    began = max(due, time())
    if not all_done.acquire(timeout=60):
        raise TimeoutError("some never ran")
    return {"runs": case.size / (time() - began), "threads": most_threads}


_PEERS = (*THREADED, "Condition.wait")

MEASURE = Measure(
    name="busy",
    title="One-shots due at one instant that each compute for some tens of microseconds",
    units={"runs": "runs/s", "threads": ""},
    run=run,
    cases=(Case(5_000, _PEERS, rounds=3),),
    quick=(Case(5_000, _PEERS, rounds=1),),
    goal="near the inline loop, with few threads",
    more_is_better=True,
)
