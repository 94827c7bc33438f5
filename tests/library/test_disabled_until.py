"""Disabling until a given time, after which the task is enabled by itself (R8)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from doing import Doing, Notes, fail
from hypothesis import given
from hypothesis import strategies as st
from recorder import Events

from taskkit import (
    ChangeKind,
    Every,
    Once,
    Recipe,
    RunSkipped,
    Scheduler,
    SkipReason,
    TaskChanged,
    TaskSpec,
    TaskState,
)
from taskkit.clock import NextLook
from taskkit.operations import Operations, UndoError
from taskkit.persistence import SavedTask
from taskkit.store import Store
from taskkit.store.registration_rows import read_saved_task, registration_row
from taskkit.testing import InlineExecutor, ManualClock

HOUR = 3600.0


def disabled_changes(events: Events) -> list[TaskChanged]:
    return [each for each in events.of(TaskChanged) if each.what is ChangeKind.DISABLED]


class TestTheEnd:
    def test_it_is_enabled_by_itself_and_what_was_due_before_counts_as_disabled(
        self, scheduler: Scheduler, clock: ManualClock, start: float, events: Events
    ) -> None:
        task = Notes(clock)
        handle = scheduler.add_periodic_task(start + 600, 600, task, "it")
        assert scheduler.disable_task("it", start + 1900)
        assert handle.disabled_until == start + 1900

        clock.advance(1899)
        assert handle.disabled
        assert not task.times
        clock.advance(1)

        assert not handle.disabled
        assert handle.disabled_until is None
        assert handle.next_run == start + 2400
        clock.advance(600)
        assert task.times == [start + 2400]
        (skip,) = events.of(RunSkipped)
        assert (skip.reason, skip.count) == (SkipReason.DISABLED, 3)

    def test_what_is_due_at_that_very_instant_runs(
        self, scheduler: Scheduler, clock: ManualClock, start: float, events: Events
    ) -> None:
        """The end is the first instant at which it is enabled: then `daily 18:00` runs until 18:00."""
        periodic, daily, single = Notes(clock), Notes(clock), Notes(clock)
        scheduler.add_periodic_task(start + 600, 600, periodic, "periodic")
        at = datetime.fromtimestamp(start + 1200, UTC)
        scheduler.add_daily_task(at.hour, at.minute, daily, "daily", tz="UTC")
        scheduler.add_timed_task(start + 1200, single, "single")
        for name in ("periodic", "daily", "single"):
            scheduler.disable_task(name, start + 1200)

        clock.advance(1200)

        assert periodic.times == daily.times == single.times == [start + 1200]
        assert [each.name for each in events.of(RunSkipped)] == ["periodic"]

    def test_a_single_due_time_before_the_end_counts_as_missed(
        self, scheduler: Scheduler, clock: ManualClock, start: float, events: Events
    ) -> None:
        handle = scheduler.add_timed_task(start + 60, Doing(), "it")
        scheduler.disable_task("it", start + 120)
        clock.advance(90)
        assert "once enabled at" in handle.explain()

        clock.advance(30)

        assert handle.state is TaskState.GONE
        assert [each.reason for each in events.of(RunSkipped)] == [SkipReason.MISSED]

    def test_the_events_say_until_when_and_that_the_time_has_come(
        self, scheduler: Scheduler, clock: ManualClock, start: float, events: Events
    ) -> None:
        scheduler.add_periodic_task(start + 600, 600, Doing(), "it")
        scheduler.disable_task("it", start + 60)
        clock.advance(60)
        scheduler.disable_task("it", start + 90)
        scheduler.enable_task("it")

        assert [(each.at, each.before, each.after, each.until) for each in disabled_changes(events)] == [
            (start, False, True, start + 60),
            (start + 60, True, False, start + 60),
            (start + 60, False, True, start + 90),
            (start + 60, True, False, None),
        ]

    def test_a_run_by_hand_goes_on_over_the_end(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        task = Notes(clock)
        scheduler.add_on_demand_task(task, "it")
        scheduler.disable_task("it", start + 60)
        scheduler.run_task_now("it")
        clock.advance(60)
        assert task.times == [start]
        assert not scheduler.on_demand["it"].disabled

    def test_it_ends_while_everything_is_paused_and_then_the_pause_counts(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        task = Notes(clock)
        handle = scheduler.add_periodic_task(start + 100, 100, task, "it")
        scheduler.disable_task("it", start + 250)
        scheduler.pause()
        clock.advance(450)

        assert not handle.disabled
        assert scheduler.snapshot().tasks[0].skipped == {SkipReason.DISABLED: 2, SkipReason.PAUSED: 2}
        scheduler.resume()
        clock.advance(50)
        assert task.times == [start + 500]

    def test_retries_end_as_with_every_disabling(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        handle = scheduler.add_periodic_task(start, 1000, fail, "it", retries=3, retry_delay=10)
        clock.advance(1)
        assert handle.retry is not None
        scheduler.disable_task("it", start + 5)
        clock.advance(100)
        assert handle.retry is None
        assert handle.run_count == 1

    def test_many_end_at_the_same_time(self, scheduler: Scheduler, clock: ManualClock, start: float) -> None:
        """A look enables a part of them. What is due at the end runs all the same."""
        task = Notes(clock)
        for number in range(600):
            scheduler.add_periodic_task(start + 10, 600, task, f"task {number}").disable(start + 10)
        seen = count()
        scheduler.subscribe(lambda _: next(seen) % 100 or scheduler.snapshot(), kinds=(TaskChanged,))
        clock.advance(10)
        assert scheduler.snapshot().figures.disabled == 0
        assert task.times == [start + 10] * 600


class TestCommandsMeanwhile:
    def test_enabling_it_forgets_the_end(
        self, scheduler: Scheduler, clock: ManualClock, start: float, events: Events
    ) -> None:
        handle = scheduler.add_periodic_task(start + 600, 600, Doing(), "it")
        scheduler.disable_task("it", start + 60)
        scheduler.enable_task("it")
        scheduler.disable_task("it")
        clock.advance(HOUR)
        assert handle.disabled
        assert handle.disabled_until is None

    @pytest.mark.parametrize("later", [30.0, 90.0, None])
    def test_disabling_it_again_replaces_the_end(
        self, scheduler: Scheduler, clock: ManualClock, start: float, events: Events, later: float | None
    ) -> None:
        handle = scheduler.add_periodic_task(start + 600, 600, Doing(), "it")
        scheduler.disable_task("it", start + 60)
        new = None if later is None else start + later
        assert scheduler.disable_task("it", new)
        assert scheduler.disable_task("it", new)

        assert handle.disabled_until == new
        assert [(each.before, each.after, each.until) for each in disabled_changes(events)] == [
            (False, True, start + 60),
            (True, True, new),
        ]
        assert scheduler.snapshot().figures.disabled == 1
        clock.advance(30 if later == 30 else 89)
        assert handle.disabled is (later != 30)
        clock.advance(HOUR)
        assert handle.disabled is (later is None)

    def test_removing_or_replacing_it_forgets_the_end(
        self, scheduler: Scheduler, clock: ManualClock, start: float, events: Events
    ) -> None:
        scheduler.add_periodic_task(start + 600, 600, Doing(), "gone")
        old = scheduler.add_periodic_task(start + 600, 600, Doing(), "it")
        for name in ("gone", "it"):
            scheduler.disable_task(name, start + 60)
        scheduler.unregister_task("gone")
        new = scheduler.add_periodic_task(start + 600, 600, Doing(), "it")
        assert not old.disable(start + 70)
        scheduler.disable_task("it")
        clock.advance(HOUR)
        assert new.disabled
        assert len(disabled_changes(events)) == 3

    def test_a_new_period_keeps_the_end(self, scheduler: Scheduler, clock: ManualClock, start: float) -> None:
        task = Notes(clock)
        scheduler.add_periodic_task(start, 600, task, "it")
        clock.advance(1)
        scheduler.disable_task("it", start + 250)
        scheduler.set_period("it", 100)
        clock.advance(299)
        assert task.times == [start, start + 300]

    def test_nothing_is_enabled_after_the_stop(self, clock: ManualClock, start: float) -> None:
        with Scheduler(clock=clock, executor=InlineExecutor()) as scheduler:
            handle = scheduler.add_periodic_task(start + 600, 600, Doing(), "it")
            handle.disable(start + 60)
        clock.advance(HOUR)
        assert handle.disabled

    def test_before_the_start_a_look_is_enough(self, clock: ManualClock, start: float) -> None:
        scheduler = Scheduler(clock=clock, executor=InlineExecutor())
        handle = scheduler.add_periodic_task(start + 600, 600, Doing(), "it")
        handle.disable(start + 60)
        clock.advance(60)
        assert not handle.disabled
        assert scheduler.snapshot().figures.disabled == 0


class TestTheTimeGiven:
    def test_a_datetime_and_a_text_are_as_good_as_epoch_seconds(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        handle = scheduler.add_on_demand_task(Doing(), "it")
        for until in (
            datetime.fromtimestamp(start + 60, UTC),
            datetime.fromtimestamp(start + 60),
            datetime.fromtimestamp(start + 60, UTC).isoformat(),
            "1m",
            "in 1 minute",
            int(start) + 60,
        ):
            assert handle.disable(until)
            assert handle.disabled_until == start + 60
            assert handle.enable()

    @pytest.mark.parametrize(
        ("until", "error", "words"),
        [
            (1_800_000_000.0, ValueError, r"until must be in the future, .*enable_task\(\) enables"),
            (datetime(2020, 1, 1), ValueError, "until must be in the future"),
            ("2020-01-01", ValueError, "until: “2020-01-01” has passed: write a future time"),
            ("someday", ValueError, "until: “someday” is not a time: write a span from now, as 2h"),
            ("18", ValueError, "until: “18” may be seconds or an hour: write 18s or 18:00"),
            (float("inf"), ValueError, "until must be a finite number"),
            (float("nan"), ValueError, "until must be a finite number"),
            (True, TypeError, "until must be epoch seconds, a datetime, a text"),
            (b"18:00", TypeError, "until must be epoch seconds, a datetime, a text"),
        ],
    )
    def test_a_bad_one_is_refused_and_changes_nothing(
        self, scheduler: Scheduler, events: Events, until: Any, error: type[Exception], words: str
    ) -> None:
        handle = scheduler.add_on_demand_task(Doing(), "it")
        for disable in (handle.disable, lambda until: scheduler.disable_task("it", until)):
            with pytest.raises(error, match=words):
                disable(until)
        assert not handle.disabled
        assert not disabled_changes(events)


class TestClocks:
    def test_the_wall_clock_decides(self, scheduler: Scheduler, clock: ManualClock, start: float) -> None:
        """As for `Once` (T4): if the clock is set back, the end is later by the steady clock."""
        handle = scheduler.add_periodic_task(start + 100, 100, Doing(), "it")
        scheduler.disable_task("it", start + HOUR)
        clock.step_wall(-HOUR)
        clock.advance(HOUR)
        assert handle.disabled
        clock.advance(HOUR)
        assert not handle.disabled

    def test_a_clock_that_is_set_beyond_the_end_ends_it_within_a_second(
        self, scheduler: Scheduler, clock: ManualClock, start: float, events: Events
    ) -> None:
        task, daily = Notes(clock), Notes(clock)
        handle = scheduler.add_periodic_task(start + 100, 100, task, "it")
        due = datetime.fromtimestamp(start + 24 * HOUR, UTC)
        scheduler.add_daily_task(due.hour, due.minute, daily, "daily", tz="UTC")
        for name in ("it", "daily"):
            scheduler.disable_task(name, start + HOUR)
        clock.advance(250)
        clock.step_wall(30 * HOUR)
        clock.advance(1)

        assert not handle.disabled
        # By the steady clock, which it follows, it was disabled until now; so nothing is late.
        assert not task.times
        assert scheduler.snapshot().tasks[0].skipped == {SkipReason.DISABLED: 2}
        assert len(daily.times) == 1  # it follows the wall clock: late, once (T3)

    def test_only_while_there_is_an_end_the_wall_clock_is_watched(self, start: float) -> None:
        looks: list[NextLook] = []

        class Watched(ManualClock):
            def alarm(self, ring: Callable[[], NextLook], name: str) -> Any:
                def look() -> NextLook:
                    looks.append(ring())
                    return looks[-1]

                return super().alarm(look, name)

        clock = Watched(start)
        with Scheduler(clock=clock, executor=InlineExecutor()) as scheduler:
            scheduler.pause()
            scheduler.add_on_demand_task(Doing(), "it")
            clock.advance(1)
            assert looks[-1] == NextLook(None, watches_wall_clock=False)
            scheduler.disable_task("it", start + HOUR)
            clock.advance(1)
            assert looks[-1] == NextLook(HOUR, watches_wall_clock=True)
            scheduler.enable_task("it")
            clock.stall(1)
            assert looks[-1] == NextLook(None, watches_wall_clock=False)

    def test_a_stalled_process_gives_one_late_run_of_what_was_due_since_the_end(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        task = Notes(clock)
        handle = scheduler.add_periodic_task(start + 100, 100, task, "it")
        scheduler.disable_task("it", start + 250)
        clock.stall(990)
        clock.advance(5)

        assert len(task.times) == 1
        (skipped,) = [each for each in handle.history if not isinstance(each, type(handle.last_outcome))][:1]
        assert (skipped.reason, skipped.count) == (SkipReason.DISABLED, 2)
        assert handle.last_outcome is not None
        assert handle.last_outcome.due == start + 300


class TestSeen:
    def test_explain_says_until_when(self, scheduler: Scheduler, start: float) -> None:
        periodic = scheduler.add_periodic_task(start + 100, 100, Doing(), "it")
        demanded = scheduler.add_on_demand_task(Doing(), "other")
        for each in (periodic, demanded):
            each.disable(start + 60)
        clock_time = datetime.fromtimestamp(start + 60).strftime("%H:%M:%S")
        assert periodic.explain() == (f"it is disabled until {clock_time}; until then it runs only by hand.")
        assert demanded.explain().startswith(f"other is disabled until {clock_time}, and runs only on demand")

    def test_the_snapshot_and_a_watch_have_it(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        scheduler.add_periodic_task(start + 100, 100, Doing(), "it")
        watch = scheduler.watch()
        watch.collect()
        scheduler.disable_task("it", start + 60)
        assert [each.disabled_until for each in watch.collect().changed] == [start + 60]
        clock.advance(60)
        (task,) = watch.collect().changed
        assert (task.disabled, task.disabled_until) == (False, None)
        details = scheduler.describe("it")
        assert details is not None
        assert details.task.disabled_until is None


class TestUndo:
    def test_the_end_is_undone_with_the_disabling(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        handle = scheduler.add_on_demand_task(Doing(), "it")
        operations = Operations(scheduler)
        first = operations.disable(["it"], until=start + 60)
        second = operations.disable(["it"], until=start + 90)
        third = operations.disable(["it"])
        assert first.token
        assert second.token
        assert third.token

        operations.undo(third.token)
        assert handle.disabled_until == start + 90
        operations.undo(second.token)
        assert handle.disabled_until == start + 60
        operations.undo(first.token)
        assert not handle.disabled

    def test_enabling_is_undone_to_the_end_that_there_was(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        handle = scheduler.add_on_demand_task(Doing(), "it")
        operations = Operations(scheduler)
        operations.disable(["it"], until=start + 60)
        token = operations.enable(["it"]).token
        assert token is not None
        operations.undo(token)
        assert handle.disabled_until == start + 60

    def test_what_has_ended_by_itself_cannot_be_undone(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        scheduler.add_on_demand_task(Doing(), "it")
        operations = Operations(scheduler)
        token = operations.disable(["it"], until=start + 60).token
        assert token is not None
        clock.advance(60)
        with pytest.raises(UndoError, match="changed since"):
            operations.undo(token)

    def test_an_end_that_has_passed_meanwhile_is_not_put_back(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        handle = scheduler.add_on_demand_task(Doing(), "it")
        operations = Operations(scheduler)
        operations.disable(["it"], until=start + 60)
        token = operations.disable(["it"]).token
        assert token is not None
        clock.advance(60)
        operations.undo(token)
        assert not handle.disabled


class TestARestart:
    @pytest.fixture
    def restarted(self, tmp_path: Path, start: float) -> Iterator[Any]:
        """Run the program for a while: a scheduler with one periodic task, and its store."""

        def run(at: float, *, enabled: bool = True) -> tuple[Store, Scheduler, ManualClock, Notes]:
            clock = ManualClock(start + at)
            scheduler = Scheduler(clock=clock, executor=InlineExecutor(), capture=False)
            task = Notes(clock)
            scheduler.add_periodic_task(start, 100, task, "it")
            if not enabled:
                scheduler.declare_enabled("it", False)
            store = Store.open(tmp_path / "state.sqlite", clock=clock)
            opened.append((store, scheduler))
            store.attach(scheduler)
            scheduler.start()
            return store, scheduler, clock, task

        opened: list[tuple[Store, Scheduler]] = []
        yield run
        for store, scheduler in opened:
            scheduler.stop(1)
            store.close(1)

    def end(self, store: Store, scheduler: Scheduler) -> None:
        scheduler.stop(1)
        store.close(1)

    def test_it_lasts_and_ends_at_its_time(self, restarted: Any, start: float) -> None:
        store, scheduler, clock, _ = restarted(0)
        clock.advance(50)
        scheduler.disable_task("it", start + 1000)
        self.end(store, scheduler)

        store, scheduler, clock, task = restarted(500)
        handle = scheduler.handle("it")
        assert handle is not None
        assert handle.disabled_until == start + 1000
        clock.advance(499)
        assert not task.times
        clock.advance(1)
        assert task.times == [start + 1000]
        assert not handle.disabled

    def test_one_that_ended_while_nothing_ran_gives_its_one_late_run(
        self, restarted: Any, start: float
    ) -> None:
        store, scheduler, clock, _ = restarted(0)
        clock.advance(50)
        scheduler.disable_task("it", start + 350)
        self.end(store, scheduler)

        store, scheduler, clock, task = restarted(950)
        clock.advance(1)
        handle = scheduler.handle("it")
        assert handle is not None
        assert not handle.disabled
        assert task.times == [start + 950]
        assert handle.last_outcome is not None
        assert handle.last_outcome.skipped == {SkipReason.DISABLED: 3, SkipReason.MISSED: 5}

    def test_a_task_that_the_program_disables_is_enabled_at_that_time(
        self, restarted: Any, start: float
    ) -> None:
        store, scheduler, clock, _ = restarted(50, enabled=False)
        scheduler.disable_task("it", start + 1000)
        self.end(store, scheduler)

        store, scheduler, clock, _ = restarted(500, enabled=False)
        assert scheduler.handle("it").disabled_until == start + 1000
        clock.advance(500)
        assert not scheduler.handle("it").disabled
        self.end(store, scheduler)

        store, scheduler, clock, _ = restarted(1100, enabled=False)
        assert not scheduler.handle("it").disabled

    def test_a_task_of_a_file_keeps_it_when_the_file_is_read_again(
        self, scheduler: Scheduler, start: float
    ) -> None:
        spec = TaskSpec("it", Every(100), Recipe("builtins:print"))
        scheduler.add_spec(spec)
        scheduler.disable_task("it", start + 1000)
        scheduler.add_spec(replace(spec, schedule=Every(50)))
        assert scheduler.scheduled["it"].disabled_until == start + 1000

    @given(
        st.floats(allow_nan=False, allow_infinity=False) | st.none(),
        st.booleans() | st.none(),
    )
    def test_a_row_of_the_store_gives_back_what_was_saved(
        self, until: float | None, disabled: bool | None
    ) -> None:
        saved = SavedTask("it", declared=Every(5), disabled=disabled, disabled_until=until)
        row = registration_row(saved, 0.0, lambda _: None)
        assert read_saved_task(row).saved == saved

    def test_an_unreadable_end_is_no_end(self) -> None:
        """What is not known does not run: it stays disabled until a person enables it."""
        saved = SavedTask("it", declared=Every(5), disabled=True, disabled_until=1.0)
        row = registration_row(saved, 0.0, lambda _: None)._replace(disabled_until="soon")  # type: ignore[arg-type]
        read = read_saved_task(row)
        assert read.saved.disabled is True
        assert read.saved.disabled_until is None
        assert "disabled_until" in read.unread[0]

    def test_a_limited_task_of_which_something_is_unreadable_is_not_enabled_by_itself(self) -> None:
        """It may have had its only run."""
        saved = SavedTask(
            "it", declared=None, disabled=True, disabled_until=1.0, preserved=frozenset({"disabled"})
        )
        from taskkit import Policies

        assert saved.enabled_at(Once(5.0), Policies()) is None
        assert saved.enabled_at(Every(5.0), Policies()) == 1.0


def test_a_forked_child_shows_it_as_it_was_at_the_fork(
    scheduler: Scheduler, clock: ManualClock, start: float
) -> None:
    import os

    handle = scheduler.add_periodic_task(start + 100, 100, Doing(), "it")
    handle.disable(start + 60)
    child = os.fork()
    if child == 0:
        clock.advance(HOUR)
        os._exit(0 if handle.disabled and handle.disabled_until == start + 60 else 1)
    assert os.waitpid(child, 0)[1] == 0
