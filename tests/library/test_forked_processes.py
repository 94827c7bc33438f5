"""A process forks while a scheduler runs in it: the child hangs nowhere, and the parent feels nothing."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest
from command_line import surroundings
from patience import PATIENCE

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")

PRELUDE = """
import os, signal, sys, threading, time
from taskkit import ForkedSchedulerError, OnDemand, Every, Scheduler, TaskSpec, Recipe, current_run

def refused(call):
    try:
        call()
    except ForkedSchedulerError as error:
        assert str(parent) in str(error), error
        assert "make and start a Scheduler after the fork" in str(error), error
        return True
    return False

def status_of(child):
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

def in_child(check):
    # The exit status says whether all went well; what went wrong is on standard error.
    child = os.fork()
    if child:
        return child
    signal.alarm(15)  # whatever hangs is not a success
    try:
        check()
    except BaseException:
        import traceback
        traceback.print_exc()
        os._exit(1)
    os._exit(0)

def wait_until(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)

parent = os.getpid()
"""


def run(folder: Path, program: str, *arguments: str, expect: int = 0) -> str:
    """Run a program that forks. Returns what it printed."""
    path = folder / "program.py"
    path.write_text(PRELUDE + dedent(program), encoding="utf-8")
    # Python warns of each fork in a process with threads, which is what this is about.
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", path, *arguments],
        cwd=folder,
        env=surroundings(folder),
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
        check=False,
    )
    assert done.returncode == expect, done.stderr + done.stdout
    return done.stdout


STARTED = """
scheduler = Scheduler()
handle = scheduler.add_periodic_task(time.time() + 3600, 3600, lambda: None, "hourly")
scheduler.add_on_demand_task(lambda: None, "asked")
watch = scheduler.watch()
unsubscribe = scheduler.subscribe(lambda event: None)
scheduler.start()
"""

REFUSED = [
    "scheduler.add_periodic_task(None, 5, print, 'new')",
    "scheduler.add_on_demand_task(print, 'hourly')",
    "scheduler.add_spec(TaskSpec('new', OnDemand(), Recipe('functools:partial', {'func': print})))",
    "scheduler.run_task_now('hourly')",
    "scheduler.demand_task('hourly')",
    "scheduler.demand_task('unknown')",
    "scheduler.stop_task('hourly')",
    "scheduler.stop_all_tasks()",
    "scheduler.disable_task('hourly')",
    "scheduler.enable_task('hourly')",
    "scheduler.declare_enabled('hourly', False)",
    "scheduler.set_period('hourly', 5)",
    "scheduler.reschedule_task('hourly', Every(5))",
    "scheduler.drop_override('hourly')",
    "scheduler.unregister_task('hourly')",
    "scheduler.pause()",
    "scheduler.resume()",
    "scheduler.start()",
    "scheduler.__enter__()",
    "scheduler.run_pending()",
    "scheduler.subscribe(print)",
    "handle.run_now()",
    "handle.demand()",
    "handle.stop()",
    "handle.disable()",
    "handle.enable()",
    "handle.set_period(5)",
    "handle.reschedule(Every(5))",
    "handle.run_on_completion()",
    "handle.unregister()",
]


def test_adding_and_commanding_is_refused_in_the_child_and_changes_nothing(tmp_path: Path) -> None:
    program = STARTED + dedent("""
        def check():
            before = scheduler.snapshot()
            for line in sys.argv[1:]:
                assert refused(lambda: eval(line)), line
            assert scheduler.snapshot() == before

        assert status_of(in_child(check)) == 0
        assert scheduler.demand_task("asked")
        assert scheduler.stop() == []
    """)
    run(tmp_path, program, *REFUSED)


def test_looking_shows_how_things_stood_at_the_fork_and_says_so(tmp_path: Path) -> None:
    program = STARTED + dedent("""
        before = scheduler.snapshot()

        def check():
            assert not scheduler.is_running
            assert scheduler.forked_from == parent
            figures = scheduler.snapshot().figures
            assert (figures.is_running, figures.forked_from, figures.tasks) == (False, parent, 2)
            assert scheduler.snapshot().tasks == before.tasks
            assert scheduler.snapshot() == scheduler.snapshot()  # time stands still
            assert list(scheduler.scheduled) == ["hourly"] and list(scheduler.on_demand) == ["asked"]
            assert f"as of the fork from process {parent}" in repr(scheduler.scheduled)
            assert not scheduler.running
            for words in (handle.explain(), scheduler.describe("hourly").explanation):
                assert f"this process was forked from process {parent}" in words, words
                assert "At the fork: hourly is next due at" in words, words
            assert handle.next_run == scheduler.next_time == before.figures.next_time
            assert handle.history == () and handle.last_outcome is None and handle.retry is None
            assert len(watch.collect().changed) == 2
            watch.close()
            assert len(scheduler.watch().collect().changed) == 2
            assert scheduler.due_times_with("hourly", 60, 2)
            unsubscribe()

        assert status_of(in_child(check)) == 0
        assert scheduler.is_running and scheduler.forked_from is None
        assert scheduler.snapshot().figures.forked_from is None
        assert "forked" not in handle.explain() + repr(scheduler.scheduled)
        scheduler.stop()
    """)
    run(tmp_path, program)


def test_a_child_of_a_child_names_the_process_that_runs_it(tmp_path: Path) -> None:
    program = STARTED + dedent("""
        def check():
            assert status_of(in_child(check_again)) == 0

        def check_again():
            assert scheduler.forked_from == parent
            assert refused(lambda: scheduler.demand_task("asked"))

        assert status_of(in_child(check)) == 0
        scheduler.stop()
    """)
    run(tmp_path, program)


@pytest.mark.parametrize(
    "lock", ["core.lock", "core.bus._lock", "pool._lock", "aside._lock", "router", "run"]
)
def test_the_child_waits_for_no_lock_that_another_thread_held(tmp_path: Path, lock: str) -> None:
    program = STARTED + dedent("""
        from taskkit import run
        from taskkit.capture import router, stream_proxies
        core = scheduler._core
        pool, aside = core.threads._threads, core._event_threads._threads
        scheduler.demand_task("asked")
        wait_until(lambda: scheduler.handle("asked").run_count)
        never_started = Scheduler()
        never_started.subscribe(lambda event: None)

        def hold():
            locks = {
                "router": [router._router._lock, stream_proxies._opening],
                "run": [run._changing_callbacks],
            }
            for lock in locks.get(sys.argv[1]) or [eval(sys.argv[1])]:
                lock.acquire()
            holds.set()
            released.wait()

        def check():
            assert scheduler.stop() == [] and scheduler.stop(60) == []
            assert refused(lambda: scheduler.demand_task("asked"))
            scheduler.snapshot()
            handle.explain()
            unsubscribe()
            print("printed in the child", flush=True)
            with never_started:
                ended = threading.Event()

                def task():
                    print("printed in a task")
                    current_run().sleep(0.001)
                    ended.set()

                never_started.add_on_demand_task(task, "here")
                assert never_started.demand_task("here")
                assert ended.wait(60)

        holds, released = threading.Event(), threading.Event()
        threading.Thread(target=hold, daemon=True).start()
        holds.wait()
        assert status_of(in_child(check)) == 0
        os._exit(0)
    """)
    assert "printed in the child" in run(tmp_path, program, lock)


def test_stop_returns_at_once_and_a_with_block_is_left_cleanly(tmp_path: Path) -> None:
    program = dedent("""
        def endless():
            while current_run().sleep(0.05):
                pass
            time.sleep(60)

        with Scheduler() as scheduler:
            scheduler.add_on_demand_task(endless, "endless")
            scheduler.demand_task("endless")
            wait_until(lambda: scheduler.handle("endless").run_count)
            child = os.fork()
            if not child:
                began = time.monotonic()
                assert scheduler.stop() == []
                assert time.monotonic() - began < 0.9  # in the parent it waits for seconds
                signal.alarm(15)
                sys.exit(3)  # by way of __exit__, and of whatever is registered with atexit
            assert status_of(child) == 3
            assert scheduler.is_running
            os._exit(0)
    """)
    run(tmp_path, program)


def test_a_child_that_is_forked_while_the_parent_stops_does_not_wait(tmp_path: Path) -> None:
    program = dedent("""
        def stubborn():
            current_run().on_stop(asked.set)
            time.sleep(60)

        asked = threading.Event()
        scheduler = Scheduler()
        scheduler.add_on_demand_task(stubborn, "stubborn")
        scheduler.start()
        scheduler.demand_task("stubborn")
        wait_until(lambda: scheduler.handle("stubborn").run_count)
        threading.Thread(target=scheduler.stop, args=(60,), daemon=True).start()
        assert asked.wait(60)

        def check():
            assert scheduler.stop(60) == []

        assert status_of(in_child(check)) == 0
        os._exit(0)
    """)
    run(tmp_path, program)


def test_a_scheduler_that_was_not_started_before_the_fork_works_in_the_child(tmp_path: Path) -> None:
    program = dedent("""
        scheduler = Scheduler()
        events = []
        scheduler.subscribe(events.append)
        ran = threading.Event()
        scheduler.add_periodic_task(None, 0.01, ran.set, "often")
        other = Scheduler()
        other.start()

        def check():
            events.clear()
            assert scheduler.forked_from is None
            with scheduler:
                assert scheduler.is_running
                assert ran.wait(60)
                assert scheduler.add_on_demand_task(print, "later").run_now()
            kinds = [type(event).__name__ for event in events]
            assert kinds[0] == "SchedulerStarted" and kinds[-1] == "SchedulerStopped", kinds

        assert status_of(in_child(check)) == 0
        assert not scheduler.is_running and not ran.is_set()
        with scheduler:
            assert ran.wait(60)
        other.stop()
    """)
    run(tmp_path, program)


def test_one_that_was_stopped_before_the_fork_is_a_stopped_one_in_the_child(tmp_path: Path) -> None:
    program = STARTED + dedent("""
        from taskkit import SchedulerStoppedError
        scheduler.stop()

        def check():
            assert scheduler.stop() == [] and not scheduler.is_running and scheduler.forked_from is None
            assert not scheduler.demand_task("asked")
            try:
                scheduler.start()
            except SchedulerStoppedError:
                return
            raise AssertionError

        assert status_of(in_child(check)) == 0
    """)
    run(tmp_path, program)


LEAVING = {
    "sys.exit()": 0,
    "sys.exit(7)": 7,
    "sys.exit('in words')": 1,
    "os._exit(9)": 9,
    "None": 0,
    "1 / 0": 1,
}


@pytest.mark.parametrize("where", ["task", "async task", "to_thread", "subscriber", "on_error", "on_stop"])
def test_a_child_that_a_task_forks_never_continues_as_a_thread_of_the_scheduler(
    tmp_path: Path, where: str
) -> None:
    program = dedent("""
        import asyncio, atexit
        atexit.register(lambda: os.getpid() == parent or os.write(1, b"the parent's atexit"))
        statuses = []

        def fork():
            if os.getpid() != parent:
                os.write(1, b"a child went on")
                return
            for line in sys.argv[2:]:
                child = os.fork()
                if not child:
                    signal.alarm(15)
                    print("child", line)
                    eval(line)
                    return
                statuses.append(status_of(child))

        async def fork_async():
            fork()

        async def fork_in_thread():
            await asyncio.to_thread(fork)

        def fail():
            raise RuntimeError

        def wait():
            current_run().on_stop(fork)
            scheduler.stop_task("it")
            wait_until(lambda: len(statuses) == len(sys.argv) - 2)

        def hear(event):
            if type(event).__name__ == "RunStarted" and not statuses:
                fork()

        where = sys.argv[1]
        scheduler = Scheduler(on_error=lambda outcome: fork() if where == "on_error" else None)
        if where == "subscriber":
            scheduler.subscribe(hear)
        tasks = {"task": fork, "async task": fork_async, "to_thread": fork_in_thread}
        tasks |= {"on_error": fail, "on_stop": wait}
        scheduler.add_on_demand_task(tasks.get(where, lambda: None), "it")
        scheduler.start()
        scheduler.demand_task("it")
        wait_until(lambda: len(statuses) == len(sys.argv) - 2)
        wait_until(lambda: scheduler.handle("it").last_outcome)
        print(statuses)
        assert scheduler.stop() == []
    """)
    printed = run(tmp_path, program, where, *LEAVING)
    assert str([*LEAVING.values()]) in printed
    assert printed.count("child sys.exit(7)") == 1
    assert "went on" not in printed
    assert "atexit" not in printed


def test_a_process_of_multiprocessing_that_a_task_starts_works(tmp_path: Path) -> None:
    program = dedent("""
        import multiprocessing
        from concurrent.futures import ProcessPoolExecutor

        def work(number):
            print("at work")
            return 2 * number

        def task():
            context = multiprocessing.get_context("fork")
            process = context.Process(target=work, args=(1,))
            process.start()
            process.join()
            assert process.exitcode == 0
            with ProcessPoolExecutor(2, mp_context=context) as pool:
                return sum(pool.map(work, range(4)))

        with Scheduler() as scheduler:
            scheduler.add_on_demand_task(task, "it")
            scheduler.demand_task("it")
            wait_until(lambda: scheduler.handle("it").last_outcome)
            outcome = scheduler.handle("it").last_outcome
            assert outcome.result == 12, outcome
    """)
    run(tmp_path, program)


def test_the_parent_feels_nothing_of_many_forks_while_it_runs_and_stores(tmp_path: Path) -> None:
    program = dedent("""
        from taskkit.store import PersistentScheduler
        runs = []

        def work():
            runs.append(None)
            print("work")

        scheduler = PersistentScheduler("tasks.sqlite")
        scheduler.add_periodic_task(None, 0.002, work, "often")
        scheduler.start()
        wait_until(lambda: runs)
        assert scheduler.store.flush(20)
        before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0

        def check():
            assert scheduler.stop() == []
            assert not scheduler.store.flush(5)
            print("printed in the child", flush=True)

        for number in range(300):
            child = os.fork()
            if not child:
                signal.alarm(15)
                if number % 30:
                    os._exit(5)
                check()
                sys.exit(5)
            assert status_of(child) == 5, number
        if before:
            wait_until(lambda: len(os.listdir("/proc/self/fd")) == before)
        ran = len(runs)
        wait_until(lambda: len(runs) > ran)
        assert scheduler.store.trouble is None and scheduler.store.lost == 0
        assert scheduler.stop() == []
        print(f"{len(runs)} runs")
    """)
    runs = int(run(tmp_path, program).rsplit(maxsplit=2)[-2])
    connection = sqlite3.connect(tmp_path / "tasks.sqlite")
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert connection.execute("SELECT run_count FROM registrations").fetchone() == (runs,)
    connection.close()


def test_a_store_writes_nothing_in_the_child_also_when_its_parent_is_dead(tmp_path: Path) -> None:
    program = dedent("""
        from taskkit.store import PersistentScheduler, StoreError
        scheduler = PersistentScheduler("tasks.sqlite")
        scheduler.add_on_demand_task(lambda: None, "it")
        scheduler.start()
        scheduler.demand_task("it")
        wait_until(lambda: scheduler.handle("it").last_outcome)
        assert scheduler.store.flush(20)

        def contents():
            return [open(f"tasks.sqlite{ending}", "rb").read() for ending in ("", "-wal")]

        going, may_go = os.pipe()
        child = os.fork()
        if child:
            os.close(may_go)
            os.kill(parent, signal.SIGKILL)
        os.close(may_go)
        signal.alarm(15)
        os.read(going, 1)  # until the parent is dead
        before = contents()
        for line in ("scheduler.start()", "scheduler.demand_task('it')"):
            assert refused(lambda: eval(line)), line
        for line in ("scheduler.store.restore()", "scheduler.store.attach(Scheduler())"):
            try:
                eval(line)
            except StoreError as error:
                assert "open it after the fork" in str(error), error
            else:
                raise AssertionError(line)
        assert len(scheduler.store.history("it")) == 1
        assert scheduler.stop() == []
        scheduler.store.close()
        scheduler.store.close_later()
        assert contents() == before
        print("at the end", flush=True)
        sys.exit()
    """)
    printed = run(tmp_path, program, expect=-signal.SIGKILL)
    assert printed == "at the end\n"
    # With its connection closed, the log would be gone.
    assert (tmp_path / "tasks.sqlite-wal").stat().st_size > 0


def test_a_store_that_was_opened_before_the_fork_is_not_closed_as_the_child_ends(tmp_path: Path) -> None:
    program = dedent("""
        from taskkit.store import Store
        store = Store.open("tasks.sqlite")
        going, may_go = os.pipe()
        if os.fork():
            os.close(may_go)
            os.kill(parent, signal.SIGKILL)
        os.close(may_go)
        signal.alarm(15)
        os.read(going, 1)  # until the parent is dead, and with it its locks on the file
        before = os.stat("tasks.sqlite").st_mtime_ns
        store.close()
        del store
        import gc
        gc.collect()
        assert os.stat("tasks.sqlite").st_mtime_ns == before
        assert os.path.exists("tasks.sqlite-wal")  # which SQLite removes as it closes the file
        print("at the end", flush=True)
    """)
    assert run(tmp_path, program, expect=-signal.SIGKILL) == "at the end\n"
    assert (tmp_path / "tasks.sqlite-wal").exists()


def test_a_persistent_scheduler_that_was_not_started_keeps_its_state_in_the_child(tmp_path: Path) -> None:
    program = dedent("""
        from taskkit.store import PersistentScheduler
        scheduler = PersistentScheduler("tasks.sqlite")
        scheduler.add_on_demand_task(lambda: None, "it")

        def check():
            with scheduler:
                scheduler.demand_task("it")
                wait_until(lambda: scheduler.handle("it").last_outcome)

        assert status_of(in_child(check)) == 0
        assert status_of(in_child(check)) == 0
        with scheduler:
            assert len(scheduler.store.history("it")) == 2
    """)
    run(tmp_path, program)


def test_a_task_file_is_followed_in_the_child_only_if_the_scheduler_was_not_started(tmp_path: Path) -> None:
    (tmp_path / "tasks.toml").write_text('[tasks.a]\ncommand = "true"\nevery = "1h"\n')
    program = dedent("""
        from taskkit.taskfile import TaskFileFollower
        started, waiting = Scheduler(), Scheduler()
        started.start()
        reloads = []
        followers = [TaskFileFollower(each, "tasks.toml", reloads.append) for each in (started, waiting)]
        for follower in followers:
            follower.load()
            follower.watch()
        for follower in followers:
            follower._lock.acquire()  # as if a reload went on

        def check():
            for call in (followers[0].load, followers[0].reload, followers[0].watch):
                assert refused(call), call
            followers[0].close()
            with waiting:
                followers[1].watch()
                with open("tasks.toml", "a") as file:
                    file.write('[tasks.b]\\ncommand = "true"\\nevery = "1h"\\n')
                wait_until(lambda: waiting.handle("b"))
                followers[1].close()

        assert status_of(in_child(check)) == 0
        os._exit(0)
    """)
    run(tmp_path, program)


def test_the_old_spelling_refuses_in_the_child_too(tmp_path: Path) -> None:
    program = dedent("""
        from taskkit.webware import Scheduler as OldScheduler
        from taskkit.webware import Task as OldTask

        class Sleeper(OldTask):
            def run(self):
                while self.proceed():
                    time.sleep(0.01)

        class Nothing(OldTask):
            def run(self):
                ran.set()

        ran = threading.Event()
        scheduler, later = OldScheduler(), OldScheduler()
        for each in (scheduler, later):
            each.addPeriodicAction(time.time() + 3600, 60, Nothing(), "nothing")
            each.addActionOnDemand(Sleeper(), "sleeper")
        scheduler.start()
        scheduler.runTaskNow("sleeper")
        wait_until(lambda: scheduler.hasRunning("sleeper"))
        held = [scheduler.running("sleeper"), scheduler.scheduled("nothing")]
        for each in (scheduler, later):
            each._adding.acquire()

        def check():
            assert not scheduler.isRunning() and not scheduler.is_alive()
            for line in sys.argv[1:]:
                assert refused(lambda: eval(line)), line
            assert scheduler.hasScheduled("nothing") and scheduler.hasRunning("sleeper")
            scheduler.stop()
            scheduler.join()
            later.start()
            later.addPeriodicAction(time.time(), 60, Nothing(), "now")
            assert ran.wait(60)
            later.stop()

        def thread():
            assert status_of(in_child(check)) == 0
            os._exit(0)

        threading.Thread(target=thread).start()
        time.sleep(20)
        os._exit(1)
    """)
    lines = [
        "scheduler.start()",
        "scheduler.addPeriodicAction(time.time(), 60, Nothing(), 'new')",
        "scheduler.addDailyAction(3, 30, Nothing(), 'new')",
        "scheduler.addActionOnDemand(Nothing(), 'new')",
        "scheduler.addTimedAction(time.time(), Nothing(), 'new')",
        *(
            f"scheduler.{command}('{name}')"
            for command in (
                "runTaskNow",
                "demandTask",
                "stopTask",
                "disableTask",
                "enableTask",
                "unregisterTask",
            )
            for name in ("nothing", "sleeper", "unknown")
        ),
        "scheduler.stopAllTasks()",
        *(
            f"held[{which}].{command}"
            for command in (
                "runTask()",
                "stop()",
                "disable()",
                "enable()",
                "setPeriod(5)",
                "runOnCompletion()",
                "unregister()",
                "startTime(time.time())",
                "setOnDemand()",
            )
            for which in (0, 1)
        ),
    ]
    run(tmp_path, program, *lines)


def test_a_child_prints_while_the_threads_of_its_parent_print(tmp_path: Path) -> None:
    program = dedent("""
        def chatter():
            while current_run().proceed():
                print("x" * 2000)

        with Scheduler() as scheduler:
            for number in range(3):
                scheduler.add_on_demand_task(chatter, f"chatter {number}")
                scheduler.demand_task(f"chatter {number}")
            wait_until(lambda: len(scheduler.running) == 3)

            def check():
                print("printed in the child", flush=True)
                print("and as an error", file=sys.stderr, flush=True)

            for _ in range(50):
                assert status_of(in_child(check)) == 0
    """)
    run(tmp_path, program)


def test_a_clock_of_a_test_rings_nothing_in_the_child(tmp_path: Path) -> None:
    program = dedent("""
        from taskkit.testing import InlineExecutor, ManualClock
        clock = ManualClock()
        ran = []
        scheduler = Scheduler(clock=clock, executor=InlineExecutor(), capture=False)
        scheduler.add_periodic_task(None, 60, lambda: ran.append(os.getpid()), "it")
        scheduler.start()
        clock.advance(0)

        def check():
            clock.advance(600)
            assert ran == [parent]
            assert scheduler.snapshot().figures.is_running is False
            scheduler.stop()

        assert status_of(in_child(check)) == 0
        clock.advance(60)
        assert ran == [parent, parent]
        scheduler.stop()
    """)
    run(tmp_path, program)
