"""The file of a store: broken, foreign, newer, locked, not writable, full, gone, or another process's."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from conftest import START
from doing import fail
from patience import PATIENCE, eventually
from restarted_program import Program

from taskkit import Every, OutcomeKind, Recipe, Scheduler, TaskSpec, TaskState
from taskkit.store import (
    PersistentScheduler,
    Store,
    StoredRun,
    StoreError,
    database,
    history,
    read_history,
    sqlite_file,
)
from taskkit.store.schema import APPLICATION_ID, MIGRATIONS, VERSION
from taskkit.store.sqlite_file import connect
from taskkit.testing import ManualClock

ROOT = Path(__file__).parents[2]


def work() -> None:
    """The work of the tasks."""


def minute(scheduler: Scheduler) -> None:
    scheduler.add_periodic_task(None, 60, work, "minute")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tasks.db"


@pytest.fixture
def program(path: Path, clock: ManualClock) -> Iterator[Program]:
    program = Program(path, clock)
    yield program
    program.stop()


def beside(path: Path) -> set[str]:
    return {each.name for each in path.parent.iterdir()}


def test_a_store_makes_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b c?#%" / "tasks.db"
    with PersistentScheduler(path) as scheduler:
        minute(scheduler)
        eventually(lambda: scheduler.store.flush() and scheduler.store.history("minute"))
    assert beside(path) == {"tasks.db", "tasks.db.lock"}


def test_the_registrations_are_read_once_at_the_opening(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    program.start(minute)
    program.stop()
    reads: list[str] = []
    fetch_all = database.fetch_all

    def note(connection: sqlite3.Connection, query: str, *arguments: Any) -> list[Any]:
        reads.extend(["registrations"] if query.endswith("FROM registrations") else [])
        return fetch_all(connection, query, *arguments)

    monkeypatch.setattr(database, "fetch_all", note)
    program.start(minute)
    assert reads == ["registrations"]


# Broken


@pytest.mark.parametrize(
    "content", [b"not a database" * 500, b"SQLite format 3\0" + bytes(5000)], ids=["text", "torn"]
)
def test_a_corrupt_file_is_moved_aside_and_said_so(
    path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    Store.open(path).close()
    path.write_bytes(content)
    with caplog.at_level(logging.WARNING, "taskkit"), Store.open(path) as store:
        (notice,) = store.notices
        (aside,) = path.parent.glob("tasks.db.corrupt-*")
        assert aside.read_bytes() == content
        assert f"{path} is a new store: the old one is corrupt" in notice
        assert notice.endswith(f"and was moved to {aside.name}")
        assert [record.getMessage() for record in caplog.records] == [notice]
        assert store.history() == ()
    with Store.open(path) as store:
        assert store.notices == ()


def test_a_file_that_lost_its_end_is_moved_aside(program: Program, path: Path, clock: ManualClock) -> None:
    program.start(minute)
    clock.advance(36_000)
    program.stop()
    os.truncate(path, path.stat().st_size // 2)
    program.start(minute)
    assert program.scheduler is not None
    assert "the old one is corrupt" in program.scheduler.store.notices[0]


@pytest.mark.parametrize("content", [bytes(4096), b"\xa5" * 4096], ids=["zeros", "noise"])
def test_whichever_page_is_broken_the_scheduler_starts_and_what_happens_is_stored(
    program: Program, path: Path, clock: ManualClock, content: bytes
) -> None:
    def register(scheduler: Scheduler) -> None:
        for number in range(40):
            scheduler.add_periodic_task(None, 60, lambda: "x" * 150, f"a task with a long name {number}")

    program.start(register)
    clock.advance(180)
    program.stop()
    whole = path.read_bytes()
    pages = len(whole) // 4096
    assert pages > 15
    for page in range(pages):
        program.path = path.with_name(f"{page}.db")
        Store.open(program.path).close()
        program.path.write_bytes(whole[: 4096 * page] + content + whole[4096 * (page + 1) :])
        program.start(register)
        clock.advance(60)
        program.flush()
        assert program.scheduler is not None
        store = program.scheduler.store
        assert store.trouble is None
        program.stop()
        with closing(sqlite3.connect(program.path)) as look:
            count, runs = look.execute("SELECT count(*), sum(run_count > 0) FROM registrations").fetchone()
        assert (count, runs) == (40, 40)


def test_two_corrupt_files_of_one_second_are_both_kept(path: Path) -> None:
    Store.open(path).close()
    for number in range(3):
        path.write_text(f"not a database {number}" * 100)
        Store.open(path).close()
    assert len([*path.parent.glob("tasks.db.corrupt-*")]) == 3


def test_a_file_that_never_was_a_store_is_refused_and_left_alone(path: Path) -> None:
    path.write_text("[tasks.backup]")
    for _ in range(2):
        with pytest.raises(StoreError, match="neither a taskkit store nor any other database"):
            Store.open(path)
    assert path.read_text() == "[tasks.backup]"
    assert beside(path) == {"tasks.db"}


@pytest.mark.parametrize("place", [Path("/"), Path("folder")], ids=str)
def test_a_folder_is_no_place_for_a_store(tmp_path: Path, place: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(StoreError, match="it is not a regular file"):
        Store.open(tmp_path / place)
    with pytest.raises(StoreError, match="it is not a regular file"):
        read_history(tmp_path / place)
    assert beside(tmp_path / "folder") == {"folder"}


def test_a_place_that_cannot_be_looked_at_is_no_place_for_a_store(tmp_path: Path) -> None:
    for place in (tmp_path / ("x" * 300), tmp_path / ("x" * 300) / "tasks.db"):
        with pytest.raises(StoreError, match="File name too long"):
            Store.open(place)
        with pytest.raises(StoreError, match="File name too long"):
            read_history(place)


def test_a_lock_file_of_something_else_is_not_overwritten(path: Path) -> None:
    lock = path.with_name("tasks.db.lock")
    lock.write_text('version = 1\n[[package]]\nname = "x"\n')
    with pytest.raises(StoreError, match=r"its lock would be .*tasks\.db\.lock, which is another file"):
        Store.open(path)
    assert lock.read_text().startswith("version = 1")
    assert beside(path) == {"tasks.db.lock"}


@pytest.mark.parametrize("content", ["", "123", "123\n", "\0" * 8])
def test_whatever_a_lock_file_was_left_with_the_store_opens(path: Path, content: str) -> None:
    path.with_name("tasks.db.lock").write_text(content)
    Store.open(path).close()


def test_an_empty_file_is_a_new_store(path: Path) -> None:
    path.touch()
    with Store.open(path) as store:
        assert store.notices == ()


def test_a_file_found_broken_while_it_is_written_is_moved_aside_and_nothing_known_is_lost(
    program: Program, path: Path, clock: ManualClock
) -> None:
    def register(scheduler: Scheduler) -> None:
        minute(scheduler)
        scheduler.add_on_demand_task(work, "still")

    scheduler = program.start(register)
    scheduler.disable_task("still")
    scheduler.pause()
    scheduler.add_spec(TaskSpec("kept", Every(60), Recipe(f"{__name__}:work")), persist=True)
    program.flush()
    spoil = sqlite3.connect(path)
    spoil.execute("DROP TABLE history")
    spoil.commit()
    spoil.close()
    scheduler.demand_task("minute")
    scheduler.demand_task("kept")
    program.flush()
    assert program.scheduler is not None
    (notice,) = program.scheduler.store.notices
    assert "the old one is corrupt (no such table" in notice
    assert program.scheduler.store.trouble is None
    assert {run.name for run in program.runs()} == {"kept", "minute"}
    again = program.restart(register)
    assert set(again.scheduled) == {"minute", "kept"}
    assert again.on_demand["still"].disabled
    assert again.paused


def test_a_file_that_is_removed_while_it_is_written_is_made_again(
    program: Program, path: Path, clock: ManualClock
) -> None:
    program.start(minute).set_period("minute", 30, override=True)
    program.flush()
    for each in path.parent.glob("tasks.db*"):
        each.unlink()
    clock.advance(60)
    program.flush()
    assert program.scheduler is not None
    (notice,) = program.scheduler.store.notices
    assert notice.endswith("is a new store: the old one was removed or replaced")
    (told,) = program.restart(minute).snapshot().tasks
    assert told.overrides == "every 1 min"


def test_a_file_that_is_emptied_while_it_is_written_is_replaced(
    program: Program, path: Path, clock: ManualClock
) -> None:
    program.start(minute).set_period("minute", 30, override=True)
    program.flush()
    os.truncate(path, 0)
    clock.advance(60)
    program.flush()
    assert program.scheduler is not None
    (notice,) = program.scheduler.store.notices
    assert "is a new store: the old one was removed or replaced and was moved to" in notice
    (told,) = program.restart(minute).snapshot().tasks
    assert told.overrides == "every 1 min"
    assert program.scheduler.store.notices == ()


# Foreign and newer


def test_a_file_of_a_newer_version_is_refused_with_both_versions_and_left_alone(
    path: Path, tmp_path: Path
) -> None:
    made = tmp_path / "made.db"
    Store.open(made).close()
    with closing(sqlite3.connect(made)) as newer:
        newer.execute(f"PRAGMA user_version = {VERSION + 7}")
        newer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        newer.execute("INSERT INTO facts VALUES ('mood', 'new')")
        newer.commit()
        for ending in ("", "-wal"):  # as if its process had been killed
            shutil.copy(f"{made}{ending}", f"{path}{ending}")
    before, names = path.read_bytes(), {*beside(path), "tasks.db.lock"}
    for look in (Store.open, read_history):
        with pytest.raises(StoreError, match=f"version {VERSION + 7}, and this one reads up to {VERSION}"):
            look(path)
    assert path.read_bytes() == before
    assert beside(path) == names


def test_a_file_of_an_older_version_is_brought_up_to_date(
    program: Program, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program.start(minute).disable_task("minute")
    program.stop()
    with monkeypatch.context() as patch:
        patch.setattr(sqlite_file, "VERSION", VERSION + 1)
        patch.setattr(history, "VERSION", VERSION + 1)
        patch.setattr(
            sqlite_file, "MIGRATIONS", (*MIGRATIONS, ("ALTER TABLE history ADD COLUMN mood TEXT", "SELECT 1"))
        )
        with pytest.raises(StoreError, match=f"it has version {VERSION}; open it once"):
            read_history(path)
        assert program.start(minute).scheduled["minute"].disabled
        assert [run.outcome.kind for run in program.runs()] == [OutcomeKind.SUCCEEDED]
        program.stop()
    with pytest.raises(StoreError, match=f"version {VERSION + 1}"):
        Store.open(path)


def test_a_file_of_the_first_version_is_brought_up_to_date(program: Program, path: Path) -> None:
    with closing(sqlite3.connect(path)) as first:
        for statement in MIGRATIONS[0]:
            first.execute(statement)
        first.execute("INSERT INTO names VALUES (1, 'minute')")
        first.execute(
            "INSERT INTO history (task, kind, at, session, run, trigger, due, started, duration, attempt)"
            " VALUES (1, 'failed', ?, 1, 5, 'schedule', 6, 6, 1, 1)",
            (START,),
        )
        first.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        first.execute("PRAGMA user_version = 1")
        first.commit()
    program.start(lambda scheduler: scheduler.add_periodic_task(None, 60, fail, "minute", retries=1))

    new, old = (run.outcome for run in program.runs("minute"))
    assert (old.task, old.kind, old.finished, old.last_try) == ("minute", OutcomeKind.FAILED, START, True)
    assert (new.task, new.kind, new.last_try) == ("minute", OutcomeKind.FAILED, False)


def test_an_update_that_does_not_succeed_changes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Store.open(path).close()
    with monkeypatch.context() as patch:
        patch.setattr(sqlite_file, "VERSION", VERSION + 1)
        patch.setattr(sqlite_file, "MIGRATIONS", (*MIGRATIONS, ("CREATE TABLE moods (mood)", "NONSENSE")))
        with pytest.raises(StoreError, match="NONSENSE"):
            Store.open(path)
    with Store.open(path) as store:
        assert store.notices == ()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'moods'").fetchone() is None


def test_what_cannot_be_understood_is_said_and_the_rest_is_as_it_was(program: Program, path: Path) -> None:
    def register(scheduler: Scheduler) -> None:
        minute(scheduler)
        scheduler.add_daily_task(3, 30, work, "daily")

    scheduler = program.start(register)
    scheduler.disable_task("minute")
    scheduler.disable_task("daily")
    scheduler.add_spec(TaskSpec("written", Every(60), Recipe(f"{__name__}:work")), persist=True)
    program.stop()
    with closing(sqlite3.connect(path)) as odd:
        odd.execute("UPDATE registrations SET declared = '{\"kind\": \"lunar\"}' WHERE name = 'minute'")
        odd.execute("UPDATE registrations SET spec = '{' WHERE name = 'written'")
        odd.execute("INSERT INTO history (task, kind, at, session, run) VALUES (1, 'enlightened', 0, 1, 99)")
        odd.commit()
    again = program.start(register)
    assert again.scheduled["minute"].disabled
    assert again.scheduled["daily"].disabled
    assert [run.outcome.kind for run in program.runs("minute")] == [OutcomeKind.SUCCEEDED]
    assert program.scheduler is not None
    written, unread = program.scheduler.store.notices
    assert "'written' cannot be registered again, and stays in" in written
    assert "the registration of 'minute' cannot be read: declared" in unread
    assert "'lunar'" in unread


def test_another_programs_database_is_refused_and_left_alone(path: Path) -> None:
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE songs (title)")
    other.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="it is another program's database"):
        Store.open(path)
    assert path.read_bytes() == before


def test_the_first_bytes_tell_that_it_is_a_store_and_of_which_version(program: Program, path: Path) -> None:
    program.start(minute)
    program.kill()
    header = path.read_bytes()[:72]
    assert int.from_bytes(header[60:64]) == VERSION
    assert int.from_bytes(header[68:72]) == APPLICATION_ID


# Not to be had


def test_what_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="it is not a regular file"):
        Store.open(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(StoreError, match="it is not a regular file"):
        Store.open(tmp_path / "pipe")
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"cannot open .*file/tasks\.db"):
        Store.open(tmp_path / "file" / "tasks.db")
    (tmp_path / "ring").symlink_to(tmp_path / "ring")
    with pytest.raises(StoreError, match="cannot open"):
        Store.open(tmp_path / "ring")


def test_a_file_locked_by_another_program_is_refused(path: Path) -> None:
    Store.open(path).close()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")

    def impatient(path: Path) -> sqlite3.Connection:
        return sqlite3.connect(path, timeout=0.01, isolation_level=None, check_same_thread=False)

    with pytest.raises(StoreError, match="it is locked by another program"):
        Store.open(path, connect=impatient)
    other.execute("ROLLBACK")
    other.close()
    Store.open(path).close()


@pytest.mark.skipif(os.getuid() != 0, reason="needs to become somebody else")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("what", ["folder", "file"])
def test_what_may_not_be_written_is_refused(what: str) -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        path = folder / "tasks.db"
        Store.open(path).close()
        if what == "file":
            folder.chmod(0o777)
            Path(f"{path}.lock").chmod(0o666)
        else:
            folder.chmod(0o755)
            path.with_name("tasks.db.lock").unlink()
        before = path.read_bytes()
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                os.setgid(65534)
                os.setuid(65534)
                Store.open(path)
            except StoreError as error:
                code = 0 if "cannot" in str(error) and str(path) in str(error) else 2
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        assert path.read_bytes() == before
    finally:
        shutil.rmtree(folder)


def test_a_full_disk_loses_nothing_that_fits_later(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    connections: list[sqlite3.Connection] = []

    def keep(path: Path) -> sqlite3.Connection:
        connections.append(connect(path))
        return connections[-1]

    with Store.open(path, connect=keep) as store, Scheduler(capture=False) as scheduler:
        store.attach(scheduler)
        handle = scheduler.add_on_demand_task(lambda: "x" * 150, "it")
        assert store.flush()
        (pages,) = connections[0].execute("PRAGMA page_count").fetchone()
        connections[0].execute(f"PRAGMA max_page_count = {pages}")
        for _ in range(200):
            handle.demand()
            eventually(lambda: handle.state is TaskState.ON_DEMAND)
        eventually(lambda: store.trouble)
        assert store.trouble == f"{path} cannot be written: the disk is full"
        assert not store.flush(0.2)
        connections[0].execute("PRAGMA max_page_count = 100000")
        eventually(lambda: store.flush())
        assert store.trouble is None
        stored = [each.outcome.run for each in store.history(limit=1000) if isinstance(each, StoredRun)]
        assert stored == sorted(stored, reverse=True)
        assert len(set(stored)) == 200
    said = [record.getMessage() for record in caplog.records]
    assert said == [
        f"{path} cannot be written and is tried again: the disk is full",
        f"{path} can be written again",
    ]


# Had by somebody else

HOLDER = dedent("""
    import sys, time
    from taskkit.store import Store
    store = Store.open(sys.argv[1])
    print("open", flush=True)
    time.sleep(60)
