"""The schedulers that `benchmarks.dashboard` shows; the cursor goes between `alpha` and `beta` of each."""

from __future__ import annotations

from time import monotonic, sleep, time

from taskkit import Scheduler, current_run

RUNS_PER_SECOND = 1_000
LINES_PER_SECOND = 100_000
_STEP = 0.01
"""Seconds between two bursts of lines."""


def ten_thousand() -> Scheduler:
    """10,000 handles, none of which is due for a while."""
    return _resting(10_000)


def hundred() -> Scheduler:
    """100 handles whose countdowns tick."""
    return _resting(100)


def runs() -> Scheduler:
    """1,000 handles, each of which runs once a second; another tells how many runs there were."""
    made = 0

    def count() -> None:
        nonlocal made
        made += 1

    scheduler = _with_two()
    start = time() + 1.0
    for number in range(RUNS_PER_SECOND):
        scheduler.add_periodic_task(start + number / RUNS_PER_SECOND, 1.0, count, f"task {number}")
    scheduler.add_periodic_task(start, 0.5, lambda: print(f"made {made} so far"), "counter")
    return scheduler


def lines() -> Scheduler:
    """One task that prints 100,000 lines a second, as evenly as it can, and numbers them."""

    def flood() -> None:
        began, made = monotonic(), 0
        while current_run().proceed():
            for _ in range(int((monotonic() - began) * LINES_PER_SECOND) - made):
                made += 1
                print(f"made {made} so far")
            sleep(_STEP)

    scheduler = _with_two()
    scheduler.add_periodic_task(time() + 0.5, 3_600.0, flood, "task 0")
    return scheduler


def _resting(handles: int) -> Scheduler:
    scheduler = _with_two()
    start = time() + 600.0
    for number in range(handles - 2):
        scheduler.add_periodic_task(start + number, 3_600.0, _nothing, f"task {number}")
    return scheduler


def _with_two() -> Scheduler:
    scheduler = Scheduler()
    for name in ("alpha", "beta"):
        scheduler.add_on_demand_task(_nothing, name)
    return scheduler


def _nothing() -> None:
    pass
