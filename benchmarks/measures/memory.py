"""Memory: the cost of one more waiting periodic task, with its name and a callable object.

`tracemalloc` counts what Python allocates, not what the allocator rounds up. The measure `rest` shows the
growth of the whole process.
"""

from __future__ import annotations

import gc
import tracemalloc
from time import time

from benchmarks.measures.measure import Case, Figures, Measure
from benchmarks.peers import SCHEDULERS
from benchmarks.peers.peer import Peer


class Work:
    """The least that a user registers: an object of a class of their own."""

    def __call__(self) -> None:
        """Do nothing."""


def run(peer: Peer, case: Case) -> Figures:
    far = time() + 3600
    peer.every("the first, for what is imported or made once", far, 60.0, Work())
    gc.collect()
    tracemalloc.start()
    for index in range(case.size):
        peer.every(f"task {index}", far + index, 60.0, Work())
    gc.collect()
    return {"bytes": tracemalloc.get_traced_memory()[0] / case.size}


MEASURE = Measure(
    name="memory",
    title="Memory of one waiting periodic task, name and callable included",
    units={"bytes": "bytes"},
    run=run,
    cases=(Case(20_000, SCHEDULERS, rounds=1),),
    quick=(Case(5_000, SCHEDULERS, rounds=1),),
    goal="at most 600 bytes",
    together=True,
)
