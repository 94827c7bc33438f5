"""A connection to a served scheduler: requests, news, and finding it again when it was lost.

A thread of its own reads and writes, so that no caller waits: a request is a future, and news are
taken when it suits. The service may be stopped at any moment; nothing here blocks then.
"""

from __future__ import annotations

import os
import socket
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from math import inf
from secrets import token_hex
from selectors import EVENT_READ, EVENT_WRITE, DefaultSelector
from threading import Lock
from time import monotonic, time
from typing import Any, Final, NamedTuple

from taskkit.bounded_start import BoundedStartThread
from taskkit.remote.errors import NoAnswerError, ProtocolError, RefusedError, RemoteError, VersionError
from taskkit.remote.link import Link, LinkState
from taskkit.remote.long_requests import joined, parts_of
from taskkit.remote.protocol import (
    GREETING_SECONDS,
    MOST_BYTES_TO_CLIENT,
    MOST_BYTES_TO_SERVER,
    REQUEST_SECONDS,
    LineReader,
    common_version,
    decode,
    encode,
)
from taskkit.remote.rows import RowReader, check_columns
from taskkit.remote.sockets import SocketFile
from taskkit.remote.successors import successor

SILENCE_SECONDS: Final = 3.0
"""Time without a line after which an attached service counts as not answering; it sends one every second."""
SEARCH_SECONDS: Final = 0.3
"""The time between two attempts to find a lost service again."""
LONG_REQUESTS: Final = {"earlier": 60.0, "await_outcome": inf}
"""Seconds that an answer may take, where that is longer than usual."""
MOST_UNTAKEN: Final = 50
"""The most frames that wait to be taken. More than one does while many rows come, as at the beginning."""
_PIECE: Final = 65_536


class News(NamedTuple):
    """One frame, with what is needed to read it."""

    life: int
    """The number of the instance that sent it, counted by this client; see `Client.lives`."""
    rows: RowReader
    """Reads its rows."""
    frame: dict[str, Any]


