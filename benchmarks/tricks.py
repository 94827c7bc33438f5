"""Measure each trick of `docs/performance.md` with and without it, in turns, each time in a fresh process.

A trick is code that could be written in a plainer way. It stays only for a number. The table shows the
medians of all rounds with the trick and without it, and the gain; busy moments of the machine hit both alike.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import dataclass
from statistics import median

LONGEST_SECONDS = 120.0
"""Time after which one measurement is given up."""


@dataclass(frozen=True, slots=True)
class Trick:
    name: str
    without: str
    """Statements that replace the trick by the plain way, before anything else is imported."""
    measure: str
    """The name of a measure of `benchmarks.library`, or one of the programs below."""
    figure: str
    unit: str
    peer: str = "taskkit"
    more_is_better: bool = False


PROGRAMS = {
    "burst-cpu": """
import itertools, threading, time
from taskkit import Scheduler
scheduler = Scheduler()
scheduler.subscribe(lambda event: None)
number, all_done, runs = itertools.count(1).__next__, threading.Event(), 5_000
def body():
    if number() == runs: all_done.set()
due = time.time() + 1.0
for index in range(runs): scheduler.add_timed_task(due, body, f"task {index}")
time.sleep(max(0.0, due - time.time()))
began = time.process_time()
scheduler.start()
all_done.wait(60)
scheduler._core.bus.wait_delivered(10)
answer = {"cpu": (time.process_time() - began) / runs * 1e6}
""",
    "steady": """
import time
from taskkit import Scheduler
scheduler = Scheduler()
scheduler.subscribe(lambda event: None)
rate, tasks, made = 3_000, 1_000, 0
def body():
    global made
    made += 1
start = time.time() + 0.5
for index in range(tasks):
    scheduler.add_periodic_task(start + index / rate, tasks / rate, body, f"task {index}")
scheduler.start()
time.sleep(1.5)
began, before = time.process_time(), made
time.sleep(2.0)
answer = {"cpu": (time.process_time() - began) / (made - before) * 1e6}
""",
    "one-thread": """
import gc, time
from taskkit import Scheduler
from taskkit.testing import InlineExecutor, ManualClock
class Later:  # delivers the events of all runs together, as in a burst
    count, jobs = 0, []
    def submit(self, jobs): self.jobs.extend(jobs)
class Runs(InlineExecutor):
    def for_events(self): return Later()
clock, runs, times = ManualClock(), 3_000, []
scheduler = Scheduler(clock=clock, executor=Runs())
scheduler.subscribe(lambda event: None)
for index in range(runs): scheduler.add_periodic_task(None, 1, lambda: None, f"task {index}")
gc.disable()
for _ in range(15):
    clock.advance(1)
    began = time.thread_time()
    scheduler.run_pending()
    while Later.jobs: Later.jobs.pop()[1]()
    times.append(time.thread_time() - began)
answer = {"cpu": min(times) / runs * 1e6}
""",
    "async": """
import threading, time
from taskkit import Scheduler
done = threading.Semaphore(0)
async def body(): done.release()
scheduler = Scheduler(capture=False)
scheduler.add_on_demand_task(body, "task")
scheduler.start()
times = []
for _ in range(200):
    began = time.perf_counter()
    scheduler.demand_task("task")
    done.acquire()
    while scheduler.running: time.sleep(0.0001)
    times.append((time.perf_counter() - began) * 1e6)
answer = {"p50": sorted(times)[100]}
""",
}

_DATACLASS_INIT = """
import sys, types
stub = types.ModuleType("taskkit._helpers.fast_init")
stub.fast_init = lambda cls: cls
sys.modules["taskkit._helpers.fast_init"] = stub
"""

_ENUM_LOOKUPS = """
import re, sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
sys.pycache_prefix, sys.dont_write_bytecode = "/nonexistent", True  # compile from source, as changed here
enums = '''from taskkit.outcome import OutcomeKind, SkipReason, Trigger
from taskkit.policies import Overlap
from taskkit.snapshot import TaskState
'''
to_code = SourceFileLoader.source_to_code
def with_lookups(self, data, path, **options):
    parts = re.split("from taskkit.engine.enum_members import .*\\n", data.decode())
    if len(parts) == 2:
        members = Path(path).with_name("enum_members.py").read_text()
        lookup = dict(re.findall(r"(?m)^(\\w+): Final = (\\S+)", members))
        names = r"(?<![\\w.])(" + "|".join(lookup) + r")(?!\\w)"
        data = (parts[0] + enums + re.sub(names, lambda name: lookup[name[1]], parts[1])).encode()
    return to_code(self, data, path, **options)
