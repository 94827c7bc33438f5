"""`overlap`: what a due time does while the run before is still going on. Never two at once (T2)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest
from doing import Doing, Takes, fail
from hypothesis import given, settings
from hypothesis import strategies as st
from patience import eventually
from recorder import Events

from taskkit import (
    Daily,
    Every,
    Once,
    OutcomeKind,
    Overlap,
    Policies,
    Recipe,
    RunSkipped,
    Scheduler,
    SkipReason,
    TaskChanged,
    TaskSpec,
    Trigger,
    current_run,
)
from taskkit.spec import spec_from_json, spec_to_json
from taskkit.store import PersistentScheduler
from taskkit.taskfile import TaskFileError, read_task_file
from taskkit.testing import InlineExecutor, ManualClock

OVERLAP, SCHEDULE = SkipReason.OVERLAP, Trigger.SCHEDULE
STOPPED, SUCCEEDED = OutcomeKind.STOPPED, OutcomeKind.SUCCEEDED


def sleeps(seconds: float) -> Callable[[], object]:
    """A step of a run that ends early if it is asked to stop."""
    return lambda: current_run().sleep(seconds)


def triggers(events: Events) -> list[tuple[Trigger, OutcomeKind]]:
    return [(each.trigger, each.kind) for each in events.outcomes("it")]


class TestQueue:
    def test_one_more_run_follows_at_once_whatever_has_passed(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float
    ) -> None:
        task = Doing(sleeps(35))
        scheduler.add_periodic_task(start, 10, task, "it", overlap="queue")
        clock.advance(44)

        first, queued, third = events.outcomes("it")
        assert (queued.due, queued.started, queued.lateness) == (start + 10, start + 35, 25)
        assert (first.finished, third.due) == (start + 35, start + 40)
        assert events.skips("it") == {OVERLAP: 2}

    def test_it_is_shown_as_soon_as_the_due_time_comes(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        shown: list[tuple[float, bool]] = []
        said: list[str] = []

        def look() -> None:
            watch = scheduler.watch()
            watch.collect()
            for _ in range(3):
                current_run().sleep(5)
                shown.append((clock.time() - start, scheduler.snapshot().tasks[0].again))
                if changed := watch.collect().changed:
                    assert changed == scheduler.snapshot().tasks
            said.append(current_run().handle.explain())

        scheduler.add_periodic_task(start, 10, Doing(look), "it", overlap=Overlap.QUEUE)
        clock.advance(15)

        assert shown == [(5, False), (10, True), (15, True)]
        assert "it is due again, and runs once more after this run (overlap is queue)" in said[0]

    def test_a_demand_and_a_due_time_are_one_run(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float
    ) -> None:
        def demand() -> None:
            current_run().sleep(12)
            scheduler.demand_task("it", {"deep": True})
            current_run().sleep(3)

        scheduler.add_periodic_task(start, 10, Doing(demand), "it", overlap="queue")
        clock.advance(19)

        assert triggers(events) == [(SCHEDULE, SUCCEEDED), (Trigger.DEMAND, SUCCEEDED)]
        assert events.skips("it") == {OVERLAP: 1}

    def test_retries_come_first(self, scheduler: Scheduler, clock: ManualClock, events: Events) -> None:
        def overrun_and_fail() -> None:
            current_run().sleep(12)
            fail()

        scheduler.add_periodic_task(
            None, 10, Doing(overrun_and_fail), "it", overlap="queue", retries=1, retry_delay=2
        )
        clock.advance(19)

        assert [each.trigger for each in events.outcomes("it")] == [SCHEDULE, Trigger.RETRY, SCHEDULE]
        assert events.skips("it") == {}

    @pytest.mark.parametrize("how", ["disable", "pause", "unregister", "reschedule", "set_period", "replace"])
    def test_what_ends_the_waiting_counts_the_due_time(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, how: str
    ) -> None:
        def command() -> None:
            current_run().sleep(12)
            match how:
                case "disable" | "unregister":
                    getattr(scheduler, f"{how}_task")("it")
                case "pause":
                    scheduler.pause()
                case "reschedule":
                    scheduler.reschedule_task("it", Every(100))
                case "set_period":
                    scheduler.set_period("it", 100)
                case "replace":
                    scheduler.add_task(Every(100, clock.time() + 100), Doing(), "it")
            current_run().sleep(2)

        scheduler.add_periodic_task(None, 10, Doing(command), "it", overlap="queue")
        clock.advance(15)

        assert len(events.outcomes("it")) == 1
        assert sum(events.skips("it").values()) == 1
        handle = scheduler.handle("it")
        assert handle is None or not handle.run_again

    def test_the_last_of_max_runs_is_the_last(
        self, scheduler: Scheduler, clock: ManualClock, events: Events
    ) -> None:
        scheduler.add_periodic_task(None, 10, Takes(clock, 15), "it", overlap="queue", max_runs=2)
        clock.advance(100)

        assert len(events.outcomes("it")) == 2
        assert scheduler.handle("it") is None

    @pytest.mark.parametrize("schedule", [Once(1_800_000_005.0), Daily(8, 1, "UTC")], ids=str)
    def test_calendars_and_one_shots_are_queued_too(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, schedule: Once | Daily
    ) -> None:
        scheduler.add_task(schedule, Doing(sleeps(90)), "it", overlap="queue")
        scheduler.run_task_now("it")

        assert [each.trigger for each in events.outcomes("it")] == [Trigger.RUN_NOW, SCHEDULE]

    def test_a_catch_up_limit_is_for_stalls(
        self, scheduler: Scheduler, clock: ManualClock, events: Events
    ) -> None:
        scheduler.add_periodic_task(None, 10, Doing(sleeps(19)), "it", overlap="queue", catch_up=False)
        clock.advance(19)

        assert len(events.outcomes("it")) == 2

    def test_a_queued_due_time_survives_a_kill(self, tmp_path: Path, clock: ManualClock) -> None:
        """A copy of the file, taken in the midst of the run, is what a killed process leaves."""
        path, copy = tmp_path / "state.db", tmp_path / "copy.db"

        def be_killed() -> None:
            current_run().sleep(12)
            assert scheduler.store is not None
            assert scheduler.store.flush()
            copy.write_bytes(path.read_bytes())
            copy.with_name("copy.db-wal").write_bytes(path.with_name("state.db-wal").read_bytes())

        with PersistentScheduler(path, clock=clock, executor=InlineExecutor(), capture=False) as scheduler:
            scheduler.add_periodic_task(None, 10, Doing(be_killed), "it", overlap="queue")
            clock.advance(1)
        with PersistentScheduler(copy, clock=clock, executor=InlineExecutor(), capture=False) as scheduler:
            events = Events(scheduler.subscribe)
            scheduler.add_periodic_task(None, 10, Doing(), "it", overlap="queue")
            begin = clock.time()
            clock.advance(1)
        assert [due - begin for due in events.dues("it")] == [-2]


class TestRestart:
    def test_the_present_run_is_asked_to_stop_and_a_new_one_begins(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float
    ) -> None:
        scheduler.add_periodic_task(start, 10, Doing(sleeps(1000)), "it", overlap="restart")
        clock.advance(9)

        assert triggers(events) == [(SCHEDULE, STOPPED), (SCHEDULE, SUCCEEDED)]
        assert events.dues("it") == [start, start + 10]
        assert events.skips("it") == {}
        assert [each.what for each in events.of(TaskChanged, "it")] == ["stopping"]
        assert not scheduler.snapshot().tasks[0].failing

    def test_a_run_that_does_not_hear_is_waited_for(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float
    ) -> None:
        scheduler.add_periodic_task(start, 10, Doing(lambda: clock.advance(35)), "it", overlap="restart")
        clock.advance(1)

        first, second = events.outcomes("it")
        assert (first.kind, second.due, second.started) == (STOPPED, start + 10, start + 35)
        assert events.skips("it") == {OVERLAP: 2}

    def test_a_run_longer_than_the_period_never_ends_and_explain_says_so(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, start: float
    ) -> None:
        said: list[str] = []

        def work() -> None:
            said.append(current_run().handle.explain())
            current_run().sleep(11)

        scheduler.add_periodic_task(start, 10, Doing(work, work, work), "it", overlap="restart")
        clock.advance(1)

        assert [kind for _, kind in triggers(events)] == [STOPPED, STOPPED, STOPPED, SUCCEEDED]
        assert "never finishes" not in said[0]
        assert all("never finishes, as overlap is restart" in each for each in said[1:])

    def test_a_due_time_takes_the_place_of_a_waiting_retry(
        self, scheduler: Scheduler, clock: ManualClock, events: Events
    ) -> None:
        scheduler.add_periodic_task(None, 10, Doing(fail), "it", overlap="restart", retries=1, retry_delay=15)
        clock.advance(19)

        assert [each.trigger for each in events.outcomes("it")] == [SCHEDULE, SCHEDULE]

    def test_a_timeout_counts_as_ever(self, scheduler: Scheduler, clock: ManualClock, events: Events) -> None:
        scheduler.add_periodic_task(None, 10, Doing(sleeps(50)), "it", overlap="restart", timeout=5)
        clock.advance(9)

        assert [each.kind for each in events.outcomes("it")] == [OutcomeKind.TIMED_OUT]

    def test_a_run_that_waits_for_a_thread_is_left_alone(self, clock: ManualClock) -> None:
        """Stopped, it would wait all over again, and never run."""
        free, ran = Event(), Event()
        with Scheduler(clock=clock, max_threads=1, capture=False) as scheduler:
            events = Events(scheduler.subscribe)
            scheduler.add_on_demand_task(free.wait, "holder")
            scheduler.run_task_now("holder")
            eventually(lambda: scheduler.running["holder"]._entry.run.started is not None)  # type: ignore[union-attr]
            scheduler.add_periodic_task(None, 10, ran.set, "it", overlap="restart")
            clock.advance(35)
            assert scheduler.running["it"]._entry.run is not None
            free.set()
            assert ran.wait(60)
            eventually(lambda: events.outcomes("it"))
            assert events.outcomes("it")[0].kind is SUCCEEDED
            assert events.skips("it") == {OVERLAP: 3}


@settings(max_examples=100, deadline=None)
@given(
    overlap=st.sampled_from(["skip", "queue", "restart"]),
    period=st.integers(2, 20),
    lengths=st.lists(st.integers(0, 50), min_size=1, max_size=12),
    hears=st.booleans(),
)
def test_each_due_time_is_run_or_counted_and_no_two_run_at_once(
    overlap: str, period: int, lengths: list[int], hears: bool
) -> None:
    """T2 and O4, and against a reference that goes from run to run."""
    clock = ManualClock(0.0)
    going: Counter[str] = Counter()
    with Scheduler(clock=clock, executor=InlineExecutor(), capture=False) as scheduler:
        events = Events(scheduler.subscribe)
        left = list(lengths)

        def work() -> None:
            going["it"] += 1
            assert going["it"] == 1
            length = left.pop(0) if left else 0
            current_run().sleep(length) if hears else clock.advance(length)
            going["it"] -= 1

        scheduler.add_periodic_task(0.0, period, work, "it", overlap=overlap)  # type: ignore[arg-type]
        clock.advance(300)
        end = clock.time()

    outcomes = events.outcomes("it")
    passed = int(end // period) + 1
    assert len(outcomes) + sum(each.count for each in events.of(RunSkipped, "it")) == passed
    expected, at, due, left = [], 0.0, 0.0, list(lengths)
    while at <= end:
        length = left.pop(0) if left else 0
        coming = next(point for point in range(int(due), 10_000, period) if point > at)
        finish = min(at + length, coming) if overlap == "restart" and hears else at + length
        expected.append((due, at))
        if overlap != "skip" and due + period <= finish:
            first = due + period
            if first <= at:  # it had passed when this run began
                first = coming
            due, at = (first, finish) if first <= finish else (coming, coming)
        else:
            due = at = next(point for point in range(int(due), 10_000, period) if point > finish)
    assert [(each.due, each.started) for each in outcomes] == expected[: len(outcomes)]


def test_skip_is_the_default_and_a_text_becomes_an_overlap() -> None:
    assert Policies().overlap is Overlap.SKIP
    assert Policies(overlap="queue").overlap is Overlap.QUEUE
    assert Policies(overlap="queue") == Policies(overlap=Overlap.QUEUE)


@pytest.mark.parametrize(("value", "error"), [("twice", ValueError), (None, TypeError), (2, TypeError)])
def test_anything_else_is_refused_in_words(
    scheduler: Scheduler, value: object, error: type[Exception]
) -> None:
    with pytest.raises(error, match=f"^overlap must be 'skip', 'queue' or 'restart', not {value!r}$"):
        scheduler.add_on_demand_task(Doing(), "it", overlap=value)  # type: ignore[arg-type]
    assert scheduler.handle("it") is None


def test_a_spec_and_a_file_hold_it(tmp_path: Path) -> None:
    spec = TaskSpec("it", Every(60), Recipe("builtins:print"), Policies(overlap="restart"))
    assert spec_from_json(json.loads(json.dumps(spec_to_json(spec)))) == spec
    path = tmp_path / "tasks.toml"
    path.write_text('[tasks.it]\ncommand = "true"\nevery = "5s"\noverlap = "queue"\n')
    assert read_task_file(path).specs[0].policies == Policies(overlap="queue")
    path.write_text('[tasks.it]\ncommand = "true"\nevery = "5s"\noverlap = "queued"\n')
    with pytest.raises(TaskFileError, match=r'must be "skip", "queue" or "restart"; did you mean "queue"\?'):
        read_task_file(path)
