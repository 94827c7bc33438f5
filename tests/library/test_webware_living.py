"""Section 12: failing, stopping and being a thread, in the old spelling."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from threading import Thread
from typing import Any

import pytest
from old_spelling import Noting, fail, started

from taskkit.testing import ManualClock
from taskkit.webware import Scheduler


@pytest.fixture
def old(clock: ManualClock) -> Iterator[Scheduler]:
    with started(clock) as scheduler:
        yield scheduler


def test_the_exception_handler_is_called_once_without_arguments_where_the_exception_is(
    clock: ManualClock, start: float
) -> None:
    told: list[object] = []

    def handle_exception(*arguments: object) -> None:
        told.append((arguments, sys.exc_info()[0]))

    with started(clock, exceptionHandler=handle_exception) as old:
        task = Noting(clock, fail, fail)
        old.addPeriodicAction(start, 10, task, "it")
        clock.advance(20)

    assert told == [((), RuntimeError)] * 2
    assert len(task.times) == 3


def test_an_exception_handler_that_raises_harms_nothing(
    clock: ManualClock, start: float, caplog: pytest.LogCaptureFixture
) -> None:
    def raise_too() -> None:
        raise SystemExit(1)

    with started(clock, exceptionHandler=raise_too) as old:
        task = Noting(clock, fail)
        old.addPeriodicAction(start, 10, task, "it")
        clock.advance(10)

    assert len(task.times) == 2
    assert "exceptionHandler raised for it" in caplog.messages


def test_it_is_a_thread_that_lives_until_it_is_stopped() -> None:
    old = Scheduler(True)
    assert isinstance(old, Thread)
    assert (old.daemon, old.is_alive(), old.isRunning()) == (True, False, False)

    old.start()
    assert (old.is_alive(), old.isRunning(), old._isRunning) == (True, True, True)
    with pytest.raises(RuntimeError):
        old.start()
    old.join(0.01)
    assert old.is_alive()
    old.stop()
    old.join(20)

    assert (old.is_alive(), old.isRunning()) == (False, False)
    assert Scheduler(daemon=False).daemon is False


def test_it_lives_too_when_the_dashboard_started_it() -> None:
    old = Scheduler()
    old.modern.start()
    assert (old.is_alive(), old.isRunning()) == (True, True)
    old.stop()
    assert (old.is_alive(), old.isRunning()) == (False, False)


def test_a_disabled_name_that_is_added_again_never_begins_though_the_clock_rings_meanwhile(
    old: Scheduler, clock: ManualClock, start: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_task = old.modern.add_task

    def add_and_ring(*arguments: Any) -> object:
        handle = add_task(*arguments)
        clock.advance(0)
        return handle

    old.addTimedAction(start + 3600, Noting(clock), "it")
    old.disableTask("it")
    monkeypatch.setattr(old.modern, "add_task", add_and_ring)
    task = Noting(clock)
    old.addPeriodicAction(start, 3600, task, "it")

    assert task.times == []
    assert old.hasScheduled("it")


def test_waiting_ends_with_notify() -> None:
    old = Scheduler()
    notifier = Thread(target=old.notify)

    notifier.start()
    old.wait(60)
    notifier.join()
    old.wait(0.001)  # nobody does


def test_a_task_is_asked_for_its_handle_and_name_after_its_run_too(
    old: Scheduler, clock: ManualClock, start: float
) -> None:
    task = Noting(clock)
    for ask in (task.name, task.handle, lambda: task._handle):
        with pytest.raises(AttributeError, match="before its first run"):
            ask()
    assert task.proceed()

    old.addTimedAction(start, task, "it")
    handle = old.scheduled("it")
    clock.advance(0)

    assert (task.name(), task.handle(), task._name) == ("it", handle, "it")
    assert task.proceed() is handle._isRunning is False
