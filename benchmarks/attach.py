"""Measure what attaching costs the service, and how quickly it answers.

python -m benchmarks.attach

The service is a process of its own; its clients are here. Each number is printed beside its goal.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import tracemalloc
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median, quantiles
from threading import Event, Thread
from time import perf_counter, sleep, thread_time

from benchmarks.dashboard import responses
from benchmarks.terminals import Terminal
from taskkit import Scheduler
from taskkit.remote import serve
from taskkit.remote.broadcast import ROWS_A_LOOK
from taskkit.remote.client import Client
from taskkit.remote.discovery import running_schedulers
from taskkit.remote.link import Link
from taskkit.remote.sockets import SocketFile, connect, found_sockets

HANDLES = 10_000
SECONDS = 4.0
ROUND_TRIPS = 400
DETACHES = 4_000
SERVICES = 20
STOPPED_SECONDS = 10.0

SERVICE = """
import os, sys, threading, time
from taskkit import Every, Scheduler
from taskkit.remote import serve
handles, load = int(sys.argv[1]), sys.argv[2]
scheduler = Scheduler()
for name in ("alpha", "beta"):
    scheduler.add_on_demand_task(lambda: None, name)
for number in range(handles):
    scheduler.add_task(Every(86_400, time.time() + 86_400), lambda: None, f"task {number}")
if load == "runs":
    for number in range(100):
        scheduler.add_task(Every(0.1, time.time() + number / 1000), lambda: None, f"often {number}")
def write():
    line = "x" * 60 + "\\n"
    begin = time.monotonic()
    lines = 0
    while True:
        print(line * 500, end="")
        lines += 500
        time.sleep(max(0, begin + lines / 100_000 - time.monotonic()))
def compute():
    while True:
        sum(range(10_000))
def fork(count):
    for _ in range(count):
        child = os.fork()
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
    return count
if load == "forks":
    scheduler.add_on_demand_task(lambda: fork(1), "fork once")
    scheduler.add_on_demand_task(lambda: fork(1000), "fork")
if load == "lines":
    scheduler.add_on_demand_task(write, "writer")
with scheduler, serve(scheduler, "bench", strict=True):
    sys.__stdout__.write("ready\\n")
    sys.__stdout__.flush()
    if load == "lines":
        scheduler.demand_task("writer")
    if load == "computing":
        threading.Thread(target=compute, daemon=True).start()
    sys.stdin.read()
"""


@contextmanager
def service(handles: int, load: str = "rest") -> Iterator[tuple[int, SocketFile]]:
    """A service in a process of its own: its process id and its socket."""
    process = subprocess.Popen(
        [sys.executable, "-c", SERVICE, str(handles), load], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == b"ready\n"
        Thread(target=process.stdout.read, daemon=True).start()
        yield process.pid, next(each for each in found_sockets() if each.pid == process.pid)
    finally:
        os.kill(process.pid, signal.SIGCONT)
        process.kill()
        process.wait()


class Dashboard:
    """Takes all news, as a dashboard does."""

    def __init__(self, file: SocketFile) -> None:
        self.client = Client(file, watch=True)
        self.began = perf_counter()
        self.first: float | None = None
        self.complete: float | None = None
        self.lines = self.dropped = 0
        self._end = Event()
        self._thread = Thread(target=self._take, daemon=True)
        self._thread.start()

    def _take(self) -> None:
        while not self._end.wait(0.01):
            for news in self.client.take_news():
                frame = news.frame
                self.first = self.first or perf_counter() - self.began
                if not frame["rest"]:
                    self.complete = self.complete or perf_counter() - self.began
                self.dropped += int(str(frame["dropped"]))
                self.lines += sum(len(chunk["lines"]) for chunk in frame["log"])  # type: ignore[attr-defined]

    def __enter__(self) -> Dashboard:
        while self.complete is None:
            sleep(0.005)
        return self

    def __exit__(self, *_exception: object) -> None:
        self._end.set()
        self._thread.join()
        self.client.close()


def cpu_seconds(pid: int) -> float:
    """The processor time of all its threads that have not ended, to the nanosecond."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((each / "schedstat").read_text().split()[0]) for each in threads) / 1e9


def status_of(pid: int, key: str) -> int:
    text = Path(f"/proc/{pid}/status").read_text()
    return int(text.partition(f"{key}:")[2].split()[0])


