"""Tasks in worker processes: they have what tasks on threads have, and can be killed; real processes."""

from __future__ import annotations

import logging
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent
from typing import Any, Final

import process_jobs as jobs
import pytest
from elsewhere import Place, new_name, snapshot_of
from patience import PATIENCE, eventually, no_thread_left

from taskkit import (
    OnDemand,
    Outcome,
    OutcomeKind,
    Recipe,
    ScaledClock,
    Scheduler,
    TaskSpec,
)
from taskkit.executors import ProcessExecutor, process
from taskkit.testing import ManualClock

KILL_AFTER: Final = 0.2
WORKERS: Final = 2


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    executor = ProcessExecutor(WORKERS, kill_after=KILL_AFTER)
    with Scheduler(executors={"workers": executor}) as scheduler:
        yield Place(scheduler)


def is_gone(pid: int) -> bool:
    """True if the process has ended; a zombie that nobody reaps counts."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):  # the second, if it ends while it is read
        return True


def test_a_task_has_in_a_worker_what_it_has_on_a_thread(place: Place) -> None:
    handle = place.begin(jobs.Everything(), {"word": "given"})
    outcome = place.end(handle)
    assert outcome.kind is OutcomeKind.SUCCEEDED, outcome.traceback
    assert outcome.result == f"{handle.name} {outcome.run} 1 demand"
    expected = {f"print {handle.name} given 1", "error", "record 7", "descriptor 1", "descriptor 2", "child"}
    assert expected | {"from C"} <= {*outcome.output}
    assert any("UserWarning: a warning" in line for line in outcome.output)
    assert outcome.output.count("record 7") == 1


def test_a_worker_is_used_again_and_gets_a_copy_of_the_task_for_each_run(place: Place) -> None:
    task = jobs.Counter()
    handle = place.begin(task)
    place.end(handle)
    place.scheduler.demand_task(handle.name)
    assert [place.end(handle, 1).result, place.end(handle, 2).result] == [1, 1]
    assert task.calls == 0
    pids = [place.outcome(jobs.pid).result for _ in range(4)]
    assert len({*pids}) <= WORKERS
    assert os.getpid() not in pids


def test_the_run_says_in_which_process_it_is(place: Place) -> None:
    handle = place.begin(jobs.computes)
    pid = place.pid(handle)
    assert snapshot_of(place.scheduler, handle.name).executor == "workers"
    assert not is_gone(pid)
    handle.stop()
    assert place.end(handle).started is not None


def test_a_task_that_computes_sees_a_stop_and_ends_by_itself(place: Place) -> None:
    handle = place.begin(jobs.computes)
    place.wait_for_line(handle, "computing")
    handle.stop()
    outcome = place.end(handle)
    assert outcome.kind is OutcomeKind.STOPPED
    assert outcome.exception is None
    assert "saw the stop" in outcome.output


def test_an_endless_loop_is_killed_and_the_outcome_says_so(place: Place) -> None:
    handle = place.begin(jobs.never_ends)
    place.wait_for_line(handle, "endless")
    handle.stop()
    outcome = place.end(handle)
    assert outcome.kind is OutcomeKind.STOPPED
    assert outcome.exception == "killed 0.2 s after it was asked to stop"
    assert outcome.output == ("endless",)


def test_a_timeout_kills_and_counts_from_the_begin_of_the_body(place: Place, tmp_path: Path) -> None:
    waits = tmp_path / "wait"
    slow = place.add(jobs.SlowToMake(str(tmp_path)), timeout=0.15)
    waits.touch()
    slow.demand()  # its import takes longer than that
    outcome = place.outcome(jobs.never_ends, timeout=0.05)
    assert outcome.kind is OutcomeKind.TIMED_OUT
    assert outcome.exception == "killed 0.2 s after it was asked to stop"
    waits.unlink()
    assert place.end(slow).kind is OutcomeKind.SUCCEEDED


def test_what_a_killed_task_has_started_is_killed_with_it(place: Place) -> None:
    handle = place.begin(jobs.never_ends_with_child)
    child = int(place.wait_for_line(handle))
    handle.stop()
    assert place.end(handle).kind is OutcomeKind.STOPPED
    eventually(lambda: is_gone(child))


def test_a_child_that_holds_the_pipes_delays_no_end(place: Place) -> None:
    outcome = place.outcome(jobs.leaves_child)
    assert outcome.kind is OutcomeKind.SUCCEEDED
    child = outcome.result
    assert isinstance(child, int)
    assert not is_gone(child)
    for _ in range(WORKERS):  # one of them is its parent
        assert place.outcome(jobs.kills_itself).kind is OutcomeKind.FAILED
        if is_gone(child):
            break
        handles = [place.begin(jobs.computes) for _ in range(WORKERS)]
        for each in handles:
            place.wait_for_line(each, "computing")
            os.kill(place.pid(each), signal.SIGKILL)
            place.end(each)
    eventually(lambda: is_gone(child))


@pytest.mark.parametrize(
    ("task", "words"),
    [
        (jobs.kills_itself, "killed by SIGKILL (out of memory?)"),
        (jobs.crashes, "killed by SIGSEGV (a crash in C code)"),
        (jobs.ends_the_process, "its process exited with status 3"),
    ],
)
def test_a_worker_that_dies_fails_its_run_alone_and_the_next_one_runs(
    place: Place, task: Any, words: str
) -> None:
    other = place.begin(jobs.computes)
    place.wait_for_line(other, "computing")
    outcome = place.outcome(task)
    assert (outcome.kind, outcome.exception) == (OutcomeKind.FAILED, words)
    if task is not jobs.ends_the_process:
        assert outcome.output[0] in {"last words", "before the crash"}
    if task is jobs.crashes:
        assert any("Segmentation fault" in line for line in outcome.output), outcome.output
    assert place.outcome(jobs.pid).kind is OutcomeKind.SUCCEEDED
    other.stop()
    assert place.end(other).kind is OutcomeKind.STOPPED


def test_a_worker_may_be_killed_at_any_instant(place: Place) -> None:
    """Whatever the moment, each run has one outcome, in words, and the next run finds a worker."""
    pids = {int(str(place.outcome(jobs.pid).result)) for _ in range(2)}
    killer_runs = threading.Event()
    killed = 0

    def kill() -> None:
        nonlocal killed
        while not killer_runs.wait(0.004):
            for each in [*pids]:
                try:
                    os.kill(each, signal.SIGKILL)
                    killed += 1
                except ProcessLookupError:
                    pids.discard(each)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        for _ in range(30):
            handle = place.begin(jobs.pid)
            outcome = place.end(handle)
            if outcome.kind is OutcomeKind.SUCCEEDED:
                pids.add(int(str(outcome.result)))
            else:
                assert outcome.exception == "killed by SIGKILL (out of memory?)"
            assert len(place.outcomes[handle.name]) == 1
    finally:
        killer_runs.set()
        killer.join()
    assert killed
    assert place.outcome(jobs.pid).kind is OutcomeKind.SUCCEEDED


def test_a_worker_that_dies_while_it_imports_the_task_fails_the_run(place: Place, tmp_path: Path) -> None:
    task = jobs.KillsImporter(str(tmp_path))
    handle = place.begin(task)
    assert place.end(handle).kind is OutcomeKind.SUCCEEDED
    (tmp_path / "armed").touch()
    handle.demand()
    outcome = place.end(handle, 2)
    assert (outcome.kind, outcome.exception) == (OutcomeKind.FAILED, "killed by SIGKILL (out of memory?)")


def test_a_run_whose_worker_died_is_tried_again_by_its_policies(place: Place) -> None:
    handle = place.begin(jobs.FailsOnce(), retries=1, retry_delay=0)
    assert [place.end(handle, 1).kind, place.end(handle, 2).result] == [OutcomeKind.FAILED, "second try"]


def test_the_death_of_the_process_that_starts_workers_fails_runs_and_no_more(place: Place) -> None:
    handle = place.begin(jobs.computes)
    parent = int(Path(f"/proc/{place.pid(handle)}/stat").read_text().rpartition(") ")[2].split()[1])
    os.kill(parent, signal.SIGKILL)
    outcome = place.end(handle)
    assert outcome.kind is OutcomeKind.FAILED
    assert outcome.exception == "its process was killed with the one that starts all workers"
    assert place.outcome(jobs.pid).kind is OutcomeKind.SUCCEEDED


def closure() -> Any:
    return lambda: None


@pytest.mark.parametrize(
    ("task", "words"),
    [
        (lambda: None, "define it with a name at the top level of test_process_executor"),
        (closure(), "define it with a name at the top level"),
        (jobs.NeedsLock("x"), "cannot pickle '_thread.lock' object; what cannot be pickled"),
        (jobs.UnpicklesBadly(), "must be made again in another process, where it raises ValueError"),
        (jobs.Remembers(closure()), "define it with a name at the top level"),
        (sys.stdout.write, "cannot be sent to another process"),
    ],
)
def test_a_task_that_no_worker_could_import_is_refused_when_it_is_registered(
    place: Place, task: Any, words: str
) -> None:
    with pytest.raises(TypeError) as raised:
        place.scheduler.add_on_demand_task(task, "refused", executor="workers")
    assert words in str(raised.value)
    assert place.scheduler.handle("refused") is None


def test_a_task_of_a_recipe_is_made_again_in_the_worker(place: Place) -> None:
    """So it may have a lock, which cannot be pickled."""
    recipe = Recipe("process_jobs:NeedsLock", {"word": "made"})
    spec = TaskSpec(new_name(), OnDemand(), recipe, executor="workers")
    handle = place.scheduler.add_spec(spec)
    handle.demand()
    outcome = place.end(handle)
    assert outcome.result == "made", outcome


def test_a_task_of_main_is_refused_with_the_remedy(tmp_path: Path) -> None:
    program = """
        from taskkit import Scheduler, Task
        class Mine(Task):
            def run(self): pass
        def function(): pass
        scheduler = Scheduler()
        for task in (Mine(), function):
            try:
                scheduler.add_on_demand_task(task, "mine", executor="process")
            except TypeError as error:
                print(error)
        print(scheduler.handle("mine"))
    """
    done = subprocess.run(
        [sys.executable, "-c", dedent(program)], capture_output=True, text=True, check=True, timeout=PATIENCE
    )
    lines = done.stdout.splitlines()
    assert all(
        line.endswith("move it to a module of its own, and import it from there") for line in lines[:2]
    )
    assert lines[2:] == ["None"]


def test_parameters_that_cannot_be_sent_are_refused_at_the_call(place: Place) -> None:
    handle = place.scheduler.add_on_demand_task(jobs.Everything(), "not begun", executor="workers")
    for call in (handle.demand, handle.run_now):
        with pytest.raises(TypeError, match="parameter 'word' cannot be sent"):
            call({"word": threading.Lock()})
    assert handle.run_count == 0
    assert handle.state.value == "on_demand"


@pytest.mark.parametrize(
    ("task", "kind", "words"),
    [
        (jobs.returns_lock, OutcomeKind.SUCCEEDED, "<unlocked _thread.lock"),
        (jobs.returns_rude, OutcomeKind.SUCCEEDED, "<Rude>"),
        (jobs.raises_two_words, OutcomeKind.FAILED, "TwoWordsError: one"),
        (jobs.exits, OutcomeKind.FAILED, "SystemExit: leaving"),
        (
            jobs.asks_handle,
            OutcomeKind.FAILED,
            "is in the process of its scheduler",
        ),
    ],
)
def test_nothing_that_a_task_returns_or_raises_breaks_the_channel(
    place: Place, task: Any, kind: OutcomeKind, words: str
) -> None:
    outcome = place.outcome(task)
    assert outcome.kind is kind
    assert words in str(outcome.result if kind is OutcomeKind.SUCCEEDED else outcome.exception)
    assert (outcome.traceback is None) == (kind is OutcomeKind.SUCCEEDED)
    if outcome.traceback is not None:
        assert "process_jobs.py" in outcome.traceback
        assert "execution.py" not in outcome.traceback


def test_a_flood_of_lines_is_bounded_and_each_line_is_counted(place: Place) -> None:
    lines = 40_000
    flood = place.begin(jobs.floods)
    outcome = place.end(flood)
    assert outcome.kind is OutcomeKind.SUCCEEDED
    assert outcome.output[-1] == "line 39999"
    assert len(outcome.output) + outcome.output_dropped == lines
    eventually(lambda: len(place.lines[flood.name]) + place.dropped[flood.name] == lines)
    numbers = [int(line.split()[1]) for line in place.lines[flood.name]]
    assert numbers == sorted(numbers)


def test_a_record_of_logging_reaches_the_handlers_of_the_program_once(place: Place) -> None:
    texts: list[str] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            texts.append(f"{record.levelname} {record.name} {record.getMessage()} {record.funcName}")

    handler = Handler()
    logging.getLogger().addHandler(handler)
    try:
        outcome = place.outcome(jobs.logs_once)
    finally:
        logging.getLogger().removeHandler(handler)
    assert texts == ["WARNING process_jobs to the handlers logs_once"]
    assert outcome.output == ("to the handlers",)


def test_a_worker_has_no_input_and_is_not_interrupted(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert place.outcome(jobs.reads_stdin).result == ""
    monkeypatch.setenv("TASKKIT_TEST_FOLDER", str(tmp_path))
    with fresh_place() as fresh:
        handle = fresh.begin(jobs.ignores_sigint)
        pid = int(fresh.wait_for_line(handle))
        assert os.getpgid(pid) == pid
        os.kill(pid, signal.SIGINT)
        (tmp_path / "go").touch()
        assert fresh.end(handle).result == 5


@contextmanager
def fresh_place(executor: ProcessExecutor | None = None) -> Iterator[Place]:
    """A place whose workers are started after this."""
    workers = executor or ProcessExecutor(1, kill_after=KILL_AFTER)
    with Scheduler(executors={"workers": workers}) as scheduler:
        yield Place(scheduler)


@pytest.mark.parametrize("start_method", ["forkserver", "spawn"])
def test_a_worker_begins_in_the_folder_and_with_the_environment_of_the_program(
    start_method: str, own_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TASKKIT_TEST_WORD", "here")
    with fresh_place(ProcessExecutor(1, start_method=start_method)) as fresh:
        assert fresh.outcome(jobs.place).result == f"{own_folder} here"


def test_what_a_run_leaves_behind_is_not_found_in_the_next_run(
    own_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its threads go on as long as the worker, but write to no other run."""
    monkeypatch.setenv("TASKKIT_TEST_WORD", "here")
    with fresh_place() as fresh:
        fresh.outcome(jobs.leaves_thread)
        outcome = fresh.outcome(jobs.place)
        flood = fresh.outcome(jobs.Busy(0.05))
    assert outcome.result == f"{own_folder} here"
    assert (outcome.output, flood.output) == ((), ("worked",))
    assert "left behind" in capsys.readouterr().out


