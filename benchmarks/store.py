"""Measure what a store costs: with a million stored runs, and on a disk that takes a second for each write.

python -m benchmarks.store
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles
from threading import Event as Flag
from time import perf_counter, sleep, time

from taskkit import Event, Every, OutcomeKind, RunFinished, Scheduler
from taskkit.persistence import SavedTask
from taskkit.store import PersistentScheduler, Retention, Store
from taskkit.store.registration_rows import RegistrationRow, registration_row
from taskkit.store.sqlite_file import connect

RUNS, TASKS = 1_000_000, 200
SLOW_COMMIT_SECONDS = 1.0
"""The time of each commit on the slow disk."""
DEMANDS, SECONDS = 300, 5.0


def work() -> str:
    return "done"


def fill(path: Path, runs: int, tasks: int = TASKS) -> None:
    """Make a store with so many runs of so many tasks."""
    Store.open(path).close()
    now = time()
    names = [f"task {number}" for number in range(tasks)]
    with sqlite3.connect(path) as connection:
        connection.executemany("INSERT INTO names VALUES (?, ?)", enumerate(names, 1))
        rows = [
            registration_row(SavedTask(name, Every(3600), due=now + 1800, run_count=1), now, print)
            for name in names
        ]
        marks = ", ".join("?" * len(RegistrationRow._fields))
        connection.executemany(f"INSERT INTO registrations VALUES ({marks})", rows)
        connection.executemany(
            "INSERT INTO history (task, kind, at, session, run, trigger, due, started, duration, lateness,"
            " attempt, result, exception, dropped, output)"
            " VALUES (?, ?, ?, 1, ?, 'schedule', ?, ?, 0.1, 0.001, 1, '\"done\"', ?, 0, ?)",
            (
                (
                    number % tasks + 1,
                    "succeeded" if number % 1000 else "failed",
                    now - runs + number,
                    number,
                    now - runs + number,
                    now - runs + number,
                    None if number % 1000 else f"ValueError: number {number}",
                    "\n".join(["a line of the output of this run"] * 4),
                )
                for number in range(runs)
            ),
        )
    connection.close()


def milliseconds(what: Callable[[], object], times: int = 5) -> float:
    """Return how long a call takes: the median."""
    taken = []
    for _ in range(times):
        began = perf_counter()
        what()
        taken.append(perf_counter() - began)
    return 1000 * median(taken)


def start_up(path: Path | None) -> float:
    """Return the median milliseconds to start a program with `TASKS` tasks, with or without a store."""
    taken = []
    for _ in range(5):
        began = perf_counter()
        scheduler = (
            Scheduler(capture=False)
            if path is None
            else PersistentScheduler(path, capture=False, retention=Retention(None, None))
        )
        for number in range(TASKS):
            scheduler.add_periodic_task(began + 1e9, 3600, work, f"task {number}")
        scheduler.start()
        taken.append(1000 * (perf_counter() - began))
        scheduler.stop()
    return median(taken)


def million(folder: Path) -> None:
    """Measure opening and reading a store with a million runs."""
    empty, full = folder / "few.db", folder / "many.db"
    fill(empty, TASKS * 20)
    fill(full, RUNS)
    print(f"{RUNS:,} stored runs of {TASKS} tasks, {full.stat().st_size / 2**20:.0f} MiB\n")
    print(f"{'start-up with as many tasks, no store':<46}{start_up(None):8.1f} ms")
    print(f"{f'start-up, {TASKS * 20:,} stored runs':<46}{start_up(empty):8.1f} ms")
    print(f"{f'start-up, {RUNS:,} stored runs':<46}{start_up(full):8.1f} ms")
    store = Store.open(full)
    look = store.history
    failed = [OutcomeKind.FAILED]
    for what, search in {
        "the newest 100 of one task": lambda: look("task 7"),
        "the newest 100 of all": lambda: look(),
        "a page from the middle of one task": lambda: look("task 7", before=RUNS // 2),
        "the failed ones of one task": lambda: look("task 7", kinds=failed),
        "the failed ones of all": lambda: look(kinds=failed),
        "a search through one task, found nowhere": lambda: look("task 7", search="nowhere"),
        "a search through all, found nowhere": lambda: look(search="nowhere"),
    }.items():
        print(f"{what:<46}{milliseconds(search):8.1f} ms")
    store.close()


class SlowConnection(sqlite3.Connection):
    """A connection to a slow disk."""

    def commit(self) -> None:
        sleep(SLOW_COMMIT_SECONDS)
        super().commit()


def slowly(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False, factory=SlowConnection)


def under_load(store: Store | None) -> tuple[list[float], list[float], list[float]]:
    """Return lateness of periodic tasks, latency of demands, and duration of commands, in milliseconds."""
    latenesses: list[float] = []
    answers: list[float] = []
    commands: list[float] = []
    with Scheduler(capture=False) as scheduler:
        if store is not None:
            store.attach(scheduler)

        def note_lateness(event: Event) -> None:
            if isinstance(event, RunFinished) and event.name.startswith("every"):
                latenesses.append(1000 * event.outcome.lateness)

        scheduler.subscribe(note_lateness)
        for number in range(20):
            scheduler.add_periodic_task(None, 0.05, work, f"every {number}")
        ran, at = Flag(), [0.0]

        def note() -> None:
            at[0] = perf_counter()
            ran.set()

        handle = scheduler.add_on_demand_task(note, "demanded")
        deadline = perf_counter() + SECONDS
        while perf_counter() < deadline:
            ran.clear()
            asked = perf_counter()
            handle.demand()
            commands.append(1000 * (perf_counter() - asked))
            ran.wait(10)
            answers.append(1000 * (at[0] - asked))
            sleep(SECONDS / DEMANDS)
    return latenesses[20:], answers, commands


def slow_disk(folder: Path) -> None:
    """Show that nothing waits for the disk."""
    print(f"\n{'milliseconds: median, 99 of 100, most':<30}{'lateness':>24}{'demand':>24}{'command':>24}")
    for what, open_store in {
        "no store": lambda: None,
        "a store": lambda: Store.open(folder / "quick.db", connect=connect),
        f"a store, {SLOW_COMMIT_SECONDS:g} s a write": lambda: Store.open(folder / "slow.db", connect=slowly),
    }.items():
        store = open_store()
        figures = under_load(store)
        if store is not None:
            store.close()
        columns = "".join(f"{_figures(each):>24}" for each in figures)
        print(f"{what:<30}{columns}")


def _figures(values: list[float]) -> str:
    return f"{median(values):.2f} {quantiles(values, n=100)[98]:.2f} {max(values):.2f}"


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        million(Path(name))
        slow_disk(Path(name))


if __name__ == "__main__":
    main()