class Client:
    """A connection to one served scheduler. Thread-safe.

    Args:
        file: Its socket.
        watch: Ask for frames, and reconnect when it is lost.
        tty: The terminal of the person, as in `pts/3`; empty without one.
        program: What this program is called.
    """

    def __init__(self, file: SocketFile, *, watch: bool, tty: str = "", program: str = "taskkit") -> None:
        self.file = file
        self.greeting: dict[str, object] | None = None
        """The greeting of the service at the last connection."""
        self.rows = RowReader({})
        """Reads the rows of this service."""
        self.lives = 0
        """The number of instances it was attached to. Rows and lines of an earlier one are out of date."""
        self._watch = watch
        self._hello = {"watch": watch, "tty": tty, "program": program, "client": token_hex(16)}
        self._selector = DefaultSelector()
        self._wakes, self._woken = socket.socketpair()
        self._lock = Lock()
        self._outgoing: deque[tuple[int, dict[str, object], Future[dict[str, object]]]] = deque()
        self._calls: deque[Callable[[], object]] = deque()
        self._pending: dict[int, tuple[Future[dict[str, object]], float]] = {}
        self._news: deque[News] = deque()
        self._has_asked = False
        """True while a frame was asked for that has not come."""
        self._next_id = 0
        self._connection: socket.socket | None = None
        self._lines = LineReader(MOST_BYTES_TO_CLIENT)
        self._unsent = bytearray()
        self._greeted_at = 0.0
        self._heard_at = monotonic()
        self._link = Link.CONNECTING
        self._link_since = monotonic()
        self._text = ""
        self._lost_at: float | None = None  # epoch seconds
        self._search_at = 0.0
        self._closing = False
        for each in (self._wakes, self._woken):
            each.setblocking(False)
        self._thread = BoundedStartThread(self._work, name="taskkit client")
        self._thread.start()

    # For everybody

    @property
    def state(self) -> LinkState:
        """The present state of the connection."""
        now = monotonic()
        link = self._link
        silence = now - self._heard_at
        is_silent = link is Link.CONNECTING or (link is Link.ATTACHED and self._watch)
        if is_silent and silence >= SILENCE_SECONDS:
            return LinkState(Link.NO_ANSWER, silence)
        return LinkState(link, now - self._link_since, self._text)

    @property
    def may_command(self) -> bool:
        """True unless the service refuses commands."""
        return self.greeting is not None and self.greeting.get("access") == "control"

    def ask(self, request: str, **arguments: object) -> Future[dict[str, object]]:
        """Send a request. The future holds the answer; its callbacks are called on the client's thread.

        The future raises `RefusedError` if the service refused it, `NoAnswerError` if no answer came, so that
        the effect is unknown, and `RemoteError` if nothing was sent. A request about very many tasks is sent
        in parts, one after the other. If one fails, those before it were carried out.
        """
        parts = parts_of(arguments)
        if len(parts) == 1:
            return self._ask(request, arguments)
        whole: Future[dict[str, object]] = Future()
        answers: list[dict[str, object]] = []

        def ask_next() -> None:
            self._ask(request, parts[len(answers)]).add_done_callback(answered)

        def answered(part: Future[dict[str, object]]) -> None:
            error = part.exception()
            if error is not None:
                done = f" ({len(answers)} of {len(parts)} parts of the request were carried out)"
                _fail(whole, _with_words(error, done) if answers else error)
                return
            answers.append(part.result())
            if len(answers) < len(parts) and not whole.cancelled():
                ask_next()
            else:
                with suppress(InvalidStateError):  # it was cancelled
                    whole.set_result(joined(answers))

        ask_next()
        return whole

    def _ask(self, request: str, arguments: Mapping[str, object]) -> Future[dict[str, object]]:
        future: Future[dict[str, object]] = Future()
        with self._lock:
            self._next_id += 1
            self._outgoing.append((self._next_id, {"do": request, **arguments}, future))
        self._wake()
        return future

    def take_news(self) -> Iterator[News]:
        """Yield the frames that have come, oldest first, and ask for the next one after the last.

        The caller may stop early; the other frames are kept for the next call.
        """
        while self._news:
            news = self._news.popleft()
            if not self._news:
                self._call_soon(self._ask_for_frame)
            yield news

    @property
    def has_news(self) -> bool:
        """True if frames have come that are not taken yet."""
        return bool(self._news)

    def attach_to(self, file: SocketFile) -> None:
        """Connect to another service instead."""

        def attach() -> None:
            self._lose("", Link.CONNECTING)
            self.file = file
            self._connect()

        self._call_soon(attach)

    def close(self) -> None:
        """End the connection. Requests on their way get no answer."""
        self._closing = True
        self._wake()
        self._thread.join(1.0)

    # On its own thread

    def _call_soon(self, function: Callable[[], object]) -> None:
        self._calls.append(function)
        self._wake()

    def _wake(self) -> None:
        with suppress(OSError):
            self._wakes.send(b"\0")

    def _work(self) -> None:
        self._selector.register(self._woken, EVENT_READ)
        self._connect()
        while not self._closing:
            for key, mask in self._selector.select(self._timeout()):
                if key.fileobj is self._woken:
                    with suppress(BlockingIOError):
                        while self._woken.recv(4096):
                            pass
                elif key.fileobj is self._connection:
                    if mask & EVENT_WRITE:
                        self._flush()
                    if mask & EVENT_READ:
                        self._read()
            self._take_outgoing()
            self._check_deadlines()
        self._lose("closed", Link.NOT_CONNECTED)
        self._take_outgoing()
        self._selector.close()
        self._wakes.close()
        self._woken.close()

    def _timeout(self) -> float | None:
        deadlines = [deadline for _, deadline in self._pending.values() if deadline < inf]
        if self._connection is None and self._watch:
            deadlines.append(self._search_at)
        if self._link is Link.CONNECTING and self._outgoing:
            deadlines.append(self._link_since + GREETING_SECONDS)
        return max(0.0, min(deadlines) - monotonic()) if deadlines else None

    @property
    def _who(self) -> str:
        return f"{self.file.name} (process {self.file.pid})"

    def _become(self, link: Link, text: str = "") -> None:
        self._link, self._link_since, self._text = link, monotonic(), text

    def _connect(self) -> None:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.setblocking(False)
        try:
            connection.connect(str(self.file.path))
        except OSError as error:
            connection.close()
            self._search_at = monotonic() + SEARCH_SECONDS
            if self._link is Link.CONNECTING:
                self._become(Link.NOT_CONNECTED, error.strerror or str(error))
            return
        self._connection = connection
        self._heard_at = monotonic()
        self._lines = LineReader(MOST_BYTES_TO_CLIENT)
        self._unsent.clear()
        self._selector.register(connection, EVENT_READ)
        if self._link is not Link.CONNECTING:
            self._become(Link.CONNECTING)

    def _lose(self, reason: str, link: Link) -> None:
        """Handle the loss of the connection: pending requests fail."""
        if self._connection is not None:
            with suppress(KeyError, ValueError):
                self._selector.unregister(self._connection)
            self._connection.close()
            self._connection = None
            if self._lost_at is None:
                self._lost_at = time()
        pending, self._pending = self._pending, {}
        for future, _ in pending.values():
            _fail(future, NoAnswerError(f"the connection was lost ({reason}): the effect is unknown"))
        self._search_at = monotonic() + SEARCH_SECONDS
        self._become(link, reason)

    def _lose_at_end(self, reason: str) -> None:
        """Handle the end of the connection: what the service has said last goes before `reason`.

        Where a request of ours was still unread there, the end is a reset, and comes after a goodbye too.
        """
        said_why = self._link in (Link.ENDED, Link.UNUSABLE) or (
            self._link is Link.NOT_CONNECTED and self._text
        )
        self._lose(self._text if said_why else reason, self._link if said_why else Link.NOT_CONNECTED)

    def _read(self) -> None:
        assert self._connection is not None
        try:
            piece = self._connection.recv(_PIECE)
        except BlockingIOError:
            return
        except OSError as error:
            self._lose_at_end(error.strerror or str(error))
            return
        if not piece:
            self._lose_at_end("the service closed it")
            return
        self._heard_at = monotonic()
        try:
            for line in self._lines.feed(piece):
                self._take(decode(line))
        except VersionError as error:
            self._lose(str(error), Link.UNUSABLE)
        except ProtocolError as error:
            self._lose(str(error), Link.NOT_CONNECTED)

    def _take(self, message: dict[str, object]) -> None:
        if "protocol" in message:
            self._greeted(message)
        elif "frame" in message:
            self._has_asked = False
            self._news.append(News(self.lives, self.rows, message))
            if message.get("rest") and len(self._news) < MOST_UNTAKEN:
                self._ask_for_frame()
        elif "bye" in message:
            self._become(Link.ENDED, str(message["bye"]))
        elif "id" in message:
            self._answered(message)
        elif "error" in message:
            refusal = message["error"]
            kind, text = (refusal.get("kind"), refusal.get("text")) if isinstance(refusal, dict) else ("", "")
            # A place may become free, and a service may be replaced; who it belongs to does not change.
            self._become(Link.UNUSABLE if kind == "not_yours" else Link.NOT_CONNECTED, str(text))

    def _greeted(self, greeting: dict[str, object]) -> None:
        versions = greeting["protocol"]
        if not isinstance(versions, list) or len(versions) != 2:
            raise ProtocolError("not a greeting: it does not name its protocol versions")
        version = common_version(versions[0], versions[1])
        self.rows = RowReader(check_columns(greeting.get("columns")))
        if self.greeting is None or self.greeting.get("instance") != greeting.get("instance"):
            self.lives += 1
            self._news.clear()
        self.greeting = greeting
        self._greeted_at = self._heard_at = monotonic()
        self._lost_at = None
        self._send({"hello": version, **self._hello})
        self._become(Link.ATTACHED)
        self._has_asked = False
        if self._watch:
            self._ask_for_frame()

    def _ask_for_frame(self) -> None:
        if not self._has_asked and self._link is Link.ATTACHED:
            self._has_asked = True
            self._send({"next": 1})

    def _answered(self, message: dict[str, object]) -> None:
        identity = message["id"]
        found = self._pending.pop(identity, None) if isinstance(identity, int) else None
        if found is None:
            return
        future, _ = found
        refusal = message.get("error")
        if isinstance(refusal, dict):
            _fail(future, RefusedError(str(refusal.get("kind")), str(refusal.get("text"))))
        else:
            answer = message.get("ok")
            with suppress(InvalidStateError):  # it was cancelled
                future.set_result(answer if isinstance(answer, dict) else {})

    def _take_outgoing(self) -> None:
        while self._calls:
            self._calls.popleft()()
        while self._outgoing and (self._closing or self._link is not Link.CONNECTING):
            with self._lock:
                identity, message, future = self._outgoing.popleft()
            if self._link is not Link.ATTACHED:
                why = f" ({self._text})" if self._text else ""
                _fail(future, RemoteError(f"{self._who} is not connected{why}: nothing was sent"))
            else:
                self._send_request(identity, message, future)

    def _send_request(self, identity: int, message: dict[str, object], future: Future[Any]) -> None:
        now = monotonic()
        wait = LONG_REQUESTS.get(str(message.get("do")), REQUEST_SECONDS)
        line = encode({"id": identity, "by": self._service_time(now + REQUEST_SECONDS), **message})
        if len(line) > MOST_BYTES_TO_SERVER:
            _fail(future, RemoteError("the request is too long for one message: nothing was sent"))
            return
        self._pending[identity] = (future, now + wait)
        self._unsent += line
        self._flush()

    def _service_time(self, instant: float) -> float:
        """Convert an instant of our monotonic clock to that of the service."""
        assert self.greeting is not None
        theirs = self.greeting.get("monotonic")
        return (float(theirs) if isinstance(theirs, int | float) else 0.0) + instant - self._greeted_at

    def _send(self, message: dict[str, object]) -> None:
        if self._connection is not None:
            self._unsent += encode(message)
            self._flush()

    def _flush(self) -> None:
        if self._connection is None:
            return
        try:
            while self._unsent:
                sent = self._connection.send(self._unsent[:_PIECE])
                del self._unsent[:sent]
        except BlockingIOError:
            pass
        except OSError:
            self._unsent.clear()  # the last words of the service, and the end, are read next
        wanted = EVENT_READ | (EVENT_WRITE if self._unsent else 0)
        if self._connection is not None and self._selector.get_key(self._connection).events != wanted:
            self._selector.modify(self._connection, wanted)

    def _check_deadlines(self) -> None:
        now = monotonic()
        for identity, (future, deadline) in list(self._pending.items()):
            if now >= deadline:
                del self._pending[identity]
                _fail(future, NoAnswerError(f"{self._who} did not answer in time: the effect is unknown"))
        if self._link is Link.CONNECTING and now >= self._link_since + GREETING_SECONDS:
            with self._lock:
                unsent, self._outgoing = self._outgoing, deque()
            for _, _, future in unsent:
                _fail(future, NoAnswerError(f"{self._who} does not answer: nothing was asked"))
        if self._connection is None and self._watch and now >= self._search_at and not self._closing:
            self._search_at = now + SEARCH_SECONDS
            if self._link is not Link.UNUSABLE:
                self._search()

    # Finding it again

    def _search(self) -> None:
        """Connect to the same instance, or to its successor, if one of them is there."""
        instance = None if self.greeting is None else self.greeting.get("instance")
        found = successor(self.file, instance, self._lost_at)
        if found is not None:
            self.file = found.socket
            self._connect()


def _fail(future: Future[Any], error: BaseException) -> None:
    with suppress(InvalidStateError):  # it was cancelled
        future.set_exception(error)


def _with_words(error: BaseException, words: str) -> BaseException:
    """Return an error of the same kind, with more words."""
    if isinstance(error, RefusedError):
        return RefusedError(error.kind, f"{error}{words}")
    return type(error)(f"{error}{words}") if isinstance(error, RemoteError) else error


def own_terminal() -> str:
    """Return the terminal of this process, as in `pts/3`; empty without one."""
    for descriptor in (0, 1, 2):
        with suppress(OSError):
            return os.ttyname(descriptor).removeprefix("/dev/")
    return ""