def test_a_task_may_use_processes_of_its_own(place: Place) -> None:
    outcome = place.outcome(jobs.uses_a_pool)
    assert (outcome.kind, outcome.result) == (OutcomeKind.SUCCEEDED, "[9]")
    assert outcome.output == ("square of 3",)


def test_a_task_that_closes_what_it_does_not_know_fails_and_the_next_one_runs(place: Place) -> None:
    outcome = place.outcome(jobs.closes_its_descriptors)
    assert outcome.kind is OutcomeKind.FAILED
    assert place.outcome(jobs.pid).kind is OutcomeKind.SUCCEEDED


def test_a_module_that_is_preloaded_is_imported_once_for_all_workers(place: Place) -> None:
    assert place.outcome(jobs.was_preloaded).result is False
    with fresh_place(ProcessExecutor(1, preload=["no_such_module", "process_jobs"])) as fresh:
        assert fresh.outcome(jobs.was_preloaded).result is True


def test_a_task_sleeps_by_the_clock_of_the_scheduler() -> None:
    executors = {"workers": ProcessExecutor(1)}
    with Scheduler(clock=ScaledClock(10_000), executors=executors) as scheduler:
        outcome = Place(scheduler).outcome(jobs.Busy(3_600))
    assert outcome.output == ("worked",)
    assert outcome.duration >= 3_600


