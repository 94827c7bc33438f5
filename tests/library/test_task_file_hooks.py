"""Hooks of a task file: commands that run when a task fails for good, and when it succeeds again."""

from __future__ import annotations

import logging
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from patience import PATIENCE, eventually
from task_files import problem_lines, write

from taskkit import OutputWritten, RunFinished, Scheduler
from taskkit.bounded_start import BoundedStartThread
from taskkit.store import PersistentScheduler
from taskkit.taskfile import TaskFileFollower, hooks, read_task_file
from taskkit.taskfile.hooks import MOST_AT_ONCE, HookRunner

pytestmark = pytest.mark.usefixtures("own_folder")

SAY = 'printf "%s" "$TASKKIT_TASK $TASKKIT_OUTCOME $TASKKIT_RUN: $TASKKIT_ERROR" >> {}; echo >> {}'


class Life:
    """A scheduler that follows a file, and what is written in its log."""

    def __init__(self, text: str, make: Callable[[], Scheduler] = Scheduler) -> None:
        self.scheduler = make()
        self.lines: list[tuple[str, int, str]] = []
        """Task, run and text."""
        self.ended: list[RunFinished] = []
        self.follower = TaskFileFollower(self.scheduler, write(text))
        self.follower.load()
        self.scheduler.subscribe(self._receive)
        self.scheduler.start()
        self.follower.watch()

    def _receive(self, event: object) -> None:
        if isinstance(event, OutputWritten):
            self.lines += [(event.name, event.run, line.text) for line in event.lines]
        elif isinstance(event, RunFinished):
            self.ended.append(event)

    def run(self, name: str = "it") -> None:
        """Run a task to its end."""
        before = len(self.ended)
        assert self.scheduler.run_task_now(name)
        eventually(lambda: len(self.ended) > before)

    def end(self) -> None:
        """Stop everything."""
        self.follower.close()
        self.scheduler.stop(timeout=1)
        self.follower.finish_hooks(5)


@pytest.fixture
def begin() -> Iterator[Callable[..., Life]]:
    """Begin a life, which ends with the test."""
    lives: list[Life] = []

    def begin(text: str, make: Callable[[], Scheduler] = Scheduler) -> Life:
        lives.append(Life(text, make))
        return lives[-1]

    yield begin
    for life in lives:
        life.end()


def told(path: str = "told") -> list[str]:
    """Return the lines that hooks have written."""
    return Path(path).read_text().splitlines() if Path(path).exists() else []


TASK = """
[tasks.it]
command = "test -e works"
on_demand = true
on_failure = '''printf '%s\\n' "$TASKKIT_TASK $TASKKIT_OUTCOME $TASKKIT_ERROR" >> told'''
on_recovery = '''printf '%s\\n' "$TASKKIT_TASK $TASKKIT_OUTCOME" >> told'''
"""
FAILED = "it failed CommandError: test -e works ended with exit status 1"


def test_one_runs_for_each_failed_run_and_one_when_it_succeeds_again(begin: Callable[..., Life]) -> None:
    life = begin(TASK)
    life.run()
    eventually(lambda: len(told()) == 1)
    life.run()
    eventually(lambda: len(told()) == 2)
    Path("works").touch()
    life.run()
    eventually(lambda: len(told()) == 3)
    life.run()
    Path("works").unlink()
    life.run()
    eventually(lambda: len(told()) == 4)
    assert told() == [FAILED, FAILED, "it succeeded", FAILED]


def test_a_try_that_is_followed_by_another_is_no_failure(begin: Callable[..., Life]) -> None:
    life = begin(TASK.replace("on_demand = true", "on_demand = true\nretries = 2\nretry_delay = 0"))
    life.scheduler.run_task_now("it")
    eventually(lambda: len(life.ended) == 3)
    eventually(lambda: len(told()) == 1)
    Path("works").touch()
    life.run()
    eventually(lambda: len(told()) == 2)
    assert told() == [FAILED, "it succeeded"]


def test_a_recovery_is_noticed_across_a_restart(begin: Callable[..., Life]) -> None:
    first = begin(TASK, lambda: PersistentScheduler("state.sqlite"))
    first.run()
    eventually(lambda: len(told()) == 1)
    first.end()
    Path("works").touch()
    second = begin(TASK, lambda: PersistentScheduler("state.sqlite"))
    second.run()
    eventually(lambda: len(told()) == 2)
    assert told() == [FAILED, "it succeeded"]


