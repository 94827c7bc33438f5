"""A store: what a scheduler is to know after a restart, and what its runs have come to, in one file."""

from __future__ import annotations

import atexit
import logging
import os
from collections.abc import Callable, Collection
from math import inf
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Final, Self

from taskkit.checks import check_clock, check_seconds
from taskkit.clock import Clock, SystemClock
from taskkit.errors import SchedulerStoppedError
from taskkit.store.database import Database
from taskkit.store.errors import StoreError
from taskkit.store.feed import Feed
from taskkit.store.history import Kind, StoredRun, StoredSkip, read_history
from taskkit.store.inbox import MOST_WAITING, Inbox
from taskkit.store.lockfile import LockFile
from taskkit.store.recollection import Recollection, recollect
from taskkit.store.retention import Retention, check_retention
from taskkit.store.sqlite_file import Connect, connect, refuse_foreign
from taskkit.store.writer import Writer

if TYPE_CHECKING:
    from taskkit.scheduler import Scheduler

CLOSE_SECONDS: Final = 3.0
"""How long a close waits for the disk."""

PROMPT_SECONDS: Final = 0.1
"""How much longer it waits for the writer to see that its time is over."""

_logger = logging.getLogger("taskkit")


class Store:
    """An open store; `Store.open` makes one. Thread-safe. It is of no use in a forked child.

    Nothing that runs or commands ever waits for it: a thread of its own writes, a moment later, what has
    happened meanwhile. Who must know that something is stored calls `flush`.
    """

    def __init__(
        self,
        database: Database,
        recollection: Recollection,
        lock: LockFile,
        retention: Retention,
        clock: Clock,
        most: int,
    ) -> None:
        self.path = database.path
        """Of the file."""
        self._database = database
        self._lock = lock
        self._inbox = Inbox(most)
        self._pid = os.getpid()
        self._recollection = recollection
        self._attached = False
        self._feed: Feed | None = None
        self._changing = Lock()
        self._closed = False
        self._writer = Writer(
            database,
            self._inbox,
            self._recollection.registrations,
            retention,
            clock.time,
            self._ask,
            self._end,
        )
        self._writer.notices += database.notices

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        *,
        retention: Retention | None = None,
        clock: Clock | None = None,
        connect: Connect = connect,
        most_waiting: int = MOST_WAITING,
    ) -> Self:
        """Open the store at `path`, and make it where there is none.

        A file that is corrupt is moved aside, as `PATH.corrupt-DATE`, and a new one begun: `notices` says so.

        Args:
            path: Of the file. There will be others beside it: `PATH.lock`, `PATH-wal`, `PATH-shm`.
            retention: How much of the past is kept; `Retention()` by default.
            clock: That of the scheduler, if it has one of its own.
            connect: Opens the connection to the database: a seam for tests.
            most_waiting: About how many bytes are kept while they cannot be written. What exceeds them is
                lost, the oldest first, and counted in `lost`.

        Raises:
            StoreError: It cannot be written, it is locked, something else than a store, or was written by a
                newer version.
            StoreInUseError: Another process has it.
            TypeError: An argument is of the wrong type.
        """
        check_retention(retention)
        if clock is not None:
            check_clock(clock)
        place = Path(path).absolute()
        retention, clock = retention or Retention(), clock or SystemClock()
        try:
            place = place.resolve()  # so that two names of one file have one lock
            place.parent.mkdir(parents=True, exist_ok=True)
            lock_path = Path(f"{place}.lock")
            was_a_store = lock_path.exists()  # which may be broken
        except OSError as error:
            raise StoreError(f"cannot open {place}: {error.strerror} ({error.filename})") from error
        except RuntimeError as error:  # for a ring of symbolic links
            raise StoreError(f"cannot open {place}: {error}") from error
        if not was_a_store:
            refuse_foreign(place)
        lock = LockFile(lock_path, place)
        try:
            database = Database(place, clock.time(), retention, connect)
            try:
                recollection = recollect(database, clock.time())
            except BaseException:
                database.close()
                raise
        except BaseException:
            lock.release()
            raise
        for notice in database.notices:
            _logger.warning("%s", notice)
        return cls(database, recollection, lock, retention, clock, most_waiting)

    # Following a scheduler

    def attach(self, scheduler: Scheduler) -> None:
        """Let the scheduler go on where it was, and store what becomes of it from its start on.

        It may have been started already: what is registered then goes on at once where it was, unless it has
        run.

        Raises:
            StoreError: The store is closed, or follows a scheduler already.
        """
        with self._changing:
            if self._closed:
                raise StoreError(f"{self.path} is closed")
            if self._attached:
                raise StoreError(f"{self.path} is attached to a scheduler already")
            self._attached = True
        self._feed = Feed(scheduler, self._recollection, self._inbox)
        self._writer.start()
        self._inbox.wake.open()
        atexit.register(self.close)

    @property
    def is_attached(self) -> bool:
        """Whether it follows a scheduler."""
        return self._attached

    def restore(self) -> list[str]:
        """Register again what a person had registered while the program ran, unless its name is taken now.

        What cannot be made any more, as its class is gone for example, stays in the store, and `notices` says
        so. Call it before or after the scheduler's start, once the program has registered its own tasks.

        Returns:
            The names that were registered.

        Raises:
            SchedulerStoppedError: The scheduler was stopped.
            StoreError: The store follows no scheduler.
        """
        if self._feed is None:
            raise StoreError(f"{self.path} is attached to no scheduler")
        scheduler = self._feed.scheduler
        restored = []
        for name, spec in self._recollection.specs():
            if scheduler.handle(name) is not None:
                continue
            try:
                if isinstance(spec, Exception):
                    raise spec
                scheduler.add_spec(spec, keep=True)
            except SchedulerStoppedError:
                raise
            except Exception as error:  # noqa: BLE001 - making a task may raise anything
                self._note(f"{name!r} cannot be registered again, and stays in {self.path}: {error!r}")
            else:
                restored.append(name)
        return restored

    def _ask(self) -> bool:
        # On the writer's thread, as the following.
        for sentence in self._recollection.take_unread():
            self._note(sentence)
        return self._feed is not None and self._feed.ask()

    def _end(self) -> None:
        if self._feed is not None:
            self._feed.end()  # what nobody takes any more is not to be gathered
        self._lock.release()

    # Looking

    def history(
        self,
        name: str | None = None,
        *,
        limit: int = 100,
        before: int | None = None,
        search: str = "",
        kinds: Collection[Kind] = (),
        since: float | None = None,
        go_on: Callable[[], bool] | None = None,
    ) -> tuple[StoredRun | StoredSkip, ...]:
        """What is remembered, newest first; see `read_history`."""
        return read_history(
            self.path,
            name,
            limit=limit,
            before=before,
            search=search,
            kinds=kinds,
            since=since,
            go_on=go_on,
        )

    @property
    def trouble(self) -> str | None:
        """Why nothing can be stored at present, in a sentence; `None` if it can."""
        return self._writer.trouble

    @property
    def notices(self) -> tuple[str, ...]:
        """What a person should know, a sentence each: a file begun anew, a task that cannot be restored."""
        return tuple(self._writer.notices)

    @property
    def lost(self) -> int:
        """How many runs and skips could not be kept until they could be written."""
        return self._writer.lost

    def _note(self, sentence: str) -> None:
        self._writer.notices.append(sentence)
        _logger.warning("%s", sentence)

    # Ending

    def flush(self, timeout: float = CLOSE_SECONDS) -> bool:
        """Wait until everything is stored that has happened: it survives the death of this process then.

        A subscriber is not answered well: what it waits for is told when it has returned.

        Args:
            timeout: Seconds to wait at most.

        Returns:
            Whether it is.

        Raises:
            TypeError: `timeout` is not a number.
            ValueError: It is negative or not a number.
        """
        check_seconds("timeout", timeout, endless=True)
        if self._is_foreign or not self._writer.is_alive() or self._is_told_here:
            return False
        return self._writer.flush(timeout)

    def close(self, timeout: float = CLOSE_SECONDS) -> None:
        """Store what has happened, and close the file. Doing so twice does no harm.

        If the disk does not take it in time, the rest may be lost, and the logger `taskkit` says so. In a
        subscriber it does not wait: the rest is stored when that has returned.

        Args:
            timeout: Seconds to wait at most.

        Raises:
            TypeError: `timeout` is not a number.
            ValueError: It is negative or not a number.
        """
        check_seconds("timeout", timeout, endless=True)
        if self._is_foreign:
            return
        if self._is_told_here:
            self.close_later()
            return
        atexit.unregister(self.close)
        if self._finish(timeout, lambda: True):
            self._writer.join(timeout + PROMPT_SECONDS)
            if self._writer.is_alive():
                self._note(f"{self.path} could not be written within {timeout:g} s; its end may be missing")

    def close_later(self) -> None:
        """Close it as soon as no run goes on any more, without waiting for that."""
        feed = self._feed
        self._finish(inf, lambda: feed is None or not feed.scheduler.running)

    def _finish(self, timeout: float, may_end: Callable[[], bool]) -> bool:
        """Have the writer end. Whether there is one."""
        with self._changing:
            first, self._closed = not self._closed, True
        if self._writer.ident is not None:
            self._writer.finish(timeout, may_end)
            return True
        if first:
            self._database.close()
            self._end()
        return False

    @property
    def _is_foreign(self) -> bool:
        """Whether this is a forked child, which has no writer."""
        return os.getpid() != self._pid

    @property
    def _is_told_here(self) -> bool:
        """Whether a subscriber asks: nothing more is told until it returns."""
        return self._feed is not None and self._feed.is_told_here

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
