"""Reasons to stop a scheduler in the foreground, and the time limit of stopping."""

from __future__ import annotations

import signal
from threading import Event

import pytest
from patience import PATIENCE, eventually

from taskkit import Scheduler, SchedulerState
from taskkit.cli import foreground
from taskkit.cli.foreground import Foreground
from taskkit.testing import InlineExecutor, ManualClock


class Stuck(Scheduler):
    """A scheduler whose `stop` does not return until released."""

    def __init__(self) -> None:
        super().__init__(clock=ManualClock(), executor=InlineExecutor())
        self.release = Event()

    def stop(self, timeout: float = 0.0) -> list[str]:
        assert self.release.wait(PATIENCE)
        return super().stop(timeout)


def test_stopping_is_given_up_when_it_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreground, "STOP_GRACE_SECONDS", 0.01)
    scheduler = Stuck()
    scheduler.start()

    assert Foreground(scheduler, None, until_idle=False).stop(0.01) == []

    assert scheduler.is_running
    scheduler.release.set()
    eventually(lambda: not scheduler.is_running)


class Draining(Stuck):
    """One whose drain has not ended yet when the next signal comes."""

    @property
    def state(self) -> SchedulerState:
        return SchedulerState.DRAINING

    def stop(self, timeout: float = 0.0, *, drain: float = 0.0) -> list[str]:
        return super().stop(timeout) if drain else []


def test_the_signal_after_the_one_that_ends_a_drain_ends_the_waiting_however_soon_it_comes() -> None:
    scheduler = Draining()
    scheduler.start()
    waiting = Foreground(scheduler, None, until_idle=False)
    asked: list[str] = []
    waiting._queue.put(signal.SIGINT)
    waiting._queue.put(signal.SIGTERM)

    waiting.stop(PATIENCE, 600.0, lambda: asked.append("hurry"))

    assert waiting.is_hurried
    assert asked == ["hurry"]
    scheduler.release.set()
    eventually(lambda: not scheduler.is_running)


def test_a_paused_scheduler_is_not_idle_but_one_with_only_disabled_tasks_is() -> None:
    scheduler = Scheduler(clock=ManualClock(), executor=InlineExecutor())
    scheduler.add_periodic_task(60, 60, lambda: None, "task")
    with scheduler, Foreground(scheduler, None, until_idle=True) as waiting:
        scheduler.pause()
        scheduler.resume()
        waiting.on_output_closed()
        assert waiting.wait() == "standard output was closed"
        scheduler.disable_task("task")
        assert waiting.wait() == "nothing is scheduled any more"
