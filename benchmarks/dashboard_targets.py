"""The schedulers for `benchmarks.dashboard`; in each, the cursor goes between `alpha` and `beta`."""

from __future__ import annotations

from time import monotonic, sleep, time

from taskkit import Scheduler, current_run

RUNS_PER_SECOND = 1_000
LINES_PER_SECOND = 100_000
_STEP_SECONDS = 0.01
"""The time between two bursts of lines."""


def ten_thousand() -> Scheduler:
    """Return 10,000 tasks, none of which is due for a while."""
    return _resting(10_000)


def hundred_thousand() -> Scheduler:
    """Return 100,000 tasks, none of which is due for a while."""
    return _resting(100_000)


def ten_thousand_running() -> Scheduler:
    """Return 10,000 tasks, of which 1,000 run each second."""
    scheduler = _with_two()
    start = time() + 1.0
    for number in range(9_998):
        scheduler.add_periodic_task(start + number / RUNS_PER_SECOND, 10.0, _nothing, f"task {number}")
    return scheduler


def hundred() -> Scheduler:
    """Return 100 tasks whose countdowns tick."""
    return _resting(100)


def runs() -> Scheduler:
    """Return 1,000 tasks that each run once a second; another prints how many runs there were."""
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
    """Return one task that prints 100,000 numbered lines a second, as evenly as it can."""

    def flood() -> None:
        began, made = monotonic(), 0
        while current_run().proceed():
            for _ in range(int((monotonic() - began) * LINES_PER_SECOND) - made):
                made += 1
                print(f"made {made} so far")
            sleep(_STEP_SECONDS)

    scheduler = _with_two()
    scheduler.add_periodic_task(time() + 0.5, 3_600.0, flood, "task 0")
    return scheduler


def computing() -> Scheduler:
    """Return two tasks that compute all the time, each in a process of its own."""
    scheduler = _with_two()
    for number in range(2):
        name = f"task {number}"
        scheduler.add_periodic_task(time() + 0.5, 3_600.0, _compute, name, executor="process")
    return scheduler


def _compute() -> None:
    run = current_run()
    while run.proceed():
        pass


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