def test_a_run_that_ended_with_its_process_has_its_hook_once_after_the_restart(
    begin: Callable[..., Life],
) -> None:
    hangs = TASK.replace("test -e works", "test -e works || sleep 1000")
    first = begin(hangs, lambda: PersistentScheduler("state.sqlite"))
    first.scheduler.run_task_now("it")
    eventually(lambda: first.scheduler.running)
    assert isinstance(first.scheduler, PersistentScheduler)
    assert first.scheduler.store.flush(PATIENCE)
    for ending in ("", "-wal"):
        shutil.copy(f"state.sqlite{ending}", f"killed.sqlite{ending}")  # what `kill -9` leaves behind
    for _ in range(2):
        second = begin(hangs, lambda: PersistentScheduler("killed.sqlite"))
        second.end()
    assert told() == ["it interrupted "]
    Path("works").touch()
    third = begin(hangs, lambda: PersistentScheduler("killed.sqlite"))
    third.run()
    eventually(lambda: len(told()) == 2)
    assert told()[1] == "it succeeded"


def test_what_it_prints_is_in_the_log_under_the_run_that_it_is_about(begin: Callable[..., Life]) -> None:
    life = begin("""
        [tasks.it]
        command = "echo from the task; exit 3"
        on_demand = true
        on_failure = "echo from the hook, about; cat $TASKKIT_OUTPUT_FILE; stat -c %a $TASKKIT_OUTPUT_FILE"
        """)
    life.run()
    run = life.ended[0].run
    eventually(lambda: ("it", run, "600") in life.lines)
    texts = [text for task, number, text in life.lines if (task, number) == ("it", run)]
    assert texts == ["from the task", "from the hook, about", "from the task", "600"]


def test_the_file_with_the_output_is_removed(begin: Callable[..., Life]) -> None:
    life = begin("""
        [tasks.it]
        command = "false"
        on_demand = true
        on_failure = "echo $TASKKIT_OUTPUT_FILE"
        """)
    life.run()
    eventually(lambda: life.lines)
    (_, _, path), *_ = life.lines
    life.end()
    assert not Path(path).exists()


def test_it_runs_in_the_folder_of_its_task_with_its_variables(begin: Callable[..., Life]) -> None:
    Path("inner").mkdir()
    life = begin("""
        [defaults]
        on_failure = 'echo "$(basename "$PWD") $WORD $MORE"'

        [tasks.it]
        command = "false"
        cwd = "inner"
        env = { WORD = "own", MORE = "${NONE:-more}" }
        on_demand = true

        [tasks.other]
        command = "false"
        on_demand = true
        """)
    life.run("it")
    eventually(lambda: any(text == "inner own more" for *_, text in life.lines))
    life.run("other")
    eventually(lambda: any(text.strip() == Path.cwd().name for *_, text in life.lines))


