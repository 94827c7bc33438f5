"""The thread that writes, and the only one that ever waits for the disk.

It sleeps until something has happened, waits a moment for more, asks the scheduler how things stand, and
writes that with all that led there in one transaction. What cannot be written is tried again until it can.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterable
from threading import Condition, Thread
from time import monotonic
from typing import Final

from taskkit.clock import LockGate
from taskkit.store.database import Batch, Database
from taskkit.store.errors import StoreError
from taskkit.store.inbox import Inbox
from taskkit.store.records import Registration, StoredText
from taskkit.store.retention import Retention
from taskkit.store.sqlite_file import in_words, is_corrupt
from taskkit.store.standing import Standing

BATCH_SECONDS: Final = 0.1
"""How long a batch may grow before it is written."""

FIRST_PAUSE: Final = 0.1
LONGEST_PAUSE: Final = 2.0
"""Seconds between two tries to write what could not be written."""

LONG_WRITE: Final = 3.0
"""Seconds after which a write that goes on is told as trouble."""

_STATE_SECONDS: Final = 0.2
"""Between two looks whether it is time to end, while subscribers keep the state of things waiting."""

_logger = logging.getLogger("taskkit")


class Writer(Thread):
    """Writes what comes to an inbox. Its public methods and attributes are for any thread.

    Args:
        database: Where to; once started, this thread's alone.
        inbox: Where from.
        registrations: How they stood when the database was opened.
        retention: How long registrations are kept that nobody renews.
        time: The wall clock, in epoch seconds.
        ask: Has the inbox told how things stand, after everything that led there. `False`: not yet.
        ended: Called at the very end.
    """

    def __init__(
        self,
        database: Database,
        inbox: Inbox,
        registrations: dict[StoredText, Registration],
        retention: Retention,
        time: Callable[[], float],
        ask: Callable[[], bool],
        ended: Callable[[], object],
    ) -> None:
        super().__init__(name="taskkit store", daemon=True)
        self.notices: list[str] = []
        """What a person should know, a sentence each."""
        self.lost = 0
        """How many runs and skips could not be kept until they could be written."""
        self._trouble: str | None = None
        self._writes_since: float | None = None
        self._database = database
        self._inbox = inbox
        self._standing = Standing(registrations, retention, time, self._complain)
        self._time = time
        self._ask = ask
        self._ended = ended
        self._batch = Batch()
        self._broken: str | None = None
        self._pause = 0.0
        self._hurry = LockGate()
        self._turn = Condition()
        self._asked = 0  # flushes that were asked for; guarded by _turn, as is the rest
        self._flushed = 0
        self._deadline: float | None = None
        self._may_end: Callable[[], bool] = bool

    # For any thread

    @property
    def trouble(self) -> str | None:
        """Why nothing can be written at present."""
        trouble, since, dropped = self._trouble, self._writes_since, self._inbox.dropped
        if trouble is None and since is not None and monotonic() - since > LONG_WRITE:
            trouble = f"{self._database.path} has waited for the disk for {monotonic() - since:.0f} s"
        if trouble is not None and dropped:
            trouble += f"; {dropped} runs and skips had to be dropped meanwhile"
        return trouble

    def flush(self, timeout: float) -> bool:
        """Have everything written that happened before. Returns whether it was, within `timeout` seconds."""
        with self._turn:
            self._asked += 1
            mine = self._asked
            self._wake()
            self._turn.wait_for(lambda: self._flushed >= mine or not self.is_alive(), timeout)
            return self._flushed >= mine

    def finish(self, timeout: float, may_end: Callable[[], bool]) -> None:
        """Have it write what is left, and end. Does not wait for that.

        Args:
            timeout: Seconds after which it gives up what it cannot write.
            may_end: Whether nothing more is to come.
        """
        with self._turn:
            self._asked += 1
            self._may_end = may_end
            self._deadline = monotonic() + timeout
            self._wake()

    def _wake(self) -> None:
        self._hurry.open()
        self._inbox.wake.open()

    # On its own thread

    def run(self) -> None:
        """Write until told to finish."""
        while True:
            if self._pause:
                self._hurry.wait(self._pause)
            else:
                self._inbox.wake.wait(None)
                self._hurry.wait(BATCH_SECONDS)
            with self._turn:
                asked, deadline = self._asked, self._deadline
            # Looked at before the turn: else the last event may be on its way when it says so.
            may_end = deadline is not None and self._may_end()
            wrote = self._write_all()
            with self._turn:
                if wrote:
                    self._flushed = asked
                    self._turn.notify_all()
            if deadline is None:
                continue
            if (wrote and may_end) or monotonic() >= deadline:
                break
            if self._may_end():
                self._inbox.wake.open()
        self._end(wrote)

    def _end(self, wrote: bool) -> None:
        if not wrote:
            left = len(self._batch.past) + self._inbox.waiting
            self._note(f"{left} runs and skips could not be written to {self._database.path}, and are lost")
        try:
            self._database.close()
        except sqlite3.Error as error:
            self._note(f"{self._database.path} could not be closed: {error}")
        self._ended()
        with self._turn:
            self._turn.notify_all()

    def _write_all(self) -> bool:
        """Write everything that happened until now. `False`: not everything could be."""
        try:
            if not self._batch.is_empty and not self._write():  # what could not be written the last time
                return False
            if not self._ask():
                return True
            while not self._inbox.wait_for_states(_STATE_SECONDS):
                with self._turn:
                    if self._deadline is not None and monotonic() >= self._deadline:
                        return False
            self._gather()
            return self._batch.is_empty or self._write()
        except Exception as error:
            # Whatever it is: the thread lives on, and says so.
            _logger.exception("the store %s failed where it should not", self._database.path)
            self._fail(repr(error))
            return False

    # What is to be written

    def _gather(self) -> None:
        items, states = self._inbox.take()
        lost, runs = self._inbox.take_dropped()
        self._batch.ended |= runs
        for item in items:
            self._batch.add(item)
        if lost:
            self.lost += lost
            self._note(
                f"{lost} runs and skips are missing in {self._database.path}:"
                " they happened faster than they could be written"
            )
        self._standing.take(states, self._batch)

    def _complain(self, sentence: str) -> None:
        if sentence not in self.notices:
            self._note(sentence)

    # Writing it

    def _write(self) -> bool:
        try:
            if self._broken is None and not self._database.is_in_place:
                self._broken = "it was removed or replaced"
            if self._broken is not None:
                self._begin_anew(self._broken)
            self._writes_since = monotonic()
            self._database.write(self._batch, self._time())
        except StoreError as error:
            self._fail(str(error))
            return False
        except sqlite3.OperationalError as error:
            if is_corrupt(error):
                self._broken = f"it is corrupt ({error})"
            self._fail(in_words(error))
            return False
        except Exception as error:  # noqa: BLE001 - what it is is looked into below, part by part
            if is_corrupt(error):
                self._broken = f"it is corrupt ({error})"
                self._fail(str(error))
                return False
            if not self._write_singly():
                return False
        finally:
            self._writes_since = None
        self._batch = Batch()
        self._recover()
        return True

    def _begin_anew(self, why: str) -> None:
        self._broken = why
        standing = self._standing
        self._database.begin_anew(why, self._time(), standing.registrations.values(), paused=standing.paused)
        self._broken = None
        self._note(self._database.notices[-1])

    def _write_singly(self) -> bool:
        """Something in the batch cannot be written at all: leave that out. `False`: nothing can."""
        batch, now = self._batch, self._time()
        parts = [Batch(past=[row]) for row in batch.past]
        parts += [Batch(started={run: row}) for run, row in batch.started.items()]
        parts += [Batch(registrations={name: row}) for name, row in batch.registrations.items()]
        parts.append(Batch(ended=batch.ended, paused=batch.paused))
        while parts:
            try:
                self._database.write(parts[0], now)
            except sqlite3.OperationalError as error:
                self._batch = _joined(parts)
                self._fail(in_words(error))
                return False
            except Exception as error:  # noqa: BLE001 - whatever it is, it must not keep the rest waiting
                self._note(
                    f"left out of {self._database.path}, as it cannot be written: {parts[0]} ({error})"
                )
            del parts[0]
        return True

    def _fail(self, why: str) -> None:
        if self._trouble is None:
            self._pause = FIRST_PAUSE
            _logger.warning("%s cannot be written and is tried again: %s", self._database.path, why)
        else:
            self._pause = min(2 * self._pause, LONGEST_PAUSE)
        self._trouble = f"{self._database.path} cannot be written: {why}"

    def _recover(self) -> None:
        if self._trouble is not None:
            self._trouble = None
            self._pause = 0.0
            self._inbox.wake.open()  # for what has come meanwhile
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
