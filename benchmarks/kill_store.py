"""Kill a program with a store at random instants under load, again and again, and check its file each time.

After each kill: the file is whole; every registration is as it was last reported, or as after the command in
progress; every run that was reported as stored is there, once; no due time has run twice.

    python -m benchmarks.kill_store --kills 1000
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from time import monotonic, sleep
from typing import Any, NamedTuple

MAX_LIFE_SECONDS = 0.4
"""The longest time at work before the kill."""

EARLY_SHARE = 0.15
"""The share of kills that are counted from the start of the process, and may come before it works."""

MAX_MADE = 12
"""The most tasks that are registered at run time."""

SAME_SECONDS = 0.0005
"""Two due times of one task closer than this are the same."""

TaskStates = dict[str, list[Any]]
"""By the name of each task, its period in seconds, and whether it is disabled."""


# The program that is killed


def work() -> str:
    return "done"


def live(path: str) -> None:
    """Run tasks and command them, and report what is stored, until killed."""
    from taskkit import Every, Recipe, RunFinished, TaskSpec, current_run
    from taskkit.store import PersistentScheduler

    scheduler = PersistentScheduler(path, capture=False)
    finished: list[tuple[str, int]] = []
    scheduler.subscribe(
        lambda event: isinstance(event, RunFinished) and finished.append((event.name, event.run))
    )
    for number in range(8):
        scheduler.add_periodic_task(None, 0.005 * (1 + number), work, f"fast {number}")
    scheduler.add_periodic_task(None, 0.05, lambda: current_run().sleep(0.2), "slow")
    for number in range(4):
        scheduler.add_periodic_task(None, 3600, work, f"hourly {number}")
    scheduler.start()

    def states() -> TaskStates:
        return {task.name: [task.period, task.disabled] for task in scheduler.snapshot().tasks}

    def report(what: str, **facts: object) -> None:
        sys.stdout.write(json.dumps({"what": what, **facts}) + "\n")
        sys.stdout.flush()

    report("restored", states=states(), session=scheduler.store._database.session)
    made = sum(name.startswith("made") for name in states())
    names = ["hourly 0", "hourly 1", "hourly 2", "hourly 3"]
    while True:
        name, before = random.choice(names), states()
        after = dict(before)
        match random.choice(["period", "disable", "enable", "make", "remove", "nothing"]):
            case "period":
                period = random.choice([60.0, 600.0, 6000.0])
                after[name] = [period, before[name][1]]
                report("asked", states=after)
                scheduler.set_period(name, period, override=True)
            case "disable":
                after[name] = [before[name][0], True]
                report("asked", states=after)
                scheduler.disable_task(name)
            case "enable":
                after[name] = [before[name][0], False]
                report("asked", states=after)
                scheduler.enable_task(name)
            case "make" if made < MAX_MADE:
                made += 1
                name = f"made {random.randrange(10**9)}"
                after[name] = [7200.0, False]
                report("asked", states=after)
                scheduler.add_spec(
                    TaskSpec(name, Every(7200), Recipe("benchmarks.kill_store:work")), persist=True
                )
            case "remove" if made:
                made -= 1
                name = next(each for each in before if each.startswith("made"))
                del after[name]
                report("asked", states=after)
                scheduler.unregister_task(name)
            case _:
                pass
        told = len(finished)
        if scheduler.store.flush(30):
            report("stored", states=after, runs=finished[:told])
            del finished[:told]
        sleep(random.uniform(0, 0.03))


# The program that kills it


class Report(NamedTuple):
    """The reports of the program before the kill."""

    session: int | None
    restored: TaskStates | None
    stored: TaskStates | None
    asked: TaskStates | None
    """The states after the command that was in progress."""
    runs: list[tuple[str, int]]


def life(path: Path) -> Report:
    """Start the program and kill it at a random instant: mostly at work, sometimes while it starts."""
    program = [sys.executable, "-m", "benchmarks.kill_store", "--live", str(path)]
    with (
        tempfile.TemporaryFile("w+") as said,
        subprocess.Popen(program, stdout=said, stderr=subprocess.STDOUT) as process,
    ):
        if random.random() >= EARLY_SHARE:
            while not os.fstat(said.fileno()).st_size and process.poll() is None:
                sleep(0.001)
        sleep(random.uniform(0, MAX_LIFE_SECONDS))
        process.send_signal(signal.SIGKILL)
        process.wait()
        said.seek(0)
        out = said.read()
    if process.returncode != -signal.SIGKILL:
        raise AssertionError(f"it ended by itself, with {process.returncode}: {out}")
    session, restored, stored, asked, runs = None, None, None, None, []
    for line in out.splitlines(keepends=True):
        if not line.endswith("\n"):
            break  # killed while it wrote
        fact = json.loads(line)
        if fact["what"] == "restored":
            session, restored = fact["session"], fact["states"]
        elif fact["what"] == "asked":
            asked = fact["states"]
        else:
            stored, asked = fact["states"], None
            runs += [tuple(each) for each in fact["runs"]]
    return Report(session, restored, stored, asked, runs)


class KillTest:
    """Kills on one file, one after the other.

    Args:
        path: The file of the store.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.kills = 0
        self.stored_runs = 0
        self.interrupted = 0
        self.unreported = 0
        """The number of programs that were killed before they could report anything."""
        self._possible: list[TaskStates | None] = [None]

    def kill_once(self) -> None:
        """Start the program, kill it, and check the file.

        Raises:
            AssertionError: The file is not as it should be.
        """
        report = life(self.path)
        self.kills += 1
        if report.restored is None:
            self.unreported += 1
        elif self._possible != [None]:
            assert report.restored in self._possible, f"restored {report.restored}, of {self._possible}"
        if report.restored is not None:
            first = self._possible == [None]
            self._possible = [report.stored or report.restored]
            if report.asked is not None:
                self._possible.append(report.asked)
            if first and report.stored is None:
                self._possible.append({})  # nothing was reported as stored yet
        if self.path.exists():
            self.check(report)

    def check(self, report: Report) -> None:
        """Check that the file is whole, and holds what was reported, once."""
        with closing(sqlite3.connect(self.path)) as connection:
            ask = connection.execute
            assert ask("PRAGMA integrity_check").fetchall() == [("ok",)]
            if not ask("SELECT 1 FROM sqlite_master WHERE name = 'history'").fetchone():
                assert report.restored is None
                return
            states: TaskStates = {
                name: [json.loads(override or declared)["period"], bool(disabled)]
                for name, declared, override, disabled in ask(
                    "SELECT name, declared, override, disabled FROM registrations"
                )
            }
            if self._possible != [None]:
                assert states in self._possible, f"the file has {states}, of {self._possible}"
            rows = ask(
                "SELECT name, session, run, kind, trigger, due FROM history JOIN names ON names.id = task"
                " WHERE run IS NOT NULL"
            ).fetchall()
            open_runs = ask("SELECT name, session, run FROM open_runs").fetchall()
        times = Counter((name, session, run) for name, session, run, *_ in rows)
        assert not [each for each, count in times.items() if count > 1], "a run is stored twice"
        assert not [each for each in open_runs if each in times], "a run that ended is open"
        missing = [each for each in report.runs if (each[0], report.session, each[1]) not in times]
        assert not missing, f"reported as stored and missing: {missing}"
        dues: dict[str, list[float]] = {}
        for name, _, _, _, trigger, due in rows:
            if trigger == "schedule":
                dues.setdefault(name, []).append(due)
        for name, each in dues.items():
            each.sort()
            near = [due for due, later in pairwise(each) if later - due < SAME_SECONDS]
            assert not near, f"{name} was run twice for {near}"
        self.stored_runs += len(report.runs)
        self.interrupted = sum(kind == "interrupted" for *_, kind, _, _ in rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=None, help="for the instants")
    parser.add_argument("--live", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.live:
        live(arguments.live)
    random.seed(arguments.seed)
    began = monotonic()
    with tempfile.TemporaryDirectory() as folder:
        kill_test = KillTest(Path(folder) / "tasks.db")
        while kill_test.kills < arguments.kills:
            kill_test.kill_once()
            if kill_test.kills % 100 == 0:
                print(f"{kill_test.kills} kills, {monotonic() - began:.0f} s", flush=True)
    print(
        f"{kill_test.kills} kills ({kill_test.unreported} before the first report): the file whole each time,"
        f" {kill_test.stored_runs} runs reported as stored and all there, none twice, no registration lost;"
        f" {kill_test.interrupted} of the runs still kept were interrupted"
    )


if __name__ == "__main__":
    main()
