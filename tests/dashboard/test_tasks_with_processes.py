"""Tasks that start processes work under the dashboard as they do without it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent

import pytest
from pty_screen import PtyScreen

COMMAND = Path(sys.executable).with_name("taskkit-tui")

pytestmark = pytest.mark.skipif(not COMMAND.exists(), reason="the command is not installed")


@contextmanager
def dashboard(folder: Path, program: str, around: Sequence[str] = ()) -> Iterator[PtyScreen]:
    """The dashboard on the scheduler that `make` of this program makes."""
    (folder / "program.py").write_text(dedent(program), encoding="utf-8")
    homes = {
        name: str(folder / "home") for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME")
    }
    command = [*around, str(COMMAND), "program:make", "--no-state"]
    with PtyScreen(command, environment=homes, folder=folder) as screen:
        yield screen


def test_a_signal_ends_a_forked_child_as_any_process_and_leaves_the_terminal_alone(tmp_path: Path) -> None:
    program = """
        import multiprocessing, signal, time
        from taskkit import Scheduler

        def task():
            context = multiprocessing.get_context("fork")
            for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP):
                child = context.Process(target=time.sleep, args=(60,))
                child.start()
                __import__("os").kill(child.pid, number)
                child.join(20)
                print("ended with", child.exitcode)

        def make():
            scheduler = Scheduler()
            scheduler.add_timed_task(time.time() + 1, task, "task")
            return scheduler
    """
    with dashboard(tmp_path, program) as screen:
        screen.wait_for("ended with -15", "ended with -10", "ended with -1")
        assert not screen.is_as_before  # the child has not given it back
        screen.press("q")
        assert screen.wait_for_end() == 0
        assert screen.is_as_before
        assert screen.left_behind == []


def test_orphans_are_reaped_where_they_come_to_the_dashboard(tmp_path: Path) -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("there are child subreapers on Linux only")
    program = """
        import os, subprocess, time
        from pathlib import Path
        from taskkit import Scheduler

        def children():
            found = []
            for entry in Path("/proc").glob("[0-9]*"):
                try:
                    state, parent = (entry / "stat").read_text().rsplit(")", 1)[1].split()[:2]
                except (OSError, IndexError):
                    continue
                if parent in (str(os.getpid()), str(os.getppid())) and entry.name != str(os.getpid()):
                    found.append(state)
            return found

        def task():
            for _ in range(3):
                subprocess.run(["sh", "-c", "(sleep 0.05; exit 3) &"], check=True)
            deadline = time.monotonic() + 20
            while children() and time.monotonic() < deadline:
                time.sleep(0.01)
            print("left:", children())

        def make():
            scheduler = Scheduler()
            scheduler.add_timed_task(time.time() + 1, task, "task")
            return scheduler
    """
    become_subreaper = (
        "import ctypes, os, sys; ctypes.CDLL(None).prctl(36, 1, 0, 0, 0); os.execv(sys.argv[1], sys.argv[1:])"
    )
    with dashboard(tmp_path, program, (sys.executable, "-c", become_subreaper)) as screen:
        screen.wait_for("left: []")
        screen.press("q")
        assert screen.wait_for_end() == 0
        assert screen.is_as_before
        assert screen.left_behind == []


@pytest.mark.parametrize("left", ["None", "Raising()", "object()", "Exiting()"])
def test_what_a_task_leaves_in_the_standard_streams_does_not_change_the_end(
    tmp_path: Path, left: str
) -> None:
    program = f"""
        import sys, time
        from taskkit import Scheduler

        class Raising:
            encoding, closed = "utf-8", False

            def write(self, text):
                raise RuntimeError("no more of that")

            def flush(self):
                raise RuntimeError("nor of that")

        class Exiting(Raising):
            def flush(self):
                raise SystemExit(5)

        def task():
            print("before")
            sys.stdout = {left}
            sys.stderr = {left}

        def make():
            scheduler = Scheduler()
            scheduler.add_periodic_task(time.time() + 1, 3600, task, "task")
            return scheduler
    """
    with dashboard(tmp_path, program) as screen:
        screen.wait_for("before", "✓")
        screen.press("q")
        assert screen.wait_for_end() == 0
        assert screen.is_as_before
        assert "Traceback" not in screen.text
        assert "Exception ignored" not in screen.text


PROCESSES = """
    import faulthandler, logging, multiprocessing, os, subprocess, sys, time
    from concurrent.futures import ProcessPoolExecutor
    from taskkit import Scheduler

    def double(number):
        print("in a process of its own", file=sys.stderr)
        return 2 * number

    def of_multiprocessing(method):
        context = multiprocessing.get_context(method)
        process = context.Process(target=double, args=(1,))
        process.start()
        process.join(20)
        assert process.exitcode == 0, process.exitcode
        with context.Manager() as manager:
            assert list(manager.list([1])) == [1]

    def of_futures(method):
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context(method)) as pool:
            assert pool.submit(double, 2).result(20) == 4

    def of_faulthandler():
        faulthandler.enable()
        faulthandler.dump_traceback()
        faulthandler.disable()

    def of_subprocess():
        for stream in (sys.stderr, sys.__stderr__, sys.stdout, sys.stdout.buffer, sys.stderr.buffer):
            assert stream.fileno() in (1, 2), stream
            subprocess.run(["echo", "from a child"], stdout=stream, stderr=stream, check=True)
        os.write(sys.stderr.fileno(), b"by its descriptor\\n")

    def of_logging():
        for stream in (sys.stderr, sys.__stderr__):
            logger = logging.Logger("one")
            logger.addHandler(logging.StreamHandler(stream))
            logger.warning("a record")

    def task():
        for step, arguments in (
            (of_subprocess, ()),
            (of_faulthandler, ()),
            (of_logging, ()),
            (of_multiprocessing, ("spawn",)),
            (of_multiprocessing, ("forkserver",)),
            (of_futures, ("spawn",)),
        ):
            step(*arguments)
            print("done:", step.__name__, *arguments)

    def make():
        scheduler = Scheduler()
        scheduler.add_timed_task(time.time() + 1, task, "task")
        return scheduler
"""


def test_processes_and_faults_find_the_descriptor_of_standard_error(tmp_path: Path) -> None:
    with dashboard(tmp_path, PROCESSES) as screen:
        screen.wait_until(
            lambda: "done: of_futures spawn" in screen.text or "failed" in screen.text, "the end of the task"
        )
        assert "done: of_futures spawn" in screen.text, screen.text
        screen.press("q")
        assert screen.wait_for_end() == 0
        assert screen.is_as_before
