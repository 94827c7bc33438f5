"""One client of a served scheduler: its requests, its answers and frames, and its limits.

A client is sent nothing that it has not asked for: each frame is granted, each answer has a request. While it
does not read, its requests are not read either, so it costs the service no more than one answer.
"""

from __future__ import annotations

import os
import pwd
import socket
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from time import monotonic
from typing import TYPE_CHECKING, Final

from taskkit._helpers.user_frames import error_words
from taskkit.bounded_start import BoundedStartThread
from taskkit.errors import TaskkitError
from taskkit.remote.errors import ProtocolError, RefusedError
from taskkit.remote.protocol import (
    GREETING_SECONDS,
    MOST_BYTES_TO_SERVER,
    MOST_NESTED,
    MOST_WAITING_REQUESTS,
    LineReader,
    decode,
    encode,
)
from taskkit.remote.requests import REQUESTS, Arguments, Request
from taskkit.remote.rows import to_row
from taskkit.remote.shortening import MOST_OUTCOME_BYTES, shortened_outcome
from taskkit.words.plain_text import cut_end, harmless

if TYPE_CHECKING:
    from taskkit.outcome import Outcome
    from taskkit.remote.broadcast import Reader
    from taskkit.remote.server import Server
    from taskkit.remote.sockets import Peer

MOST_UNSENT: Final = 1024 * 1024
"""Bytes that wait to be sent; while there are more, the client's requests are not read."""
FIGURES_SECONDS: Final = 1.0
"""The longest time between two frames to a client that watches. With nothing new they are a sign of life."""
LAST_WORDS_SECONDS: Final = 2.0
"""Time limit for a last message to a client that does not read."""
OWN_REQUESTS: Final = ("cancel", "clients", "await_outcome")
"""Requests that are about this connection or the others, and not about the scheduler alone."""
_IDLE_SECONDS: Final = 5.0
"""Lifetime of an idle thread for slow requests."""
_PIECE: Final = 65_536
_LONGEST_WORD: Final = 40
_SHORTEST_SECRET: Final = 16


class Job:
    """A slow request that waits or is carried out."""

    __slots__ = ("arguments", "cancelled", "deadline", "identity", "request")

    def __init__(self, identity: int | str, request: Request, message: Mapping[str, object]) -> None:
        self.identity = identity
        self.request = request
        self.deadline = message.get("by")
        self.cancelled = False
        self.arguments = Arguments(message, lambda: self.cancelled)


