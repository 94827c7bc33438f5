"""What ends a scheduler in the foreground, and how long it waits for that."""

from __future__ import annotations

from threading import Event

import pytest
from patience import PATIENCE, eventually

from taskkit import Scheduler
from taskkit.cli import foreground
from taskkit.cli.foreground import Foreground
from taskkit.testing import InlineExecutor, ManualClock


class Stuck(Scheduler):
    """One whose stopping does not come back."""

    def __init__(self) -> None:
        super().__init__(clock=ManualClock(), executor=InlineExecutor())
        self.release = Event()

    def stop(self, timeout: float = 0.0) -> list[str]:
        assert self.release.wait(PATIENCE)
        return super().stop(timeout)


def test_a_stopping_that_does_not_come_back_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreground, "GRACE", 0.01)
    scheduler = Stuck()
    scheduler.start()

    assert Foreground(scheduler, None, until_idle=False).stop(0.01) == []

    assert scheduler.is_running
    scheduler.release.set()
    eventually(lambda: not scheduler.is_running)


def test_a_paused_scheduler_is_not_idle_and_a_disabled_task_is_nothing_to_wait_for() -> None:
    scheduler = Scheduler(clock=ManualClock(), executor=InlineExecutor())
    scheduler.add_periodic_task(60, 60, lambda: None, "task")
    with scheduler, Foreground(scheduler, None, until_idle=True) as waiting:
        scheduler.pause()
        scheduler.resume()
        waiting.output_is_closed()
        assert waiting.wait() == "nobody reads the output"
        scheduler.disable_task("task")
        assert waiting.wait() == "nothing is scheduled any more"
