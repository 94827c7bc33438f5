"""The bridge, with a real scheduler on a manual clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Thread

import pytest

from taskkit import Daily, Every, OutputLine, OutputWritten, Scheduler, SchedulerStoppedError, Stream
from taskkit.taskfile import Problem, Reload
from taskkit.testing import InlineExecutor, ManualClock
from taskkit_tui.backend import Told
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
    ("command", "answer"),
    [
        (lambda bridge, name: bridge.run(name, {}), True),
        (lambda bridge, name: bridge.stop(name), False),
        (lambda bridge, name: bridge.disable(name), True),
        (lambda bridge, name: bridge.enable(name), True),
        (lambda bridge, name: bridge.set_period(name, 5.0), True),
        (lambda bridge, name: bridge.unregister(name), True),
    ],
)
def test_commands_answer_as_the_scheduler_does(
    scheduler: Scheduler, command: Callable[[Bridge, str], bool], answer: bool
) -> None:
    scheduler.add_periodic_task(1_010, 30, lambda: None, "a")
    bridge = Bridge(scheduler)
    bridge.open()
    assert command(bridge, "unknown") is False
    assert command(bridge, "a") is answer
    assert bridge.pause()
    assert bridge.collect().changes.figures.paused
    assert bridge.resume()
    assert bridge.describe("unknown") is None
    bridge.close(1)


def test_what_a_period_would_mean_is_told_as_the_scheduler_would_do_it(scheduler: Scheduler) -> None:
    scheduler.add_periodic_task(1_010, 30, lambda: None, "a")
    bridge = Bridge(scheduler)
    bridge.open()
    foreseen = bridge.due_times_with("a", 5.0, 3)
    assert bridge.set_period("a", 5.0)
    details = scheduler.describe("a")
    assert details is not None
    assert foreseen == list(details.due_times[:3])
    assert bridge.disable("a")
    assert bridge.due_times_with("a", 5.0, 3) == []
    assert bridge.due_times_with("unknown", 5.0, 3) is None
    bridge.close(1)


def test_another_schedule_is_a_persons_change_and_counts_from_now(
    scheduler: Scheduler, clock: ManualClock
) -> None:
    scheduler.add_daily_task(3, 30, lambda: None, "a")
    bridge = Bridge(scheduler)
    bridge.open()
    assert bridge.schedule("a") == Daily(3, 30)
    assert bridge.reschedule("a", Every(60))
    assert scheduler.snapshot().tasks[0].overrides == "daily 03:30"
    assert scheduler.snapshot().tasks[0].next_run == clock.time() + 60
    assert bridge.schedule("unknown") is None
    assert not bridge.reschedule("unknown", Every(60))
    bridge.close(1)


def test_that_the_file_of_tasks_is_broken_is_known_until_it_is_mended(scheduler: Scheduler) -> None:
    inbox = Inbox()
    bridge = Bridge(scheduler, inbox=inbox)

    def told() -> list[Told]:
        return list(inbox.take()[3])

    inbox.hear(Reload(added=("a",)))
    assert (bridge.file_trouble, told()) == (None, [Told("Added a")])
    fault = Problem("/srv/tasks.toml", 3, "tasks.a.every", "5", "is too short")
    inbox.hear(Reload(problems=(fault, fault)))
    assert bridge.file_trouble == "tasks.toml: 2 faults"
    (trouble,) = told()
    assert trouble.is_trouble
    assert trouble.text.startswith("Nothing is changed: /srv/tasks.toml:3: ")
    inbox.hear(Reload(problems=(fault,)))
    assert bridge.file_trouble == "tasks.toml: 1 fault"
    told()
    inbox.hear(Reload(unchanged=("a",)))
    assert (bridge.file_trouble, told()) == (None, [Told("tasks.toml is read again")])
    inbox.hear(Reload(problems=(fault,)))
    inbox.hear(Reload(changed=("a",)))
    assert told()[1:] == [Told("tasks.toml is read again: changed a")]
    inbox.hear(Reload(changed=("a",)))
    assert told() == [Told("Changed a")]


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
    inbox.hear(Reload(added=tuple(f"t{number}" for number in range(300)), removed=("a", "b")))
    (told,) = inbox.take()[3]
    assert told.text == "Added t0, t1, t2, t3, t4, and 295 more; removed a, b"
