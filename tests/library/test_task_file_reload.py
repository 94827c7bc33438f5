"""A file of tasks that is read again: only what is different in it is done."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from doing import fail
from recorder import Events
from task_files import MADE, RAN, STEPS, tasks, write

from taskkit import Scheduler, SchedulerStoppedError, TaskRegistered, TaskState, current_run
from taskkit.taskfile import Reload, TaskFileFollower
from taskkit.testing import InlineExecutor, ManualClock

pytestmark = pytest.mark.usefixtures("own_folder", "own_imports")


@pytest.fixture(autouse=True)
def _nothing_noted() -> None:
    for noted in (RAN, MADE, STEPS):
        noted.clear()


@pytest.fixture
def reloads() -> list[Reload]:
    return []


@pytest.fixture
def follower(scheduler: Scheduler, reloads: list[Reload]) -> TaskFileFollower:
    return TaskFileFollower(scheduler, "tasks.toml", reloads.append)


def test_loading_registers_every_task_in_order(
    scheduler: Scheduler, clock: ManualClock, follower: TaskFileFollower, reloads: list[Reload]
) -> None:
    tasks(
        "b every = 60",
        "a daily = '03:30', description = 'x', retries = 2",
        "c on_demand = true, enabled = false",
    )

    loaded = follower.load()

    assert loaded == Reload(added=("b", "a", "c"))
    assert str(loaded) == "added b, a, c"
    assert [task.name for task in scheduler.snapshot().tasks] == ["b", "a", "c"]
    assert scheduler.handle("a").policies.retries == 2
    assert [scheduler.handle(name).disabled for name in "bac"] == [False, False, True]
    clock.advance(60)
    assert RAN == ["b", "b"]
    assert reloads == []


def test_a_file_that_is_as_it_was_changes_nothing(
    scheduler: Scheduler, follower: TaskFileFollower, events: Events, reloads: list[Reload]
) -> None:
    tasks("a every = 60")
    follower.load()
    events.all.clear()

    assert follower.reload() == Reload(unchanged=("a",))
    assert (reloads, events.all, MADE) == ([Reload(unchanged=("a",))], [], [""])
    assert not reloads[0].changes_anything
    assert str(reloads[0]) == "nothing has changed"


def test_only_what_is_different_is_done(
    scheduler: Scheduler, clock: ManualClock, follower: TaskFileFollower, events: Events
) -> None:
    tasks("same every = 60", "other every = 60", "gone every = 60")
    follower.load()
    clock.advance(90)
    due = scheduler.handle("same").next_run
    events.all.clear()

    tasks("other every = 60, timeout = 5", "new every = 60", "same every = 60")
    reload = follower.reload()

    assert reload == Reload(added=("new",), changed=("other",), removed=("gone",), unchanged=("same",))
    assert str(reload) == "added new; changed other; removed gone"
    assert [event.name for event in events.of(TaskRegistered)] == ["other", "new"]
    assert scheduler.handle("gone") is None
    assert scheduler.handle("same").next_run == due
    assert scheduler.handle("other").policies.timeout == 5


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("every = 60", "every = 61"),
        ("every = 60", "on_demand = true"),
        ("every = 60", "every = 60, description = 'x'"),
        ("every = 60", "every = 60, max_runs = 3"),
        ("every = 60", "every = 60, args = { word = 'x' }"),
        ("every = 60, args = { word = 1 }", "every = 60, args = { word = true }"),
        ("every = 60, args = { word = 1 }", "every = 60, args = { word = 1.0 }"),
        ("daily = '03:30'", "daily = '03:30', timezone = 'Asia/Tokyo'"),
    ],
)
def test_any_difference_counts(
    scheduler: Scheduler, follower: TaskFileFollower, before: str, after: str
) -> None:
    tasks(f"a {before}")
    follower.load()
    old = scheduler.handle("a")

    tasks(f"a {after}")

    assert follower.reload() == Reload(changed=("a",))
    assert scheduler.handle("a") is not old
    assert follower.reload() == Reload(unchanged=("a",))


def test_other_words_for_the_same_are_no_difference(follower: TaskFileFollower) -> None:
    tasks("a every = 60, timeout = 5")
    follower.load()
    tasks("a timeout = '5s', enabled = true, every = '1m'")
    assert follower.reload() == Reload(unchanged=("a",))


def test_a_task_of_another_timeout_keeps_its_rhythm(
    scheduler: Scheduler, clock: ManualClock, start: float, follower: TaskFileFollower
) -> None:
    tasks("a every = '6h'")
    follower.load()
    clock.advance(3600)
    tasks("a every = '6h', timeout = 5")
    follower.reload()
    assert scheduler.handle("a").next_run == start + 6 * 3600
    clock.advance(60)
    assert len(RAN) == 1
    assert scheduler.handle("a").schedule.zone is None


@pytest.mark.parametrize(("period", "due"), [("2h", 2 * 3600), ("12h", 12 * 3600), ("10m", 3600)])
def test_another_period_counts_from_the_last_due_time(
    scheduler: Scheduler,
    clock: ManualClock,
    start: float,
    follower: TaskFileFollower,
    period: str,
    due: float,
) -> None:
    tasks("a every = '6h'")
    follower.load()
    clock.advance(3600)
    tasks(f"a every = '{period}'")
    follower.reload()
    assert scheduler.handle("a").next_run == start + due
    assert str(scheduler.handle("a").schedule).startswith("every ")


def test_a_retry_that_waits_moves_no_due_time(
    scheduler: Scheduler, clock: ManualClock, start: float, follower: TaskFileFollower
) -> None:
    failing = "a every = 60, args = { word = 'a' }, retries = 1, retry_delay = 7"
    STEPS["a"] = fail
    tasks(failing)
    follower.load()
    clock.advance(1)
    assert scheduler.handle("a").retry is not None

    tasks(f"{failing}, description = 'new'")
    follower.reload()

    assert scheduler.handle("a").next_run == start + 60


def test_a_task_that_has_not_run_yet_keeps_its_start(clock: ManualClock, start: float) -> None:
    scheduler = Scheduler(clock=clock, executor=InlineExecutor())
    follower = TaskFileFollower(scheduler, "tasks.toml")
    tasks("a every = 60")
    follower.load()
    clock.advance(10)
    tasks("a every = 90")
    follower.reload()
    with scheduler:
        clock.advance(0)
        assert len(RAN) == 1
        assert scheduler.handle("a").next_run == start + 90


def test_only_enabled_is_switched_without_registering_again(
    scheduler: Scheduler, clock: ManualClock, follower: TaskFileFollower, events: Events
) -> None:
    tasks("a every = 60", "b every = 60")
    follower.load()
    clock.advance(10)
    handle = scheduler.handle("a")
    events.all.clear()

    tasks("a every = 60, enabled = false", "b every = 60")
    assert follower.reload() == Reload(changed=("a",), unchanged=("b",))
    assert handle.disabled
    tasks("a every = 60", "b every = 60")
    assert follower.reload() == Reload(changed=("a",), unchanged=("b",))

    assert not handle.disabled
    assert scheduler.handle("a") is handle
    assert events.of(TaskRegistered) == []


def test_what_a_person_did_to_a_task_stays_while_its_lines_do(
    scheduler: Scheduler, follower: TaskFileFollower
) -> None:
    tasks("slow every = 60", "off every = 60", "gone every = 60", "x every = 60")
    follower.load()
    scheduler.set_period("slow", 5, override=True)
    scheduler.disable_task("off")
    scheduler.unregister_task("gone")

    tasks("slow every = 60", "off every = 60", "gone every = 60", "x every = 61")
    assert follower.reload().changed == ("x",)

    assert scheduler.handle("slow").period == 5
    assert scheduler.handle("off").disabled
    assert scheduler.handle("gone") is None
    tasks("slow every = 60", "off every = 60", "gone every = 61", "x every = 61")
    follower.reload()
    assert scheduler.handle("gone") is not None


def test_a_period_that_a_person_chose_outlasts_another_description(
    scheduler: Scheduler, clock: ManualClock, follower: TaskFileFollower
) -> None:
    tasks("a every = 60")
    follower.load()
    clock.advance(10)
    scheduler.set_period("a", 500, override=True)
    due = scheduler.handle("a").next_run

    tasks("a every = 60, description = 'new'")
    follower.reload()

    assert (scheduler.handle("a").period, scheduler.handle("a").next_run) == (500, due)


def test_a_run_in_progress_is_left_alone_or_waited_for(
    scheduler: Scheduler, clock: ManualClock, follower: TaskFileFollower
) -> None:
    """Rule R6 for the one that is different; the other is not touched at all."""
    edit = (
        "same every = 60, args = { word = 'same' }",
        "other every = 60, timeout = 500, args = { word = 'other' }",
    )

    def while_same_runs() -> None:
        tasks(*edit)
        assert follower.reload() == Reload(changed=("other",), unchanged=("same",))
        assert current_run().proceed()
        assert scheduler.handle("same").state is TaskState.RUNNING

    def while_other_runs() -> None:
        clock.advance(0)
        STEPS["same"] = while_same_runs
        run, old = current_run(), scheduler.running["other"]
        tasks(
            "same every = 60, args = { word = 'same' }",
            "other every = 60, timeout = 400, args = { word = 'other' }",
        )
        assert follower.reload() == Reload(changed=("other",), unchanged=("same",))
        assert run.proceed()
        assert scheduler.running["other"] is old
        assert scheduler.handle("other") is not old

    tasks("same every = 60, args = { word = 'same' }", "other every = 60, args = { word = 'other' }")
    STEPS["other"] = while_other_runs
    follower.load()
    clock.advance(150)
    assert STEPS == {}
    assert scheduler.handle("other").policies.timeout == 500
    assert RAN.count("same") == 3
    assert not scheduler.running


class TestAnHourThatHasPassed:
    """After each restart it would run again, were it registered."""

    PAST, FUTURE = "2027-01-15 07:59:00Z", "2027-01-15 08:01:00Z"

    def test_is_left_out_and_told(
        self, scheduler: Scheduler, clock: ManualClock, follower: TaskFileFollower
    ) -> None:
        tasks(f"past at = {self.PAST}", f"future at = {self.FUTURE}")
        loaded = follower.load()
        assert loaded == Reload(added=("past", "future"), passed=("past",))
        assert str(loaded) == "added past, future; the time has passed for past"
        clock.advance(120)
        assert RAN == ["future"]
        assert follower.reload() == Reload(unchanged=("past", "future"))

    def test_takes_its_task_away_if_it_is_written_in_the_place_of_another(
        self, scheduler: Scheduler, follower: TaskFileFollower
    ) -> None:
        tasks("a every = 60")
        follower.load()
        tasks(f"a at = {self.PAST}")
        assert follower.reload() == Reload(changed=("a",), passed=("a",))
        assert scheduler.handle("a") is None

    def test_is_registered_where_the_scheduler_remembers_what_is_done(
        self, scheduler: Scheduler, clock: ManualClock
    ) -> None:
        tasks(f"past at = {self.PAST}")
        assert TaskFileFollower(scheduler, "tasks.toml", remembers=True).load() == Reload(added=("past",))
        clock.advance(0)
        assert RAN == ["past"]


def test_a_module_beside_the_file_can_be_imported_also_one_that_is_new(follower: TaskFileFollower) -> None:
    tasks("a every = 60")
    follower.load()
    Path("fresh_module.py").write_text("def tidy(): pass")
    write('[tasks.b]\nrun = "fresh_module:tidy"\nevery = 60')
    assert follower.reload() == Reload(added=("b",), removed=("a",))


def test_a_change_of_the_current_folder_changes_nothing(
    follower: TaskFileFollower, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks("a every = 60")
    follower.load()
    monkeypatch.chdir("/")
    assert follower.reload() == Reload(unchanged=("a",))


def test_a_stopped_scheduler_takes_nothing(follower: TaskFileFollower, scheduler: Scheduler) -> None:
    tasks("a every = 60")
    scheduler.stop()
    with pytest.raises(SchedulerStoppedError):
        follower.load()
    with pytest.raises(SchedulerStoppedError):
        follower.reload()


def test_an_exception_of_on_reload_is_logged(scheduler: Scheduler, caplog: pytest.LogCaptureFixture) -> None:
    def told(reload: Reload) -> None:
        raise RuntimeError("not today")

    tasks("a every = 60")
    follower = TaskFileFollower(scheduler, "tasks.toml", told)
    follower.load()
    follower.reload()
    assert "not today" in caplog.text


def test_what_was_done_is_logged_once(follower: TaskFileFollower, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "taskkit")
    tasks("a every = 60")
    follower.load()
    tasks("a every = 61")
    follower.reload()
    follower.reload()
    assert [record.getMessage() for record in caplog.records] == ["tasks.toml: changed a"]


def test_no_task_is_made_twice(scheduler: Scheduler, follower: TaskFileFollower) -> None:
    tasks("a every = 60, args = { word = 'a' }", "b every = 60, args = { word = 'b' }")
    follower.load()
    assert MADE == ["a", "b"]
    tasks("a every = 60, args = { word = 'a' }", "b every = 61, args = { word = 'b' }")
    follower.reload()
    assert MADE == ["a", "b", "b"]
