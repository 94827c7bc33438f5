"""The thread that writes the store, and the only one that ever waits for the disk.

One turn of its loop:

1. It sleeps until something has happened, then `BATCH_SECONDS` more, for more to happen.
2. It requests the state. The scheduler delivers that on its event thread, after the events that led there.
3. It takes events and state from the queue, and writes them in one transaction.
4. A batch that cannot be written stays, and is tried again, with growing pauses, until it is written.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterable
from threading import Condition
from time import monotonic
from typing import Final

from taskkit.bounded_start import BoundedStartThread
from taskkit.clock import Instant, LockGate
from taskkit.errors import StoreError
from taskkit.store.database import Batch, Database
from taskkit.store.registration_rows import RegistrationRow
from taskkit.store.registrations import PendingRegistrations
from taskkit.store.retention import Retention
from taskkit.store.rows import StoredText
from taskkit.store.sqlite_file import is_corrupt, sqlite_message
from taskkit.store.write_queue import WriteQueue

BATCH_SECONDS: Final = 0.1
"""The time for which a batch grows before it is written."""

FIRST_RETRY_SECONDS: Final = 0.1
LONGEST_RETRY_SECONDS: Final = 2.0
"""The first and the longest pause between two tries to write a batch; each is twice the one before."""

SLOW_WRITE_SECONDS: Final = 3.0
"""The duration after which `trouble` reports a write in progress."""

_STATE_WAIT_SECONDS: Final = 0.2
"""The time between two checks for the deadline of `close()` while slow subscribers hold up the state."""

_logger = logging.getLogger("taskkit")


class Writer(BoundedStartThread):
    """Writes what arrives in a queue. Any thread may use its public methods and attributes.

    Args:
        database: Receives the batches; once this thread is started, no other may use it.
        queue: Supplies events and state.
        registrations: The rows as they were when the database was opened.
        retention: How long to keep a registration that no program renews.
        now: Returns this moment by both clocks.
        request_state: Has the state put into the queue, after everything that led there. Returns `False` if
            the scheduler was not started yet.
        on_end: Called at the very end.
    """

    def __init__(
        self,
        database: Database,
        queue: WriteQueue,
        registrations: dict[StoredText, RegistrationRow],
        retention: Retention,
        now: Callable[[], Instant],
        request_state: Callable[[], bool],
        on_end: Callable[[], object],
    ) -> None:
        super().__init__(self._write_until_end, name="taskkit store")
        self.notices: list[str] = []
        """Sentences for a person, the last hundred."""
        self.lost = 0
        """The number of runs and skips that were dropped because they could not be written in time."""
        self._trouble: str | None = None
        self._writes_since: float | None = None
        self._database = database
        self._now = now
        self._queue = queue
        self._rows = PendingRegistrations(registrations, retention, database.time, now, self._note_once)
        self._request_state = request_state
        self._on_end = on_end
        self._batch = Batch()
        self._broken: str | None = None
        self._retry_seconds = 0.0
        self._write_now = LockGate()
        self._condition = Condition()
        self._requested = 0  # the number of flushes requested; guarded by _condition, as is the rest
        self._flushed = 0  # the number of flushes done
        self._deadline: float | None = None
        self._may_end: Callable[[], bool] = bool

    # For any thread

    @property
    def trouble(self) -> str | None:
        """The reason why nothing can be written at present, in a sentence; `None` if all is well."""
        trouble, since, dropped = self._trouble, self._writes_since, self._queue.dropped
        if trouble is None and since is not None and monotonic() - since > SLOW_WRITE_SECONDS:
            trouble = f"{self._database.path} has waited for the disk for {monotonic() - since:.0f} s"
        if trouble is not None and dropped:
            trouble += f"; {dropped} runs and skips had to be dropped meanwhile"
        return trouble

    def flush(self, timeout: float) -> bool:
        """Have everything written that happened before. Returns `False` if it takes longer than `timeout`."""
        with self._condition:
            self._requested += 1
            mine = self._requested
            self._wake()
            self._condition.wait_for(lambda: self._flushed >= mine or not self.is_alive(), timeout)
            return self._flushed >= mine

    def finish(self, timeout: float, may_end: Callable[[], bool]) -> None:
        """Have the thread write the rest and end. Returns at once.

        Args:
            timeout: Seconds after which it gives up what it cannot write.
            may_end: Returns true once nothing more will happen.
        """
        with self._condition:
            self._requested += 1
            self._may_end = may_end
            self._deadline = monotonic() + timeout
            self._wake()

    def _wake(self) -> None:
        self._write_now.open()
        self._queue.wake.open()

    # On its own thread

    def _write_until_end(self) -> None:
        """Write until `finish()` is called and everything is written, or its timeout is over."""
        while True:
            if self._retry_seconds:
                self._write_now.wait(self._retry_seconds)
            else:
                self._queue.wake.wait(None)
                self._write_now.wait(BATCH_SECONDS)
            with self._condition:
                asked, deadline = self._requested, self._deadline
            # Asked before the batch is written: else the last event could arrive between the two.
            may_end = deadline is not None and self._may_end()
            wrote = self._write_all()
            with self._condition:
                if wrote:
                    self._flushed = asked
                    self._condition.notify_all()
            if deadline is None:
                continue
            if (wrote and may_end) or monotonic() >= deadline:
                break
            if self._may_end():
                self._queue.wake.open()
        self._end(wrote)

    def _end(self, wrote: bool) -> None:
        if not wrote:
            left = len(self._batch.past) + self._queue.waiting
            self._note(f"{left} runs and skips could not be written to {self._database.path}, and are lost")
        try:
            if wrote:
                self._database.end(self._now())
            else:
                self._database.close()
        except sqlite3.Error as error:
            self._note(f"{self._database.path} could not be closed: {error}")
        self._on_end()
        with self._condition:
            self._condition.notify_all()

    def _write_all(self) -> bool:
        """Write everything that has happened until now. Returns `False` if a part could not be written."""
        try:
            if not self._batch.is_empty and not self._write():  # the batch that failed the last time
                return False
            if not self._request_state():
                return True
            while not self._queue.wait_for_states(_STATE_WAIT_SECONDS):
                with self._condition:
                    if self._deadline is not None and monotonic() >= self._deadline:
                        return False
            self._gather()
            return self._batch.is_empty or self._write()
        except Exception as error:
            # An error in this program. The thread must survive it: log it, and try again.
            _logger.exception("unexpected error in the store %s", self._database.path)
            self._fail(repr(error))
            return False

    # Gathering a batch

    def _gather(self) -> None:
        items, states = self._queue.take()
        lost, runs = self._queue.take_dropped()
        self._batch.ended |= runs
        for item in items:
            self._batch.add(item)
        if lost:
            self.lost += lost
            self._note(
                f"{lost} runs and skips are missing in {self._database.path}:"
                " they happened faster than they could be written"
            )
        self._rows.apply(states, self._batch)

    def _note_once(self, sentence: str) -> None:
        if sentence not in self.notices:
            self._note(sentence)

    # Writing the batch

    def _write(self) -> bool:
        try:
            if self._broken is None and not self._database.is_in_place:
                self._broken = "the old one was removed or replaced"
            if self._broken is not None:
                self._start_anew(self._broken)
            self._writes_since = monotonic()
            self._database.write(self._batch, self._now())
        except StoreError as error:
            self._fail(str(error))
            return False
        except sqlite3.OperationalError as error:
            if is_corrupt(error):
                self._broken = f"the old one is corrupt ({error})"
            self._fail(sqlite_message(error))
            return False
        except Exception as error:  # noqa: BLE001 - the parts are written one by one below
            if is_corrupt(error):
                self._broken = f"the old one is corrupt ({error})"
                self._fail(str(error))
                return False
            if not self._write_singly():
                return False
        finally:
            self._writes_since = None
        self._batch = Batch()
        self._recover()
        return True

    def _start_anew(self, why: str) -> None:
        self._broken = why
        rows = self._rows
        self._database.start_anew(why, self._now(), rows.registrations.values(), paused=rows.paused)
        self._broken = None
        self._note(self._database.notices[-1])

    def _write_singly(self) -> bool:
        """Write the parts of the batch one by one, and leave out those that can never be written.

        Returns `False` if the disk fails meanwhile; then the rest becomes the batch.
        """
        batch, now = self._batch, self._now()
        parts = [Batch(past=[row]) for row in batch.past]
        parts += [Batch(started={run: row}) for run, row in batch.started.items()]
        parts += [Batch(registrations={name: row}) for name, row in batch.registrations.items()]
        parts.append(Batch(ended=batch.ended, paused=batch.paused))
        while parts:
            try:
                self._database.write(parts[0], now)
            except sqlite3.OperationalError as error:
                self._batch = _joined(parts)
                self._fail(sqlite_message(error))
                return False
            except Exception as error:  # noqa: BLE001 - one broken part must not hold up the rest
                self._note(
                    f"left out of {self._database.path}, as it cannot be written: {parts[0]} ({error})"
                )
            del parts[0]
        return True

    def _fail(self, why: str) -> None:
        if self._trouble is None:
            self._retry_seconds = FIRST_RETRY_SECONDS
            _logger.warning("%s cannot be written and is tried again: %s", self._database.path, why)
        else:
            self._retry_seconds = min(2 * self._retry_seconds, LONGEST_RETRY_SECONDS)
        self._trouble = f"{self._database.path} cannot be written: {why}"

    def _recover(self) -> None:
        if self._trouble is not None:
            self._trouble = None
            self._retry_seconds = 0.0
            self._queue.wake.open()  # more may have arrived meanwhile
            _logger.warning("%s can be written again", self._database.path)

    def _note(self, sentence: str) -> None:
        self.notices.append(sentence)
        del self.notices[:-100]
        _logger.warning("%s", sentence)


def _joined(parts: Iterable[Batch]) -> Batch:
    joined = Batch()
    for part in parts:
        joined.past += part.past
        joined.started |= part.started
        joined.registrations |= part.registrations
        joined.ended |= part.ended
        joined.paused = part.paused
    return joined