def test_idle_workers_end_and_leave_no_thread_and_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("IDLE_SECONDS", "LAST_IDLE_SECONDS"):
        monkeypatch.setattr(process, name, 0.05)
    with fresh_place(ProcessExecutor(2)) as fresh:
        with no_thread_left():
            busy = fresh.begin(jobs.computes)
            pids = [fresh.pid(busy), parent_of(fresh.pid(busy))]
            pids.append(int(str(fresh.outcome(jobs.pid).result)))
            busy.stop()
            fresh.end(busy)
            eventually(lambda: all(map(is_gone, pids)))
        assert fresh.outcome(jobs.pid).kind is OutcomeKind.SUCCEEDED


def test_async_tasks_run_and_are_cancelled(place: Place) -> None:
    assert place.outcome(jobs.is_async).result == "awaited"
    handle = place.begin(jobs.waits_async)
    place.wait_for_line(handle, "waiting")
    handle.stop()
    outcome = place.end(handle)
    assert (outcome.kind, outcome.output) == (OutcomeKind.STOPPED, ("waiting", "cancelled"))


def test_callbacks_for_a_stop_are_called_in_the_worker(place: Place) -> None:
    handle = place.begin(jobs.CallsBack())
    place.wait_for_line(handle, "listening")
    handle.stop()
    assert place.end(handle).output == ("listening", "called back")


