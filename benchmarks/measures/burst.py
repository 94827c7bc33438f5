"""A burst: many one-shots due at one instant. How many are done in a second?"""

from __future__ import annotations

from itertools import count
from threading import Lock
from time import time

from benchmarks.measures.measure import Case, Figures, Measure
from benchmarks.peers import SCHEDULERS
from benchmarks.peers.peer import Peer

HEAD_START_SECONDS = 0.7
"""The time for adding all tasks. A peer that needs longer is measured from its start."""


def run(peer: Peer, case: Case) -> Figures:
    number = count(1).__next__
    all_done = Lock()
    all_done.acquire()

    def body() -> None:
        if number() == case.size:
            all_done.release()

    due = time() + HEAD_START_SECONDS
    for index in range(case.size):
        peer.once(f"task {index}", due, body)
    peer.start()
    began = max(due, time())
    if not all_done.acquire(timeout=60):
        raise TimeoutError("some never ran")
    return {"runs": case.size / (time() - began)}


_PEERS = (*SCHEDULERS, "Condition.wait")

MEASURE = Measure(
    name="burst",
    title="One-shots due at one instant, from that instant to the end of the last",
    units={"runs": "runs/s"},
    run=run,
    cases=(Case(10_000, _PEERS, rounds=3),),
    quick=(Case(10_000, _PEERS, rounds=1),),
    goal="at least 80,000 runs/s, and 5 × APScheduler and Webware",
    more_is_better=True,
)
