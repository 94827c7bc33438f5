"""Bad input to the old calls is a clear error that names argument and value, and changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

import pytest
from old_spelling import Noting, started

from taskkit.testing import ManualClock
from taskkit.webware import Scheduler, Task, TaskHandler


@pytest.fixture
def old(clock: ManualClock, start: float) -> Iterator[Scheduler]:
    """With one task, which is to stay as it is."""
    with started(clock) as scheduler:
        scheduler.addPeriodicAction(start + 5, 10, Noting(clock), "it")
        yield scheduler


TASK = Noting(ManualClock())
NAN, INFINITE = float("nan"), float("inf")

CASES: list[tuple[Callable[[Scheduler], object], type[Exception], str]] = [
    (lambda old: old.addTimedAction(None, TASK, "it"), TypeError, "actionTime must be .* not None"),
    (lambda old: old.addTimedAction("5", TASK, "it"), TypeError, "actionTime must be .* not '5'"),
    (lambda old: old.addTimedAction(datetime(2027, 1, 1), TASK, "it"), TypeError, "actionTime .* datetime"),
    (lambda old: old.addTimedAction(NAN, TASK, "it"), ValueError, "actionTime must be .* not nan"),
    (lambda old: old.addPeriodicAction(INFINITE, 5, TASK, "it"), ValueError, "start must be .* not inf"),
    (lambda old: old.addPeriodicAction(0, NAN, TASK, "it"), ValueError, "period must be .* not nan"),
    (lambda old: old.addPeriodicAction(0, -INFINITE, TASK, "it"), ValueError, "period must be .* not -inf"),
    (lambda old: old.addPeriodicAction(0, 10**400, TASK, "it"), ValueError, "period must be .* not 10000"),
    (lambda old: old.addPeriodicAction(0, "5", TASK, "it"), TypeError, "period must be .* not '5'"),
    (lambda old: old.addPeriodicAction(0, None, TASK, "it"), TypeError, "period must be .* not None"),
    (lambda old: old.addPeriodicAction(0, True, TASK, "it"), TypeError, "period must be .* not True"),
    (lambda old: old.addDailyAction("3", 30, TASK, "it"), TypeError, "hour must be .* not '3'"),
    (lambda old: old.addDailyAction(3, 30.5, TASK, "it"), TypeError, "minute must be .* not 30.5"),
    (lambda old: old.addActionOnDemand(Noting, "it"), TypeError, r"task must be an instance.* Noting\(…\)"),
    (lambda old: old.addActionOnDemand(print, "it"), TypeError, "task must be a Task of TaskKit, not <built"),
    (lambda old: old.addActionOnDemand(None, "it"), TypeError, "task must be a Task of TaskKit, not None"),
    (lambda old: old.addActionOnDemand(TASK, ["it"]), TypeError, r"name must be hashable, .*\['it'\]"),
    (lambda old: old.addActionOnDemand(TASK, ("it", [])), TypeError, r"name must be hashable, .*\('it'"),
    (lambda old: old.scheduled("it").setPeriod("5"), TypeError, "period must be .* not '5'"),
    (lambda old: old.scheduled("it").setPeriod(NAN), ValueError, "period must be .* not nan"),
    (lambda old: old.scheduled("it").startTime("5"), TypeError, "newTime must be .* not '5'"),
    (lambda old: old.scheduled("it").reset(0, NAN, TASK, True), ValueError, "period must be .* not nan"),
    (lambda old: TaskHandler(old, "5", 1, TASK, "it"), TypeError, "start must be .* not '5'"),
    (lambda old: TaskHandler(old, 5, 1, 3, "it"), TypeError, "task must be a Task of TaskKit, not 3"),
]


@pytest.mark.parametrize(("call", "error", "words"), CASES)
def test_bad_input_is_reported_and_changes_nothing(
    old: Scheduler, start: float, call: Callable[[Scheduler], object], error: type[Exception], words: str
) -> None:
    handle, plan = old.scheduled("it"), old.scheduled("it").plan
    before = (plan.due, plan.period, plan.task)

    with pytest.raises(error, match=words):
        call(old)

    assert dict(old.scheduledTasks()) == {"it": handle}
    assert (handle.plan.due, handle.plan.period, handle.plan.task) == before
    assert (handle.period(), handle.startTime(), old.nextTime()) == (10, start + 5, start + 5)
    assert dict(old.onDemandTasks()) == {}


def test_a_task_without_a_run_says_so(clock: ManualClock, start: float) -> None:
    with started(clock) as old:
        old.addActionOnDemand(Task(), "it")
        old.runTaskNow("it")
        outcome = old.onDemand("it").modern.last_outcome

    assert outcome is not None
    assert outcome.exception == "NotImplementedError: Task must override run()"
