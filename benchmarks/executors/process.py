"""Worker processes, beside `ProcessPoolExecutor`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from time import monotonic

from benchmarks.executors import jobs
from benchmarks.executors.observed import Observed, milliseconds, observed
from taskkit.executors import ProcessExecutor

RUNS = 300
ROUNDS = 10
KILL_AFTER = 0.3
COMPUTING = 4
QUIET_ROUNDS = 3
TICK_SECONDS = 0.1


def figures() -> Iterator[tuple[str, str, str, str]]:
    """Yield rows: what, taskkit's figure, that of `ProcessPoolExecutor`, the goal."""
    with (
        observed(workers=ProcessExecutor(COMPUTING + 1, kill_after=KILL_AFTER)) as here,
        ProcessPoolExecutor(2, get_context("forkserver")) as pool,
    ):
        nothing = here.add(jobs.nothing, "workers")
        for _ in range(20):
            here.run(nothing)
            pool.submit(jobs.nothing).result()
        ours = [here.run(nothing)[0] for _ in range(RUNS)]
        yield "warm: from the demand to the end", milliseconds(ours), milliseconds(_calls(pool)), "< 1 ms"
        yield (
            "a further worker, to the start of its first run",
            milliseconds([_further() for _ in range(ROUNDS)]),
            f"{milliseconds([_new_pool() for _ in range(ROUNDS)])}: a new pool",
            "< 20 ms",
        )
        yield (
            "from a stop until `proceed()` is false",
            milliseconds([_stop(here) for _ in range(ROUNDS)]),
            "–",
            "< 5 ms",
        )
        killed = [_kill(here) - KILL_AFTER for _ in range(ROUNDS)]
        yield (
            "from a stop to the end of an endless loop, beyond `kill_after`",
            milliseconds(killed),
            "–",
            "< 50 ms",
        )
    yield from _computing()


def _calls(pool: ProcessPoolExecutor) -> list[float]:
    seconds = []
    for _ in range(RUNS):
        began = monotonic()
        pool.submit(jobs.nothing).result()
        seconds.append(monotonic() - began)
    return seconds


def _further() -> float:
    """Return the seconds to the start of a run that needs a second worker."""
    with observed(workers=ProcessExecutor(2)) as here:
        busy, other = here.add(jobs.seen_at, "workers"), here.add(jobs.nothing, "workers")
        busy.demand()
        here.wait(here.lags)
        seconds = here.start(other)
        busy.stop()
        here.wait(here.ended)
    return seconds


def _new_pool() -> float:
    with ProcessPoolExecutor(1, get_context("forkserver")) as pool:
        began = monotonic()
        pool.submit(jobs.nothing).result()
        return monotonic() - began


def _stop(here: Observed) -> float:
    handle = here.add(jobs.seen_at, "workers")
    here.lags.clear()
    here.ended.clear()
    handle.demand()
    here.wait(here.lags)
    asked = monotonic()
    handle.stop()
    outcome = here.wait(here.ended)[1]
    assert isinstance(outcome.result, float)
    return outcome.result - asked


def _kill(here: Observed) -> float:
    handle = here.add(jobs.never_ends, "workers")
    here.lags.clear()
    here.ended.clear()
    handle.demand()
    here.wait(here.lags)
    asked = monotonic()
    handle.stop()
    return here.wait(here.ended)[0] - asked


def _computing() -> Iterator[tuple[str, str, str, str]]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    rounds = [(_compute("thread"), _compute("workers"), _compute_bare(cores)) for _ in range(QUIET_ROUNDS)]
    # The quietest round of each, as others use the cores, too.
    threads, processes = (min(each[n][0] for each in rounds) for n in (0, 1))
    late_threads, late_processes = (min(each[n][1] for each in rounds) for n in (0, 1))
    bare = min(each[2] for each in rounds)
    yield (
        f"{COMPUTING} computing tasks on {cores} cores, against threads ({threads:.1f} s)",
        f"{threads / processes:.2f} × as fast",
        f"{threads / bare:.2f} × as fast",
        "≥ 1.9 ×",
    )
    yield (
        "lateness of a tick every 100 ms beside them, p99",
        f"{late_processes * 1e3:.1f} ms",
        f"{late_threads * 1e3:.1f} ms: on threads",
        "< 2 ms",
    )


def _compute_bare(cores: int) -> float:
    with ProcessPoolExecutor(cores, get_context("forkserver")) as pool:
        pool.submit(jobs.nothing).result()
        began = monotonic()
        for future in [pool.submit(jobs.computes) for _ in range(COMPUTING)]:
            future.result()
        return monotonic() - began


def _compute(executor: str) -> tuple[float, float]:
    """Return the seconds for all computing tasks, and how late a tick beside them was."""
    late: list[float] = []
    with observed(workers=ProcessExecutor()) as here:
        handles = [here.add(jobs.computes, executor) for _ in range(COMPUTING)]
        warm = [here.add(jobs.nothing, executor) for _ in range(COMPUTING)]
        for each in warm:
            here.run(each)
        here.ended.clear()
        here.scheduler.add_periodic_task(None, TICK_SECONDS, jobs.nothing, "tick")
        began = monotonic()
        for each in handles:
            each.demand()
        left = COMPUTING
        while left:
            at, outcome = here.wait(here.ended)
            if outcome.task == "tick":
                late.append(outcome.lateness)
            else:
                left -= 1
        seconds = at - began
    return seconds, sorted(late)[int(len(late) * 0.99)]