def test_a_task_that_forks_has_one_outcome(place: Place) -> None:
    handle = place.begin(jobs.forks)
    assert place.end(handle).result == 2
    assert place.outcome(jobs.pid).kind is OutcomeKind.SUCCEEDED
    assert len(place.outcomes[handle.name]) == 1


def test_a_forked_child_that_returns_from_its_body_ends(place: Place) -> None:
    assert place.outcome(jobs.forks_and_waits, timeout=PATIENCE).result == 0


def test_on_error_is_called_in_the_schedulers_process(place: Place) -> None:
    called: list[tuple[int, Outcome]] = []
    outcome = place.outcome(jobs.exits, on_error=lambda outcome: called.append((os.getpid(), outcome)))
    assert [(pid, each.exception) for pid, each in called] == [(os.getpid(), outcome.exception)]


def test_a_run_that_is_stopped_before_it_begins_never_begins(place: Place, tmp_path: Path) -> None:
    """It waits for a worker, or its worker imports it: it has ended at once, and the worker is free later."""
    handles = [place.add(jobs.SlowToMake(str(tmp_path))) for _ in range(WORKERS + 1)]
    (tmp_path / "wait").touch()
    for handle in handles:
        handle.demand()
    for handle in handles:
        handle.stop()
        outcome = place.end(handle)
        assert (outcome.kind, outcome.started) == (OutcomeKind.STOPPED, None)
    assert place.outcome(jobs.pid).kind is OutcomeKind.SUCCEEDED  # after a kill of those that import
    assert not (tmp_path / "ran").exists()