def cpu_percent(pid: int) -> float:
    """How busy a process is, in percent of a core: the median of some measures."""
    shares = []
    for _ in range(3):
        before, began = cpu_seconds(pid), perf_counter()
        sleep(SECONDS)
        shares.append(100 * (cpu_seconds(pid) - before) / (perf_counter() - began))
    return median(shares)


def show(what: str, measured: str, goal: str) -> None:
    print(f"{what:<58} {measured:>16}   goal {goal}", flush=True)


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def measure_start_and_rest() -> None:
    with service(HANDLES) as (pid, file):
        sleep(1)
        memory = status_of(pid, "VmRSS")
        alone = cpu_percent(pid)
        with Dashboard(file) as dashboard:
            assert dashboard.first is not None
            assert dashboard.complete is not None
            show("10,000 handles: first rows", f"{1000 * dashboard.first:.0f} ms", "in-process + 50 ms")
            show("10,000 handles: all rows", f"{1000 * dashboard.complete:.0f} ms", "< 1000 ms")
            sleep(1)
            added = cpu_percent(pid) - alone
            show("10,000 handles at rest: added by a dashboard", f"{added:.2f} %", "< 0.5 %")
            grown = (status_of(pid, "VmRSS") - memory) / 1024
            show("10,000 handles at rest: memory added", f"{grown:.1f} MB", "< 12 MB")


def measure_lock() -> None:
    with Scheduler() as scheduler:
        for number in range(HANDLES):
            scheduler.add_on_demand_task(lambda: None, f"task {number}")
        began = thread_time()  # as the other processes of the machine are not to be measured
        watch = scheduler.watch()
        longest = thread_time() - began
        rest = 1
        while rest:
            began = thread_time()
            rest = watch.collect(most=ROWS_A_LOOK).rest
            longest = max(longest, thread_time() - began)
    show("10,000 handles: longest hold of the lock", f"{1000 * longest:.1f} ms", "< 5 ms")


def measure_unwatched() -> None:
    with Scheduler() as scheduler:
        sleep(0.2)
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        server = serve(scheduler, "quiet", strict=True)
        sleep(0.5)
        grown = tracemalloc.get_traced_memory()[0] - before
        tracemalloc.stop()
        thread = server._thread
        assert thread is not None
        path = Path(f"/proc/self/task/{thread.native_id}/status")
        switches = path.read_text().partition("voluntary_ctxt_switches:")[2].split()[0]
        sleep(SECONDS)
        more = int(path.read_text().partition("voluntary_ctxt_switches:")[2].split()[0]) - int(switches)
        server.close()
    show("served, nobody watches: memory", f"{grown / 1024:.0f} KB", "< 50 KB")
    show(f"served, nobody watches: wake-ups in {SECONDS:g} s", str(more), "0 (one a minute)")


def measure_load(load: str, first_goal: str) -> None:
    with service(100, load) as (pid, file):
        sleep(1)
        busy = [cpu_percent(pid)]
        with ExitStack() as stack:
            one = stack.enter_context(Dashboard(file))
            busy.append(cpu_percent(pid))
            for _ in range(2):
                stack.enter_context(Dashboard(file))
            busy.append(cpu_percent(pid))
            counted = f"{one.lines:,} lines, {one.dropped:,} dropped"
    show(f"{load}: the service alone", f"{busy[0]:.1f} %", "-")
    show(f"{load}: added by the first dashboard", f"{busy[1] - busy[0]:.1f} points", first_goal)
    show(f"{load}: added by each further", f"{(busy[2] - busy[1]) / 2:.1f} points", "< 1 points")
    if load == "lines":
        show("lines: seen by a dashboard", counted, "each lost one counted")


def measure_round_trips(load: str, goal: str) -> None:
    with service(100, load) as (_, file):
        client = Client(file, watch=False)
        while client.state.link is not Link.ATTACHED:
            sleep(0.01)
        times: list[float] = []
        for _ in range(ROUND_TRIPS):
            began = perf_counter()
            client.ask("enable", names=["task 1"]).result(10)
            times.append(1000 * (perf_counter() - began))
        client.close()
    show(f"command round trip, p99: {load}", f"{percentile(times, 0.99):.1f} ms", goal)


