"""The history in a store: runs and skips, filtered, searched, and read page by page."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from conftest import START
from doing import Doing, fail
from patience import eventually
from restarted_program import Program

from taskkit import OutcomeKind, Scheduler, Skip, SkipReason, Trigger, current_run
from taskkit.store import (
    PersistentScheduler,
    Store,
    StoredRun,
    StoredSkip,
    StoreError,
    read_history,
    read_state,
)
from taskkit.store.rows import OUTPUT_LINES, OUTPUT_WIDTH, TRACEBACK_LENGTH
from taskkit.testing import ManualClock


@pytest.fixture
def program(tmp_path: Path, clock: ManualClock) -> Iterator[Program]:
    program = Program(tmp_path / "tasks.db", clock)
    yield program
    program.stop()


def result(text: object) -> object:
    """A task that returns this."""
    return lambda: text


def demanded(scheduler: Scheduler, name: str, task: object) -> None:
    scheduler.add_on_demand_task(task, name)  # type: ignore[arg-type]
    scheduler.demand_task(name)


def test_a_run_is_stored_as_its_outcome_says(program: Program, clock: ManualClock) -> None:
    scheduler = program.start(
        lambda s: s.add_periodic_task(None, 60, Doing(lambda: clock.advance(3), fail), "it")
    )
    clock.advance(120)
    assert program.events is not None
    stored = [run.outcome for run in reversed(program.runs())]
    assert stored == program.events.outcomes("it")
    assert [outcome.kind for outcome in stored] == [
        OutcomeKind.SUCCEEDED,
        OutcomeKind.FAILED,
        OutcomeKind.SUCCEEDED,
    ]
    assert "RuntimeError: it is broken" in (stored[1].traceback or "")
    assert scheduler.is_running


@pytest.mark.parametrize(
    "value", [None, True, 0, -1.5, 10**150, "", "text", "\udce9", float("inf"), [1, 2], {"a": "b"}], ids=repr
)
def test_a_result_reads_back(program: Program, value: object) -> None:
    demanded(program.start(), "it", result(value))
    assert program.events is not None
    (outcome,) = program.events.outcomes("it")
    (run,) = program.runs()
    expected = "?" if value == "\udce9" else outcome.result
    assert (run.outcome.result, type(run.outcome.result)) == (expected, type(expected))


def test_output_and_traceback_are_bounded(tmp_path: Path) -> None:
    def body() -> None:
        for line in range(50):
            print(line, "x" * 1000)
        deep(500)

    def deep(depth: int) -> None:
        if depth == 0:
            raise ValueError("too deep")
        try:
            deep(depth - 1)
        except ValueError as error:
            raise ValueError(f"level {depth}") from error

    with PersistentScheduler(tmp_path / "tasks.db") as scheduler:
        demanded(scheduler, "it", body)
        eventually(lambda: not scheduler.running)
        assert scheduler.store.flush()
        (run,) = scheduler.store.history()
    assert isinstance(run, StoredRun)
    assert len(run.outcome.output) == OUTPUT_LINES
    assert run.outcome.output_dropped == 50 - OUTPUT_LINES
    assert {len(line) for line in run.outcome.output} == {OUTPUT_WIDTH}
    assert run.outcome.output[-1].startswith("49 x")
    assert len(run.outcome.traceback or "") <= TRACEBACK_LENGTH
    assert (run.outcome.traceback or "").rstrip().endswith("ValueError: level 500")


def test_skips_are_stored_and_those_that_follow_each_other_are_one(
    program: Program, clock: ManualClock
) -> None:
    scheduler = program.start(lambda s: s.add_periodic_task(None, 10, lambda: None, "it"))
    scheduler.disable_task("it")
    for _ in range(3):
        clock.advance(20)
        scheduler.snapshot()  # counts what passed until now
        program.flush()
    scheduler.enable_task("it")
    clock.advance(10)
    run, skip, first = program.history("it")
    assert isinstance(run, StoredRun)
    assert isinstance(first, StoredRun)
    assert isinstance(skip, StoredSkip)
    assert (skip.name, skip.skip) == ("it", Skip(SkipReason.DISABLED, 6, START + 10, START + 60))
    assert run.outcome.skipped == {SkipReason.DISABLED: 6}


def test_the_newest_come_first_page_by_page(program: Program, clock: ManualClock) -> None:
    def register(scheduler: Scheduler) -> None:
        scheduler.add_periodic_task(None, 10, lambda: None, "ten")
        scheduler.add_periodic_task(None, 15, lambda: None, "fifteen")

    program.start(register)
    clock.advance(300)
    whole = program.history("ten")
    assert [run.outcome.due for run in program.runs("ten")] == [START + 10 * k for k in range(30, -1, -1)]
    assert len(program.history()) == 31 + 21
    assert program.scheduler is not None
    store = program.scheduler.store
    pages = [store.history("ten", limit=12)]
    while pages[-1]:
        pages.append(store.history("ten", limit=12, before=pages[-1][-1].id))
    assert [len(page) for page in pages] == [12, 12, 7, 0]
    assert sum(pages, ()) == whole
    assert len(store.history("ten", since=START + 200)) == 11
    assert store.history("nobody") == ()


def test_runs_are_found_by_how_they_ended(program: Program, clock: ManualClock) -> None:
    def register(scheduler: Scheduler) -> None:
        scheduler.add_periodic_task(None, 10, Doing(fail, lambda: clock.advance(25), fail), "it")
        scheduler.add_on_demand_task(fail, "other")

    scheduler = program.start(register)
    clock.advance(60)
    scheduler.demand_task("other")
    program.flush()
    assert program.scheduler is not None
    look = program.scheduler.store.history

    def kinds(*wanted: object, name: str | None = "it") -> list[object]:
        found = look(name, kinds=wanted)  # type: ignore[arg-type]
        return [each.skip.reason if isinstance(each, StoredSkip) else each.outcome.kind for each in found]

    failed, succeeded, overlap = OutcomeKind.FAILED, OutcomeKind.SUCCEEDED, SkipReason.OVERLAP
    assert kinds(failed) == [failed] * 2
    assert kinds(failed, name=None) == [failed] * 3
    assert kinds(failed, overlap) == [failed, overlap, failed]
    assert kinds(overlap, succeeded) == [succeeded, succeeded, overlap, succeeded]
    assert kinds(OutcomeKind.STOPPED) == []
    assert kinds("failed") == [failed] * 2


def test_a_text_is_found_in_exceptions_results_and_output(tmp_path: Path) -> None:
    def broken() -> None:
        raise ValueError("50%_off\\")

    with PersistentScheduler(tmp_path / "tasks.db") as scheduler:
        for name, body in {
            "prints": lambda: print("a Needle in hay"),
            "returns": lambda: "Größe 500",
            "raises": broken,
        }.items():
            demanded(scheduler, name, body)
        eventually(lambda: not scheduler.running)
        assert scheduler.store.flush()

        def found(text: str) -> set[str]:
            return {each.name for each in scheduler.store.history(search=text)}

        assert found("needle") == {"prints"}
        assert found("Größe") == {"returns"}
        assert found("ValueError") == {"raises"}
        assert found("50%_off\\") == {"raises"}
        assert found("50%off") == set()
        assert found("500") == {"returns"}
        assert found("hay") == {"prints"}
        assert found("prints") == set()


def test_a_search_ends_when_it_should_not_continue(tmp_path: Path) -> None:
    with Store.open(tmp_path / "tasks.db"):
        pass
    with closing(sqlite3.connect(tmp_path / "tasks.db")) as connection, connection:
        connection.execute("INSERT INTO names VALUES (1, 'it')")
        connection.executemany(
            "INSERT INTO history (task, kind, at, session, run, trigger, due, attempt)"
            " VALUES (1, 'succeeded', 1, 1, ?, 'schedule', 1, 1)",
            ((number,) for number in range(20_000)),
        )
    asked: list[bool] = []
    read_history(tmp_path / "tasks.db", search="nowhere", should_continue=lambda: not asked.append(True))
    assert len(asked) > 1
    all_of_them, asked[:] = len(asked), []
    assert (
        read_history(
            tmp_path / "tasks.db", search="nowhere", should_continue=lambda: bool(asked.append(True))
        )
        == ()
    )
    assert len(asked) == 1 < all_of_them


def test_runs_by_hand_and_their_parameters_do_no_harm(program: Program) -> None:
    scheduler = program.start(lambda s: s.add_on_demand_task(lambda: str(current_run().parameters), "it"))
    scheduler.run_task_now("it", {"path": Path("x"), "what": object()})
    assert program.runs("it")[0].outcome.trigger is Trigger.RUN_NOW


@pytest.mark.parametrize(
    ("keywords", "error", "message"),
    [
        ({"limit": 0}, ValueError, "limit must be 1 or more, not 0"),
        ({"limit": True}, TypeError, "limit must be a whole number, not True"),
        ({"limit": "3"}, TypeError, "limit must be a whole number, not '3'"),
        ({"kinds": ["succeded"]}, ValueError, "'succeded' is not a valid SkipReason"),
    ],
)
def test_impossible_searches_are_refused(
    program: Program, keywords: dict[str, object], error: type[Exception], message: str
) -> None:
    program.start()
    with pytest.raises(error, match=message):
        program.scheduler.store.history(**keywords)  # type: ignore[union-attr, arg-type]


def test_it_can_be_read_while_it_is_written_and_after_it_is_closed(
    program: Program, clock: ManualClock
) -> None:
    program.start(lambda s: s.add_periodic_task(None, 10, lambda: None, "it"))
    clock.advance(50)
    before = program.history()
    assert read_history(program.path) == before
    seen: list[object] = []
    threads = [
        threading.Thread(target=lambda: seen.append(read_history(str(program.path), "it"))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [before] * 4
    program.stop()
    assert read_history(program.path) == before


def test_a_store_that_was_killed_can_be_read_without_opening_it(program: Program) -> None:
    program.start(lambda s: s.add_periodic_task(None, 10, lambda: None, "it"))
    program.kill()
    assert len(read_history(program.path)) == 1


def test_a_closed_store_can_be_read_where_nothing_can_be_written(
    program: Program, clock: ManualClock
) -> None:
    program.start(lambda s: s.add_periodic_task(None, 60, lambda: None, "it"))
    clock.advance(60)
    program.stop()
    Path(f"{program.path}-shm").mkdir()  # as in a folder of somebody else's, SQLite cannot make that file
    assert len(read_history(program.path)) == 2
    assert read_state(program.path).tasks["it"].run_count == 2


def test_what_is_no_store_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no such file"):
        read_history(tmp_path / "none.db")
    (tmp_path / "empty.db").touch()
    with pytest.raises(StoreError, match="it is not a taskkit store"):
        read_history(tmp_path / "empty.db")
    (tmp_path / "text.db").write_text("a letter" * 100)
    with pytest.raises(StoreError, match=r"cannot read .*text\.db: file is not a database"):
        read_history(tmp_path / "text.db")
