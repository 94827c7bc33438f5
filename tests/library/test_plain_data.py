"""What a scheduler tells and shows is plain data (section 7): it can be sent, copied, kept in a set."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
from collections.abc import Iterator
from typing import Any, ClassVar, Final

import pytest

from taskkit import Event, Every, Once, RunFinished, Scheduler, Task, TaskEvent, events, persistence, snapshot
from taskkit.spec import Recipe, TaskSpec
from taskkit.testing import InlineExecutor, ManualClock

TOLD: Final = {
    each.__name__: each
    for module in (events, snapshot, persistence)
    for each in vars(module).values()
    if isinstance(each, type) and dataclasses.is_dataclass(each) and each not in (Event, TaskEvent, Once)
}
"""Every class of events, of snapshots, and of what outlives a scheduler, and those that they hold."""


class Report(Task):
    """It prints, tells its progress, takes longer than its period, fails, and has parameters."""

    run_parameters: ClassVar = {"title": "news", "pages": 3}

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds

    def run(self) -> None:
        print("a line")
        self.progress(1, 2, "half")
        self.sleep(self.seconds)
        raise ValueError("no such feed")


def _made() -> Iterator[object]:
    """Things of all these classes."""
    told: list[object] = []
    clock = ManualClock(1_800_000_000.0)
    scheduler = Scheduler(clock=clock, executor=InlineExecutor(), on_error=lambda _: None)
    scheduler.subscribe(told.append)
    kept = scheduler.watch_persistence()
    watch = scheduler.watch()
    with scheduler:
        slow = scheduler.add_periodic_task(None, 10, Report(25), "slow", timeout=60, on_error=print)
        scheduler.add_on_demand_task(Report(), "retried", retries=3, retry_delay=60)
        scheduler.demand_task("retried", {"title": "once"})
        scheduler.add_spec(TaskSpec("kept", Every(60), Recipe("builtins:print", {"end": ""})), persist=True)
        scheduler.add_timed_task(
            None, lambda: told.extend([scheduler.snapshot(), scheduler.describe("shown")]), "shown"
        )
        clock.advance(50)
        slow.disable()
        clock.advance(30)
        slow.enable()
        scheduler.pause()
        clock.step_wall(3600)
        scheduler.resume()
        told += [scheduler.describe("slow"), scheduler.describe("retried"), scheduler.snapshot()]
        told += [kept.collect(), watch.collect()]
        scheduler.unregister_task("kept")
    return (part for each in told for part in _parts(each))


def _parts(whole: object) -> Iterator[object]:
    """It, and all dataclasses in it."""
    if isinstance(whole, tuple):
        for each in whole:
            yield from _parts(each)
    elif dataclasses.is_dataclass(whole):
        yield whole
        for field in dataclasses.fields(whole):
            yield from _parts(getattr(whole, field.name))


@pytest.fixture(scope="module")
def made() -> dict[type, list[Any]]:
    of_each: dict[type, list[Any]] = {}
    for each in _made():
        of_each.setdefault(type(each), []).append(each)
    return of_each


@pytest.mark.parametrize("kind", TOLD.values(), ids=TOLD)
def test_each_of_them_can_be_sent_copied_compared_and_taken_apart(
    made: dict[type, list[Any]], kind: type
) -> None:
    assert kind in made, f"nothing of these tells of a {kind.__name__}"
    for each in made[kind]:
        assert pickle.loads(pickle.dumps(each)) == each
        assert copy.deepcopy(each) == each
        assert hash(each) == hash(copy.deepcopy(each))
        assert dataclasses.replace(each) == each
        assert dataclasses.asdict(each).keys() == {field.name for field in dataclasses.fields(each)}


def test_what_passed_without_a_run_is_among_it(made: dict[type, list[Any]]) -> None:
    """Also where something was skipped: the empty mapping alone would prove little."""
    event = next(each for each in made[RunFinished] if each.outcome.skipped)
    told = json.loads(json.dumps(dataclasses.asdict(event)))
    assert told["outcome"]["skipped"] == event.outcome.skipped
