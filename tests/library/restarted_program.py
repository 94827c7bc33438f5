"""A program that is started again and again on one store, on a manual clock."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from recorder import Events

from taskkit import Scheduler
from taskkit.engine.threads import Threads
from taskkit.store import PersistentScheduler, Retention, StoredRun, StoredSkip
from taskkit.testing import InlineExecutor, ManualClock

PATIENCE = 60.0

Register = Callable[[Scheduler], object]


class Program:
    """A program with a store: it can be started, stopped, killed, and started again on the same file."""

    def __init__(self, path: Path, clock: ManualClock) -> None:
        self.path = path
        self.clock = clock
        self.scheduler: PersistentScheduler | None = None
        self.events: Events | None = None

    def start(
        self,
        register: Register = lambda _: None,
        *,
        retention: Retention | None = None,
        threads: Threads | None = None,
    ) -> Scheduler:
        """Start the program: open the store, register tasks, start, and run what is due at once."""
        self.scheduler = scheduler = PersistentScheduler(
            self.path,
            retention=retention,
            clock=self.clock,
            threads=threads or InlineExecutor(),
            capture=False,
        )
        self.events = Events(scheduler.subscribe)
        register(scheduler)
        scheduler.start()
        self.clock.advance(0)
        return scheduler

    def stop(self) -> None:
        """Stop the program in order."""
        if self.scheduler is not None:
            self.scheduler.stop(0)
            self.scheduler = None

    def kill(self) -> None:
        """Kill the program as `kill -9` does right after a flush: only the files survive."""
        self.flush()
        killed = self.path
        self.path = killed.with_name(f"{killed.name}+")
        for ending in ("", "-wal"):
            shutil.copy(f"{killed}{ending}", f"{self.path}{ending}")
        self.stop()

    def flush(self) -> None:
        assert self.scheduler is not None
        assert self.scheduler.store.flush(PATIENCE)

    def restart(
        self, register: Register = lambda _: None, *, after: float = 0.0, killed: bool = False
    ) -> Scheduler:
        """Stop the program, or kill it, and start it again `after` seconds later."""
        if killed:
            self.kill()
        else:
            self.stop()
        self.clock.advance(after)
        return self.start(register)

    def history(self, name: str | None = None) -> tuple[StoredRun | StoredSkip, ...]:
        """Return the stored history, newest first."""
        self.flush()
        assert self.scheduler is not None
        return self.scheduler.store.history(name)

    def runs(self, name: str | None = None) -> list[StoredRun]:
        """Return the stored runs, newest first."""
        return [each for each in self.history(name) if isinstance(each, StoredRun)]
