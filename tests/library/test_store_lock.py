"""One store, one process: whatever is done to the lock file, the database and their folder meanwhile."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent

import pytest
from patience import PATIENCE, eventually

from taskkit import Scheduler
from taskkit.store import Store, StoreError, StoreInUseError, lock_file, read_history, read_state

ROOT = Path(__file__).parents[2]
needs_claims = pytest.mark.skipif(
    not hasattr(fcntl, "F_OFD_SETLK"), reason="needs locks that belong to a descriptor"
)

HOLDER = dedent("""
    import sys
    from taskkit import Scheduler
    from taskkit.store import Store
    store = Store.open(sys.argv[1])
    scheduler = Scheduler()
    store.attach(scheduler)
    scheduler.add_on_demand_task(lambda: None, "it")
    scheduler.start()
    store.flush(20)
    print("open", flush=True)
    for line in sys.stdin:
        scheduler.demand_task("it")
        store.flush(0.5)
        print(store.trouble or "written", flush=True)
""")


class Holder:
    """A process that has a store open, and runs a task when it is asked."""

    def __init__(self, path: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        assert self._line() == "open"

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().rstrip("\n")

    def run(self) -> str:
        """Have the task run. Returns what trouble the store has, or that it is written."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self._line()

    @property
    def in_use(self) -> str:
        return f"is in use by process {self.process.pid}$"


@contextmanager
def held(path: Path) -> Iterator[Holder]:
    holder = Holder(path)
    with holder.process:
        try:
            yield holder
        finally:
            holder.process.send_signal(signal.SIGKILL)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "folder").mkdir()
    return tmp_path / "folder" / "tasks.db"


def lock_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.lock")


def remove_the_lock(path: Path) -> Path:
    lock_of(path).unlink()
    return path


def replace_the_lock(path: Path) -> Path:
    new = path.with_name("new")
    new.write_text("1\n")
    new.rename(lock_of(path))
    return path


def link_the_database(path: Path) -> Path:
    other = path.with_name("other.db")
    os.link(path, other)
    return other


def link_the_folder(path: Path) -> Path:
    other = path.parent.with_name("other")
    other.symlink_to(path.parent)
    remove_the_lock(path)
    return other / path.name


def rename_the_folder(path: Path) -> Path:
    remove_the_lock(path)
    return path.parent.rename(path.parent.with_name("renamed")) / path.name


def rename_the_database(path: Path) -> Path:
    other = path.with_name("renamed.db")
    for ending in ("", "-wal", "-shm"):
        Path(f"{path}{ending}").rename(f"{other}{ending}")
    return other


@needs_claims
@pytest.mark.parametrize(
    "spoil",
    [
        remove_the_lock,
        replace_the_lock,
        link_the_database,
        link_the_folder,
        rename_the_folder,
        rename_the_database,
    ],
)
def test_by_whatever_name_and_without_its_lock_a_database_has_one_process(
    path: Path, spoil: Callable[[Path], Path]
) -> None:
    with held(path) as first:
        name = spoil(path)
        for _ in range(2):
            with pytest.raises(StoreInUseError, match=first.in_use):
                Store.open(name)
        first.process.send_signal(signal.SIGKILL)
        first.process.wait(PATIENCE)
        Store.open(name).close()


@needs_claims
def test_a_running_process_is_seen_though_its_lock_was_removed(path: Path) -> None:
    with held(path):
        remove_the_lock(path)
        assert lock_file.is_held(lock_of(path), path)
    assert not lock_file.is_held(lock_of(path), path)


def test_a_lock_that_was_removed_is_taken_again_with_the_next_write(path: Path) -> None:
    with held(path) as first:
        remove_the_lock(path)
        assert first.run() == "written"
        assert lock_of(path).read_text() == f"{first.process.pid}\n"
        with pytest.raises(StoreInUseError, match=first.in_use):
            Store.open(path)


