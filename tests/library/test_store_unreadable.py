"""A state whose rows cannot all be read costs nobody else anything, and no decision of anybody's is lost."""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from conftest import START
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from restarted_program import Program

from taskkit import Cron, CronMissingError, Daily, Every, Once, Policies, Recipe, Scheduler, TaskSpec, Trigger
from taskkit.schedules import cron_expression
from taskkit.store import PersistentScheduler, StoredRun, read_history, read_state
from taskkit.testing import InlineExecutor, ManualClock

HOUR = 3600.0
COLUMNS = (
    "declared",
    "override",
    "due",
    "last_due",
    "disabled",
    "run_count",
    "retry",
    "again",
    "spec",
    "written",
)


def work() -> str:
    return "done"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tasks.db"


@pytest.fixture
def program(path: Path, clock: ManualClock) -> Iterator[Program]:
    program = Program(path, clock)
    yield program
    program.stop()


def register(scheduler: Scheduler) -> None:
    """One that is left alone, one that a person disables, and one whose row will be odd."""
    scheduler.add_periodic_task(START, HOUR, work, "other")
    scheduler.add_periodic_task(START + 60, HOUR, work, "payout")
    scheduler.add_periodic_task(START + 60, HOUR, work, "odd")


def row_of(path: Path, name: str | bytes) -> tuple[Any, ...]:
    with closing(sqlite3.connect(path)) as file:
        file.text_factory = bytes
        return file.execute("SELECT * FROM registrations WHERE name = ?", (name,)).fetchone()  # type: ignore[no-any-return]


def change(path: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(path)) as file:
        file.execute(statement, values)
        file.commit()


def by_schedule(run: StoredRun) -> bool:
    return run.outcome.trigger is Trigger.SCHEDULE


def notices(program: Program) -> list[str]:
    program.flush()
    assert program.scheduler is not None
    return [*program.scheduler.store.notices]