""")


def holder(path: Path, program: str = HOLDER) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "open\n"
    return process


def test_a_second_process_is_refused_with_the_pid_of_the_first_until_that_is_killed(path: Path) -> None:
    with holder(path) as first:
        with pytest.raises(StoreError, match=rf"tasks\.db is in use by process {first.pid}$"):
            Store.open(path)
        link = path.with_name("link.db")
        link.symlink_to(path)
        with pytest.raises(StoreError, match=f"process {first.pid}"):
            Store.open(link)
        first.send_signal(signal.SIGKILL)
        first.wait(PATIENCE)
        Store.open(path).close()


def test_one_process_has_it_once(path: Path) -> None:
    with Store.open(path), pytest.raises(StoreError, match="is in use by this process already"):
        Store.open(path)
    Store.open(path).close()


FORKED = dedent("""
    import os, sys, time
    from taskkit.store import PersistentScheduler
    scheduler = PersistentScheduler(sys.argv[1])
    scheduler.add_on_demand_task(lambda: None, "it")
    scheduler.start()
    if os.fork() == 0:
        assert not scheduler.store.flush(5)
        scheduler.store.close()
        print("open", flush=True)
        time.sleep(5)
        os._exit(0)
    time.sleep(60)
""")


def test_a_forked_child_does_not_keep_the_lock_of_a_parent_that_is_killed(path: Path) -> None:
    with holder(path, FORKED) as parent:
        with pytest.raises(StoreError, match=f"process {parent.pid}"):
            Store.open(path)
        parent.send_signal(signal.SIGKILL)
        parent.wait(PATIENCE)
        Store.open(path).close()


def test_a_store_follows_one_scheduler(path: Path) -> None:
    with Store.open(path) as store, Scheduler() as scheduler:
        with pytest.raises(StoreError, match="not attached to a scheduler"):
            store.restore()
        store.attach(scheduler)
        with pytest.raises(StoreError, match="attached to a scheduler already"):
            store.attach(scheduler)
        store.close()
        store.close()
        with pytest.raises(StoreError, match="is closed"):
            store.attach(scheduler)
        assert not store.flush()


@pytest.mark.parametrize(
    ("timeout", "error", "message"),
    [
        (-1, ValueError, "timeout must be 0 or more seconds, not -1"),
        (float("nan"), ValueError, "timeout must be 0 or more seconds, not nan"),
        ("soon", TypeError, "timeout must be a number of seconds, not 'soon'"),
        (True, TypeError, "timeout must be a number of seconds, not True"),
    ],
)
def test_a_timeout_that_is_none_is_refused(
    path: Path, timeout: float, error: type[Exception], message: str
) -> None:
    with Store.open(path) as store:
        with pytest.raises(error, match=message):
            store.flush(timeout)
        with pytest.raises(error, match=message):
            store.close(timeout)


def test_a_clock_that_is_none_is_refused_before_anything_is_made(path: Path) -> None:
    with pytest.raises(TypeError, match="clock must be a clock"):
        Store.open(path, clock=3)  # type: ignore[arg-type]
    assert not path.exists()
