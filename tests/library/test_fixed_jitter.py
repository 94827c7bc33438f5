"""A fixed jitter: the same delay of each start, another one for each task and each machine."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import mean

import pytest
from doing import Doing, Notes
from recorder import Events

from taskkit import Every, Jitter, Policies, Recipe, Scheduler, SkipReason, TaskChanged, TaskSpec, jitter
from taskkit.jitter import fixed_share
from taskkit.spec import spec_from_json, spec_to_json
from taskkit.store import PersistentScheduler
from taskkit.taskfile import TaskFileError, read_task_file
from taskkit.testing import InlineExecutor, ManualClock

DAY = 86_400.0


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jitter, "_machine", lambda: "a machine")


def test_each_start_is_late_by_the_same_part_of_it(
    scheduler: Scheduler, clock: ManualClock, events: Events, start: float
) -> None:
    task = Notes(clock)
    scheduler.add_periodic_task(start, 3600, task, "it", jitter="fixed:20m")
    clock.advance(DAY)

    delays = {round(each - due, 3) for each, due in zip(task.times, events.dues("it"), strict=True)}
    assert delays == {round(1200 * fixed_share("it"), 3)}
    assert {each.lateness for each in events.outcomes("it")} == {0}, "lateness is without jitter"
    assert events.skips("it") == {}


def test_it_is_the_same_after_a_restart(tmp_path: Path, clock: ManualClock, start: float) -> None:
    times: list[float] = []
    for _ in range(2):
        with PersistentScheduler(tmp_path / "s.db", clock=clock, executor=InlineExecutor()) as scheduler:
            task = Notes(clock)
            scheduler.add_periodic_task(start, 3600, task, "it", jitter=Jitter(1200, fixed=True))
            clock.advance(7200)
            times += task.times
    assert {round((each - start) % 3600, 3) for each in times} == {round(1200 * fixed_share("it"), 3)}


def test_names_and_machines_are_spread_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [fixed_share(f"task {number}") for number in range(1000)]
    machines = []
    for number in range(1000):
        monkeypatch.setattr(jitter, "_machine", lambda number=number: f"machine {number}")
        machines.append(fixed_share("it"))
    for shares in (names, machines):
        assert all(0 <= each < 1 for each in shares)
        assert mean(shares) == pytest.approx(0.5, abs=0.03)
        assert len({int(each * 10) for each in shares}) == 10


def test_a_machine_without_an_id_has_its_name() -> None:
    assert fixed_share("\ud800 a name that is not a text")


def test_a_fixed_jitter_longer_than_the_period_is_refused(scheduler: Scheduler) -> None:
    with pytest.raises(
        ValueError, match=r"^jitter must be at most 60 seconds, the shortest time between two"
    ):
        scheduler.add_periodic_task(None, 60, Doing(), "it", jitter="fixed:2m")
    assert scheduler.handle("it") is None


def test_a_shorter_period_limits_it_and_says_so(
    scheduler: Scheduler, clock: ManualClock, events: Events
) -> None:
    scheduler.add_periodic_task(None, 3600, Doing(), "it", jitter="fixed:20m")
    scheduler.set_period("it", 60)
    assert [(each.before, each.after) for each in events.of(TaskChanged) if each.what == "jitter"] == [
        (1200.0, 60.0)
    ]
    details = scheduler.describe("it")
    assert details is not None
    assert details.policies["jitter"] == "fixed:1m"
    clock.advance(600)
    assert SkipReason.MISSED not in events.skips("it")


def test_explain_says_when_it_starts(scheduler: Scheduler, clock: ManualClock, start: float) -> None:
    handle = scheduler.add_periodic_task(start + 10, 3600, Doing(), "it", jitter=Jitter(1200, fixed=True))
    clock.advance(11)

    left = 1200 * fixed_share("it") - 1
    assert left > 2
    assert "it is due, and starts in " in handle.explain()
    assert "(fixed jitter)" in handle.explain()
    clock.advance(left)
    assert "fixed jitter" not in handle.explain()


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (5, 5),
        ("20m", 1200.0),
        ("fixed:20m", Jitter(1200, fixed=True)),
        (" fixed: 1h30m ", Jitter(5400, fixed=True)),
        (Jitter(5), 5.0),
        (Jitter(0, fixed=True), 0.0),
    ],
    ids=str,
)
def test_what_can_be_given(given: float | str | Jitter, kept: float | Jitter) -> None:
    policies = Policies(jitter=given)
    assert policies.jitter == kept
    assert policies.jitter_is_fixed is isinstance(kept, Jitter)
    spec = TaskSpec("it", Every(7200), Recipe("builtins:print"), policies)
    assert spec_from_json(json.loads(json.dumps(spec_to_json(spec)))).policies == policies


@pytest.mark.parametrize("text", ["soon", "fixed:", "fixed:soon", "fixed:-5", "fixed", ""])
def test_a_text_that_is_no_jitter_is_refused_in_words(scheduler: Scheduler, text: str) -> None:
    with pytest.raises(ValueError, match=r"^jitter must be a span such as '20m' or 'fixed:20m', not"):
        scheduler.add_on_demand_task(Doing(), "it", jitter=text)


def test_a_file_gives_it_as_a_text(tmp_path: Path) -> None:
    path = tmp_path / "tasks.toml"
    lines = '[tasks.it]\ncommand = "true"\nevery = "1h"\njitter = '
    path.write_text(f'{lines}"fixed:20m"\n')
    assert read_task_file(path).specs[0].policies == Policies(jitter="fixed:20m")
    for text, words in (("fixed:2h", "must be at most 1 h"), ("fixed:soon", 'such as "20m" or "fixed:20m"')):
        path.write_text(f'{lines}"{text}"\n')
        with pytest.raises(TaskFileError, match=words) as caught:
            read_task_file(path)
        assert caught.value.problems[0].line == 4
