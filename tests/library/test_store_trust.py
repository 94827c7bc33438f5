"""Permissions of a store: it is private, and refused if others may have written it."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from restarted_program import Program

from taskkit import Every, Recipe, Scheduler, TaskSpec
from taskkit.private_files import why_untrusted
from taskkit.store import PersistentScheduler, Store, StoreError, read_history, read_state
from taskkit.testing import ManualClock

needs_root = pytest.mark.skipif(os.getuid() != 0, reason="needs to give files away")
STRANGER = 65534

calls: list[str] = []


def note() -> None:
    calls.append("ran")


@pytest.fixture(autouse=True)
def with_any_umask() -> Iterator[None]:
    before = os.umask(0)
    calls.clear()
    yield
    os.umask(before)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tasks.db"


def rights(path: Path) -> str:
    return f"{stat.S_IMODE(path.stat().st_mode):04o}"


def all_rights(folder: Path) -> dict[str, str]:
    return {each.name: rights(each) for each in folder.iterdir()}


def leave_a_registration(path: Path, clock: ManualClock) -> None:
    """A store that registers what runs at once: as an attacker would plant it."""
    program = Program(path, clock)
    scheduler = program.start()
    scheduler.pause()
    scheduler.add_spec(TaskSpec("planted", Every(60), Recipe(f"{__name__}:note")), persist=True)
    scheduler.resume()
    program.stop()
    calls.clear()
    clock.advance(600)


# Who may read it


def test_a_store_is_for_its_user_alone_whatever_the_umask(path: Path, clock: ManualClock) -> None:
    program = Program(path.parent / "made" / "folder" / "tasks.db", clock)
    program.start(lambda scheduler: scheduler.add_periodic_task(None, 60, note, "it"))
    program.flush()
    folder = program.path.parent
    assert all_rights(folder) == {
        "tasks.db": "0600",
        "tasks.db-wal": "0600",
        "tasks.db-shm": "0600",
        "tasks.db.lock": "0600",
    }
    assert (rights(folder), rights(folder.parent)) == ("0700", "0700")
    program.stop()


def test_a_store_that_others_may_read_is_tightened_and_its_folder_is_not(
    path: Path, clock: ManualClock
) -> None:
    program = Program(path, clock)
    program.start(lambda scheduler: scheduler.add_periodic_task(None, 60, note, "it"))
    program.kill()  # so that there is a log beside it
    old = path.parent / "tasks.db+.corrupt-20260101-000000"
    old.touch()
    for each in path.parent.iterdir():
        each.chmod(0o644)
    path.parent.chmod(0o755)
    with Store.open(program.path):
        assert {name: right for name, right in all_rights(path.parent).items() if "+" in name} == {
            "tasks.db+": "0600",
            "tasks.db+-wal": "0600",
            "tasks.db+-shm": "0600",
            "tasks.db+.lock": "0600",
            old.name: "0600",
        }
    assert rights(path.parent) == "0755"
    assert rights(path) == "0644"  # it belongs to another store


def test_a_corrupt_file_that_is_moved_aside_is_not_for_others_to_read(path: Path) -> None:
    Store.open(path).close()
    path.write_bytes(b"no database" * 500)
    path.chmod(0o644)
    Store.open(path).close()
    (aside,) = path.parent.glob("*.corrupt-*")
    assert (rights(aside), rights(path)) == ("0600", "0600")


# Whose store is believed


@pytest.mark.parametrize("mode", [0o602, 0o606, 0o646, 0o666, 0o777])
def test_a_store_that_others_may_write_is_refused_before_anything_of_it_runs(
    path: Path, clock: ManualClock, mode: int
) -> None:
    leave_a_registration(path, clock)
    path.chmod(mode)
    before = path.read_bytes()
    with pytest.raises(StoreError, match=rf"others may write to .*tasks\.db \(mode 0{mode:o}\); .*chmod 600"):
        PersistentScheduler(path, clock=clock).start()
    assert (calls, path.read_bytes(), rights(path)) == ([], before, f"0{mode:o}")


@needs_root
def test_a_store_of_another_user_is_refused_and_can_be_read(path: Path, clock: ManualClock) -> None:
    leave_a_registration(path, clock)
    for each in path.parent.iterdir():
        os.chown(each, STRANGER, STRANGER)
    with pytest.raises(
        StoreError, match=r"belongs to nobody; run it as nobody\. What it holds would run as root"
    ):
        PersistentScheduler(path, clock=clock).start()
    assert calls == []
    assert set(read_state(path).tasks) == {"planted"}
    read_history(path)
    assert calls == []


@needs_root
@pytest.mark.parametrize("ending", ["-wal", "-shm", "-journal"])
def test_what_sqlite_would_believe_beside_the_file_must_be_trusted_as_well(path: Path, ending: str) -> None:
    Store.open(path).close()
    planted = Path(f"{path}{ending}")
    planted.write_bytes(b"x")
    os.chown(planted, STRANGER, STRANGER)
    with pytest.raises(StoreError, match=f"tasks.db{ending} belongs to nobody"):
        Store.open(path)
    os.chown(planted, 0, 0)
    planted.chmod(0o622)
    with pytest.raises(StoreError, match=f"others may write to .*tasks.db{ending}"):
        Store.open(path)


@pytest.mark.parametrize("plant", [os.mkfifo, lambda path: path.symlink_to("elsewhere")])
def test_what_is_no_file_beside_the_file_is_neither_opened_nor_followed(
    path: Path, plant: Callable[[Path], object]
) -> None:
    Store.open(path).close()
    plant(Path(f"{path}-wal"))
    with pytest.raises(StoreError, match=r"tasks\.db-wal is not a regular file"):
        Store.open(path)
    assert not path.with_name("elsewhere").exists()


def test_no_remedy_says_to_change_the_rights_of_a_device() -> None:
    with pytest.raises(StoreError, match="it is not a regular file"):
        Store.open("/dev/null")


@needs_root
def test_a_group_that_others_are_in_counts_as_others(path: Path) -> None:
    Store.open(path).close()
    path.chmod(0o660)
    os.chown(path, 0, 54321)  # nobody here is known to be in it, nor is this process
    with pytest.raises(StoreError, match="others may write to"):
        Store.open(path)
    os.chown(path, 0, os.getegid())
    Store.open(path).close()
    assert rights(path) == "0600"


@pytest.mark.parametrize("depth", [0, 1])
def test_a_folder_in_which_others_may_put_files_holds_no_store(tmp_path: Path, depth: int) -> None:
    path = tmp_path / "a" / "b" / "tasks.db"
    Store.open(path).close()
    path.parents[depth].chmod(0o777)
    with pytest.raises(StoreError, match=f"others may put files into {path.parents[depth]}, .*chmod go-w"):
        Store.open(path)
    path.parents[depth].chmod(0o1777)  # as /tmp is: only the owner of an entry may replace it
    Store.open(path).close()


@needs_root
def test_a_link_or_folder_that_is_planted_in_a_folder_open_to_everyone_is_not_followed(
    tmp_path: Path,
) -> None:
    open_to_all, own = tmp_path / "open", tmp_path / "own"
    open_to_all.mkdir()
    open_to_all.chmod(0o1777)
    own.mkdir(0o700)
    for planted, target in (("link.db", own / "tasks.db"), ("folder", own)):
        (open_to_all / planted).symlink_to(target)
        os.chown(open_to_all / planted, STRANGER, STRANGER, follow_symlinks=False)
        named = open_to_all / planted if target != own else open_to_all / planted / "tasks.db"
        with pytest.raises(StoreError, match=f"{planted} belongs to nobody, in {open_to_all}, .*; run it as"):
            Store.open(named)
    (own / "by").symlink_to(open_to_all / "folder")
    with pytest.raises(StoreError, match="folder belongs to nobody"):
        Store.open(own / "by" / "tasks.db")
    assert list(own.iterdir()) == [own / "by"]
    (open_to_all / "mine.db").symlink_to(own / "tasks.db")
    Store.open(open_to_all / "mine.db").close()


def test_links_are_followed_as_the_kernel_does(tmp_path: Path) -> None:
    (tmp_path / "one" / "two").mkdir(parents=True)
    (tmp_path / "link").symlink_to("one/two")
    (tmp_path / "one").chmod(0o777)
    assert why_untrusted(tmp_path / "x.db") is None
    assert "put files into" in str(why_untrusted(tmp_path / "link" / ".." / "x.db"))
    (tmp_path / "ring").symlink_to("ring")
    with pytest.raises(OSError, match="symbolic links"):
        why_untrusted(tmp_path / "ring")


# The lock file


def plant_a_pipe(lock: Path) -> None:
    os.mkfifo(lock)


def plant_a_folder(lock: Path) -> None:
    lock.mkdir()


def plant_a_link(lock: Path) -> None:
    (lock.parent / "precious").write_text("7")
    lock.symlink_to("precious")


@pytest.mark.parametrize("plant", [plant_a_pipe, plant_a_folder, plant_a_link])
def test_what_is_no_file_is_no_lock_and_does_not_block(path: Path, plant: Callable[[Path], None]) -> None:
    Store.open(path).close()
    lock = Path(f"{path}.lock")
    lock.unlink()
    plant(lock)
    with pytest.raises(StoreError, match=r"its lock would be .*\.lock, which is not a regular file"):
        Store.open(path)
    read_state(path)  # and does not wait
    if lock.is_symlink():
        assert lock.read_text() == "7"


@needs_root
def test_a_lock_of_another_user_is_refused(path: Path) -> None:
    lock = Path(f"{path}.lock")
    lock.touch(0o666)
    os.chown(lock, STRANGER, STRANGER)
    with pytest.raises(StoreError, match=r"its lock .*\.lock belongs to nobody"):
        Store.open(path)


def test_what_a_scheduler_left_is_still_taken_up(path: Path, clock: ManualClock) -> None:
    leave_a_registration(path, clock)
    program = Program(path, clock)
    assert isinstance(program.start(), Scheduler)
    assert calls == ["ran"]
    program.stop()