def test_a_function_may_have_hooks_which_run_in_the_folder_of_the_file(
    begin: Callable[..., Life], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("jobs_with_hooks.py").write_text("def fail():\n    raise ValueError('a\\0b\\n' + 'x' * 9000)\n")
    life = begin("""
        [tasks.it]
        run = "jobs_with_hooks:fail"
        on_demand = true
        on_failure = '''printf '%s' "$TASKKIT_ERROR" > told; pwd'''
        """)
    life.run()
    eventually(lambda: any(text == str(Path.cwd()) for *_, text in life.lines))
    (error,) = told()
    assert error.startswith("ValueError: a")
    assert len(error.encode()) <= 4096
    assert "\0" not in error


def test_one_that_fails_is_reported_and_changes_nothing(
    begin: Callable[..., Life], caplog: pytest.LogCaptureFixture
) -> None:
    life = begin(TASK.replace(">> told", "; exit 7"))
    life.run()
    eventually(lambda: "ended with exit status 7" in caplog.text)
    life.run()
    assert len(life.ended) == 2


def test_one_that_hangs_is_ended_and_holds_up_no_task(caplog: pytest.LogCaptureFixture) -> None:
    scheduler = Scheduler()
    ended: list[object] = []
    follower = TaskFileFollower(scheduler, write(TASK.replace("printf", "echo $$ > pid; sleep 1000; printf")))
    follower._hooks = HookRunner(scheduler, seconds=0.05)
    follower.load()
    with scheduler:
        follower.watch()
        scheduler.subscribe(ended.append, kinds=(RunFinished,))
        scheduler.run_task_now("it")
        eventually(lambda: ended)
        scheduler.run_task_now("it")
        eventually(lambda: len(ended) == 2)
        eventually(lambda: caplog.text.count("was ended, as it took longer than 0.05 s") == 2)
        follower.close()
    follower.finish_hooks(10)
    assert told() == []


def test_more_than_four_at_once_are_left_out_and_counted(
    begin: Callable[..., Life], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "taskkit")
    life = begin(TASK.replace("printf", "echo x >> begun; sleep 1000; printf"))
    for count in range(1, MOST_AT_ONCE + 3):
        life.run()
        if count <= MOST_AT_ONCE:
            eventually(lambda count=count: len(told("begun")) == count)
    eventually(lambda: "2 were skipped so far" in caplog.text)
    life.follower.finish_hooks(0)  # it kills them
    eventually(lambda: life.follower._hooks._number == 0)
    assert len(told("begun")) == MOST_AT_ONCE


def test_without_watching_none_runs() -> None:
    scheduler = Scheduler()
    follower = TaskFileFollower(scheduler, write(TASK))
    follower.load()
    with scheduler:
        scheduler.run_task_now("it")
        eventually(lambda: not scheduler.running)
    follower.finish_hooks(5)
    assert told() == []


def test_an_edit_of_a_hook_counts_from_then_on_and_leaves_the_task_alone(begin: Callable[..., Life]) -> None:
    life = begin(TASK)
    handle = life.scheduler.handle("it")
    write(TASK.replace("$TASKKIT_TASK", "new"))
    assert life.follower.reload().changed == ()
    life.run()
    eventually(told)
    assert told()[0].startswith("new failed")
    assert life.scheduler.handle("it") is handle


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("on_failure = 3", "on_failure = 3: must be a string or a sequence of strings"),
        ('on_failure = ""', 'on_failure = "": must not be empty'),
        ("on_recovery = []", "on_recovery = []: must not be empty"),
        ('on_failed = "x"', "did you mean on_failure?"),
        ('on_failure = "x"\nnice = 30', "nice = 30: must be from -20 to 19"),
    ],
)
def test_a_wrong_hook_is_a_problem_of_the_file(line: str, words: str) -> None:
    (problem,) = problem_lines(write(f'[tasks.it]\ncommand = "true"\non_demand = true\n{line}'))
    assert words in problem


def test_a_file_without_hooks_costs_nothing(begin: Callable[..., Life]) -> None:
    file = read_task_file(write('[tasks.it]\ncommand = "true"\non_demand = true'))
    assert not file.hooks
    life = begin('[tasks.it]\ncommand = "true"\non_demand = true')
    assert not life.follower._hooks._is_subscribed


def test_private_files_stay_private_under_any_umask(begin: Callable[..., Life]) -> None:
    before = os.umask(0)
    try:
        life = begin("""
            [tasks.it]
            command = "false"
            on_demand = true
            on_failure = "cp -p $TASKKIT_OUTPUT_FILE copy"
            """)
        life.run()
        eventually(lambda: Path("copy").exists())
    finally:
        os.umask(before)
    assert stat.S_IMODE(Path("copy").stat().st_mode) == 0o600


def test_a_thread_that_the_system_refuses_costs_one_hook_and_no_place(
    begin: Callable[..., Life], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Refused(BoundedStartThread):
        def start(self) -> None:
            raise RuntimeError("can't start new thread")

    life = begin(TASK)
    with monkeypatch.context() as refusing:
        refusing.setattr(hooks, "BoundedStartThread", Refused)
        for count in range(1, MOST_AT_ONCE + 1):
            life.run()
            eventually(lambda count=count: caplog.text.count("can't start new thread") == count)
    life.run()
    eventually(told)


def test_a_forked_child_leaves_the_hooks_of_its_parent_alone(begin: Callable[..., Life]) -> None:
    life = begin(TASK.replace("printf", "echo x > begun; until test -e end; do sleep 0.01; done; printf"))
    life.run()
    eventually(lambda: told("begun"))
    child = os.fork()
    if child == 0:
        life.follower.finish_hooks(0)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    Path("end").touch()
    eventually(told)
    assert told() == [FAILED]