SourceFileLoader.source_to_code = with_lookups
"""

_NO_LINGER = """
import time
import taskkit.engine.event_bus as bus
bus.sleep = lambda seconds: None if seconds == bus.LINGER_SECONDS else time.sleep(seconds)
"""

_NO_PREPARE = """
from taskkit.engine.event_bus import EventBus
EventBus.prepare = lambda self: None
"""

_STANDARD_POOL = """
from concurrent.futures import ThreadPoolExecutor
import taskkit.scheduler
class Pool:
    def __init__(self, max_threads=None): self.pool = ThreadPoolExecutor(max_threads or 1_000)
    @property
    def count(self): return len(self.pool._threads)
    def for_events(self): return Pool(1)
    def submit(self, jobs):
        for _, work in jobs: self.pool.submit(work)
taskkit.scheduler.ThreadPool = Pool
"""

_NO_DRAIN = """
from taskkit.engine.threads import WAKE_SECONDS, ThreadPool
def submit(self, jobs):
    with self._lock: self._backlog.extend(jobs)
    more = len(jobs) or len(self._backlog)
    while (worker := self._wake_worker()) is not None and (more := more - 1):
        worker.awake.wait(WAKE_SECONDS)
    return self._refused and bool(self._backlog)
ThreadPool.submit = submit
"""

_SHARED_CONTEXT = """
import taskkit.engine.run_loop
class Same:
    def run(self, function, *arguments): return function(*arguments)
taskkit.engine.run_loop.Context = Same
"""

_NO_CLOCK_STEPS = """
from taskkit.engine.core import Core
Core.moment = lambda self: self.now()
"""

_NEVER_ASIDE = """
from taskkit.engine.event_bus import EventBus
def deliver_queued(self):
    while self._queue:
        event = self._queue.popleft()
        for subscription in self._listeners:
            if type(event) in subscription.kinds and subscription in self._subscriptions:
                try: subscription.call(event)
                except BaseException: raise SystemExit("no subscriber raises here")
    return True
EventBus._deliver_queued = deliver_queued
"""

_DEFAULT_SLACK = """
import taskkit.clock
taskkit.clock._set_timer_slack = lambda: None
"""

_EAGER_LOOP_THREADS = """
import taskkit.engine.coroutines
from taskkit.engine.loop_threads import LoopThreads
taskkit.engine.coroutines.use_daemon_threads = lambda loop, name: loop.set_default_executor(LoopThreads(name))
"""

TRICKS = (
    Trick("fast_init", _DATACLASS_INIT, "burst-cpu", "cpu", "µs"),
    Trick("enum-members", _ENUM_LOOKUPS, "one-thread", "cpu", "µs"),
    Trick("linger", _NO_LINGER, "steady", "cpu", "µs"),
    Trick("prepare", _NO_PREPARE, "demand", "p50", "µs"),
    Trick("pool", _STANDARD_POOL, "burst", "runs", "runs/s", more_is_better=True),
    Trick("pool", _STANDARD_POOL, "demand", "p50", "µs"),
    Trick("drain", _NO_DRAIN, "busy", "runs", "runs/s", more_is_better=True),
    Trick("drain", _NO_DRAIN, "busy", "threads", "threads"),
    Trick("slack", _DEFAULT_SLACK, "lateness", "p50", "ms", peer="taskkit bare"),
    Trick("loop-threads", _EAGER_LOOP_THREADS, "async", "p50", "µs"),
    # These are no tricks but guarantees: the figures are their price.
    Trick("context", _SHARED_CONTEXT, "one-thread", "cpu", "µs"),
    Trick("clock-steps", _NO_CLOCK_STEPS, "one-thread", "cpu", "µs"),
    Trick("set-aside", _NEVER_ASIDE, "one-thread", "cpu", "µs"),
)


def main() -> None:
    names = sorted({trick.name for trick in TRICKS})
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tricks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="measurements of each kind")
    parser.add_argument(
        "--only", action="append", choices=names, help="one trick; may be given several times"
    )
    options = parser.parse_args()
    for trick in TRICKS:
        if options.only and trick.name not in options.only:
            continue
        with_it: list[float] = []
        without: list[float] = []
        for number in range(options.rounds):
            pairs = [(with_it, ""), (without, trick.without)]
            for figures, statements in pairs if number % 2 else reversed(pairs):
                figures.append(_measured(trick, statements))
        gain = median(with_it) / median(without)
        gain = gain if trick.more_is_better else 1 / gain
        sys.stdout.write(
            f"{trick.name:<13}{trick.measure:<10}{trick.figure:<8} with {median(with_it):>9,.2f}"
            f"  without {median(without):>9,.2f} {trick.unit:<8} gain {gain - 1:+.0%}\n"
        )
        sys.stdout.flush()


def _measured(trick: Trick, statements: str) -> float:
    if (program := PROGRAMS.get(trick.measure)) is not None:
        report = "import json, os\nprint(json.dumps(answer), flush=True)\nos._exit(0)"
        code = f"{statements}\n{program}\n{report}"
    else:
        arguments = ["child", trick.measure, "quick", "0", trick.peer]
        code = (
            f"{statements}\nimport sys\nsys.argv = {arguments!r}\nfrom benchmarks.child import main\nmain()"
        )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST_SECONDS, check=True)
    figure: float = json.loads(done.stdout)[trick.figure]
    return figure


if __name__ == "__main__":
    main()