def test_a_run_that_is_stopped_while_it_is_imported_never_begins(tmp_path: Path) -> None:
    """Even if its worker is ready before it would be killed."""
    with fresh_place(ProcessExecutor(1, kill_after=60)) as fresh:
        handle = fresh.add(jobs.SlowToMake(str(tmp_path)))
        (tmp_path / "wait").touch()
        handle.demand()
        eventually(lambda: (tmp_path / "making").exists())
        handle.stop()
        assert fresh.end(handle).started is None
        (tmp_path / "wait").unlink()
        assert fresh.outcome(jobs.pid).kind is OutcomeKind.SUCCEEDED
    assert not (tmp_path / "ran").exists()


def test_further_runs_wait_for_a_process_and_explain_says_so(place: Place) -> None:
    handles = [place.begin(jobs.computes) for _ in range(WORKERS)]
    for handle in handles:
        place.wait_for_line(handle, "computing")
    waiting = place.begin(jobs.pid)
    assert "waits for a process" in waiting.explain()
    for handle in handles:
        handle.stop()
    assert place.end(waiting).kind is OutcomeKind.SUCCEEDED


def test_stop_kills_what_is_left_and_its_answer_does_not_have_it() -> None:
    place = Place(Scheduler(executors={"workers": ProcessExecutor(2, kill_after=60)}))
    place.scheduler.start()
    handle = place.begin(jobs.never_ends)
    place.wait_for_line(handle, "endless")
    pid = place.pid(handle)
    assert place.scheduler.stop(timeout=0.3) == []
    outcome = place.outcomes[handle.name][0]
    assert outcome.kind is OutcomeKind.STOPPED
    assert (outcome.exception or "").endswith("after it was asked to stop")
    eventually(lambda: is_gone(pid))


def test_stop_kills_nothing_that_ends_by_itself() -> None:
    place = Place(Scheduler(executors={"workers": ProcessExecutor(2, kill_after=60)}))
    place.scheduler.start()
    polite = place.begin(jobs.computes)
    place.wait_for_line(polite, "computing")
    assert place.scheduler.stop(PATIENCE) == []
    outcome = place.outcomes[polite.name][0]
    assert (outcome.kind, outcome.exception) == (OutcomeKind.STOPPED, None)


def test_a_manual_clock_is_refused(clock: ManualClock) -> None:
    scheduler = Scheduler(clock=clock)
    with pytest.raises(ValueError, match="manual clock"):
        scheduler.add_on_demand_task(jobs.pid, "it", executor="process")
    assert scheduler.handle("it") is None


