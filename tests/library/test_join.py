"""`join()`: a program waits for what is to come."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Event, Thread

import pytest
from doing import Doing, fail
from patience import PATIENCE, eventually

from taskkit import After, JoinInsideRunError, Once, OutcomeKind, Scheduler
from taskkit.testing import InlineExecutor, ManualClock


class Joining:
    """A thread that joins a scheduler."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.answer: bool | None = None
        self._thread = Thread(target=lambda: setattr(self, "answer", scheduler.join()), daemon=True)
        self._thread.start()
        eventually(lambda: scheduler._core._joiners)

    def has_returned(self) -> bool:
        self._thread.join(PATIENCE)
        return self.answer is True

    def waits(self) -> bool:
        self._thread.join(0.02)
        return self._thread.is_alive()


@pytest.fixture
def real() -> Iterator[Scheduler]:
    with Scheduler(capture=False) as scheduler:
        yield scheduler


def test_it_waits_for_due_times_runs_and_retries(real: Scheduler) -> None:
    tries: list[int] = []

    def flaky() -> None:
        tries.append(1)
        if len(tries) < 3:
            fail()

    real.add_timed_task(real.now + 0.05, flaky, "it", retries=2, retry_delay=0.02)
    assert real.join(PATIENCE)
    assert len(tries) == 3
    assert real.handle("it") is None


def test_it_returns_at_once_if_nothing_is_to_come(real: Scheduler) -> None:
    real.add_on_demand_task(Doing(), "on demand")
    real.add_periodic_task(real.now + 600, 600, Doing(), "disabled")
    real.disable_task("disabled")
    real.add_task(After("on demand"), Doing(), "after")

    assert real.join(0)


def test_a_timeout_ends_it(real: Scheduler) -> None:
    real.add_periodic_task(None, 600, Doing(), "it")
    assert real.join(0.05) is False
    assert real.join(0) is False


@pytest.mark.parametrize("how", ["unregister", "disable", "end", "stop"])
def test_whatever_ends_the_last_thing_wakes_it(how: str, clock: ManualClock) -> None:
    scheduler = Scheduler(clock=clock, threads=InlineExecutor(), capture=False)
    scheduler.start()
    scheduler.add_timed_task(clock.time() + 60, Doing(), "it")
    joining = Joining(scheduler)
    assert joining.waits()
    ends: dict[str, Callable[[], object]] = {
        "unregister": lambda: scheduler.unregister_task("it"),
        "disable": lambda: scheduler.disable_task("it"),
        "end": lambda: clock.advance(60),
        "stop": scheduler.stop,
    }
    ends[how]()
    assert joining.has_returned()
    scheduler.stop()


def test_a_paused_task_is_still_to_come(clock: ManualClock) -> None:
    with Scheduler(clock=clock, threads=InlineExecutor(), capture=False) as scheduler:
        scheduler.add_timed_task(clock.time() + 60, Doing(), "it")
        joining = Joining(scheduler)
        scheduler.pause()
        clock.advance(100)
        scheduler.snapshot()
        assert joining.waits()
        scheduler.resume()
        assert joining.has_returned()


def test_a_run_on_demand_is_waited_for(real: Scheduler) -> None:
    began, free = Event(), Event()

    def work() -> None:
        began.set()
        free.wait(PATIENCE)

    real.add_on_demand_task(work, "it")
    real.run_task_now("it")
    assert began.wait(PATIENCE)
    joining = Joining(real)
    assert joining.waits()
    free.set()
    assert joining.has_returned()


def test_a_task_cannot_wait_for_itself(real: Scheduler) -> None:
    handle = real.add_on_demand_task(real.join, "it")
    real.run_task_now("it")
    eventually(lambda: handle.last_outcome)
    assert handle.last_outcome is not None
    assert handle.last_outcome.kind is OutcomeKind.FAILED
    assert "a task that calls it would wait for itself" in str(handle.last_outcome.exception)
    assert JoinInsideRunError.__name__ in str(handle.last_outcome.exception)


@pytest.mark.parametrize("value", [-1, float("nan"), "5"])
def test_a_timeout_that_is_no_time_is_refused(real: Scheduler, value: object) -> None:
    with pytest.raises((TypeError, ValueError), match=r"^timeout must be "):
        real.join(value)  # type: ignore[arg-type]


def test_a_stopped_scheduler_has_nothing_to_come() -> None:
    scheduler = Scheduler()
    scheduler.add_task(Once(4e9), Doing(), "it")
    scheduler.start()
    scheduler.stop()
    assert scheduler.join()
