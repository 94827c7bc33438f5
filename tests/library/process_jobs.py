"""Tasks for worker processes, which must find them by their names."""

from __future__ import annotations

import asyncio
import ctypes
import logging
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path
from typing import Any, ClassVar, NoReturn

from taskkit import Progress, Task, current_run

log = logging.getLogger("process_jobs")


IMPORTED_IN = os.getpid()


def was_preloaded() -> bool:
    return os.getppid() == IMPORTED_IN


def pid() -> int:
    return os.getpid()


class Everything(Task):
    """Uses all that a run has."""

    run_parameters: ClassVar = {"word": "none", "count": 1}

    def run(self) -> str:
        print("print", self.name, *self.parameters.values())
        print("error", file=sys.stderr)
        log.error("record %d", 7)
        warnings.warn("a warning", stacklevel=1)
        os.write(1, b"descriptor 1\n")
        os.write(2, b"descriptor 2\n")
        subprocess.run(["sh", "-c", "echo child"], check=True)
        ctypes.CDLL(None).puts(b"from C")
        self.progress(1, 2, "half")
        run = current_run()
        assert run.progress_made == Progress(1, 2, "half")
        assert self.proceed()
        assert self.sleep(0.001)
        return f"{self.name} {run.number} {run.attempt} {run.trigger}"


class Counter(Task):
    def __init__(self) -> None:
        self.calls = 0

    def run(self) -> int:
        self.calls += 1
        return self.calls


class NeedsLock(Task):
    """Cannot be pickled, but can be made again."""

    def __init__(self, word: str) -> None:
        self.lock = threading.Lock()
        self.word = word

    def run(self) -> str:
        with self.lock:
            return self.word


class UnpicklesBadly:
    def __reduce__(self) -> tuple[Any, ...]:
        return int, ("no number",)

    def __call__(self) -> None:
        pass


class TwoWordsError(Exception):
    def __init__(self, one: str, two: str) -> None:
        super().__init__(one)
        self.lock = threading.Lock()


class Rude:
    def __repr__(self) -> str:
        raise SystemExit(9)


def asks_handle() -> object:
    return current_run().handle


def returns_lock() -> object:
    return threading.Lock()


def returns_rude() -> object:
    return Rude()


def raises_two_words() -> NoReturn:
    raise TwoWordsError("one", "two")


def exits() -> NoReturn:
    sys.exit("leaving")


def computes() -> int:
    """Look for a stop, as often as possible."""
    print("computing", flush=True)
    run, rounds = current_run(), 0
    while run.proceed():
        rounds += 1
    print("saw the stop", flush=True)
    return rounds


def never_ends() -> NoReturn:
    print("endless", flush=True)
    while True:
        pass


def never_ends_with_child() -> NoReturn:
    """Leave a child that would go on for ever, and holds all pipes that it can; then hold the interpreter."""
    child = subprocess.Popen(["sleep", "1000"], close_fds=False)
    print(child.pid, flush=True)
    while True:
        ctypes.PyDLL(None).sleep(1000)


def leaves_child() -> int:
    return subprocess.Popen(["sleep", "1000"], close_fds=False).pid


def kills_itself(number: int = signal.SIGKILL) -> None:
    print("last words")
    os.kill(os.getpid(), number)
    time.sleep(20)


def crashes() -> None:
    print("before the crash")
    ctypes.string_at(0)


def ends_the_process() -> None:
    os._exit(3)


class KillsImporter(Task):
    """Kills the worker that makes it, before the run begins."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def __setstate__(self, state: dict[str, Any]) -> None:
        if (Path(state["folder"]) / "armed").exists():
            os.kill(os.getpid(), signal.SIGKILL)
        self.__dict__.update(state)

    def run(self) -> None:
        pass


class Marks(Task):
    """Leaves a file for each run that begins, and goes on until it is stopped or may end."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def run(self) -> str:
        folder = Path(self.folder)
        (folder / f"begun {time.time_ns()} {os.getpid()}").touch()
        print("computing", flush=True)
        while self.proceed() and not (folder / "end").exists():
            time.sleep(0.002)
        return "ended"


class Deaf(Task):
    """Sees no stop, and ends when a file is there."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def run(self) -> None:
        print("computing", flush=True)
        while not (Path(self.folder) / "end").exists():
            time.sleep(0.002)


class SlowToMake(Task):
    """Takes as long to be imported as a file is there."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        while (Path(self.folder) / "wait").exists():
            (Path(self.folder) / "making").touch()
            time.sleep(0.002)

    def run(self) -> None:
        (Path(self.folder) / "ran").touch()


def floods(lines: int = 40_000) -> None:
    for number in range(lines):
        print("line", number)


def logs_once() -> None:
    log.warning("to the handlers")
    log.info("as the program's level lets it through")


def reads_stdin() -> str:
    return sys.stdin.read()


def place() -> str:
    return f"{Path.cwd()} {os.environ.get('TASKKIT_TEST_WORD')}"


async def is_async() -> str:
    await asyncio.sleep(0)
    return "awaited"


async def waits_async() -> None:
    print("waiting", flush=True)
    try:
        await asyncio.sleep(1000)
    finally:
        print("cancelled", flush=True)


class Busy(Task):
    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def run(self) -> None:
        self.sleep(self.seconds)
        print("worked")


class CallsBack(Task):
    def run(self) -> None:
        called = threading.Event()
        current_run().on_stop(called.set)
        print("listening", flush=True)
        assert called.wait(60)
        print("called back")


def forks() -> int:
    """Return in the child, too."""
    if os.fork() == 0:
        print("in the child")
        return 1
    return 2


def forks_and_waits() -> int | None:
    """Wait for the end of a child that returns from here, too."""
    child = os.fork()
    if child == 0:
        return None
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def uses_a_pool() -> list[int]:
    with multiprocessing.get_context("fork").Pool(1) as pool:
        return pool.map(says_its_square, [3])


def says_its_square(number: int) -> int:
    print("square of", number, flush=True)
    current_run().progress(number)
    return number * number


def leaves_thread() -> None:
    """Leave a thread that goes on writing, in another folder and environment."""

    def write() -> None:
        while True:
            print("left behind", flush=True)
            time.sleep(0.002)

    threading.Thread(target=write, daemon=True).start()
    os.chdir("/")
    os.environ["TASKKIT_TEST_WORD"] = "changed"


def closes_its_descriptors() -> None:
    os.closerange(3, 256)


class FailsOnce(Task):
    def run(self) -> str:
        if current_run().attempt == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return "second try"


def ignores_sigint() -> int:
    print(os.getpid(), flush=True)
    run = current_run()
    while run.sleep(0.005) and not (Path(os.environ["TASKKIT_TEST_FOLDER"]) / "go").exists():
        pass
    return 5


class Remembers(Task):
    """Returns what it was given."""

    def __init__(self, value: object) -> None:
        self.value = value

    def run(self) -> object:
        return self.value