@pytest.fixture
def without_cronsim(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Called to begin a time without the package, which ends with `monkeypatch.undo()`."""

    def begin() -> None:
        cron_expression.read_cron.cache_clear()
        monkeypatch.setitem(sys.modules, "cronsim", None)
        with pytest.raises(CronMissingError):
            Cron("0 9 * * *")

    return begin


def test_a_schedule_without_its_package_is_one_notice_and_the_others_run(
    program: Program,
    clock: ManualClock,
    without_cronsim: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
    path: Path,
) -> None:
    scheduler = program.start(register)
    scheduler.add_spec(TaskSpec("nightly", Cron("0 3 * * *"), Recipe(f"{__name__}:work")), persist=True)
    scheduler.reschedule_task("odd", Cron("0 9 * * *"), override=True)
    scheduler.disable_task("payout")
    program.stop()
    before = {name: row_of(path, name) for name in ("nightly", "odd")}

    without_cronsim()
    again = program.start(register)
    assert again.is_running
    assert again.handle("nightly") is None
    assert again.scheduled["payout"].disabled
    assert again.scheduled["odd"].disabled  # as nobody knows when it is due
    assert len([each for each in notices(program) if "'nightly'" in each]) == 1
    assert len([each for each in notices(program) if "'odd'" in each]) == 1
    assert len(notices(program)) == 2
    clock.advance(2 * HOUR)
    assert len(program.runs("other")) == 3
    assert program.runs("odd") == program.runs("nightly") == []
    program.stop()
    assert {name: row_of(path, name) for name in ("nightly", "odd")} == before

    monkeypatch.undo()
    cron_expression.read_cron.cache_clear()
    back = program.start(register)
    (odd,) = [task for task in back.snapshot().tasks if task.name == "odd"]
    assert (odd.schedule, odd.overrides, odd.disabled) == ("cron 0 9 * * *", "every 1 h", False)
    assert back.scheduled["nightly"].schedule == Cron("0 3 * * *")
    assert back.scheduled["payout"].disabled
    assert notices(program) == []


def test_a_zone_that_is_missing_for_one_start_costs_no_decision(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    scheduler = program.start(register)
    scheduler.reschedule_task("odd", Daily(9, 0, "Europe/Berlin"), override=True)
    scheduler.disable_task("payout")
    program.stop()

    def no_database(name: str) -> ZoneInfo:
        raise ValueError(f"{name!r}: there is no database")

    with monkeypatch.context() as patch:
        patch.setattr("taskkit.schedules.zones.zone_named", no_database)
        again = program.start(register)
        assert again.is_running
        assert again.scheduled["odd"].disabled
        assert again.scheduled["payout"].disabled
    back = program.restart(register)
    assert back.scheduled["odd"].schedule == Daily(9, 0, "Europe/Berlin")
    assert not back.scheduled["odd"].disabled
    assert back.scheduled["payout"].disabled


@pytest.mark.parametrize("value", ["noon", b"\xff\x00", 1e300, '{"kind": "lunar"}'], ids=repr)
@pytest.mark.parametrize("column", COLUMNS)
def test_a_column_of_a_wrong_type_is_left_as_it_was_and_flags_are_kept(
    program: Program, clock: ManualClock, path: Path, column: str, value: object
) -> None:
    scheduler = program.start(register)
    scheduler.set_period("odd", 2 * HOUR, override=True)
    for name in ("odd", "payout"):
        scheduler.disable_task(name)
    program.stop()
    change(path, f"UPDATE registrations SET {column} = ? WHERE name = 'odd'", value)
    before = row_of(path, "odd")

    again = program.start(register)
    assert again.is_running
    assert again.scheduled["payout"].disabled
    assert again.scheduled["odd"].disabled
    assert len(notices(program)) <= 1
    assert read_state(path).tasks["odd"].disabled
    clock.advance(3 * HOUR)
    assert len(program.runs("other")) == 4
    assert [run for name in ("odd", "payout") for run in program.runs(name) if by_schedule(run)] == []
    unread = bool(notices(program))
    program.stop()
    if unread:
        assert row_of(path, "odd") == before
    else:
        assert column in ("due", "last_due", "disabled", "again", "written", "spec")


STORED_VALUES = (
    *(("registrations", column) for column in ("name", *COLUMNS)),
    ("facts", "value"),
    *(("open_runs", column) for column in ("trigger", "session", "due", "started", "attempt")),
    *(
        ("history", column)
        for column in ("kind", "at", "session", "run", "due", "skipped", "result", "output")
    ),
    ("names", "name"),
)
KEYS = st.sampled_from(["kind", "period", "start", "attempt", "at", "parameters"])
VALUES = st.one_of(
    st.text(),
    st.binary(),
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.recursive(st.one_of(st.none(), st.integers(), st.text()), st.lists).map(json.dumps),
    st.dictionaries(KEYS, st.floats()).map(json.dumps),
    st.just("[" * 5_000),
)


@settings(
    max_examples=40, deadline=None, derandomize=True, database=None, suppress_health_check=[*HealthCheck]
)
@given(where=st.sampled_from(STORED_VALUES), value=VALUES, as_text=st.booleans())
def test_whatever_is_in_a_row_the_others_run_and_a_disabled_task_stays_so(
    tmp_path_factory: pytest.TempPathFactory, where: tuple[str, str], value: object, as_text: bool
) -> None:
    table, column = where
    clock = ManualClock(START)
    program = Program(tmp_path_factory.mktemp("fuzz") / "tasks.db", clock)
    scheduler = program.start(register)
    scheduler.add_spec(
        TaskSpec("made", Every(60), Recipe(f"{__name__}:work"), Policies(max_runs=2)), persist=True
    )
    for name in ("odd", "payout"):
        scheduler.disable_task(name)
    program.flush()
    program.stop()
    change(
        program.path,
        "INSERT INTO open_runs (run, name, session, trigger, due, started, attempt)"
        " VALUES (999, 'made', 1, 'schedule', 0, 0, 1)",
    )
    condition = "WHERE name = 'odd'" if table in ("registrations", "names") else ""
    placed = "CAST(? AS TEXT)" if as_text and isinstance(value, bytes) else "?"
    try:
        change(program.path, f"UPDATE {table} SET {column} = {placed} {condition}", value)
    except sqlite3.IntegrityError:
        pass  # the tables refuse it
    read_state(program.path)
    read_history(program.path)

    again = program.start(register)
    try:
        assert again.is_running
        assert again.scheduled["payout"].disabled
        is_a_flag = column == "disabled" and (value is None or isinstance(value, int | float))
        assert column == "name" or is_a_flag or again.scheduled["odd"].disabled
        clock.advance(3 * HOUR)
        if not again.paused:
            assert len(again.scheduled["other"].history) >= 3
        program.flush()
        assert program.scheduler is not None
        assert program.scheduler.store.trouble is None
        read_state(program.path)
        read_history(program.path)
        assert program.restart(register).scheduled["payout"].disabled
    finally:
        program.stop()


@pytest.mark.parametrize("column", ["declared", "due", "last_due", "run_count", "retry", "again"])
def test_overrides_are_read_apart_from_the_rest(
    program: Program, path: Path, clock: ManualClock, column: str
) -> None:
    program.start(register).set_period("odd", 600, override=True)
    program.stop()
    change(path, f"UPDATE registrations SET {column} = 'lunar' WHERE name = 'odd'")
    before = row_of(path, "odd")
    again = program.start(register)
    (odd,) = [task for task in again.snapshot().tasks if task.name == "odd"]
    assert (odd.period, odd.overrides, odd.disabled) == (600, "every 1 h", False)
    clock.advance(HOUR)
    assert len(program.runs("odd")) == 6
    program.stop()
    assert row_of(path, "odd") == before


def test_a_person_who_decides_on_what_cannot_be_read_has_the_last_word(program: Program, path: Path) -> None:
    scheduler = program.start(register)
    scheduler.set_period("odd", 2 * HOUR, override=True)
    program.stop()
    override = row_of(path, "odd")[2]
    change(path, """UPDATE registrations SET override = '{"kind": "lunar"}' WHERE name = 'odd'""")
    again = program.start(register)
    assert again.scheduled["odd"].disabled
    again.enable_task("odd")
    assert program.restart(register).scheduled["odd"].disabled is not None
    program.stop()
    assert row_of(path, "odd")[2] == b'{"kind": "lunar"}'
    change(path, "UPDATE registrations SET override = ? WHERE name = 'odd'", override.decode())
    back = program.start(register)
    assert (back.scheduled["odd"].period, back.scheduled["odd"].disabled) == (2 * HOUR, False)


def test_what_a_person_registers_instead_of_an_unreadable_task_is_saved(
    program: Program, path: Path, clock: ManualClock
) -> None:
    program.start().add_spec(TaskSpec("made", Every(60), Recipe(f"{__name__}:work")), persist=True)
    program.stop()
    for column in ("declared", "override", "spec"):
        change(path, f"UPDATE registrations SET {column} = '{{}}' WHERE name = 'made'")
    again = program.start()
    assert again.handle("made") is None
    again.add_spec(TaskSpec("made", Every(HOUR), Recipe(f"{__name__}:work")), persist=True)
    assert not again.scheduled["made"].disabled
    clock.advance(60)
    back = program.restart()
    assert (back.scheduled["made"].schedule, back.scheduled["made"].run_count) == (Every(HOUR), 1)
    assert notices(program) == []


def test_another_schedule_makes_a_row_whole_again(program: Program, path: Path, clock: ManualClock) -> None:
    program.start(register)
    program.stop()
    change(path, """UPDATE registrations SET override = '{"kind": "lunar"}' WHERE name = 'odd'""")
    again = program.start(register)
    again.set_period("odd", 600, override=True)
    again.enable_task("odd")
    clock.advance(660)
    back = program.restart(register)
    assert notices(program) == []
    assert (back.scheduled["odd"].period, back.scheduled["odd"].run_count) == (600, 2)


def test_dropping_a_schedule_that_cannot_be_read_drops_it(program: Program, path: Path) -> None:
    program.start(register)
    program.stop()
    change(path, """UPDATE registrations SET override = '{"kind": "lunar"}' WHERE name = 'odd'""")
    program.start(register).drop_override("odd")
    again = program.restart(register)
    assert notices(program) == []
    assert again.scheduled["odd"].schedule == Every(HOUR, START + 60)


def test_a_task_for_one_run_does_not_run_while_it_is_not_known_whether_it_has(
    program: Program, clock: ManualClock, path: Path
) -> None:
    def once(scheduler: Scheduler) -> None:
        scheduler.add_task(Once(START + 10), work, "once")
        scheduler.add_periodic_task(None, 60, work, "twice", max_runs=2)

    program.start(once)
    clock.advance(300)
    program.stop()
    change(path, "UPDATE registrations SET retry = '?'")
    clock.advance(300)
    again = program.start(once)
    clock.advance(300)
    assert len(program.runs("once")) == 1
    assert len(program.runs("twice")) == 2
    assert again.is_running


def test_a_name_that_cannot_be_decoded_is_one_notice(
    program: Program, path: Path, clock: ManualClock
) -> None:
    program.start(register).disable_task("payout")
    program.stop()
    change(path, "UPDATE registrations SET name = CAST(x'6f6464ff' AS TEXT) WHERE name = 'odd'")
    again = program.start(register)
    assert again.scheduled["payout"].disabled
    clock.advance(HOUR)
    assert len(program.runs("odd")) == 1  # by the name that can be read nothing is known
    (notice,) = notices(program)
    assert "odd" in notice
    assert [*read_state(path).unread] != []


@pytest.mark.parametrize("error", [SystemExit("not today"), RuntimeError("broken"), GeneratorExit()])
def test_whatever_making_a_task_raises_is_one_notice(
    program: Program,
    path: Path,
    error: BaseException,
    monkeypatch: pytest.MonkeyPatch,
    clock: ManualClock,
) -> None:
    program.start(register).add_spec(TaskSpec("made", Every(60), Recipe(f"{__name__}:work")), persist=True)
    program.stop()
    before = row_of(path, "made")

    def raising(self: Recipe) -> object:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(Recipe, "make", raising)
        again = program.start(register)
        assert again.is_running
        assert again.handle("made") is None
        (notice,) = notices(program)
        assert "'made' cannot be registered again" in notice
        program.stop()
    assert row_of(path, "made") == before
    assert "made" in program.start(register).scheduled


@pytest.mark.parametrize("policies", [{"colour": "red"}, {"retries": -1}, [], None], ids=repr)
def test_a_policy_of_a_newer_version_is_one_notice(program: Program, path: Path, policies: object) -> None:
    program.start(register).add_spec(TaskSpec("made", Every(60), Recipe(f"{__name__}:work")), persist=True)
    program.stop()
    spec = json.loads(row_of(path, "made")[9])
    change(
        path,
        "UPDATE registrations SET spec = ? WHERE name = 'made'",
        json.dumps({**spec, "policies": policies}),
    )
    before = row_of(path, "made")
    assert program.start(register).is_running
    (notice,) = notices(program)
    assert "'made' cannot be registered again" in notice
    program.stop()
    assert row_of(path, "made") == before
    assert "made" in read_state(path).unread


def test_a_scheduler_whose_start_fails_does_not_claim_to_run_and_stores_nothing(
    program: Program, path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    program.start(register).disable_task("payout")
    program.stop()
    before = [row_of(path, name) for name in ("odd", "payout", "other")]
    scheduler = PersistentScheduler(path, clock=clock, executor=InlineExecutor(), capture=False)
    register(scheduler)
    with monkeypatch.context() as patch:
        patch.setattr("taskkit.store.restored_state.read_saved_task", lambda *_, **__: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            scheduler.start()
    assert not scheduler.is_running
    assert not scheduler.snapshot().figures.is_running
    scheduler.stop()
    assert [row_of(path, name) for name in ("odd", "payout", "other")] == before


def test_a_scheduler_that_gets_no_thread_for_its_loop_does_not_claim_to_run(
    clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    scheduler = Scheduler(clock=clock, executor=InlineExecutor(), capture=False)
    alarm = scheduler._core._alarm
    with monkeypatch.context() as patch:
        patch.setattr(alarm, "start", lambda: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            scheduler.start()
    assert not scheduler.is_running
    scheduler.start()
    assert scheduler.is_running
    scheduler.stop()


def test_a_file_that_changes_leaves_what_cannot_be_read(
    program: Program, path: Path, clock: ManualClock
) -> None:
    spec = TaskSpec("odd", Every(HOUR, START + 60), Recipe(f"{__name__}:work"))
    program.start(lambda scheduler: scheduler.add_spec(spec))
    program.stop()
    change(path, """UPDATE registrations SET override = '{"kind": "lunar"}' WHERE name = 'odd'""")
    before = row_of(path, "odd")
    again = program.start(lambda scheduler: scheduler.add_spec(spec))
    again.add_spec(replace(spec, policies=Policies(description="Other words")))
    assert again.scheduled["odd"].disabled
    clock.advance(HOUR)
    program.stop()
    assert row_of(path, "odd") == before
    again = program.start(lambda scheduler: scheduler.add_spec(spec))
    again.set_period("odd", 600, override=True)
    again.enable_task("odd")
    clock.advance(10)
    due_before = again.scheduled["odd"].next_run
    again.add_spec(replace(spec, policies=Policies(description="Other words")))
    assert again.scheduled["odd"].next_run == due_before
