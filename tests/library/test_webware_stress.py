"""Every old command at random, from threads and from inside runs: no run overlaps, nothing is left behind."""

from __future__ import annotations

import logging
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from random import Random
from time import monotonic, time
from typing import Final

import pytest
from patience import PATIENCE, eventually

from taskkit.webware import Scheduler, Task

NAMES: Final = 30
COMMANDERS: Final = 4
SECONDS: Final = 1.5


@pytest.fixture
def often_switched() -> Iterator[None]:
    """Threads take turns a hundred times as often as usual, so that races are met."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(usual / 100)
    yield
    sys.setswitchinterval(usual)


class Storm:
    """The runs in progress, and the failures."""

    def __init__(self) -> None:
        self.scheduler = Scheduler(exceptionHandler=lambda: None)
        self.over = False
        self.inside: Counter[object] = Counter()
        self.runs = 0
        self.faults: list[object] = []

    def command(self, random: Random) -> None:
        """Command until it is over."""
        while not self.over:
            try:
                self.command_once(random)
            except Exception as error:  # noqa: BLE001 - told by the test
                self.faults.append(error)

    def command_once(self, random: Random) -> None:
        old, name = self.scheduler, random.randrange(NAMES)
        soon = time() + random.uniform(-0.01, 0.02)
        match random.randrange(14):
            case 0 | 1:
                old.addPeriodicAction(soon, random.choice([0.01, -0.02, 0]), Erratic(self, random), name)
            case 2:
                old.addTimedAction(soon, Erratic(self, random), name)
            case 3:
                old.addActionOnDemand(Erratic(self, random), name)
            case 4:
                old.addDailyAction(random.randrange(24), random.randrange(60), Erratic(self, random), name)
            case 5:
                random.choice([old.unregisterTask, old.delRunning, old.delScheduled, old.delOnDemand])(name)
            case 6 | 7:
                random.choice([old.runTaskNow, old.demandTask])(name)
            case 8:
                random.choice([old.stopTask, lambda _: old.stopAllTasks()])(name)
            case 9:
                old.disableTask(name)
            case 10:
                old.enableTask(name)
            case 11:
                for known, handle in old.scheduledTasks().items():
                    assert handle.name() == known
                    assert handle.period() >= 0
            case _:
                handle = old.scheduled(name) or old.onDemand(name) or old.running(name)
                if handle is not None:
                    handle.setPeriod(random.choice([0, 0.01, 5]))
                    handle.startTime(soon)
                    handle.setOnDemand(random.random() < 0.5)
                    handle.reset(soon, 0.01, Erratic(self, random), random.random() < 0.5)


class Erratic(Task):
    """Does something else each time, to itself and to others."""

    def __init__(self, storm: Storm, random: Random) -> None:
        self.storm = storm
        self.random = Random(random.random())

    def run(self) -> None:
        storm, name, handle = self.storm, self.name(), self.handle()
        storm.runs += 1
        storm.inside[name] += 1
        if storm.inside[name] > 1 or handle.name() != name:
            storm.faults.append(f"{name} overlaps")
        try:
            if not storm.over:
                self.act()
        finally:
            storm.inside[name] -= 1

    def act(self) -> None:
        match self.random.randrange(8):
            case 0:
                self.handle().setPeriod(self.random.choice([0, 0.01, -0.02]))
            case 1:
                self.handle().unregister()
            case 2:
                self.handle().runOnCompletion()
            case 3:
                self.handle().startTime(time() + 0.01)
            case 4:
                raise ValueError("as it happens")
            case 5:
                sys.exit("as it happens")
            case 6:
                self.storm.command_once(self.random)


def test_a_storm_of_old_commands(often_switched: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging.getLogger("taskkit"), "disabled", True)
    storm = Storm()
    storm.scheduler.start()
    commanders = [
        threading.Thread(target=storm.command, args=(Random(number),)) for number in range(COMMANDERS)
    ]
    for commander in commanders:
        commander.start()
    deadline = monotonic() + SECONDS
    eventually(lambda: monotonic() > deadline)
    storm.over = True
    for commander in commanders:
        commander.join(PATIENCE)
        assert not commander.is_alive()
    old = storm.scheduler

    def empty() -> bool:
        lists = (old.scheduledTasks(), old.onDemandTasks(), old.runningTasks())
        for name in [name for each in lists for name in each]:
            old.unregisterTask(name)
        return not any(map(len, lists))

    eventually(empty)
    old.stop()

    assert storm.faults == []
    assert storm.runs > 100
    assert not any(storm.inside.values())
    assert not old.is_alive()
