"""Each run has a context of its own, whatever thread or test it comes on (O1)."""

from __future__ import annotations

import decimal
import threading
from collections.abc import Callable
from contextvars import ContextVar

import pytest
from patience import eventually

from taskkit import Scheduler, current_run

tenant = ContextVar("tenant", default="nobody")


def results(scheduler: Scheduler, *tasks: Callable[[], object]) -> list[object]:
    """Of each of them, run one after the other."""
    found: list[object] = []
    for number, task in enumerate(tasks):
        handle = scheduler.add_on_demand_task(task, f"task {number}")
        handle.run_now()
        eventually(lambda each=handle: each.last_outcome)
        assert handle.last_outcome is not None
        assert handle.last_outcome.exception is None
        found.append(handle.last_outcome.result)
    return found


def computes_with_three_digits() -> tuple[str, str, int]:
    decimal.getcontext().prec = 3
    tenant.set("A")
    return (str(decimal.Decimal(1) / 3), tenant.get(), threading.get_ident())


def computes() -> tuple[str, str, int]:
    return (str(decimal.Decimal(1) / 3), tenant.get(), threading.get_ident())


def test_a_run_finds_nothing_that_another_on_its_thread_has_set() -> None:
    with Scheduler(max_threads=1) as scheduler:
        first, second = results(scheduler, computes_with_three_digits, computes)
    assert isinstance(first, str)
    assert isinstance(second, str)
    assert first.startswith("('0.333', 'A', ")
    assert second.startswith("('0.3333333333333333333333333333', 'nobody', ")
    assert first.rpartition(",")[2] == second.rpartition(",")[2]  # it was the same thread


def test_nor_does_who_runs_it_inline(scheduler: Scheduler) -> None:
    tenant.set("the test")
    try:
        results(scheduler, computes_with_three_digits)
        assert tenant.get() == "the test"
        assert decimal.getcontext().prec > 3
        assert "'nobody'" in str(results(scheduler, computes))
    finally:
        tenant.set("nobody")


def test_nor_does_an_async_task(scheduler: Scheduler) -> None:
    async def sets() -> str:
        tenant.set("A")
        return f"{tenant.get()} {current_run().name}"

    assert results(scheduler, sets, tenant.get) == ["A task 0", "nobody"]


@pytest.mark.parametrize("threads", [False, True])
def test_what_is_called_when_it_is_stopped_finds_the_variables_of_its_run(threads: bool) -> None:
    found: list[str] = []

    def task() -> None:
        tenant.set("A")
        run = current_run()
        run.on_stop(lambda: found.append(f"{tenant.get()} {current_run().name}"))
        if threads:
            run.sleep(20)
        else:
            scheduler.stop_task("it")

    with Scheduler() as scheduler:
        handle = scheduler.add_on_demand_task(task, "it")
        handle.run_now()
        eventually(lambda: handle.run_count)
        if threads:
            scheduler.stop_task("it")
        eventually(lambda: found)
    assert found == ["A it"]
