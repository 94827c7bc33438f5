"""Nothing waits for the disk except `flush` and `close`."""

from __future__ import annotations

import logging
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from patience import PATIENCE, Gates, eventually

from taskkit import Every, Outcome, Recipe, RunFinished, Scheduler, TaskSpec, TaskState
from taskkit.engine.persistence_watch import MOST_AT_A_TIME
from taskkit.store import PersistentScheduler, Store, StoredRun, event_recorder, read_history, writer
from taskkit.store.rows import PastRow, run_row
from taskkit.store.sqlite_file import BUSY_SECONDS


class Disk:
    """A disk that can be stuck: commits wait until it goes on."""

    def __init__(self) -> None:
        self.waiting = 0
        self._goes = threading.Event()
        self._goes.set()

    def stick(self) -> None:
        self._goes.clear()

    def go_on(self) -> None:
        self._goes.set()

    def connect(self, path: Path) -> sqlite3.Connection:
        disk = self

        class Connection(sqlite3.Connection):
            def commit(self) -> None:
                disk.waiting += 1
                assert disk._goes.wait(PATIENCE)
                disk.waiting -= 1
                super().commit()

        return sqlite3.connect(
            path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, factory=Connection
        )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tasks.db"


@pytest.fixture
def disk() -> Iterator[Disk]:
    disk = Disk()
    yield disk
    disk.go_on()


def stuck(disk: Disk, scheduler: Scheduler) -> None:
    """Have the writer wait in a commit."""
    disk.stick()
    scheduler.add_on_demand_task(work, "stuck")
    eventually(lambda: disk.waiting)


def work() -> str:
    return "done"


def writers() -> list[threading.Thread]:
    """The threads that write."""
    return [thread for thread in threading.enumerate() if thread.name == "taskkit store"]


def stored(path: Path, name: str) -> list[int]:
    """The numbers of the runs that are stored, oldest first."""
    return [
        each.outcome.run
        for each in reversed(read_history(path, name, limit=10_000))
        if isinstance(each, StoredRun)
    ]


def test_no_run_and_no_command_waits_for_a_disk_that_is_stuck(path: Path, disk: Disk) -> None:
    with Store.open(path, connect=disk.connect) as store, Scheduler(capture=False) as scheduler:
        store.attach(scheduler)
        stuck(disk, scheduler)
        ended: list[int] = []
        scheduler.subscribe(
            lambda event: isinstance(event, RunFinished) and event.name == "it" and ended.append(event.run)
        )
        handle = scheduler.add_periodic_task(None, 0.01, work, "it")
        scheduler.add_spec(TaskSpec("written", Every(60), Recipe(f"{__name__}:work")), persist=True)
        for command in (handle.disable, handle.enable, handle.demand, handle.stop):
            command()
        scheduler.set_period("it", 0.005, override=True)
        scheduler.pause()
        scheduler.resume()
        eventually(lambda: len(ended) > 50)
        assert disk.waiting == 1  # all the while
        assert not store.flush(0)
        handle.unregister()
        eventually(lambda: handle.state is TaskState.GONE)
        disk.go_on()
        assert store.flush(PATIENCE)
        assert stored(path, "it") == ended


def test_stop_ends_in_bounded_time_though_the_disk_is_stuck(
    path: Path, disk: Disk, caplog: pytest.LogCaptureFixture
) -> None:
    store = Store.open(path, connect=disk.connect)
    scheduler = Scheduler(capture=False)
    store.attach(scheduler)
    scheduler.start()
    stuck(disk, scheduler)
    scheduler.demand_task("stuck")
    scheduler.stop()
    store.close(0.05)
    assert disk.waiting == 1
    assert f"{path} could not be written within 0.05 s" in caplog.text
    disk.go_on()
    eventually(lambda: not writers())
    assert len(stored(path, "stuck")) == 1  # as the program lived on for long enough


