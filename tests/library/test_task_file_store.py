"""A file of tasks and a scheduler that remembers: what the file says, and what a person said against it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from task_files import RAN, tasks

from taskkit import Scheduler
from taskkit.store import PersistentScheduler
from taskkit.taskfile import TaskFileFollower
from taskkit.testing import InlineExecutor, ManualClock

pytestmark = pytest.mark.usefixtures("own_folder")

Life = tuple[PersistentScheduler, TaskFileFollower, ManualClock]


@pytest.fixture(autouse=True)
def _nothing_noted() -> None:
    RAN.clear()


@contextmanager
def life(start: float) -> Iterator[Life]:
    """One life of the scheduler, which begins at this time."""
    clock = ManualClock(start)
    scheduler = PersistentScheduler("state", clock=clock, executor=InlineExecutor(), capture=False)
    follower = TaskFileFollower(scheduler, "tasks.toml", remembers=True)
    follower.load()
    with scheduler:
        yield scheduler, follower, clock


def test_a_task_that_is_in_the_file_as_before_keeps_its_due_times(start: float) -> None:
    tasks("a every = '6h'")
    with life(start) as (_, _, clock):
        clock.advance(3600)
    with life(start + 7200) as (scheduler, _, clock):
        clock.advance(60)
        assert scheduler.handle("a").next_run == start + 6 * 3600
    assert RAN == ["a"]


def test_a_single_time_that_was_missed_is_made_up_for_once(start: float) -> None:
    tasks("a at = 2027-01-15 08:10:00Z")
    for begins in (start, start + 3600, start + 7200):
        with life(begins) as (_, _, clock):
            clock.advance(60)
    assert RAN == ["a"]


def test_what_a_person_decided_outlasts_the_restart(start: float) -> None:
    tasks("slow every = 60", "off every = 60")
    with life(start) as (scheduler, _, _):
        scheduler.set_period("slow", 600, override=True)
        scheduler.disable_task("off")
    with life(start + 60) as (scheduler, _, _):
        assert scheduler.handle("slow").period == 600
        assert scheduler.handle("off").disabled


@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.parametrize("by_a_person_first", [False, True])
def test_what_the_file_switched_it_switches_back_also_after_a_restart(
    start: float, enabled: bool, by_a_person_first: bool
) -> None:
    before, after = (f"a every = 60, enabled = {str(word).lower()}" for word in (enabled, not enabled))
    tasks(before)
    with life(start) as (scheduler, follower, _):
        if by_a_person_first:
            (scheduler.disable_task if enabled else scheduler.enable_task)("a")
        tasks(after)
        follower.reload()
        assert scheduler.handle("a").disabled is enabled
    tasks(before)
    with life(start + 60) as (scheduler, _, _):
        assert scheduler.handle("a").disabled is not enabled


def test_what_a_person_decided_and_the_file_says_too_is_stored_as_the_files_word(
    scheduler: Scheduler,
) -> None:
    tasks("a every = 60")
    follower = TaskFileFollower(scheduler, "tasks.toml")
    follower.load()
    watch = scheduler.watch_persistence()
    scheduler.disable_task("a")
    assert [kept.disabled for kept in watch.collect().changed] == [True]
    tasks("a every = 60, enabled = false")
    follower.reload()
    assert [kept.disabled for kept in watch.collect().changed] == [None]


def test_a_task_that_is_gone_from_the_file_is_gone(start: float) -> None:
    tasks("a every = 60", "b every = 60")
    with life(start):
        pass
    tasks("b every = 60")
    with life(start + 60) as (scheduler, _, _):
        assert scheduler.handle("a") is None