def measure_keys(load: str, *, stopped: bool = False) -> None:
    """From a key to its effect in the terminal of an attached dashboard."""
    start = "import sys; from taskkit_tui.cli import main; sys.exit(main())"
    with ExitStack() as stack:
        pid, file = stack.enter_context(service(100, load))
        terminal = stack.enter_context(Terminal([sys.executable, "-c", start, "attach", str(file.path)]))
        terminal.read_until(lambda got: b"beta" in got)
        terminal.press("3")
        terminal.read_for(3.0)
        if stopped:
            os.kill(pid, signal.SIGSTOP)
            terminal.read_for(5.0)
        cuts = quantiles(responses(terminal).seconds, n=100)
        os.kill(pid, signal.SIGCONT)
    words = "service stopped" if stopped else load
    show(f"key → screen, attached, p50: {words}", f"{1000 * cuts[49]:.1f} ms", "-")
    show(f"key → screen, attached, p99: {words}", f"{1000 * cuts[98]:.1f} ms", "< 50 ms")


def measure_stalled() -> None:
    with service(100, "lines") as (pid, file):
        sleep(1)
        with Dashboard(file):
            sleep(2)
            before = status_of(pid, "VmRSS")
            with connect(file.path, 2.0) as stalled:
                stalled.recv(65_536)
                stalled.sendall(b'{"hello": 1, "watch": true}\n{"next": 1}\n')
                sleep(STOPPED_SECONDS)
                grown = (status_of(pid, "VmRSS") - before) / 1024
    show(f"a client that does not read for {STOPPED_SECONDS:g} s", f"{grown:.1f} MiB", "< 4 MiB")


def measure_detaching() -> None:
    with service(100) as (pid, file):
        for number in range(DETACHES):
            if number == DETACHES // 2:
                before = size_of(pid)
            with connect(file.path, 2.0) as connection:
                connection.recv(65_536)
                connection.sendall(b'{"hello": 1, "watch": true}\n{"next": 1}\n')
                connection.recv(65_536)
        sleep(0.5)
        grown = [new - old for new, old in zip(size_of(pid), before, strict=True)]
    text = f"{grown[0]} KB, {grown[1]}, {grown[2]}"
    show(f"{DETACHES // 2:,} attached and detached: memory, threads, files", text, "0, 0, 0")


def measure_forks() -> None:
    with service(100, "forks") as (pid, file), Dashboard(file) as dashboard:

        def fork(task: str) -> tuple[int, int, int]:
            dashboard.client.ask("run", names=[task], parameters={}).result(10)
            outcome = dashboard.client.ask("await_outcome", name=task, after=0)
            outcome.result(60)
            return size_of(pid)

        before = fork("fork once")
        grown = [new - old for new, old in zip(fork("fork"), before, strict=True)]
        link = dashboard.client.state.link
    text = f"{grown[0]} KB, {grown[1]}, {grown[2]}"
    show(f"1,000 forks, dashboard {link}: memory, threads, files", text, "0, 0, 0")


def size_of(pid: int) -> tuple[int, int, int]:
    """The memory of a process in KB, and its threads and open files."""
    files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    return status_of(pid, "VmRSS"), status_of(pid, "Threads"), files


def measure_ps() -> None:
    with ExitStack() as stack:
        services = [stack.enter_context(service(1)) for _ in range(SERVICES)]
        for pid, _ in services[:2]:
            os.kill(pid, signal.SIGSTOP)
        began = perf_counter()
        found = running_schedulers()
        seconds = perf_counter() - began
        silent = sum(each.greeting is None for each in found)
    show(f"ps with {len(found)} schedulers, {silent} stopped", f"{seconds:.2f} s", "< 0.7 s with the start")


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="tk-", dir="/tmp") as folder:
        os.environ["XDG_RUNTIME_DIR"] = folder
        os.environ.pop("RUNTIME_DIRECTORY", None)
        measure_start_and_rest()
        measure_lock()
        measure_unwatched()
        measure_load("runs", "< 4 points")
        measure_load("lines", "< 10 points")
        for load, goal in (("rest", "< 5 ms"), ("runs", "< 5 ms"), ("computing", "< 30 ms")):
            measure_round_trips(load, goal)
        for load in ("rest", "runs", "lines", "computing"):
            measure_keys(load)
        measure_keys("rest", stopped=True)
        measure_stalled()
        measure_detaching()
        measure_forks()
        measure_ps()


if __name__ == "__main__":
    main()