def test_what_waits_too_long_is_dropped_oldest_first_and_counted(
    path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        Store.open(path, connect=disk.connect, max_waiting_bytes=20_000) as store,
        Scheduler(capture=False) as scheduler,
    ):
        store.attach(scheduler)
        gates = Gates()
        scheduler.add_on_demand_task(gates, "begun before")
        scheduler.demand_task("begun before")
        eventually(lambda: gates.inside)
        assert store.flush(PATIENCE)
        stuck(disk, scheduler)
        gates.open()
        numbers: list[int] = []
        scheduler.subscribe(lambda event: isinstance(event, RunFinished) and numbers.append(event.run))
        handle = scheduler.add_on_demand_task(work, "it")
        for count in range(1, 201):
            handle.demand()
            eventually(lambda count=count: handle.run_count == count and handle.state is TaskState.ON_DEMAND)
        eventually(lambda: len(numbers) >= 200)
        assert store.trouble is None  # as it may be that it will be over soon
        with monkeypatch.context() as patch:
            patch.setattr(writer, "SLOW_WRITE_SECONDS", 0.0)
            waits, drops = (store.trouble or "").split("; ")
        assert waits.startswith(f"{path} has waited for the disk for ")
        assert drops.endswith("runs and skips had to be dropped meanwhile")
        assert int(drops.split()[0]) > 100
        disk.go_on()
        assert store.flush(PATIENCE)
        kept = stored(path, "it")
        assert 0 < len(kept) < 100
        assert kept == numbers[-len(kept) :]
        assert store.lost > 100
        assert store.trouble is None
        assert [record.getMessage() for record in caplog.records] == [
            "the store cannot be written, and its queue is full: the oldest history is dropped",
            f"{store.lost} runs and skips are missing in {path}:"
            " they happened faster than they could be written",
        ]
    with PersistentScheduler(path, capture=False) as again:
        assert again.add_on_demand_task(work, "it").run_count == 200
        assert read_history(path, "begun before") == ()  # dropped, and not taken for interrupted


def test_a_flush_means_that_everything_before_it_is_in_the_file(path: Path) -> None:
    with PersistentScheduler(path, capture=False) as scheduler:
        handle = scheduler.add_on_demand_task(work, "it")
        for count in range(1, 21):
            handle.demand()
            eventually(lambda: handle.state is TaskState.ON_DEMAND)
            assert scheduler.store.flush(PATIENCE)
            assert len(stored(path, "it")) == count


def test_a_subscriber_that_never_returns_delays_nothing_that_is_stored(path: Path) -> None:
    never = threading.Event()
    scheduler = PersistentScheduler(path, capture=False)
    scheduler.subscribe(lambda _: never.wait(PATIENCE))
    assert scheduler.store.flush(PATIENCE)  # as there is nothing to store before the start
    scheduler.add_on_demand_task(work, "early")
    with scheduler:
        assert scheduler.store.flush(PATIENCE)
        handle = scheduler.add_on_demand_task(work, "it")
        for runs in range(1, 4):
            handle.demand()
            eventually(lambda count=runs: handle.run_count == count and handle.state is TaskState.ON_DEMAND)
        assert scheduler.store.flush(PATIENCE)
        assert len(stored(path, "it")) == 3
        assert scheduler.store.trouble is None
    never.set()
    with PersistentScheduler(path, capture=False) as again:
        assert "early" in {row.name for row in again.store._restored.registrations.values()}


