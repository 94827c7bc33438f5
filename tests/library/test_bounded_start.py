"""Threads whose start fails in bounded time, and all who start threads."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest
from never_beginning import threads_never_begin
from patience import PATIENCE

import taskkit
from taskkit.bounded_start import BoundedStartThread
from taskkit.engine.foreign_calls import ForeignCalls
from taskkit.engine.loop_threads import LoopThreads

ROOT = Path(taskkit.__file__).parents[1]


def test_a_thread_that_begins_too_late_does_nothing() -> None:
    called: list[int] = []
    thread = BoundedStartThread(lambda: called.append(1), name="late")
    with threads_never_begin(), pytest.raises(RuntimeError, match="it never began"):
        thread.start()
    thread.run()
    assert called == []


def test_a_thread_that_begins_in_the_last_moment_has_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its start must not fail, as what it does would be done once more by another."""
    called: list[int] = []
    thread = BoundedStartThread(lambda: called.append(1), name="in time")
    monkeypatch.setattr("taskkit.bounded_start.START_SECONDS", 0.01)
    monkeypatch.setattr("threading._start_new_thread", lambda *_: thread.run())
    monkeypatch.setattr("threading._start_joinable_thread", lambda *_, **__: thread.run(), raising=False)
    thread.start()
    assert called == [1]


def test_a_callback_whose_thread_never_begins_is_called_by_the_next_one() -> None:
    lacking, called = threading.Event(), threading.Event()
    calls = ForeignCalls(lacking.set, inline=False)
    with threads_never_begin():
        calls.call("it", "on_stop", called.set)
    assert lacking.is_set()
    calls.retry_threads()
    assert called.wait(PATIENCE)


def test_a_blocking_call_of_an_async_task_fails_where_its_thread_never_begins() -> None:
    threads = LoopThreads("it")
    with threads_never_begin(), pytest.raises(RuntimeError, match="it never began"):
        threads.submit(int)
    assert threads.submit(int).result(PATIENCE) == 0
    threads.shutdown()


def test_no_other_threads_are_started() -> None:
    """A plain thread that lacks the memory to begin would hang the one who starts it."""
    plain = [
        f"{path.relative_to(ROOT)}: {call}"
        for package in ("taskkit", "taskkit_tui")
        for path in (ROOT / package).rglob("*.py")
        for call in re.findall(r"\b(?:Thread|Timer)\(.*", path.read_text())
    ]
    assert plain == []
