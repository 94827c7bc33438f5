"""An open store: it saves the state of one scheduler, and the history of its runs, in one file.

The parts, from the scheduler to the disk:

    scheduler → EventRecorder → WriteQueue → Writer (a thread) → Database

Only the writer's thread ever waits for the disk. The saved state of the time before this opening is read
once, into `RestoredState`, and the scheduler takes it from there.
"""

from __future__ import annotations

import atexit
import logging
import os
from collections.abc import Callable, Collection
from dataclasses import replace
from math import inf
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Final, Self

from taskkit._helpers.checks import check_clock, check_seconds
from taskkit.clock import Clock, SystemClock
from taskkit.errors import SchedulerStoppedError, StoreError
from taskkit.private_files import make_private_folder
from taskkit.schedules.queries import WHY_AT_MOST, shortest_distance
from taskkit.store.database import Database
from taskkit.store.event_recorder import EventRecorder
from taskkit.store.history import Kind, StoredRun, StoredSkip, read_history
from taskkit.store.lock_file import LockFile, wait_until_free
from taskkit.store.restored_state import RestoredState, restored_state
from taskkit.store.retention import Retention, check_retention
from taskkit.store.sqlite_file import Connect, connect, refuse_foreign, refuse_untrusted
from taskkit.store.write_queue import MAX_WAITING_BYTES, WriteQueue
from taskkit.store.writer import Writer

if TYPE_CHECKING:
    from taskkit.scheduler import Scheduler
    from taskkit.spec import TaskSpec

CLOSE_SECONDS: Final = 3.0
"""The default timeout of `close()` and `flush()`."""

JOIN_SECONDS: Final = 0.1
"""The additional time for which `close()` waits for the writer's thread to end."""

_logger = logging.getLogger("taskkit")


