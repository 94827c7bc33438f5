"""`catch_up` in seconds: a limit on how late a run may start (T3)."""

from __future__ import annotations

import json
from io import StringIO
from math import inf
from pathlib import Path

import pytest
from doing import Doing, Notes
from hypothesis import given, settings
from hypothesis import strategies as st
from recorder import Events

from taskkit import Every, Policies, Recipe, RunSkipped, Scheduler, SkipReason, TaskSpec
from taskkit.cli.console import Console
from taskkit.cli.event_lines import Detail, EventLines
from taskkit.spec import spec_from_json, spec_to_json
from taskkit.store import PersistentScheduler, StoredSkip, read_history
from taskkit.taskfile import read_task_file
from taskkit.testing import InlineExecutor, ManualClock
from taskkit.words.outcomes import late_words

HOUR = 3600.0
DAY = 86_400.0


def test_the_first_due_time_within_the_limit_runs_and_the_others_are_counted(
    scheduler: Scheduler, clock: ManualClock, events: Events, start: float
) -> None:
    scheduler.add_periodic_task(start + 60, 60, Doing(), "it", catch_up=150)
    clock.stall(630)

    outcome = events.outcomes("it")[0]
    assert (outcome.due, outcome.lateness) == (start + 480, 150)
    assert events.skips("it") == {SkipReason.MISSED: 9}
    before, after = events.of(RunSkipped, "it")
    assert (before.count, before.last_due, before.late_by) == (7, start + 420, 210)
    assert (after.count, after.first_due, after.late_by) == (2, start + 540, None)


def test_what_is_later_than_the_limit_is_skipped(
    scheduler: Scheduler, clock: ManualClock, events: Events, start: float
) -> None:
    task = Notes(clock)
    scheduler.add_daily_task(9, 0, task, "it", tz="UTC", catch_up=HOUR)
    clock.stall(2 * HOUR + 1)
    clock.advance(DAY)

    assert task.times == [start + HOUR + DAY]
    assert events.skips("it") == {SkipReason.MISSED: 1}


def test_exactly_at_the_limit_it_runs(scheduler: Scheduler, clock: ManualClock, events: Events) -> None:
    scheduler.add_daily_task(9, 0, Doing(), "it", tz="UTC", catch_up=HOUR)
    clock.stall(2 * HOUR)

    assert [outcome.lateness for outcome in events.outcomes("it")] == [HOUR]


def test_the_wall_clock_set_forward_counts_as_a_stall(
    scheduler: Scheduler, clock: ManualClock, events: Events
) -> None:
    scheduler.add_daily_task(9, 0, Doing(), "it", tz="UTC", catch_up=600)
    clock.step_wall(2 * HOUR)

    assert events.outcomes("it") == []
    assert events.skips("it") == {SkipReason.MISSED: 1}


@settings(max_examples=60, deadline=None)
@given(
    period=st.integers(1, 50),
    limit=st.integers(1, 200),
    stalls=st.lists(st.integers(0, 300), min_size=1, max_size=6),
)
def test_against_a_reference_second_by_second(period: int, limit: int, stalls: list[int]) -> None:
    clock = ManualClock(1_800_000_000.0)
    with Scheduler(clock=clock, executor=InlineExecutor(), capture=False) as scheduler:
        events = Events(scheduler.subscribe)
        scheduler.add_periodic_task(clock.time() + 1, period, Doing(), "it", catch_up=limit)
        begin, waiting, expected, now = clock.time(), 1, [], 0
        for stall in stalls:
            clock.stall(stall)
            now += stall
            missed = list(range(waiting, now + 1, period))
            in_time = [due for due in missed if now - due <= limit]
            expected += in_time[:1]
            waiting += period * len(missed)
        skipped = sum(events.skips("it").values())

    assert [due - begin for due in events.dues("it")] == expected
    assert len(expected) + skipped == (waiting - 1) // period


@pytest.mark.parametrize("catch_up", [True, inf])
def test_infinity_is_no_limit(catch_up: float) -> None:
    policies = Policies(catch_up=catch_up)
    assert policies.catch_up is True
    assert policies == Policies()


def test_a_second_is_not_true() -> None:
    """To Python 1 equals True; a change of a file from one to the other must not pass unseen."""
    assert Policies(catch_up=1) != Policies(catch_up=True)
    assert Policies(catch_up=1).given() == {"catch_up": 1.0}
    spec = TaskSpec("it", Every(60), Recipe("builtins:print"), Policies(catch_up=1))
    again = spec_from_json(json.loads(json.dumps(spec_to_json(spec))))
    assert again == spec
    assert again.policies.catch_up is not True


def test_a_file_gives_it_as_a_span(tmp_path: Path) -> None:
    path = tmp_path / "tasks.toml"
    for text, value in (('"10m"', 600.0), ("1", 1.0), ("true", True), ("false", False)):
        path.write_text(f'[tasks.it]\ncommand = "true"\nevery = "5s"\ncatch_up = {text}\n')
        (spec,) = read_task_file(path).specs
        assert spec.policies == Policies(catch_up=value)


def test_explain_says_by_how_much_it_came_too_late(
    scheduler: Scheduler, clock: ManualClock, start: float
) -> None:
    handle = scheduler.add_periodic_task(start + HOUR, DAY, Doing(), "it", catch_up=600)
    clock.stall(2 * HOUR)

    assert handle.explain().endswith(
        ": the machine slept or the program did not run, "
        "and a run would have been 1 h late, but catch_up allows 10 min."
    )


def test_the_history_of_a_store_keeps_it(tmp_path: Path, clock: ManualClock, start: float) -> None:
    path = tmp_path / "state.db"
    with PersistentScheduler(path, clock=clock, executor=InlineExecutor()) as scheduler:
        scheduler.add_periodic_task(start + HOUR, DAY, Doing(), "it", catch_up=600)
        clock.stall(2 * HOUR)
        (skip,) = scheduler.describe("it").history  # type: ignore[union-attr]
        assert getattr(skip, "late_by", None) == HOUR
    (stored,) = [row for row in read_history(path, "it") if isinstance(row, StoredSkip)]
    assert stored.skip == skip
    with PersistentScheduler(path, clock=clock, executor=InlineExecutor()) as scheduler:
        handle = scheduler.add_periodic_task(start + HOUR, DAY, Doing(), "it", catch_up=600)
        assert "a run would have been 1 h late" in handle.explain()


def test_a_line_of_the_command_says_it(start: float) -> None:
    event = RunSkipped(start, "it", SkipReason.MISSED, 2, start - 9000, start - 7200, 7200.0)
    assert late_words(7200.0, 1) == ", by 2 h"
    lines = EventLines(Console(StringIO()), Detail.NORMAL)
    assert "skipped 2 due times: missed, the last by 2 h, from" in "".join(lines.of(event))