@pytest.mark.parametrize("what", ["all", "folder"])
def test_who_finds_another_process_in_its_place_leaves_that_ones_file_alone(path: Path, what: str) -> None:
    with held(path) as first:
        if what == "folder":
            path.parent.rename(path.parent.with_name("renamed"))
        else:
            shutil.rmtree(path.parent)
        with Store.open(path) as second, Scheduler(capture=False) as scheduler:
            second.attach(scheduler)
            scheduler.add_on_demand_task(lambda: "second", "it")
            scheduler.demand_task("it")
            assert second.flush(PATIENCE)
            assert first.run() == f"{path} cannot be written: {path} is in use by process {os.getpid()}"
            assert [each.name for each in path.parent.glob("*.corrupt-*")] == []
            assert len(second.history()) == 1
            with pytest.raises(StoreInUseError, match="is in use by this process already"):
                Store.open(path)
        eventually(lambda: first.run() == "written")


@pytest.mark.parametrize("ending", ["-wal", "-shm"])
def test_what_was_written_before_its_log_was_removed_survives_a_kill(path: Path, ending: str) -> None:
    with held(path) as first:
        assert first.run() == "written"
        eventually(lambda: len(read_history(path)) == 1)
        Path(f"{path}{ending}").unlink()
        assert first.run() == "written"
        eventually(lambda: first.run() == "written" and Path(f"{path}{ending}").exists())
        eventually(lambda: len(read_history(path)) >= 3)
        with pytest.raises(StoreInUseError, match=first.in_use):
            Store.open(path)
    with Store.open(path) as store:
        assert len(store.history()) >= 3
        assert store.notices == ()


def test_who_finds_its_file_gone_claims_the_one_that_it_begins(path: Path) -> None:
    with held(path) as first:
        shutil.rmtree(path.parent)
        assert first.run() == "written"
        lock_of(path).unlink()
        with pytest.raises(StoreInUseError, match=first.in_use):
            Store.open(path)


@needs_claims
def test_one_process_has_it_once_though_the_lock_was_removed(path: Path) -> None:
    with Store.open(path) as store, Scheduler(capture=False) as scheduler:
        store.attach(scheduler)
        remove_the_lock(path)
        with pytest.raises(StoreInUseError, match="is in use by this process already"):
            Store.open(path)
        scheduler.add_on_demand_task(lambda: None, "it")
        assert store.flush(PATIENCE)
    Store.open(path).close()


def test_looking_into_an_open_store_drops_no_lock_of_sqlites(path: Path) -> None:
    """Closing any descriptor of its file would release them, and another process would delete its log."""
    with Store.open(path) as store, Scheduler(capture=False) as scheduler:
        store.attach(scheduler)
        scheduler.add_on_demand_task(lambda: None, "it")
        assert store.flush(PATIENCE)
        read_history(path)
        read_state(path)
        program = (
            "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]);"
            " c.execute('SELECT count(*) FROM facts').fetchone(); c.close()"
        )
        subprocess.run([sys.executable, "-c", program, str(path)], check=True)
        assert Path(f"{path}-wal").exists()
        scheduler.demand_task("it") if scheduler.is_running else scheduler.start()
        assert store.flush(PATIENCE)
    with sqlite3.connect(path) as look:
        assert look.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    look.close()


# Where there are no locks


@pytest.mark.parametrize("number", [errno.ENOTSUP, errno.ENOLCK, errno.EINVAL, errno.ENOSYS])
def test_a_file_system_without_locks_is_named_as_the_cause(
    path: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    Store.open(path).close()

    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(lock_file, "flock", refuse)
    with pytest.raises(
        StoreError, match=r"cannot lock .*\.lock: .*no locks \(flock\), so keep the state on another"
    ) as why:
        Store.open(path)
    assert os.strerror(number) in str(why.value)
    assert not isinstance(why.value, StoreInUseError)
    assert not lock_file.is_held(lock_of(path), path)


def test_where_files_have_another_number_each_time_the_store_is_written_all_the_same(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock_file, "_leads_to", lambda *_: False)
    with Store.open(path) as store, Scheduler(capture=False) as scheduler:
        store.attach(scheduler)
        scheduler.add_on_demand_task(lambda: None, "it")
        scheduler.start()
        assert store.flush(PATIENCE)
        with pytest.raises(StoreInUseError):
            Store.open(path)


def test_without_locks_of_a_descriptor_the_lock_file_is_enough(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = fcntl.fcntl

    def refuse(descriptor: int, command: int, *given: bytes) -> object:
        if command == lock_file._SET_CLAIM:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        return real(descriptor, command, *given)

    monkeypatch.setattr(lock_file.fcntl, "fcntl", refuse)
    with Store.open(path), pytest.raises(StoreInUseError, match="this process already"):
        Store.open(path)
