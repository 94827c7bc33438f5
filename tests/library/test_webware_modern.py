"""There is one scheduler: what is done by way of `modern`, as the dashboard does, the old names tell too."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from old_spelling import Noting, started
from recorder import Events

from taskkit import Cron, Daily, Every, OnDemand, RunFinished, TaskRegistered, make_task, parse_parameter
from taskkit.parameters import constructor_parameters
from taskkit.testing import ManualClock
from taskkit.webware import Scheduler, Task


@pytest.fixture
def old(clock: ManualClock) -> Iterator[Scheduler]:
    with started(clock) as scheduler:
        yield scheduler


def test_a_snapshot_shows_the_tasks_by_their_names(old: Scheduler, clock: ManualClock, start: float) -> None:
    old.addPeriodicAction(start + 5, 60, Noting(clock), "pages")
    old.addDailyAction(3, 30, Noting(clock), "sweep")
    old.addActionOnDemand(Noting(clock), ("feed", 1))

    shown = {each.name: (each.schedule, each.state.value) for each in old.modern.snapshot().tasks}

    assert shown == {
        "pages": ("every 1 min", "scheduled"),
        "sweep": ("daily 03:30", "scheduled"),
        "('feed', 1) (tuple)": ("on demand", "on_demand"),
    }
    details = old.modern.describe("pages")
    assert details is not None
    assert details.parameters == ()


def test_commands_from_the_dashboard_reach_the_old_task(
    old: Scheduler, clock: ManualClock, start: float
) -> None:
    task = Noting(clock)
    old.addPeriodicAction(start + 5, 60, task, "it")
    handle = old.scheduled("it")

    old.modern.run_task_now("it")
    old.modern.set_period("it", 10)
    assert (handle.period(), handle.startTime()) == (10, start + 5)
    old.modern.disable_task("it")
    clock.advance(30)
    old.addPeriodicAction(start + 40, 60, task, "it")  # it stays disabled
    clock.advance(30)
    assert task.times == [start]
    old.modern.enable_task("it")
    old.modern.reschedule_task("it", OnDemand())
    assert old.onDemand("it") is handle
    assert handle.isOnDemand()
    old.modern.reschedule_task("it", Daily(3, 30))
    assert handle.period() == 86_400
    old.modern.unregister_task("it")
    assert not old.hasOnDemand("it")


def test_commands_of_the_program_are_delivered_as_events(
    old: Scheduler, clock: ManualClock, start: float
) -> None:
    events = Events(old.modern.subscribe)

    old.addTimedAction(start, Noting(clock), "it")
    clock.advance(0)

    assert [event.name for event in events.of(TaskRegistered)] == ["it"]
    assert [event.outcome.kind.value for event in events.of(RunFinished)] == ["succeeded"]


def test_a_task_that_a_form_makes_finds_its_name_and_handle(
    old: Scheduler, clock: ManualClock, start: float
) -> None:
    """The dashboard registers it by way of the modern scheduler, which knows nothing of `_run`."""

    class Growing(Task):
        def __init__(self, by: int) -> None:
            self.by = by

        def run(self) -> None:
            told.append((self.name(), self.proceed(), self._handle._isRunning, self.handle().period()))
            self.handle().setPeriod(self.handle().period() + self.by)

    told: list[object] = []
    (parameter,) = constructor_parameters(Growing) or ()
    task = make_task(Growing, {"by": parse_parameter(parameter, "2")})
    old.modern.add_task(Every(5, start), task, "grown")
    clock.advance(7)

    assert told == [("grown", True, True, 5.0), ("grown", True, True, 7.0)]
    assert old.scheduled("grown").period() == 9.0
    assert [name for name, _ in old.scheduledTasks().items()] == ["grown"]
    assert old.unregisterTask("grown").name() == "grown"
    assert not old.hasScheduled("grown")


def test_what_the_modern_scheduler_was_given_can_be_taken_over(
    old: Scheduler, clock: ManualClock, start: float
) -> None:
    runs: list[float] = []
    old.modern.add_task(Every(5, start + 5), lambda: runs.append(clock.time()), "modern")
    handle = old.scheduled("modern")

    old.scheduleTask(handle)
    clock.advance(10)
    old.runTaskNow("modern")

    assert runs == [start + 5, start + 10, start + 10]
    assert old.scheduled("modern") is handle


def test_an_old_task_on_a_modern_scheduler_alone_has_a_name_but_no_handle(clock: ManualClock) -> None:
    from taskkit import Scheduler as ModernScheduler
    from taskkit.testing import InlineExecutor

    told: list[object] = []

    class Asking(Task):
        def run(self) -> None:
            told.append((self.name(), self.proceed(), hasattr(self, "_handle")))

    with ModernScheduler(clock=clock, executor=InlineExecutor(), capture=False) as scheduler:
        scheduler.add_on_demand_task(Asking(), "it")
        scheduler.run_task_now("it")

    assert told == [("it", True, False)]


def test_a_start_time_is_moved_with_the_period_that_the_dashboard_gave(
    old: Scheduler, clock: ManualClock, start: float
) -> None:
    task = Noting(clock)
    old.addPeriodicAction(start + 3600, 60, task, "it")
    old.modern.set_period("it", 10)

    old.scheduled("it").startTime(start - 4)
    clock.advance(20)

    assert task.times == [start, start + 6, start + 16]


def test_a_calendar_that_the_dashboard_gave_keeps_its_times(
    old: Scheduler, clock: ManualClock, start: float
) -> None:
    task = Noting(clock)
    old.addPeriodicAction(start + 3600, 60, task, "it")
    handle = old.scheduled("it")
    old.modern.reschedule_task("it", Cron("*/5 * * * *", "UTC"))

    assert handle.period() == 0
    handle.startTime(start + 7)
    handle.startTime(start - 7)
    clock.advance(600)

    assert task.times == [start + 300, start + 600]
    assert handle.startTime() == start + 900
