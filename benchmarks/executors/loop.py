"""The event loop: 10,000 async runs beside 10,000 tasks of `create_task`."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from itertools import count
from statistics import median
from time import process_time

from taskkit import Body, BodyResult, Policies, Run, Scheduler, Trigger
from taskkit.clock import SystemClock
from taskkit.executors import LoopExecutor

RUNS = 10_000
ROUNDS = 5


def figures() -> Iterator[tuple[str, str, str, str]]:
    """Yield rows: what, taskkit's figure, the bare one, the goal."""
    bare, body, whole = [], [], []
    for _ in range(ROUNDS):
        bare.append(asyncio.run(_bare()))
        body.append(asyncio.run(_bodies()))
        whole.append(asyncio.run(_whole()))
    base = median(bare)
    for what, values, goal in (
        ("a body's start and end", body, "≤ 2 × bare"),
        ("a demand, its run and its events", whole, "none"),
    ):
        mid = median(values)
        yield what, f"{mid:.1f} µs, {mid / base:.1f} ×", f"{base:.1f} µs", goal
    yield f"further threads for {RUNS:,} runs at once", str(max(0, asyncio.run(_threads()))), "0", "0"


async def _work() -> None:
    await asyncio.sleep(0)


async def _measured(begin: Callable[[], Awaitable[object]]) -> float:
    """Return microseconds of CPU time for each run."""
    began = process_time()
    await begin()
    return (process_time() - began) / RUNS * 1e6


async def _bare() -> float:
    loop = asyncio.get_running_loop()

    async def begin() -> None:
        await asyncio.gather(*[loop.create_task(_work(), name=f"task {n}") for n in range(RUNS)])

    return await _measured(begin)


class _Listener:
    """Stands for the scheduler: it only counts."""

    captures = True

    def __init__(self) -> None:
        self.ended = 0

    def begin_body(self, run: Run) -> bool:
        run.started = 0.0
        return True

    def end_body(self, run: Run, result: BodyResult) -> None:  # noqa: ARG002 - as a scheduler has it
        self.ended += 1


async def _bodies() -> float:
    executor, listener, clock, number = LoopExecutor(), _Listener(), SystemClock(), count(1).__next__
    bodies = []
    for n in range(RUNS):
        run = Run(
            f"task {n}", _work, Policies(), None, number(), Trigger.DEMAND, 0.0, 0.0, 1, {}, {}, clock, None
        )
        bodies.append(Body(run, executor, listener))

    async def begin() -> None:
        for body in bodies:
            executor.start(body)
        while listener.ended < RUNS:
            await asyncio.sleep(0)

    return await _measured(begin)


async def _whole() -> float:
    async with Scheduler() as scheduler:
        scheduler.subscribe(lambda _: None)
        handles = [scheduler.add_on_demand_task(_work, f"task {n}") for n in range(RUNS)]

        async def begin() -> None:
            for handle in handles:
                handle.demand()
            while len(scheduler.running):
                await asyncio.sleep(0.001)

        return await _measured(begin)


async def _threads() -> int:
    let_go, inside = asyncio.Event(), 0

    async def wait() -> None:
        nonlocal inside
        inside += 1
        await let_go.wait()

    async with Scheduler() as scheduler:
        before = threading.active_count()
        for n in range(RUNS):
            scheduler.add_on_demand_task(wait, f"task {n}").demand()
        while inside < RUNS:
            await asyncio.sleep(0.001)
        found = threading.active_count() - before
        let_go.set()
    return found