def test_an_executor_has_one_scheduler() -> None:
    executor = ProcessExecutor()
    Scheduler(executors={"workers": executor})
    with pytest.raises(ValueError, match="make another for the second one"):
        Scheduler(executors={"workers": executor})


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        ({"max_workers": 0}, "max_workers"),
        ({"max_workers": 1.5}, "max_workers"),
        ({"kill_after": -1}, "kill_after"),
        ({"preload": "numpy"}, "preload"),
        ({"start_method": "fork"}, "start_method must be 'forkserver' or 'spawn', not 'fork'"),
    ],
)
def test_bad_arguments_are_refused(keywords: dict[str, Any], words: str) -> None:
    with pytest.raises((TypeError, ValueError)) as raised:
        ProcessExecutor(**keywords)
    assert words in str(raised.value)


def test_nothing_is_left_when_the_scheduler_is_killed(tmp_path: Path) -> None:
    """Neither the workers, busy or idle, nor what they have started, nor the process that starts them."""
    program = f"""
        import os, sys
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        import process_jobs as jobs
        from taskkit import OutputWritten, RunFinished, Scheduler
        scheduler = Scheduler()
        def tell(event):
            text = event.lines[0].text if isinstance(event, OutputWritten) else event.outcome.result
            os.write(2, f"process {{text}}\\n".encode())
        from taskkit.executors import ProcessExecutor
        scheduler = Scheduler(executors={{"workers": ProcessExecutor(3)}}, capture=False)
        scheduler.subscribe(tell, [OutputWritten, RunFinished])
        scheduler.start()
        for name, task in (("a", jobs.never_ends_with_child), ("b", jobs.ignores_sigint), ("c", jobs.pid)):
            scheduler.add_on_demand_task(task, name, executor="workers")
            scheduler.demand_task(name)
        sys.stdin.read()
    """
    with subprocess.Popen(
        [sys.executable, "-c", dedent(program)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TASKKIT_TEST_FOLDER": str(tmp_path)},
    ) as process:
        deadline = threading.Timer(PATIENCE, process.kill)
        deadline.start()
        try:
            assert process.stderr is not None
            told = (line.split()[1] for line in process.stderr if line.startswith("process "))
            pids = {int(next(told)) for _ in range(3)}
            pids |= {parent_of(pid) for pid in pids} | {parent_of(parent_of(pid)) for pid in pids}
            pids -= {process.pid, os.getpid(), parent_of(process.pid), parent_of(parent_of(process.pid))}
            assert len(pids) >= 4
        finally:
            deadline.cancel()
            process.kill()
    eventually(lambda: all(map(is_gone, pids)), lambda: [pid for pid in pids if not is_gone(pid)])


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[1])


def test_a_forked_child_of_the_program_keeps_no_worker_alive() -> None:
    with fresh_place() as fresh:
        worker = int(str(fresh.outcome(jobs.pid).result))
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(write)
            os.read(read, 1)
            os._exit(0)
        os.close(read)
    try:
        eventually(lambda: is_gone(worker))
    finally:
        os.close(write)
        os.waitpid(child, 0)


def test_runs_end_also_if_the_process_that_starts_workers_is_stopped_by_a_signal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("taskkit.executors.worker.KILLED_SECONDS", 0.05)
    monkeypatch.setattr("taskkit.executors.process.CLOSE_SECONDS", 0.05)
    with fresh_place() as fresh:
        handle = fresh.begin(jobs.never_ends)
        worker = fresh.pid(handle)
        os.kill(parent_of(worker), signal.SIGSTOP)
        handle.stop()
        assert fresh.end(handle).kind is OutcomeKind.STOPPED
        eventually(lambda: is_gone(worker))
        last = fresh.begin(jobs.never_ends)  # with another process that starts workers
        worker = fresh.pid(last)
        os.kill(parent_of(worker), signal.SIGSTOP)
        fresh.scheduler.stop(0)
    eventually(lambda: is_gone(worker))


def test_the_process_that_starts_workers_kills_them_also_if_its_channel_is_reset() -> None:
    """It is reset where the program is killed before it has read all replies."""
    program = "import sys; from taskkit.executors.launcher_main import main; main(*map(eval, sys.argv[1:]))"
    ours, theirs = socket.socketpair()
    arguments = [str(theirs.fileno()), "'forkserver'", "[]", str(os.getpid())]
    with (
        ours,
        subprocess.Popen([sys.executable, "-c", program, *arguments], pass_fds=[theirs.fileno()]) as it,
    ):
        theirs.close()
        assert select.select([ours], [], [], PATIENCE)[0]  # a reply has come, and is not read
        ours.close()
        assert it.wait(PATIENCE) == 0
