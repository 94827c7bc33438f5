"""The bridge, with a real scheduler on a manual clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Thread
from typing import Any, cast

import pytest
from fake_backend import done_at_once, figures, task

from taskkit import Changes, OutputLine, OutputWritten, Scheduler, SchedulerStoppedError, Stream, Watch
from taskkit.operations import UndoError
from taskkit.taskfile import Problem, Reload
from taskkit.testing import InlineExecutor, ManualClock
from taskkit_tui import bridge as bridge_module
from taskkit_tui.backend import Notice
from taskkit_tui.bridge import Bridge
from taskkit_tui.inbox import Inbox


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1_000.0)


@pytest.fixture
def scheduler(clock: ManualClock) -> Iterator[Scheduler]:
    scheduler = Scheduler(clock=clock, executor=InlineExecutor())
    yield scheduler
    scheduler.stop()


def written(*texts: str, dropped: int = 0) -> OutputWritten:
    lines = tuple(OutputLine(1.0, Stream.STDOUT, text, 20) for text in texts)
    return OutputWritten(1.0, "feed", 7, lines, dropped)


def test_the_first_look_tells_everything_and_the_next_what_changed(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    scheduler.add_periodic_task(1_010, 30, lambda: None, "a")
    scheduler.add_on_demand_task(lambda: None, "b")
    bridge = Bridge(scheduler)
    bridge.open()
    assert [task.name for task in bridge.collect().changes.changed] == ["a", "b"]
    assert bridge.collect().changes.changed == ()
    clock.advance(10)
    assert [task.name for task in bridge.collect().changes.changed] == ["a"]
    bridge.close(1)


def test_many_tasks_are_read_in_parts(scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bridge_module, "_PART", 2)
    for name in "abcde":
        scheduler.add_on_demand_task(lambda: None, name)
    bridge = Bridge(scheduler)
    bridge.open()
    monkeypatch.setattr(bridge_module, "READ_SECONDS", 0.0)
    frames = [bridge.collect() for _ in range(3)]
    assert [len(frame.changes.changed) for frame in frames] == [2, 2, 1]
    assert [frame.has_more for frame in frames] == [True, True, False]
    scheduler.pause()
    for name in "abcde":
        scheduler.disable_task(name)
    monkeypatch.setattr(bridge_module, "READ_SECONDS", 60.0)
    frame = bridge.collect()
    assert len(frame.changes.changed) == 5
    assert not frame.has_more
    bridge.close(1)


def test_parts_that_are_read_together_say_how_a_task_is_in_the_end() -> None:
    class Parts:
        def collect(self, _most: int) -> Changes:
            return parts.pop(0)

    parts = [
        Changes(figures(), (task(1, "before"), task(2)), (), rest=2),
        Changes(figures(), (task(1, "after"), task(3)), (2,)),
    ]
    changes = Bridge(Scheduler())._changes(cast("Watch", Parts()))
    assert [each.name for each in changes.changed] == ["after", "heartbeat"]
    assert changes.gone == (2,)


def test_what_a_task_prints_becomes_lines_of_its_name(scheduler: Scheduler, clock: ManualClock) -> None:
    scheduler.add_periodic_task(1_010, 30, lambda: print("tick"), "a")
    bridge = Bridge(scheduler)
    bridge.open()
    clock.advance(10)
    (line,) = bridge.collect().lines
    assert (line.name, line.text, line.stream, line.level) == ("a", "tick", "stdout", 20)
    bridge.close(1)


def test_a_failure_becomes_a_line_with_a_traceback(scheduler: Scheduler, clock: ManualClock) -> None:
    def fail() -> None:
        raise ValueError("no such feed")

    scheduler.add_periodic_task(1_010, 30, fail, "a")
    bridge = Bridge(scheduler)
    bridge.open()
    clock.advance(10)
    frame = bridge.collect()
    line = frame.lines[-1]
    assert (line.text, line.level) == ("ValueError: no such feed", 40)
    assert line.traceback is not None
    assert "raise ValueError" in line.traceback
    assert [failure.name for failure in frame.failures] == ["a"]
    bridge.close(1)


@pytest.mark.parametrize(
    ("command", "done"),
    [
        (lambda bridge, names: bridge.run(names, {}), True),
        (lambda bridge, names: bridge.stop(names), False),
        (lambda bridge, names: bridge.disable(names), True),
        (lambda bridge, names: bridge.enable(names), True),
        (lambda bridge, names: bridge.set_periods(dict.fromkeys(names, 5.0)), True),
        (lambda bridge, names: bridge.reschedule(names, "5"), True),
        (lambda bridge, names: bridge.unregister(names), True),
    ],
)
def test_a_command_answers_with_the_tasks_that_it_was_done_to(
    scheduler: Scheduler, command: Callable[[Bridge, list[str]], Any], done: bool
) -> None:
    scheduler.add_periodic_task(1_010, 30, lambda: None, "a")
    bridge = Bridge(scheduler)
    bridge.open()
    assert done_at_once(command(bridge, ["a", "unknown"])).names == (("a",) if done else ())
    assert done_at_once(bridge.pause()).token
    assert bridge.collect().changes.figures.paused
    assert done_at_once(bridge.resume()).token
    assert done_at_once(bridge.describe("unknown")) is None
    bridge.close(1)


def test_a_change_is_undone_by_its_token_unless_somebody_changed_the_task_since(scheduler: Scheduler) -> None:
    scheduler.add_periodic_task(1_010, 30, lambda: None, "a")
    bridge = Bridge(scheduler)
    token = done_at_once(bridge.disable(["a"])).token
    assert token is not None
    assert done_at_once(bridge.undo(token)).names == ("a",)
    token = done_at_once(bridge.disable(["a"])).token
    assert token is not None
    scheduler.enable_task("a")
    with pytest.raises(UndoError, match="changed since"):
        done_at_once(bridge.undo(token))


def test_what_a_period_would_mean_is_told_as_the_scheduler_would_do_it(scheduler: Scheduler) -> None:
    scheduler.add_periodic_task(1_010, 30, lambda: None, "a")
    bridge = Bridge(scheduler)
    bridge.open()
    foreseen = done_at_once(bridge.due_times_with("a", 5.0, 3))
    assert done_at_once(bridge.set_periods({"a": 5.0})).names
    details = scheduler.describe("a")
    assert details is not None
    assert foreseen == list(details.due_times[:3])
    assert done_at_once(bridge.disable(["a"])).names
    assert done_at_once(bridge.due_times_with("a", 5.0, 3)) == []
    assert done_at_once(bridge.due_times_with("unknown", 5.0, 3)) is None
    bridge.close(1)


def test_another_schedule_is_a_persons_change_and_counts_from_now(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    scheduler.add_daily_task(3, 30, lambda: None, "a")
    bridge = Bridge(scheduler)
    bridge.open()
    assert done_at_once(bridge.reschedule(["a", "unknown"], "60")).names == ("a",)
    assert scheduler.snapshot().tasks[0].overrides == "daily 03:30"
    assert scheduler.snapshot().tasks[0].next_run == clock.time() + 60
    bridge.close(1)


def test_that_the_file_of_tasks_is_broken_is_known_until_it_is_mended(scheduler: Scheduler) -> None:
    inbox = Inbox()
    bridge = Bridge(scheduler, inbox=inbox)

    def told() -> list[Notice]:
        return list(inbox.take()[3])

    inbox.report_reload(Reload(added=("a",)))
    assert (bridge.file_trouble, told()) == (None, [Notice("Added a")])
    fault = Problem("/srv/tasks.toml", 3, "tasks.a.every", "5", "is too short")
    inbox.report_reload(Reload(problems=(fault, fault)))
    assert bridge.file_trouble == "tasks.toml: 2 faults"
    (trouble,) = told()
    assert trouble.is_trouble
    assert trouble.text.startswith("Nothing is changed: /srv/tasks.toml:3: ")
    inbox.report_reload(Reload(problems=(fault,)))
    assert bridge.file_trouble == "tasks.toml: 1 fault"
    told()
    inbox.report_reload(Reload(unchanged=("a",)))
    assert (bridge.file_trouble, told()) == (None, [Notice("tasks.toml is valid again")])
    inbox.report_reload(Reload(problems=(fault,)))
    inbox.report_reload(Reload(changed=("a",)))
    assert told()[1:] == [Notice("tasks.toml is valid again: changed a")]
    inbox.report_reload(Reload(changed=("a",)))
    assert told() == [Notice("Changed a")]


def test_it_starts_what_is_not_started_and_stops_only_that(clock: ManualClock) -> None:
    own = Scheduler(clock=clock, executor=InlineExecutor())
    bridge = Bridge(own)
    bridge.open()
    assert own.is_running
    bridge.close(1)
    assert not own.is_running
    assert bridge.close(1) == []
    with pytest.raises(SchedulerStoppedError):
        bridge.collect()

    others = Scheduler(clock=clock, executor=InlineExecutor())
    others.start()
    bridge = Bridge(others)
    bridge.open()
    bridge.close(1)
    assert others.is_running
    others.stop()


def test_the_inbox_is_bounded_and_tells_what_it_lost() -> None:
    inbox = Inbox(most=5)
    for number in range(4):
        inbox.put(written(f"a {number}", f"b {number}", dropped=1))
    lines, dropped, *_ = inbox.take()
    assert [line.text for line in lines] == ["a 2", "b 2", "a 3", "b 3"]
    assert len(lines) + dropped == 4 * 3
    assert inbox.take() == ((), 0, (), ())


def test_no_line_is_lost_uncounted_while_two_threads_use_the_inbox() -> None:
    inbox = Inbox(most=100)
    total = 20_000

    def write() -> None:
        for number in range(total):
            inbox.put(written(str(number)))

    writer = Thread(target=write)
    writer.start()
    seen = 0
    while writer.is_alive():
        lines, dropped, *_ = inbox.take()
        seen += len(lines) + dropped
    writer.join()
    lines, dropped, *_ = inbox.take()
    assert seen + len(lines) + dropped == total


def test_a_file_that_changes_many_tasks_is_told_in_few_words() -> None:
    inbox = Inbox()
    inbox.report_reload(Reload(added=tuple(f"t{number}" for number in range(300)), removed=("a", "b")))
    (told,) = inbox.take()[3]
    assert told.text == "Added t0, t1, t2, t3, t4, and 295 more; removed a, b"


def test_while_the_app_is_stalled_what_waits_is_bounded_in_bytes_too() -> None:
    inbox = Inbox(most_bytes=1_000_000)
    for _ in range(100):
        inbox.put(written("漢" * 60_000, "x"))
    lines, dropped, _, _ = inbox.take()
    assert 0 < sum(2 * len(line.text) for line in lines) <= 1_000_000
    assert len(lines) + dropped == 200
    inbox.put(written("the next"))
    lines, dropped, _, _ = inbox.take()
    assert [line.text for line in lines] == ["the next"]
    assert dropped == 0


def test_a_jitter_that_a_shorter_period_limits_is_told() -> None:
    scheduler = Scheduler(clock=ManualClock(1e9), executor=InlineExecutor())
    scheduler.add_periodic_task(None, 60, lambda: None, "it", jitter=30)
    bridge = Bridge(scheduler)
    bridge.open()
    done_at_once(bridge.set_periods({"it": 10}))

    assert [told.text for told in bridge.collect().notices] == ["it: jitter is now 10 s"]
    bridge.close(1)
