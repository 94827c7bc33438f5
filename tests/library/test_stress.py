"""Many threads, a thousand handles, every command at random: nothing is lost, doubled or left behind."""

from __future__ import annotations

import logging
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from random import Random
from time import monotonic
from typing import Final

import pytest
from patience import PATIENCE, eventually, no_thread_left

from taskkit import (
    Daily,
    Event,
    Every,
    Once,
    OnDemand,
    OutcomeKind,
    RunFinished,
    RunStarted,
    Scheduler,
    SchedulerStopped,
    TaskHandler,
    TaskRegistered,
    TaskSnapshot,
    TaskState,
    TaskUnregistered,
    Watch,
    current_run,
)
from taskkit.engine.threads import ThreadPool
from taskkit.engine.timers import NO_TICKET

HANDLES: Final = 1_000
COMMANDERS: Final = 8
SECONDS: Final = 3.0


@pytest.fixture
def often_switched() -> Iterator[None]:
    """Threads take turns a hundred times as often as usual, so that races are met."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(usual / 100)
    yield
    sys.setswitchinterval(usual)


class Storm:
    """Tasks and commanders that do whatever comes to their minds."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.scheduler = scheduler
        self.over = False
        self.inside: Counter[str] = Counter()
        self.overlapped: set[str] = set()
        self.raised: list[BaseException] = []
        self.commands = 0
        self._counting = threading.Lock()

    def task(self) -> None:
        """Run for a moment; fail, stop, and leave now and then. Never beside another run of its name."""
        run = current_run()
        with self._counting:
            self.inside[run.name] += 1
            if self.inside[run.name] > 1:
                self.overlapped.add(run.name)
        try:
            random = Random(run.number)
            match random.randrange(12):
                case 0:
                    raise ValueError("as it happens")
                case 1:
                    raise SystemExit(3)
                case 2:
                    run.handle.unregister()
                case 3:
                    run.handle.set_period(random.uniform(0.05, 2))
                case 4:
                    self.scheduler.demand_task(f"task {random.randrange(HANDLES)}")
                case 5:
                    run.sleep(random.uniform(0, 0.05))
                case 6:
                    run.progress(1, 2, "half")
                case 7:
                    self.add(random, run.name)
                case 8:
                    run.handle.run_on_completion()
                case 9 if random.random() < 0.1:
                    while run.sleep(60):
                        pass
        finally:
            with self._counting:
                self.inside[run.name] -= 1

    def add(self, random: Random, name: str) -> TaskHandler:
        now = self.scheduler._core.now().wall
        schedule = random.choice(
            [
                Every(random.uniform(0.05, 5)),
                Once(now + random.uniform(0, 1)),
                Daily(3, 30, "UTC"),
                OnDemand(),
            ]
        )
        return self.scheduler.add_task(
            schedule,
            self.task,
            name,
            retries=random.choice([0, 0, 2]),
            retry_delay=0.05,
            timeout=random.choice([None, 0.1]),
            jitter=random.choice([0, 0.05]),
            max_runs=random.choice([None, None, 3]),
        )

    def command(self, seed: int) -> None:
        random, scheduler = Random(seed), self.scheduler
        handles: list[TaskHandler] = []
        try:
            while not self.over:
                self.commands += 1
                name = f"task {random.randrange(HANDLES)}"
                match random.randrange(20):
                    case 0 | 1 | 2:
                        handles.append(self.add(random, name))
                        del handles[:-50]
                    case 3 | 4:
                        scheduler.run_task_now(name)
                    case 5 | 6:
                        scheduler.demand_task(name, {"by": seed})
                    case 7:
                        scheduler.disable_task(name)
                    case 8 | 9:
                        scheduler.enable_task(name)
                    case 10:
                        scheduler.unregister_task(name)
                    case 11:
                        scheduler.set_period(name, random.uniform(0.05, 5))
                    case 12:
                        scheduler.reschedule_task(name, Every(random.uniform(0.05, 5)))
                    case 13 | 14:
                        for running in list(scheduler.running)[:10]:
                            scheduler.stop_task(running)
                    case 15 if random.random() < 0.05:
                        scheduler.pause()
                        scheduler.resume()
                    case 16 if random.random() < 0.05:
                        scheduler.stop_all_tasks()
                        scheduler.snapshot()
                    case 17 if handles:
                        handle = random.choice(handles)
                        handle.explain()
                        handle.demand()
                        handle.stop()
                    case 18 if handles:
                        random.choice(handles).unregister()
                    case 19:
                        scheduler.describe(name)
        except BaseException as error:  # noqa: BLE001 - the test has to see it
            self.raised.append(error)


