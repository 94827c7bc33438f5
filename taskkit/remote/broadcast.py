"""The news of a scheduler, stored once for all clients: rows, lines, failures and notices.

A client costs its set of changed rows and its places in shared, bounded lists, and nothing more. Rows and
lines are encoded when the first client takes them, and the same bytes go to the others. A client that stops
reading therefore costs the service no memory; what it did not read in time is counted as dropped.

All methods run on the server's thread, except `receive`.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Final, Generic, NamedTuple, TypeVar

from taskkit.events import OutputWritten, RunFinished
from taskkit.remote.line_backlog import ChunkQueue, LineBacklog
from taskkit.remote.protocol import MOST_BYTES_SENT, json_text
from taskkit.remote.rows import to_row
from taskkit.remote.shortening import encoded_task, shortened_failure

if TYPE_CHECKING:
    from taskkit.engine.watch import Watch
    from taskkit.events import Event
    from taskkit.scheduler import Scheduler
    from taskkit.snapshot import Figures, TaskSnapshot

MOST_FAILURES: Final = 100
FAILURES_A_FRAME: Final = 16
"""The most failures in one frame: the newest. No one reads more in a tenth of a second."""
MOST_NOTICES: Final = 200
MOST_GONE: Final = 20_000
"""The most numbers of gone handles that wait for one client; beyond that it is sent all rows again."""
ROWS_A_LOOK: Final = 100
"""The most rows that one look takes in, so that the scheduler's lock is held for a millisecond or so."""
ROWS_A_FRAME: Final = 200
"""The most rows in one frame, which says how many are left."""
LOG_BYTES_A_FRAME: Final = MOST_BYTES_SENT // 4
ROW_BYTES_A_FRAME: Final = MOST_BYTES_SENT // 2

T = TypeVar("T")


class Failure:
    """A run that failed, without what it wrote."""

    __slots__ = ("_encoded", "_event")

    def __init__(self, event: RunFinished) -> None:
        self._event = replace(event, outcome=shortened_failure(event.outcome))
        self._encoded: str | None = None

    def encoded(self) -> str:
        """Return the failure as JSON; made once, for the first client that takes it."""
        if self._encoded is None:
            event = self._event
            self._encoded = json_text((event.at, event.name, event.run, to_row(event.outcome)))
        return self._encoded


class Backlog(Generic[T]):
    """The newest items for clients that each read at their own pace.

    Args:
        most: Items that are kept.
    """

    def __init__(self, most: int) -> None:
        self._items: deque[T] = deque(maxlen=most)
        self.end = 0
        """The place after the newest item: what a client that begins now has read."""

    def add(self, item: T) -> None:
        """Keep one more item; the oldest falls out if there are too many."""
        self._items.append(item)
        self.end += 1

    def since(self, place: int) -> list[T]:
        """Return the items that a client at `place` has not read, except those that fell out."""
        missing = self.end - place
        return list(self._items)[-missing:] if missing > 0 else []


class Reader:
    """The news that one client has not been sent yet.

    Args:
        broadcast: The news of all clients.
        number: The number of its session.
    """

    def __init__(self, broadcast: Broadcast, number: int) -> None:
        self.number = number
        self.rows: dict[int, None] = dict.fromkeys(broadcast.rows)
        self.gone: list[int] = []
        self.lines = broadcast.lines.end
        self.failures = broadcast.failures.end
        self.notices = broadcast.notices.end
        self.begins_anew = False
        self.to_fill = len(self.rows)
        """Rows that are sent as quickly as the client reads, and not at the pace of the looks."""


class ClientNotice(NamedTuple):
    """A sentence about a command of one client, for the others to read."""

    at: float
    """Epoch seconds."""
    text: str
    by: int
    """The number of the session that did it, which is not sent the notice."""