class Session:
    """One connection. All methods run on the server's thread, but for `_work`.

    Args:
        server: The server that it is a client of.
        connection: The socket to the client; it does not block.
        peer: The process at the other end.
        number: Unique in the server.
    """

    def __init__(self, server: Server, connection: socket.socket, peer: Peer, number: int) -> None:
        self.connection = connection
        self.number = number
        self.watches = False
        """True once the client has asked for frames."""
        self.reader: Reader | None = None
        self.who = ""
        """The person, for others to read: `ada (pts/3)`."""
        self.owner: object = self
        """The owner of this client's changes, who alone may undo them, also over a new connection."""
        self.is_closed = False
        self._server = server
        self._peer = peer
        self._lines = LineReader(MOST_BYTES_TO_SERVER)
        self._unsent = bytearray()
        self._closes_when_sent = False
        self._deadline: float | None = monotonic() + GREETING_SECONDS
        """The instant at which it is closed, if no hello has come or the last message is not read."""
        self._has_said_hello = False
        self._granted = False
        self._frames = 0
        self._framed_at = 0.0
        self._jobs: list[Job] = []
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._has_worker = False

    # Reading and writing

    @property
    def wants_to_read(self) -> bool:
        """True unless too many bytes wait to be sent."""
        return not self._closes_when_sent and len(self._unsent) <= MOST_UNSENT

    @property
    def wants_to_write(self) -> bool:
        """True if bytes wait to be sent."""
        return bool(self._unsent)

    def read(self) -> None:
        """Read requests of the client, and carry them out."""
        try:
            piece = self.connection.recv(_PIECE)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        if not piece:
            self._server.drop(self)
            return
        try:
            for line in self._lines.feed(piece):
                if self.is_closed or self._closes_when_sent:
                    return
                self._take(decode(line, most_nested=MOST_NESTED))
        except ProtocolError as error:
            self.end_with({"error": {"kind": "protocol", "text": str(error)}})

    def write(self) -> None:
        """Send waiting bytes, as many as the client takes."""
        try:
            while self._unsent:
                with memoryview(self._unsent) as unsent:
                    sent = self.connection.send(unsent)
                del self._unsent[:sent]
        except BlockingIOError:
            return
        except OSError:
            self._server.drop(self)
            return
        if self._closes_when_sent:
            self._server.drop(self)

    def send(self, line: bytes) -> None:
        """Send a line, now or when the client takes it."""
        if not self.is_closed:
            self._unsent += line
            self.write()

    def end_with(self, message: Mapping[str, object]) -> None:
        """Send one last message, and close the connection when it is sent."""
        self._closes_when_sent = True
        self._deadline = monotonic() + LAST_WORDS_SECONDS
        self.send(encode(message))

    # What it asks

    def _take(self, message: Mapping[str, object]) -> None:
        if "hello" in message:
            self._say_hello(message)
        elif not self._has_said_hello:
            raise ProtocolError("not a hello: a client says hello before it asks for anything")
        elif "next" in message:
            self._granted = True
            if self.reader is not None and self.reader.to_fill:
                self._send_if_possible()  # the first rows are sent as quickly as they are read
        else:
            self._ask(message)

    def _say_hello(self, message: Mapping[str, object]) -> None:
        if self._has_said_hello:
            raise ProtocolError("hello was said already")
        if not isinstance(message["hello"], int) or isinstance(message["hello"], bool):
            raise ProtocolError("not a hello: it names no protocol version")
        self._has_said_hello, self._deadline = True, None
        self.who = _person(self._peer, message)
        client = message.get("client")
        if isinstance(client, str) and len(client) >= _SHORTEST_SECRET:
            self.owner = client
        if message.get("watch") is True:
            trouble = self._server.admit(self)
            if trouble is not None:
                self.end_with({"error": {"kind": "too_many", "text": trouble}})

    def _ask(self, message: Mapping[str, object]) -> None:
        identity = message.get("id")
        if not isinstance(identity, int | str) or isinstance(identity, bool):
            raise ProtocolError("not a request: it has no id")
        try:
            answer = self._start(identity, message)
        except RefusedError as error:
            self.send(_refusal(identity, error.kind, str(error)))
            return
        if answer is not None:
            self.send(answer)

    def _start(self, identity: int | str, message: Mapping[str, object]) -> bytes | None:
        """Carry a request out, or put it where slow ones wait. Returns None for a slow one."""
        name = message.get("do")
        match name:
            case "cancel":
                return _answer(identity, {"cancelled": self._cancel(message.get("of"))})
            case "clients":
                return _answer(identity, {"clients": self._server.clients(but=self)})
            case "await_outcome":
                self._await_outcome(identity, Arguments(message))
                return None
        request = REQUESTS.get(name) if isinstance(name, str) else None
        if request is None:
            shown = harmless(cut_end(str(name), _LONGEST_WORD))
            raise RefusedError("unknown_request", f"this service does not know the request {shown}")
        if request.changes_something and self._server.access != "control":
            raise RefusedError("view_only", "this socket is view only")
        if request.changes_something and self._server.is_standby:
            raise RefusedError("standby", "it is on standby: another process runs its tasks; ask that one")
        if is_late(message.get("by")):
            raise RefusedError("too_late", "the request came too late, and was not carried out")
        job = Job(identity, request, message)
        if not request.slow:
            return self._perform(job)
        self._refuse_too_many()
        self._jobs.append(job)
        self._queue.put(job)
        if not self._has_worker:
            self._start_worker()
        return None

    def _refuse_too_many(self) -> None:
        if len(self._jobs) + self._server.waits.count(self.number) >= MOST_WAITING_REQUESTS:
            raise RefusedError("too_much", f"{MOST_WAITING_REQUESTS} requests wait already")

    def _cancel(self, identity: object) -> bool:
        """Give up a request that has no answer yet. Return False if there is none with that id."""
        if not isinstance(identity, int | str):
            return False
        meant = [job for job in self._jobs if job.identity == identity]
        for job in meant:
            job.cancelled = True
        if meant:
            return True
        if not self._server.waits.remove(self.number, identity):
            return False
        self.send(_refusal(identity, "cancelled", "the request was cancelled"))
        return True

    def _await_outcome(self, identity: int | str, given: Arguments) -> None:
        name, after = given.text("name"), given.whole("after", 2**63 - 1, 0)
        self._refuse_too_many()

        def answer(outcome: Outcome) -> None:
            row = to_row(shortened_outcome(outcome, MOST_OUTCOME_BYTES))
            self.send(_answer(identity, {"outcome": row}))

        self._server.waits.add(self.number, identity, name, after, answer)

    def _start_worker(self) -> None:
        self._has_worker = True
        try:
            BoundedStartThread(self._work, name="taskkit remote requests").start()
        except (RuntimeError, MemoryError):  # no thread could be started
            self._has_worker = False
            while not self._queue.empty():
                job = self._queue.get()
                if job is not None:
                    self._done(job, _refusal(job.identity, "failed", "the service can start no thread"))

    def _perform(self, job: Job) -> bytes:
        """Carry a request out. Returns the answer as a line. Any thread; never raises."""
        server, request = self._server, job.request
        try:
            answer = request.perform(server.operations, job.arguments, self.owner)
            if request.changes_something:
                server.call(lambda: server.announce(self, request.verb, answer))
            return _answer(job.identity, answer)
        except RefusedError as error:
            return _refusal(job.identity, error.kind, str(error))
        except TaskkitError as error:
            return _refusal(job.identity, "failed", str(error))
        except BaseException as error:  # noqa: BLE001 - other people's code may raise anything, and serving goes on
            return _refusal(job.identity, "failed", error_words(error))

    def _work(self) -> None:
        """Carry out slow requests one by one, until none came for a while. On a thread of its own."""
        while True:
            try:
                job = self._queue.get(timeout=_IDLE_SECONDS)
            except Empty:
                job = None
            if job is None:
                self._server.call(self._worker_ends)
                return
            if job.cancelled or self.is_closed:
                answer = _refusal(job.identity, "cancelled", "the request was cancelled")
            elif is_late(job.deadline):
                answer = _refusal(job.identity, "too_late", "its turn came too late; it was not carried out")
            else:
                answer = self._perform(job)
            self._server.call(partial(self._done, job, answer))

    def _worker_ends(self) -> None:
        # A request may have come while the thread gave up: then another thread takes it.
        self._has_worker = False
        if not self._queue.empty() and not self.is_closed:
            self._start_worker()

    def _done(self, job: Job, answer: bytes) -> None:
        self._jobs.remove(job)
        self.send(answer)

    # What it is sent

    def next_deadline(self) -> float | None:
        """Return when `tick` is due, by the monotonic clock; None for not before a message comes."""
        return self._deadline

    def tick(self, now: float) -> None:
        """End the connection if no hello came in time, or its last message was not read."""
        if self._deadline is None or now <= self._deadline:
            return
        if self._closes_when_sent:
            self._server.drop(self)
        else:
            self.end_with({"error": {"kind": "protocol", "text": "no hello came in time"}})

    def offer_frame(self, now: float) -> None:
        """Send a frame if the client waits for one, and there is news or it is time for a sign of life."""
        if self.reader is None:
            return
        if now - self._framed_at >= FIGURES_SECONDS or self._server.broadcast.has_news(self.reader):
            self._send_if_possible()

    def _send_if_possible(self) -> None:
        if self._granted and not self._unsent and not self._closes_when_sent:
            self.send_frame()

    def send_frame(self) -> None:
        """Send a frame with the news."""
        if self.reader is None:
            return
        self._granted = False
        self._framed_at = monotonic()
        self._frames += 1
        self.send(self._server.broadcast.frame(self.reader, self._frames))

    def close(self) -> None:
        """Close the connection, and give up its requests. Its thread ends."""
        self.is_closed = True
        for job in self._jobs:
            job.cancelled = True
        self._queue.put(None)
        with suppress(OSError):
            self.connection.close()


def is_late(deadline: object) -> bool:
    """True if a request must not be carried out any more: its client no longer waits for the answer.

    Args:
        deadline: By the monotonic clock of this process; anything but a number for never.
    """
    return isinstance(deadline, int | float) and monotonic() > deadline


def _answer(identity: int | str, answer: object) -> bytes:
    return encode({"id": identity, "ok": answer})


def _refusal(identity: int | str, kind: str, text: str) -> bytes:
    shown = harmless(cut_end(" ".join(text.split()), 400))
    return encode({"id": identity, "error": {"kind": kind, "text": shown}})


def _person(peer: Peer, message: Mapping[str, object]) -> str:
    """Return the person at the other end, in words.

    The kernel says whose account it is; the terminal is what the client says.
    """
    try:
        user = pwd.getpwuid(peer.uid).pw_name
    except (KeyError, OSError):
        user = f"uid {peer.uid}"
    tty, program = message.get("tty"), message.get("program")
    if isinstance(tty, str) and tty:
        where = tty
    elif isinstance(program, str) and program:
        where = f"{program}, {peer.pid}" if peer.pid else program
    else:
        where = str(peer.pid or os.getpid())
    return f"{harmless(user)} ({harmless(cut_end(where, _LONGEST_WORD))})"
