"""Upcoming due times of a scheduler that is not started, with and without a saved state."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

import pytest

from taskkit import Cron, Daily, Every, Once, OnDemand, Policies, Recipe, Schedule, Scheduler, TaskSpec
from taskkit.cli.upcoming import UpcomingTask, upcoming_tasks
from taskkit.persistence import SavedRetry, SavedTask
from taskkit.store import SavedState
from taskkit.store.saved_state import StoreProcess
from taskkit.testing import InlineExecutor, ManualClock

NOW = 1_800_000_000.0


def upcoming(schedule: Schedule, due: float | None, run_count: int = 0, **policies: object) -> UpcomingTask:
    return UpcomingTask("task", schedule, Policies(**policies), True, None, due, run_count)  # type: ignore[arg-type]


def coming(task: UpcomingTask, count: int = 4) -> list[float]:
    return [due - NOW for due in islice(task.due_times(NOW), count)]


def test_a_period_continues_from_its_next_due_time() -> None:
    assert coming(upcoming(Every(60), NOW + 7)) == [7, 67, 127, 187]


def test_an_overdue_task_comes_once_and_then_on_the_grid() -> None:
    assert coming(upcoming(Every(60), NOW - 150)) == [-150, 30, 90, 150]
    assert coming(upcoming(Every(60), NOW - 120)) == [-120, 60, 120, 180]


def test_a_missed_due_time_is_left_out_without_catch_up() -> None:
    assert coming(upcoming(Every(60), NOW - 150, catch_up=False)) == [30, 90, 150, 210]
    assert coming(upcoming(Once(NOW - 150), NOW - 150, catch_up=False)) == []


def test_with_a_limit_on_lateness_the_first_due_time_within_it_comes_late() -> None:
    assert coming(upcoming(Every(60), NOW - 150, catch_up=100)) == [-90, 30, 90, 150]
    assert coming(upcoming(Every(60), NOW - 150, catch_up=90)) == [-90, 30, 90, 150]
    assert coming(upcoming(Every(60), NOW - 150, catch_up=20)) == [30, 90, 150, 210]
    assert coming(upcoming(Every(60), NOW - 150, catch_up=150)) == [-150, 30, 90, 150]
    assert coming(upcoming(Cron("*/5 * * * *", "UTC"), NOW - 600, catch_up=400)) == [-300, 300, 600, 900]
    assert coming(upcoming(Once(NOW - 150), NOW - 150, catch_up=100)) == []
    assert coming(upcoming(Once(NOW - 150), NOW - 150, catch_up=200)) == [-150]


def test_a_calendar_schedule_follows_its_calendar() -> None:
    assert coming(upcoming(Cron("*/5 * * * *", "UTC"), NOW - 600)) == [-600, 300, 600, 900]


def test_due_times_end_with_max_runs() -> None:
    assert coming(upcoming(Every(60), NOW, run_count=1, max_runs=3)) == [0, 60]


class Odd(Schedule):
    """A custom schedule that raises, or repeats the same time, after a while."""

    repeats = True
    follows_wall_clock = True

    def __init__(self, then: float | None) -> None:
        self.then = then

    def next_after(self, instant: float) -> float | None:
        if instant < NOW + 10:
            return instant + 5
        if self.then is None:
            raise LookupError("no more pages in this calendar")
        return self.then


@pytest.mark.parametrize("then", [None, NOW, float("nan")])
def test_a_custom_schedule_is_followed_until_it_fails(then: float | None) -> None:
    assert coming(upcoming(Odd(then), NOW + 5)) == [5, 10]


@pytest.mark.parametrize("due", [None, NOW + 5])
def test_disabled_and_on_demand_tasks_have_no_due_times(due: float | None) -> None:
    each = upcoming(OnDemand(), None)
    assert coming(each) == []
    assert coming(UpcomingTask("task", Every(60), Policies(), False, None, due, 0)) == []


def after(saved: SavedTask, schedule: Schedule, **policies: object) -> UpcomingTask | None:
    """Return a saved task after a restart in which the program registers it with this schedule."""
    scheduler = Scheduler(clock=ManualClock(NOW), executor=InlineExecutor())
    scheduler.add_task(schedule, lambda: None, "task", **policies)  # type: ignore[arg-type]
    (found,) = upcoming_tasks(scheduler, SavedState({"task": saved}, False)) or [None]
    return found


def test_the_same_schedule_keeps_its_due_time_and_another_starts_anew() -> None:
    saved = SavedTask("task", Every(60), due=NOW + 20, run_count=5)

    same, other = after(saved, Every(60)), after(saved, Every(61))

    assert same is not None
    assert (same.due, same.run_count) == (NOW + 20, 5)
    assert other is not None
    assert (other.due, other.run_count) == (NOW, 0)


def test_overrides_survive_the_restart() -> None:
    found = after(SavedTask("task", Every(60), Every(5), due=NOW + 3, disabled=True), Every(70))

    assert found is not None
    assert (str(found.schedule), found.overrides) == ("every 5 s", "every 1 min 10 s")
    assert not found.enabled
    assert found.next_run is None


def test_a_finished_task_is_left_out() -> None:
    once = Once(NOW - 60)
    assert after(SavedTask("task", once, due=None, run_count=1), once) is None
    assert after(SavedTask("task", Every(60), due=NOW + 5, run_count=3), Every(60), max_runs=3) is None
    assert after(SavedTask("task", OnDemand(), due=None, run_count=1), OnDemand()) is not None


def test_a_retry_comes_before_the_next_due_time() -> None:
    saved = SavedTask("task", Every(60), due=NOW + 50, retry=SavedRetry(2, NOW + 4, {}))
    found = after(saved, Every(60), retries=1, retry_delay=5)
    assert found is not None
    assert found.due == NOW + 4


def test_due_times_saved_by_a_wrong_clock_come_within_a_period_or_a_delay() -> None:
    year = 365 * 86_400
    saved = SavedTask("task", Every(60), due=NOW + year + 5)
    found = after(saved, Every(60))
    assert found is not None
    assert found.due == NOW + 5
    found = after(replace(saved, retry=SavedRetry(2, NOW + year, {})), Every(60), retries=1, retry_delay=5)
    assert found is not None
    assert found.due == NOW + 5


def test_a_process_that_runs_the_tasks_knows_when_they_are_due() -> None:
    scheduler = Scheduler(clock=ManualClock(NOW), executor=InlineExecutor())
    scheduler.add_daily_task(9, 0, lambda: None, "task")
    saved = SavedTask("task", Daily(9, 0), due=NOW + 77)
    state = SavedState({"task": saved}, False, process=StoreProcess(running=True))
    (found,) = upcoming_tasks(scheduler, state)
    assert found.due == NOW + 77


def test_an_unreadable_saved_task_is_due_as_registered_or_disabled_if_it_has_max_runs() -> None:
    saved = SavedTask("task", None, preserved=frozenset({"declared", "disabled", "due"}))
    found = after(saved, Every(60))
    assert found is not None
    assert found.next_run == NOW
    limited = after(saved, Every(60), max_runs=2)
    assert limited is not None
    assert limited.next_run is None
    overridden = after(replace(saved, override=Every(90)), Every(60))
    assert overridden is not None
    assert (overridden.next_run, overridden.overrides) == (NOW + 90, "every 1 min")


def test_a_task_registered_at_run_time_is_due_unless_it_has_finished() -> None:
    scheduler = Scheduler(clock=ManualClock(NOW), executor=InlineExecutor())
    spec = TaskSpec("made", Every(60), Recipe("gc:collect"))
    saved = {
        "made": SavedTask("made", Every(60), due=NOW + 9, spec=spec),
        "done": SavedTask("done", Once(NOW - 5), due=None, spec=replace(spec, schedule=Once(NOW - 5))),
        "the program's": SavedTask("the program's", Every(60), due=NOW + 9),
    }
    assert [each.name for each in upcoming_tasks(scheduler, SavedState(saved, False))] == ["made"]


@pytest.mark.parametrize(("until", "enabled"), [(NOW + 60, False), (NOW, True), (NOW - 60, True)])
def test_a_task_is_disabled_until_the_saved_time(until: float, enabled: bool) -> None:
    """With and without a target, which may not know the task."""
    scheduler = Scheduler(clock=ManualClock(NOW), executor=InlineExecutor())
    scheduler.add_task(Every(60, NOW), print, "known")
    saved = {
        name: SavedTask(name, declared=Every(60), due=NOW, disabled=True, disabled_until=until)
        for name in ("known", "unknown")
    }
    for task in upcoming_tasks(scheduler, SavedState(saved, paused=False), alone=True):
        assert task.enabled is enabled
        assert task.disabled_until == (None if enabled else until)