class Broadcast:
    """Follows a scheduler while at least one client watches.

    Args:
        scheduler: The scheduler to follow.
    """

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._watch: Watch | None = None
        self._unsubscribe = _do_nothing
        self._received = ChunkQueue()
        self._failed: deque[RunFinished] = deque(maxlen=MOST_FAILURES)
        self._rest = 0  # changed handles that the next collects take in
        self._is_filling = False  # True until each handle was taken in once
        self._readers: list[Reader] = []
        self.rows: dict[int, TaskSnapshot | str] = {}
        """The newest state of each handle by its number; encoded as soon as a client has taken it."""
        self.lines = LineBacklog()
        self.failures: Backlog[Failure] = Backlog(MOST_FAILURES)
        self.notices: Backlog[ClientNotice] = Backlog(MOST_NOTICES)
        self.figures: Figures | None = None

    def add_reader(self, number: int) -> Reader:
        """Begin to keep what is new for the client of a session; it is sent all rows first."""
        if self._watch is None:
            self._watch = self._scheduler.watch()
            self._watch.follow_failures(self._failed.append)
            self._unsubscribe = self._scheduler.subscribe(self.receive, kinds=(OutputWritten,))
            self._is_filling = True
        reader = Reader(self, number)
        self._readers.append(reader)
        return reader

    def remove_reader(self, reader: Reader) -> None:
        """Stop keeping what is new for a client; without clients nothing is followed any more."""
        if reader in self._readers:
            self._readers.remove(reader)
        if not self._readers:
            self.close()

    def close(self) -> None:
        """Stop following the scheduler and forget what was kept."""
        self._unsubscribe()
        self._unsubscribe = _do_nothing
        if self._watch is not None:
            self._watch.close()
            self._watch = None
        self._received = ChunkQueue()
        self._failed.clear()
        self._rest = 0
        self.rows.clear()
        self.lines = LineBacklog()

    def receive(self, event: Event) -> None:
        """Keep lines until the next `collect`. On the thread that delivers events."""
        assert isinstance(event, OutputWritten)
        self._received.put(event)

    def collect(self) -> bool:
        """Take in what is new. Returns False if there is more to take in at once."""
        assert self._watch is not None
        changes = self._watch.collect(most=ROWS_A_LOOK)
        self.figures = changes.figures
        for task in changes.changed:
            self.rows[task.number] = task
            for reader in self._readers:
                reader.rows[task.number] = None
        for number in changes.gone:
            if self.rows.pop(number, None) is not None:
                for reader in self._readers:
                    reader.rows.pop(number, None)
                    reader.gone.append(number)
                    if len(reader.gone) > MOST_GONE:
                        self._begin_anew(reader)
        for chunk in self._received.take():
            self.lines.add(chunk)
        while self._failed:
            self.failures.add(Failure(self._failed.popleft()))
        self._rest = changes.rest
        if self._is_filling:
            self._is_filling = bool(changes.rest)
            for reader in self._readers:
                reader.to_fill = len(reader.rows)
        return not changes.rest

    def _begin_anew(self, reader: Reader) -> None:
        """Send all rows again to a client that has not read for very long; it discards its own."""
        reader.begins_anew = True
        reader.gone = []
        reader.rows = dict.fromkeys(self.rows)
        reader.to_fill = len(reader.rows)

    def has_news(self, reader: Reader) -> bool:
        """True if a frame for this client would hold more than the figures."""
        return bool(
            reader.rows
            or reader.gone
            or reader.lines < self.lines.end
            or reader.failures < self.failures.end
            or reader.notices < self.notices.end
        )

    def frame(self, reader: Reader, number: int) -> bytes:
        """Return the next frame for a client, as its line."""
        rows: list[str] = []
        size = 0
        for key in list(islice(reader.rows, ROWS_A_FRAME)):
            row = self._row(key)
            size += len(row)
            if rows and size > ROW_BYTES_A_FRAME:
                break
            del reader.rows[key]
            rows.append(row)
        reader.to_fill = max(0, reader.to_fill - len(rows))
        lines, dropped, reader.lines = self.lines.take(reader.lines, LOG_BYTES_A_FRAME)
        failures = [each.encoded() for each in self.failures.since(reader.failures)[-FAILURES_A_FRAME:]]
        reader.failures = self.failures.end
        notices = [
            (each.at, each.text) for each in self.notices.since(reader.notices) if each.by != reader.number
        ]
        reader.notices = self.notices.end
        gone, reader.gone = reader.gone, []
        anew, reader.begins_anew = reader.begins_anew, False
        parts = [
            f'"frame":{number}',
            f'"anew":{json_text(anew)}',
            f'"figures":{json_text(to_row(self.figures))}',
            f'"rows":[{",".join(rows)}]',
            f'"rest":{len(reader.rows) + self._rest}',
            f'"gone":{json_text(gone)}',
            f'"log":[{",".join(lines)}]',
            f'"dropped":{dropped}',
            f'"failures":[{",".join(failures)}]',
            f'"notices":{json_text(notices)}',
        ]
        return ("{" + ",".join(parts) + "}\n").encode("ascii")

    def _row(self, number: int) -> str:
        row = self.rows[number]
        if not isinstance(row, str):
            row = self.rows[number] = encoded_task(row)
        return row


def _do_nothing() -> None:
    """Do nothing, instead of ending a subscription, while there is none."""
