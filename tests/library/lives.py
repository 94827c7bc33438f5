"""One store and the schedulers that have it one after the other, on one manual clock."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from recorder import Events

from taskkit import Scheduler
from taskkit.store import PersistentScheduler, Retention, StoredRun, StoredSkip
from taskkit.testing import InlineExecutor, ManualClock

PATIENCE = 20.0

Register = Callable[[Scheduler], object]


class Lives:
    """Begins lives of a program that registers its tasks in the same way each time."""

    def __init__(self, path: Path, clock: ManualClock) -> None:
        self.path = path
        self.clock = clock
        self.scheduler: PersistentScheduler | None = None
        self.events: Events | None = None

    def begin(self, register: Register = lambda _: None, *, retention: Retention | None = None) -> Scheduler:
        """Begin the next life: open the store, register, start, and do what is due at once."""
        self.scheduler = scheduler = PersistentScheduler(
            self.path, retention=retention, clock=self.clock, executor=InlineExecutor(), capture=False
        )
        self.events = Events(scheduler.subscribe)
        register(scheduler)
        scheduler.start()
        self.clock.advance(0)
        return scheduler

    def end(self) -> None:
        """End the present life as one should."""
        if self.scheduler is not None:
            self.scheduler.stop(0)
            self.scheduler = None

    def kill(self) -> None:
        """End it as `kill -9` does right after a flush: only what the files hold then goes on."""
        self.flush()
        left = self.path
        self.path = left.with_name(f"{left.name}+")
        for ending in ("", "-wal"):
            shutil.copy(f"{left}{ending}", f"{self.path}{ending}")
        self.end()

    def flush(self) -> None:
        assert self.scheduler is not None
        assert self.scheduler.store.flush(PATIENCE)

    def again(
        self, register: Register = lambda _: None, *, after: float = 0.0, killed: bool = False
    ) -> Scheduler:
        """The life after this one, `after` seconds later."""
        if killed:
            self.kill()
        else:
            self.end()
        self.clock.advance(after)
        return self.begin(register)

    def history(self, name: str | None = None) -> tuple[StoredRun | StoredSkip, ...]:
        """What the store remembers now, newest first."""
        self.flush()
        assert self.scheduler is not None
        return self.scheduler.store.history(name)

    def runs(self, name: str | None = None) -> list[StoredRun]:
        """The runs among that."""
        return [each for each in self.history(name) if isinstance(each, StoredRun)]
