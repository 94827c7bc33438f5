"""A file of tasks that is watched: what a person saves is done soon after, and half of it never."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from patience import PATIENCE, Gates, eventually, no_thread_left
from task_files import HERE, tasks, write

from taskkit import OutcomeKind, Scheduler
from taskkit.taskfile import Reload, TaskFileFollower, follow
from taskkit.taskfile.file_watch import POLL_SECONDS, ChangeDetector, FileChange, FileStamp, Ticker, stamp_of

pytestmark = pytest.mark.usefixtures("own_folder", "own_imports")

OLD, NEW, NEWER = (1, 10, 7, 0), (2, 10, 7, 0), (2, 20, 7, 0)


def compared(*looks: tuple[int, ...] | None) -> list[FileChange | None]:
    """Return the result of each poll for a file that was read with the stamp “old”."""
    known = ChangeDetector()
    known.remember(OLD)
    return [known.compare(look) for look in looks]


def test_a_change_is_reported_once_and_only_when_two_polls_see_the_same() -> None:
    assert compared(OLD, NEW, NEW, NEW) == [None, None, FileChange.CHANGED, None]
    assert compared(NEW, NEWER, NEWER, NEWER) == [None, None, FileChange.CHANGED, None]
    assert compared(NEW, OLD, OLD) == [None, None, None]


def test_a_moment_of_absence_is_ignored_and_a_longer_one_is_reported_once() -> None:
    assert compared(None, OLD, OLD) == [None, None, None]
    assert compared(None, NEW, NEW) == [None, None, FileChange.CHANGED]
    assert compared(None, None, None, OLD, OLD) == [None, FileChange.GONE, None, None, FileChange.CHANGED]


def test_a_file_that_is_read_by_hand_is_not_reported_again() -> None:
    looks = ChangeDetector()
    looks.remember(OLD)
    assert looks.compare(NEW) is None
    looks.remember(NEW)
    assert [looks.compare(NEW), looks.compare(NEW)] == [None, None]


def test_another_file_in_its_place_looks_different(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_text("a")
    before = stamp_of(one)
    other.write_text("b")
    other.replace(one)
    assert None not in (before, stamp_of(one))
    assert stamp_of(one) != before
    assert stamp_of(tmp_path / "none") is None
    assert stamp_of("a\0b") is None


def test_a_ticker_calls_until_its_function_returns_false_or_it_is_closed() -> None:
    calls: list[str] = []
    with no_thread_left():
        Ticker(lambda: bool(calls.append("enough")), "enough", interval=0)
        Ticker(lambda: calls.append("again") is None, "again", interval=0.001).close(PATIENCE)
        eventually(lambda: "enough" in calls)
    assert calls.count("enough") == 1


def test_a_ticker_may_be_closed_by_what_it_calls() -> None:
    closed = threading.Event()

    def tick() -> bool:
        assert ready.wait(PATIENCE)
        ticker.close(PATIENCE)
        closed.set()
        return True

    ready = threading.Event()
    with no_thread_left():
        ticker = Ticker(tick, "closes itself", interval=0)
        ready.set()
        assert closed.wait(PATIENCE)


def test_what_is_saved_is_done_within_two_seconds() -> None:
    assert POLL_SECONDS * 3 < 2


@contextmanager
def ended() -> Iterator[None]:
    """Follow a file inside the `with` block."""
    yield
    eventually(lambda: "follows tasks.toml" not in {thread.name for thread in threading.enumerate()})


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks come quickly one after the other."""
    monkeypatch.setattr(follow, "Ticker", partial(Ticker, interval=0.02))


@pytest.fixture
def reloads() -> list[Reload]:
    return []


@pytest.fixture
def live() -> Iterator[Scheduler]:
    """A scheduler with threads."""
    with Scheduler(capture=False) as scheduler:
        yield scheduler


@pytest.fixture
def follower(live: Scheduler, reloads: list[Reload]) -> Iterator[TaskFileFollower]:
    follower = TaskFileFollower(live, "tasks.toml", reloads.append)
    yield follower
    follower.close()


GATES = Gates()


def test_a_saved_change_is_applied_and_an_unrelated_run_continues(
    live: Scheduler, follower: TaskFileFollower, reloads: list[Reload]
) -> None:
    long = f'tasks.long = {{ run = "{__name__}:GATES", on_demand = true }}\n'
    other = f'tasks.other = {{ run = "{HERE}:Note", every = "1h" }}\n'
    write(long + other)
    follower.load()
    follower.watch()
    follower.watch()
    live.run_task_now("long")
    eventually(lambda: GATES.inside)

    write(long + other.replace("1h", "2h"))
    eventually(lambda: reloads)
    Path("new.toml").write_text(long + other.replace("1h", "1.5h"))
    Path("new.toml").replace("tasks.toml")
    eventually(lambda: len(reloads) > 1)
    Path("tasks.toml").unlink()
    eventually(lambda: len(reloads) > 2)
    write(long + other.replace("1h", "3h"))
    eventually(lambda: len(reloads) > 3)

    assert reloads[0] == reloads[3] == Reload(changed=("other",), unchanged=("long",))
    assert str(reloads[1].problems[0]) == (
        'tasks.toml:2: tasks.other.every = "1.5h": is not a span of time; did you mean "1h30m"?'
    )
    assert str(reloads[2]) == "nothing is changed: tasks.toml: the file is gone; its tasks stay as they were"
    assert live.handle("other").period == 3 * 3600
    assert (GATES.inside, GATES.most) == (1, 1)
    GATES.open()
    eventually(lambda: live.handle("long").last_outcome)
    assert live.handle("long").last_outcome.kind is OutcomeKind.SUCCEEDED
    assert len(reloads) == 4


def test_what_was_read_by_hand_is_not_read_again(
    follower: TaskFileFollower, reloads: list[Reload], monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks("a every = 60")
    follower.load()
    tasks("a every = 61")
    follower.reload()
    looks: list[FileStamp | None] = []
    monkeypatch.setattr(follow, "stamp_of", lambda path: looks.append(stamp_of(path)) or looks[-1])
    follower.watch()
    eventually(lambda: len(looks) > 4)
    assert reloads == [Reload(changed=("a",))]


def test_whatever_goes_wrong_in_a_reload_the_next_one_is_done(
    live: Scheduler, reloads: list[Reload], caplog: pytest.LogCaptureFixture
) -> None:
    class Odd(TaskFileFollower):
        def reload(self) -> Reload:
            if "Odd" not in caplog.text:
                raise ValueError("Odd")
            return super().reload()

    follower = Odd(live, "tasks.toml", reloads.append)
    tasks("a every = 60")
    follower.load()
    with ended():
        follower.watch()
        tasks("a every = 61")
        eventually(lambda: "could not be reloaded" in caplog.text)
        tasks("a every = 611")
        eventually(lambda: reloads)
        follower.close()
        follower.close()
    assert live.handle("a").period == 611


def test_on_reload_may_close_it_and_a_stopped_scheduler_ends_it(live: Scheduler) -> None:
    told: list[Reload] = []

    def close(reload: Reload) -> None:
        told.append(reload)
        follower.close()

    tasks("a every = 60")
    follower = TaskFileFollower(live, "tasks.toml", close)
    follower.load()
    with ended():
        follower.watch()
        tasks("a every = 61")
    assert told == [Reload(changed=("a",))]
    with ended():
        follower.watch()
        live.stop()
        tasks("a every = 62")
    assert len(told) == 1