class Unexpected(logging.Filter):
    """Lets no message pass, and keeps those that tell of more than a task's own failure."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if " failed: " not in message and " timed out" not in message:
            self.messages.append(message)
        return False


@pytest.mark.usefixtures("often_switched")
@pytest.mark.parametrize("max_threads", [None, 4], ids=["no ceiling", "four threads"])
def test_a_storm_of_commands(max_threads: int | None) -> None:
    logger, unexpected = logging.getLogger("taskkit"), Unexpected()
    logger.addFilter(unexpected)
    try:
        with no_thread_left():
            endure(max_threads)
    finally:
        logger.removeFilter(unexpected)
    assert unexpected.messages == []


def endure(max_threads: int | None) -> None:
    scheduler = Scheduler(threads=ThreadPool(max_threads=max_threads, idle_seconds=0.2), capture=False)
    storm = Storm(scheduler)
    told: list[Event] = []
    scheduler.subscribe(told.append)
    watch = scheduler.watch()
    random = Random(0)
    for number in range(HANDLES):
        storm.add(random, f"task {number}")
    scheduler.start()
    commanders = [threading.Thread(target=storm.command, args=(seed,)) for seed in range(COMMANDERS)]
    for commander in commanders:
        commander.start()
    mirror: dict[int, TaskSnapshot] = {}
    ends = monotonic() + SECONDS / 2
    while monotonic() < ends:
        follow(watch, mirror)
    storm.over = True
    for commander in commanders:
        commander.join(PATIENCE)
        assert not commander.is_alive()
    assert not storm.raised, storm.raised[0]
    assert not storm.overlapped

    scheduler.pause()
    eventually(lambda: scheduler.stop_all_tasks() == 0 and not scheduler.running)
    see(scheduler, watch, mirror)

    scheduler.resume()
    began = monotonic()
    abandoned = scheduler.stop()
    assert monotonic() - began < PATIENCE / 2
    assert abandoned == []
    assert not scheduler.running
    assert not storm.overlapped
    eventually(lambda: isinstance(told[-1], SchedulerStopped))
    see_history(told)
    assert storm.commands > 100  # how many there are is up to the machine


def follow(watch: Watch, mirror: dict[int, TaskSnapshot]) -> None:
    changes = watch.collect()
    mirror.update((task.number, task) for task in changes.changed)
    for number in changes.gone:
        mirror.pop(number, None)


def see(scheduler: Scheduler, watch: Watch, mirror: dict[int, TaskSnapshot]) -> None:
    """What must hold when all has come to rest."""
    snapshot = scheduler.snapshot()
    tasks, figures = snapshot.tasks, snapshot.figures
    assert figures.running == 0
    assert figures.tasks == len(tasks)
    assert figures.disabled == sum(task.disabled for task in tasks)
    assert figures.failing == sum(
        bool(task.past) and task.past[-1].kind not in (OutcomeKind.SUCCEEDED, OutcomeKind.STOPPED)
        for task in tasks
    )
    follow(watch, mirror)
    assert {number: steady(task) for number, task in mirror.items()} == {
        task.number: steady(task) for task in tasks
    }
    states = {task.name: task.state for task in tasks}
    assert len(states) == len(tasks)
    assert set(states) == set(scheduler.scheduled) | set(scheduler.on_demand)
    assert TaskState.RUNNING not in states.values()

    ledger = scheduler._core.ledger
    places: Counter[int] = Counter()
    for agenda in (ledger._steady, ledger._wall, ledger._asleep_steady, ledger._asleep_wall):
        live = [entry for _, ticket, entry in agenda._heap if entry.ticket == ticket]
        assert len(live) == len(agenda)
        places.update(entry.number for entry in live)
    assert set(places.values()) <= {1}
    assert len(ledger._deadlines) == 0
    for entry in ledger.entries.values():
        assert (entry.ticket != NO_TICKET) == (entry.number in places)


def steady(task: TaskSnapshot) -> object:
    """A row without what goes on by itself: due times that pass while all is paused."""
    return task.name, task.state, task.disabled, task.schedule, task.again, task.retry is None, task.run_count


def see_history(told: list[Event]) -> None:
    """Each run began once and ended once, each registration as well, and no two runs were of one name."""
    running: dict[str, int] = {}
    finished: Counter[int] = Counter()
    registered: set[str] = set()
    for event in told:
        match event:
            case TaskRegistered():
                assert event.name not in registered
                registered.add(event.name)
            case TaskUnregistered():
                registered.remove(event.name)
            case RunStarted():
                assert event.name not in running
                running[event.name] = event.run
            case RunFinished():
                finished[event.run] += 1
                if event.outcome.started is not None:
                    assert running.pop(event.name) == event.run
    assert not running
    assert set(finished.values()) == {1}