class Store:
    """An open store; `Store.open` makes one. Thread-safe. A forked child cannot use it.

    No run and no command waits for the disk: a thread of the store's own writes in batches, a moment after
    things happened. Call `flush` to be sure that something is stored.
    """

    def __init__(
        self,
        database: Database,
        restored: RestoredState,
        lock: LockFile,
        retention: Retention,
        clock: Clock,
        max_waiting_bytes: int,
    ) -> None:
        self.path = database.path
        """The path of the file, absolute and with links resolved."""
        self._database = database
        self._lock_file = lock
        self._time = clock.time
        self._queue = WriteQueue(max_waiting_bytes)
        self._now = clock.now
        self._pid = os.getpid()
        self._restored = restored
        self._attached = False
        self._recorder: EventRecorder | None = None
        self._lifecycle_lock = Lock()
        self._closed = False
        self._writer = Writer(
            database,
            self._queue,
            self._restored.registrations,
            retention,
            clock.now,
            self._request_state,
            self._on_writer_end,
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
        max_waiting_bytes: int = MAX_WAITING_BYTES,
    ) -> Self:
        """Open the store at `path`; create it if there is none.

        A corrupt file is renamed to `PATH.corrupt-DATE`, and a new store is started: `notices` says so.

        Args:
            path: The file. SQLite and the lock add `PATH-wal`, `PATH-shm` and `PATH.lock` beside it. Only
                this user can read them, and the folders that are created for them.
            retention: How much history is kept; `Retention()` by default.
            clock: The scheduler's clock, if it is not the system's.
            connect: Opens the connection to the database; tests pass in a slow or a full disk.
            max_waiting_bytes: How much history is held in memory, about, while it cannot be written. Beyond
                that the oldest is dropped, and counted in `lost`.

        Raises:
            StoreError: The file cannot be written, is locked, is not a store, was written by a newer version,
                or may have been written by someone other than this user and root.
            StoreInUseError: Another process has the store open.
            TypeError: An argument is of the wrong type.
        """
        check_retention(retention)
        if clock is not None:
            check_clock(clock)
        file = Path(path).absolute()
        retention, clock = retention or Retention(), clock or SystemClock()
        try:
            refuse_untrusted(file)
            file = file.resolve()  # two names of one file must have one lock
            make_private_folder(file.parent)
            lock_path = Path(f"{file}.lock")
            was_a_store = lock_path.exists()  # then it may be a corrupt one
        except OSError as error:
            raise StoreError(f"cannot open {file}: {error.strerror} ({error.filename})") from error
        except RuntimeError as error:  # a cycle of symbolic links
            raise StoreError(f"cannot open {file}: {error}") from error
        if not was_a_store:
            refuse_foreign(file)
        lock = LockFile(lock_path, file)
        try:
            database = Database(file, lock, clock.now(), retention, connect)
            try:
                restored = restored_state(database, clock.now())
            except BaseException:
                database.close()
                raise
        except BaseException:
            lock.release()
            raise
        for notice in database.notices:
            _logger.warning("%s", notice)
        return cls(database, restored, lock, retention, clock, max_waiting_bytes)

    @staticmethod
    def wait_until_free(path: str | os.PathLike[str]) -> None:
        """Wait until no process has the store at `path` open. Another one may open it at once.

        This does not poll: the kernel wakes the thread. Nothing else can end the wait, so call it on a daemon
        thread; `taskkit.store.standby` does.

        Raises:
            OSError: Its lock may not be read, or its file system has no locks.
        """
        file = Path(path).absolute().resolve()
        wait_until_free(Path(f"{file}.lock"), file)

    # Following a scheduler

    def attach(self, scheduler: Scheduler) -> None:
        """Restore the scheduler's tasks, and save its state and its history from its start on.

        A scheduler that is started already is restored at once, except for tasks that have run since.

        Raises:
            StoreError: The store is closed, has a scheduler already, or was opened before a fork.
        """
        self._refuse_if_forked()
        with self._lifecycle_lock:
            if self._closed:
                raise StoreError(f"{self.path} is closed")
            if self._attached:
                raise StoreError(f"{self.path} is attached to a scheduler already")
            self._attached = True
        self._recorder = EventRecorder(scheduler, self._restored, self._queue)
        self._writer.start()
        self._queue.wake.open()
        atexit.register(self.close)

    @property
    def is_attached(self) -> bool:
        """True if it was given a scheduler."""
        return self._attached

    def restore(self) -> list[str]:
        """Register the tasks again that a person had registered while the program ran.

        Call it once the program has registered its own tasks, before or after the scheduler's start: a name
        that is taken is left alone. A task that cannot be made any more, because its class is gone for
        example, stays in the store, and `notices` says so.

        Returns:
            The names that were registered.

        Raises:
            SchedulerStoppedError: The scheduler was stopped.
            StoreError: The store has no scheduler, or was opened before this process was forked.
        """
        self._refuse_if_forked()
        if self._recorder is None:
            raise StoreError(f"{self.path} is not attached to a scheduler")
        scheduler = self._recorder.scheduler
        restored = []
        for name, spec in self._restored.specs_to_register():
            if scheduler.handle(name) is not None:
                continue
            try:
                if isinstance(spec, Exception):
                    raise spec
                scheduler.add_spec(self._with_limited_jitter(spec), persist=True, restored=True)
                if spec.executor is not None and spec.executor not in scheduler.executor_names:
                    self._add_notice(
                        f"{name!r} does not run: this program does not have its executor {spec.executor!r}"
                    )
            except SchedulerStoppedError:
                raise
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # noqa: BLE001 - making a task may raise anything, `SystemExit` included
                self._add_notice(f"{name!r} cannot be registered again, and stays in {self.path}: {error!r}")
            else:
                restored.append(name)
        return restored

    def _with_limited_jitter(self, spec: TaskSpec) -> TaskSpec:
        """Return `spec` with its jitter cut to what is allowed: an earlier version took any jitter."""
        jitter, most = spec.policies.jitter_seconds, shortest_distance(spec.schedule, self._time())
        if jitter <= most:
            return spec
        self._add_notice(f"the jitter of {spec.name!r} is limited to {most:g} s, {WHY_AT_MOST}")
        return replace(spec, policies=spec.policies.with_jitter(most))

    def _request_state(self) -> bool:
        # Called on the writer's thread, as is `_on_writer_end`.
        for sentence in self._restored.take_notices():
            self._add_notice(sentence)
        return self._recorder is not None and self._recorder.request_state()

    def _on_writer_end(self) -> None:
        if self._recorder is not None:
            self._recorder.close()  # else the queue would grow, with nothing to empty it
        self._lock_file.release()

    # Reading

    def history(
        self,
        name: str | None = None,
        *,
        limit: int = 100,
        before: int | None = None,
        search: str = "",
        kinds: Collection[Kind] = (),
        since: float | None = None,
        should_continue: Callable[[], bool] | None = None,
    ) -> tuple[StoredRun | StoredSkip, ...]:
        """Return stored runs and skips, newest first; see `read_history`."""
        return read_history(
            self.path,
            name,
            limit=limit,
            before=before,
            search=search,
            kinds=kinds,
            since=since,
            should_continue=should_continue,
        )

    @property
    def is_new(self) -> bool:
        """True if there was no store before this opening."""
        return self._database.is_new

    @property
    def trouble(self) -> str | None:
        """The reason why nothing can be stored at present, in a sentence; `None` if all is well."""
        return self._writer.trouble

    @property
    def notices(self) -> tuple[str, ...]:
        """Sentences for a person, such as: a corrupt file was replaced, a task cannot be restored."""
        return (*self._writer.notices, *self._restored.notices)

    @property
    def lost(self) -> int:
        """The number of runs and skips that were dropped because they could not be written in time."""
        return self._writer.lost

    def _add_notice(self, sentence: str) -> None:
        self._writer.notices.append(sentence)
        _logger.warning("%s", sentence)

    # Writing and closing

    def flush(self, timeout: float = CLOSE_SECONDS) -> bool:
        """Wait until everything that has happened is stored. Then it survives the death of this process.

        In a subscriber it returns `False` at once: the events that it would wait for are delivered only after
        the subscriber has returned.

        Args:
            timeout: Seconds to wait at most.

        Returns:
            True if everything is stored.

        Raises:
            TypeError: `timeout` is not a number.
            ValueError: `timeout` is negative or not a number.
        """
        check_seconds("timeout", timeout, endless=True)
        if self._is_forked_child or not self._writer.is_alive() or self._in_subscriber:
            return False
        return self._writer.flush(timeout)

    def close(self, timeout: float = CLOSE_SECONDS) -> None:
        """Store what has happened, and close the file. A second call does nothing.

        What cannot be written within `timeout` may be lost; then the logger `taskkit` says so. In a
        subscriber it does not wait: the rest is stored after the subscriber has returned.

        Args:
            timeout: Seconds to wait at most.

        Raises:
            TypeError: `timeout` is not a number.
            ValueError: `timeout` is negative or not a number.
        """
        check_seconds("timeout", timeout, endless=True)
        if self._is_forked_child:
            return
        if self._in_subscriber:
            self.close_later()
            return
        atexit.unregister(self.close)
        if self._finish(timeout, lambda: True):
            self._writer.join(timeout + JOIN_SECONDS)
            if self._writer.is_alive():
                self._add_notice(
                    f"{self.path} could not be written within {timeout:g} s; its last part may be missing"
                )

    def close_later(self) -> None:
        """Close the store as soon as no run is active. Returns at once."""
        if self._is_forked_child:
            return
        recorder = self._recorder
        self._finish(inf, lambda: recorder is None or not recorder.scheduler.running)

    def _finish(self, timeout: float, may_end: Callable[[], bool]) -> bool:
        """Have the writer store the rest and end. Returns `False` if it was never started."""
        with self._lifecycle_lock:
            first, self._closed = not self._closed, True
        if self._writer.ident is not None:
            self._writer.finish(timeout, may_end)
            return True
        if first:
            self._database.end(self._now())
            self._on_writer_end()
        return False

    @property
    def _is_forked_child(self) -> bool:
        """True in a forked child, which has no writer and must not write."""
        return os.getpid() != self._pid

    def _refuse_if_forked(self) -> None:
        if self._is_forked_child:
            raise StoreError(
                f"{self.path} was opened by process {self._pid}, of which this process is a fork: "
                "open it after the fork, in the process that should write it"
            )

    @property
    def _in_subscriber(self) -> bool:
        """True if a subscriber is the caller: no event is delivered until it returns."""
        return self._recorder is not None and self._recorder.in_subscriber

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