def test_what_cannot_be_written_at_all_is_left_out_and_said(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def odd(name: str, outcome: Outcome) -> PastRow:
        row = run_row(name, outcome)
        return row._replace(dropped=2**70) if name == "odd" else row

    monkeypatch.setattr(event_recorder, "run_row", odd)
    with PersistentScheduler(path, capture=False) as scheduler:
        for name in ("before", "odd", "after"):
            handle = scheduler.add_on_demand_task(work, name)
            handle.demand()
            eventually(lambda handle=handle: handle.state is TaskState.ON_DEMAND)
        assert scheduler.store.flush(PATIENCE)
        assert {each.name for each in read_history(path)} == {"before", "after"}
        assert scheduler.store.trouble is None
        (notice,) = scheduler.store.notices
        assert "left out" in notice


def test_arguments_without_a_form_in_json_are_said_once(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    spec = TaskSpec("odd", Every(60), Recipe(f"{__name__}:odd", {"thing": object()}))
    with PersistentScheduler(path, capture=False) as scheduler:
        scheduler.add_spec(spec, persist=True)
        for _ in range(3):
            scheduler.demand_task("odd")
            assert scheduler.store.flush(PATIENCE)
        (notice,) = scheduler.store.notices
        assert "the registration of 'odd' cannot be stored: <object object" in notice
    assert len(stored(path, "odd")) >= 1


def test_a_large_parameter_that_waits_and_cannot_be_stored_is_said_in_few_words(path: Path) -> None:
    def fail() -> None:
        raise ValueError

    with PersistentScheduler(path, capture=False) as scheduler:
        handle = scheduler.add_on_demand_task(fail, "failing", retries=1, retry_delay=3600)
        scheduler.demand_task("failing", {"data": b"\xff" * 3_000_000})
        eventually(lambda: handle.last_outcome)
        assert scheduler.store.flush(PATIENCE)
        (notice,) = scheduler.store.notices

    assert "the retry of 'failing' cannot be stored" in notice
    assert len(notice) < 1_000


def odd(thing: object) -> str:
    return type(thing).__name__


def test_its_thread_sleeps_at_rest_and_ends_with_it(path: Path) -> None:
    with PersistentScheduler(path, capture=False) as scheduler:
        scheduler.add_daily_task(3, 30, work, "daily")
        assert scheduler.store.flush(PATIENCE)
        (writer,) = writers()
        turns = []
        scheduler.store._writer._request_state = lambda: turns.append(1) or False  # type: ignore[method-assign, func-returns-value]
        writer.join(0.3)  # several times as long as a batch takes
        assert len(turns) <= 1  # for what happened while it wrote
    assert not writers()


def test_a_store_that_is_closed_gathers_nothing_any_more(path: Path) -> None:
    with Scheduler(capture=False) as scheduler:
        store = Store.open(path)
        store.attach(scheduler)
        store.close()
        handle = scheduler.add_on_demand_task(work, "it")
        handle.demand()
        eventually(lambda: handle.last_outcome)
        assert scheduler._core.ledger.watchers == []
        assert not scheduler._core.bus.wanted


def test_what_another_programs_transaction_keeps_out_is_written_after_it(path: Path) -> None:
    def impatient(path: Path) -> sqlite3.Connection:
        return sqlite3.connect(path, timeout=0.01, isolation_level=None, check_same_thread=False)

    with Store.open(path, connect=impatient) as store, Scheduler(capture=False) as scheduler:
        store.attach(scheduler)
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        handle = scheduler.add_on_demand_task(work, "it")
        handle.demand()
        eventually(lambda: store.trouble)
        assert store.trouble == f"{path} cannot be written: it is locked by another program"
        other.execute("ROLLBACK")
        other.close()
        assert store.flush(PATIENCE)
        assert (store.trouble, len(stored(path, "it"))) == (None, 1)


def test_a_store_that_is_never_closed_is_written_when_the_program_ends(path: Path) -> None:
    program = (
        "import sys, time\n"
        "from taskkit.store import PersistentScheduler\n"
        "scheduler = PersistentScheduler(sys.argv[1])\n"
        "scheduler.start()\n"
        "handle = scheduler.add_on_demand_task(lambda: 'done', 'it')\n"
        "handle.demand()\n"
        "while handle.last_outcome is None: time.sleep(0.001)\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", program, str(path)], check=True, timeout=PATIENCE)
    assert len(stored(path, "it")) == 1


def test_the_logger_tells_of_trouble_once(path: Path, disk: Disk, caplog: pytest.LogCaptureFixture) -> None:
    broken = True

    class Connection(sqlite3.Connection):
        def commit(self) -> None:
            if broken and opened:
                error = sqlite3.OperationalError("disk I/O error")
                error.sqlite_errorcode = sqlite3.SQLITE_IOERR  # type: ignore[misc]
                raise error
            super().commit()

    opened = False
    with (
        caplog.at_level(logging.WARNING, "taskkit"),
        Store.open(
            path,
            connect=lambda path: sqlite3.connect(
                path, isolation_level=None, check_same_thread=False, factory=Connection
            ),
        ) as store,
        Scheduler(capture=False) as scheduler,
    ):
        opened = True
        store.attach(scheduler)
        scheduler.add_on_demand_task(work, "it")
        for _ in range(5):
            assert not store.flush(0.05)
        assert store.trouble == f"{path} cannot be written: the disk cannot be read or written"
        broken = False
        assert store.flush(PATIENCE)
        assert store.trouble is None
    assert [record.getMessage() for record in caplog.records] == [
        f"{path} cannot be written and is tried again: the disk cannot be read or written",
        f"{path} can be written again",
    ]


def test_the_lock_is_not_held_until_all_of_a_thousand_tasks_are_looked_at(path: Path) -> None:
    with PersistentScheduler(path, capture=False) as scheduler:
        parts: list[int] = []
        put_state = scheduler.store._queue.put_state
        scheduler.store._queue.put_state = lambda state: (  # type: ignore[method-assign]
            parts.append(len(state.changed)) or put_state(state)
        )
        for number in range(1_000):
            scheduler.add_periodic_task(2e9 + number, 3600, work, f"task {number}")
        assert scheduler.store.flush(PATIENCE)
        assert sum(parts) >= 1_000
        assert max(parts) <= MOST_AT_A_TIME
    with PersistentScheduler(path, capture=False) as again:
        handle = again.add_periodic_task(None, 3600, work, "task 777")
        assert handle.next_run == pytest.approx(2e9 + 777)
