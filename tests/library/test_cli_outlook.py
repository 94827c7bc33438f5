"""What is to come of a scheduler that is not started, by itself and after an earlier life."""

from __future__ import annotations

from itertools import islice

import pytest

from taskkit import Cron, Every, Once, OnDemand, Policies, Recipe, Schedule, Scheduler, TaskSpec
from taskkit.cli.outlook import Prospect, prospects
from taskkit.keeping import KeptRetry, KeptTask
from taskkit.store import KeptState
from taskkit.testing import InlineExecutor, ManualClock

NOW = 1_800_000_000.0


def prospect(schedule: Schedule, due: float | None, run_count: int = 0, **policies: object) -> Prospect:
    return Prospect("task", schedule, Policies(**policies), True, None, due, run_count)  # type: ignore[arg-type]


def coming(prospect: Prospect, count: int = 4) -> list[float]:
    return [due - NOW for due in islice(prospect.due_times(NOW), count)]


def test_a_period_goes_on_from_its_next_due_time() -> None:
    assert coming(prospect(Every(60), NOW + 7)) == [7, 67, 127, 187]


def test_what_is_overdue_comes_once_and_then_the_grid_after_now() -> None:
    assert coming(prospect(Every(60), NOW - 150)) == [-150, 30, 90, 150]
    assert coming(prospect(Every(60), NOW - 120)) == [-120, 60, 120, 180]


def test_what_is_not_to_be_caught_up_does_not_come() -> None:
    assert coming(prospect(Every(60), NOW - 150, catch_up=False)) == [30, 90, 150, 210]
    assert coming(prospect(Once(NOW - 150), NOW - 150, catch_up=False)) == []


def test_a_calendar_schedule_goes_on_by_its_calendar() -> None:
    assert coming(prospect(Cron("*/5 * * * *", "UTC"), NOW - 600)) == [-600, 300, 600, 900]


def test_no_more_runs_come_than_are_left() -> None:
    assert coming(prospect(Every(60), NOW, run_count=1, max_runs=3)) == [0, 60]


class Odd(Schedule):
    """Somebody's own, which fails or stands still after a while."""

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
def test_a_schedule_of_ones_own_comes_as_far_as_it_can_tell(then: float | None) -> None:
    assert coming(prospect(Odd(then), NOW + 5)) == [5, 10]


@pytest.mark.parametrize("due", [None, NOW + 5])
def test_a_disabled_task_and_one_on_demand_do_not_come(due: float | None) -> None:
    each = prospect(OnDemand(), None)
    assert coming(each) == []
    assert coming(Prospect("task", Every(60), Policies(), False, None, due, 0)) == []


def after(kept: KeptTask, schedule: Schedule, **policies: object) -> Prospect | None:
    """What comes of a task that was kept like this, when the program registers it with this schedule."""
    scheduler = Scheduler(clock=ManualClock(NOW), executor=InlineExecutor())
    scheduler.add_task(schedule, lambda: None, "task", **policies)  # type: ignore[arg-type]
    (found,) = prospects(scheduler, KeptState({"task": kept}, False)) or [None]
    return found


def test_the_same_schedule_keeps_its_due_time_and_another_begins_anew() -> None:
    kept = KeptTask("task", Every(60), due=NOW + 20, run_count=5)

    same, other = after(kept, Every(60)), after(kept, Every(61))

    assert same is not None
    assert (same.due, same.run_count) == (NOW + 20, 5)
    assert other is not None
    assert (other.due, other.run_count) == (NOW, 0)


def test_what_a_person_chose_stays() -> None:
    found = after(KeptTask("task", Every(60), Every(5), due=NOW + 3, disabled=True), Every(70))

    assert found is not None
    assert (str(found.schedule), found.overrides) == ("every 5 s", "every 1 min 10 s")
    assert not found.enabled
    assert found.next_run is None


def test_a_task_that_is_done_is_not_to_come() -> None:
    once = Once(NOW - 60)
    assert after(KeptTask("task", once, due=None, run_count=1), once) is None
    assert after(KeptTask("task", Every(60), due=NOW + 5, run_count=3), Every(60), max_runs=3) is None
    assert after(KeptTask("task", OnDemand(), due=None, run_count=1), OnDemand()) is not None


def test_a_retry_comes_before_the_next_due_time() -> None:
    found = after(KeptTask("task", Every(60), due=NOW + 50, retry=KeptRetry(2, NOW + 4, {})), Every(60))
    assert found is not None
    assert found.due == NOW + 4


def test_what_a_person_registered_is_to_come_unless_it_is_done() -> None:
    scheduler = Scheduler(clock=ManualClock(NOW), executor=InlineExecutor())
    spec = TaskSpec("made", Every(60), Recipe("gc:collect"))
    kept = {
        "made": KeptTask("made", Every(60), due=NOW + 9, spec=spec),
        "done": KeptTask("done", Every(60), due=None, spec=spec),
        "the program's": KeptTask("the program's", Every(60), due=NOW + 9),
    }
    assert [each.name for each in prospects(scheduler, KeptState(kept, False))] == ["made"]
