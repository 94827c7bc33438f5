"""Metrics: valid OpenMetrics text, and counters that only grow, also over a restart."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import START
from doing import Takes, fail
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_prometheus
from restarted_program import Program
from served import SHOP, runtime, service  # noqa: F401 - a fixture

from taskkit import Every, OutcomeKind, Scheduler, SkipReason
from taskkit.cli import main
from taskkit.metrics import openmetrics
from taskkit.store.registration_rows import read_totals
from taskkit.testing import ManualClock

Captured = pytest.CaptureFixture[str]


def values_of(text: str) -> dict[str, float]:
    """The samples by name and labels, as a strict reader of OpenMetrics has them."""
    found = {}
    for family in parse_openmetrics(text):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sample.labels.items())
            key = f"{sample.name}{{{labels}}}"
            assert key not in found
            found[key] = sample.value
    return found


def test_runs_are_counted_by_outcome_with_their_seconds_and_lateness(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    scheduler.add_task(Every(10, START + 10), Takes(clock, 3), "it")
    scheduler.add_task(Every(60, START + 60), fail, "bad", retries=1, retry_delay=0)
    clock.advance(10)
    clock.advance(10)
    clock.advance(60)
    found = values_of(openmetrics(scheduler.snapshot()))
    runs = found["taskkit_runs_total{task=it,outcome=succeeded}"]
    assert runs > 2
    assert found["taskkit_run_seconds_count{task=it}"] == runs
    assert found["taskkit_run_seconds_sum{task=it}"] == 3 * runs
    assert found["taskkit_runs_total{task=bad,outcome=failed}"] == 2
    assert found["taskkit_failures_total{task=bad}"] == 2
    assert found["taskkit_lateness_seconds_count{task=bad}"] == 1
    assert found["taskkit_task_failing{task=bad}"] == 1
    assert "taskkit_last_success_timestamp_seconds{task=bad}" not in found


def test_late_runs_and_skipped_due_times_are_counted(scheduler: Scheduler, clock: ManualClock) -> None:
    scheduler.add_task(Every(10, START + 10), print, "it")
    clock.advance(10)
    clock.stall(35)
    clock.advance(0)
    found = values_of(openmetrics(scheduler.snapshot()))
    assert found["taskkit_lateness_seconds_count{task=it}"] == 2
    assert found["taskkit_lateness_seconds_sum{task=it}"] == 25
    assert found["taskkit_skipped_due_times_total{task=it,reason=missed}"] == 2
    assert found["taskkit_next_due_timestamp_seconds{task=it}"] == START + 50
    clock.advance(10)
    found = values_of(openmetrics(scheduler.snapshot()))
    assert found["taskkit_skipped_due_times_total{task=it,reason=missed}"] == 2


@pytest.mark.parametrize("name", ['a"b', "a\\n\\b", "two words", "ends in \\", "\ud800", "naïve\u2028 {}#="])
def test_any_name_is_a_valid_label(scheduler: Scheduler, name: str) -> None:
    scheduler.add_task(Every(10), print, name)
    text = openmetrics(scheduler.snapshot(), {"service": 'the "shop"\n'})
    names = {
        sample.labels["task"]
        for family in parse_openmetrics(text)
        for sample in family.samples
        if "task" in sample.labels
    }
    assert names == {name.encode(errors="backslashreplace").decode()}
    assert {sample.labels["service"] for family in parse_openmetrics(text) for sample in family.samples} == {
        'the "shop"\n'
    }


def test_the_older_text_format_of_prometheus_reads_the_same_samples(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    scheduler.add_task(Every(10, START + 10), print, 'a"\\')
    clock.advance(10)
    text = openmetrics(scheduler.snapshot())
    old = {(s.name, *s.labels.items()): s.value for family in parse_prometheus(text) for s in family.samples}
    new = {(s.name, *s.labels.items()): s.value for family in parse_openmetrics(text) for s in family.samples}
    assert old == new


def test_a_task_without_runs_has_counters_of_zero_and_an_empty_scheduler_valid_text(
    scheduler: Scheduler,
) -> None:
    assert values_of(openmetrics(scheduler.snapshot()))["taskkit_scheduler_running{}"] == 1
    scheduler.add_on_demand_task(print, "it")
    found = values_of(openmetrics(scheduler.snapshot()))
    assert found["taskkit_runs_total{task=it,outcome=failed}"] == 0
    assert "taskkit_next_due_timestamp_seconds{task=it}" not in found


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ({"a-b": "x"}, "labels must have names of letters, digits and _ that begin with a letter, not 'a-b'"),
        ({"__name": "x"}, "not '__name'"),
        ({"task": "x"}, "labels must not have the name 'task', which the metrics of tasks have already"),
        ({"a": 1}, "labels must have texts as values, not 1 for a"),
    ],
)
def test_a_label_that_cannot_be_is_refused(scheduler: Scheduler, labels: dict[str, str], words: str) -> None:
    with pytest.raises((TypeError, ValueError), match=words):
        openmetrics(scheduler.snapshot(), labels)


def test_a_task_that_is_replaced_goes_on_with_its_counts(scheduler: Scheduler, clock: ManualClock) -> None:
    def replace_it() -> None:
        scheduler.add_task(Every(10, START + 20), print, "it")

    scheduler.add_task(Every(10, START + 10), replace_it, "it")
    clock.advance(10)
    clock.advance(10)
    found = values_of(openmetrics(scheduler.snapshot()))
    assert found["taskkit_runs_total{task=it,outcome=succeeded}"] == 2


@pytest.fixture
def program(tmp_path: Path, clock: ManualClock) -> Iterator[Program]:
    program = Program(tmp_path / "tasks.db", clock)
    yield program
    program.stop()


@pytest.mark.parametrize("killed", [False, True])
def test_counters_go_on_after_a_restart(program: Program, clock: ManualClock, killed: bool) -> None:
    def register(scheduler: Scheduler) -> None:
        scheduler.add_task(Every(10, START + 10), print, "it")
        scheduler.add_task(Every(10, START + 10), fail, "bad")

    scheduler = program.start(register)
    clock.advance(10)
    clock.stall(15)
    clock.advance(0)
    before = {task.name: task.totals for task in scheduler.snapshot().tasks}
    program.kill() if killed else program.stop()
    clock.stall(100)
    scheduler = program.start(register)
    after = {task.name: task.totals for task in scheduler.snapshot().tasks}
    assert before["it"].runs == {OutcomeKind.SUCCEEDED: 2}
    assert after["it"].runs == {OutcomeKind.SUCCEEDED: 3}  # and the one that waited for the program
    assert after["it"].scheduled == before["it"].scheduled == 2
    assert after["it"].lateness == before["it"].lateness
    assert after["bad"].runs == {OutcomeKind.FAILED: 3}
    assert after["it"].skipped[SkipReason.MISSED] > before["it"].skipped.get(SkipReason.MISSED, 0)


def test_a_run_that_ends_with_its_process_is_counted_as_interrupted_once(
    program: Program, clock: ManualClock
) -> None:
    def kill() -> None:
        if not killed:
            killed.append(True)
            program.kill()

    killed: list[bool] = []
    scheduler = program.start(lambda scheduler: scheduler.add_on_demand_task(kill, "it"))
    scheduler.demand_task("it")
    for _ in range(2):
        scheduler = program.start(lambda scheduler: scheduler.add_on_demand_task(kill, "it"))
        (task,) = scheduler.snapshot().tasks
        assert task.totals.runs == {OutcomeKind.INTERRUPTED: 1}
        program.stop()


@pytest.mark.parametrize(
    "text", [None, "", "[]", "1", "{}", '{"runs": 1}', '{"runs": {"failed": -1}, "seconds": "x"}']
)
def test_totals_that_cannot_be_read_count_as_none(text: str | None) -> None:
    assert read_totals(text) is None


# The command


def metrics(capsys: Captured, *arguments: str) -> dict[str, float]:
    capsys.readouterr()
    assert main(["metrics", *arguments]) == 0
    return values_of(capsys.readouterr().out)


FILE = '[tasks.it]\ncommand = "true"\nevery = "1h"\n'


def test_the_process_is_asked_that_runs_the_target(capsys: Captured, runtime: Path) -> None:  # noqa: F811
    with service():
        found = metrics(capsys, SHOP, "--label", "host=web1")
    assert found[f"taskkit_scheduler_running{{service={SHOP},host=web1}}"] == 1
    assert found[f"taskkit_runs_total{{service={SHOP},host=web1,task=hourly,outcome=succeeded}}"] == 0


def test_the_state_is_read_where_nothing_runs(
    capsys: Captured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: Program, clock: ManualClock
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    Path("shop.toml").write_text(FILE)
    found = metrics(capsys, "shop.toml")
    assert found["taskkit_scheduler_running{service=shop}"] == 0
    assert found["taskkit_runs_total{service=shop,task=it,outcome=succeeded}"] == 0
    program.start(lambda scheduler: scheduler.add_task(Every(3600, START), print, "it"))
    program.stop()
    found = metrics(capsys, "shop.toml", "--state", "tasks.db")
    assert found["taskkit_runs_total{service=shop,task=it,outcome=succeeded}"] == 1
    found = metrics(capsys, "--state", "tasks.db")
    assert found["taskkit_last_success_timestamp_seconds{service=tasks,task=it}"] == START


def test_a_file_is_replaced_in_one_step_and_can_be_read_by_others(
    capsys: Captured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    Path("shop.toml").write_text(FILE)
    Path("shop.prom").write_text("before")
    before = Path("shop.prom").open()  # noqa: SIM115 - it sees the old content
    assert main(["metrics", "shop.toml", "-o", "shop.prom"]) == 0
    with before:
        assert before.read() == "before"
    assert values_of(Path("shop.prom").read_text())
    assert stat.S_IMODE(Path("shop.prom").stat().st_mode) & 0o444 == 0o444
    assert sorted(each.name for each in tmp_path.iterdir() if each.is_file()) == ["shop.prom", "shop.toml"]
    assert main(["metrics", "shop.toml", "-o", "no/shop.prom"]) == 1
    assert "cannot write no/shop.prom: No such file or directory" in capsys.readouterr().err


def test_a_label_that_is_mistyped_is_refused(capsys: Captured) -> None:
    with pytest.raises(SystemExit) as exiting:
        main(["metrics", "shop.toml", "--label", "host"])
    assert exiting.value.code == 2
    assert "must be NAME=VALUE, not 'host'" in capsys.readouterr().err
