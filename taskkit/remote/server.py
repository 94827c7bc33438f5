"""The server of one scheduler: its thread, its clients, and its end.

One thread does everything: it accepts clients, reads what they ask, and sends them what is new. It sleeps
until something comes, and looks at the scheduler only while a dashboard watches.
"""

from __future__ import annotations

import atexit
import logging
import os
import socket
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from secrets import token_hex
from selectors import EVENT_READ, EVENT_WRITE, DefaultSelector
from threading import Event as Flag
from threading import get_ident
from time import monotonic, thread_time, time
from types import TracebackType
from typing import Final, Literal, Self
from weakref import WeakSet

from taskkit.bounded_start import BoundedStartThread
from taskkit.events import SchedulerStopped
from taskkit.operations import Operations
from taskkit.remote.broadcast import Broadcast, ClientNotice
from taskkit.remote.errors import SocketPathError
from taskkit.remote.listener import Listener
from taskkit.remote.outcome_waits import OutcomeWaits
from taskkit.remote.pace import Pace
from taskkit.remote.protocol import MOST_CLIENTS, MOST_WATCHERS, OLDEST_VERSION, VERSION, encode
from taskkit.remote.requests import REQUESTS
from taskkit.remote.rows import own_columns, to_row
from taskkit.remote.session import OWN_REQUESTS, Session
from taskkit.remote.sockets import Peer, may_use, socket_folder, socket_path
from taskkit.schedules.zones import zone_name
from taskkit.snapshot import SchedulerState
from taskkit.words.plain_text import cut_end, harmless, plural
from taskkit.words.times import short_time

Access = Literal["control", "view"]

BYE_SECONDS: Final = 0.5
"""Time for the goodbye to the clients, for which the end of the scheduler waits."""

_logger = logging.getLogger("taskkit")
servers: Final[WeakSet[Server]] = WeakSet()
"""The servers of this process that are open."""


class Server:
    """A scheduler as other processes see it; made by `serve()`. Thread-safe.

    Args:
        operations: The commands on the scheduler.
        name: The name that people use.
        target: The target that it was loaded from.
        access: `control`, or `view` to refuse every command.
    """

    def __init__(self, operations: Operations, name: str, target: str | None, access: Access) -> None:
        self.operations = operations
        self.name = name
        self.target = target
        self.access = access
        self.on_notice: Callable[[str], object] | None = None
        """Called on the server's thread with what a client did, as in `ada (pts/3) disabled backup`."""
        self.broadcast = Broadcast(operations.scheduler)
        self.waits = OutcomeWaits(operations.scheduler, self.call)
        self._instance = token_hex(8)
        self._began = time()
        self._pid = os.getpid()
        self._selector = DefaultSelector()
        self._listener = Listener(self._selector, self._accept)
        self._pace = Pace()
        self._sessions: dict[int, Session] = {}
        self._numbers = count(1).__next__
        self._calls: deque[Callable[[], object]] = deque()
        self._wakes, self._woken = socket.socketpair()
        self._closing = False
        self._ended = Flag()
        self._is_awake = False
        """True from the byte that wakes the thread to the moment when it takes the calls."""
        self._unsubscribe: Callable[[], None] | None = None
        self._thread: BoundedStartThread | None = None
        self._ident = 0

    @property
    def path(self) -> Path | None:
        """The path of the socket; None if there is none."""
        return self._listener.path

    @property
    def is_standby(self) -> bool:
        """True while another process runs the tasks of the scheduler."""
        return self.operations.scheduler.state is SchedulerState.STANDBY

    # Beginning and end

    def open(self, path: Path | None, *, strict: bool) -> None:
        """Make the socket and begin to serve.

        Raises:
            SocketPathError: No socket can be made, and `strict` is true.
        """
        try:
            in_runtime_folder = path is None
            if path is None:
                path = socket_path(socket_folder(), self.name, self.target, self._pid)
            self._listener.open(path, in_runtime_folder=in_runtime_folder)
        except SocketPathError as error:
            self._close_descriptors()
            if strict:
                raise
            _logger.warning("this scheduler cannot be seen by other processes: %s", error)
            return
        for each in (self._wakes, self._woken):
            each.setblocking(False)
        self._selector.register(self._woken, EVENT_READ, self._wake)
        self._unsubscribe = self.operations.scheduler.subscribe(self._hear_end, kinds=(SchedulerStopped,))
        atexit.register(self.close)
        servers.add(self)
        self._thread = BoundedStartThread(self._serve, name="taskkit remote")
        try:
            self._thread.start()
        except (RuntimeError, MemoryError):  # no thread could be started
            self._finish()
            if strict:
                raise
            _logger.warning("this scheduler cannot be seen by other processes: the system gives no thread")

    def close(self) -> None:
        """Stop serving: tell the clients, and remove the socket. Doing so twice does no harm. Any thread."""
        self._end({"bye": "closed"})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if not self.operations.scheduler.is_running:
            self.close()

    def _hear_end(self, event: object) -> None:
        assert isinstance(event, SchedulerStopped)
        self._end({"bye": "stopped", "abandoned": list(event.abandoned)})

    def _end(self, bye: dict[str, object]) -> None:
        thread = self._thread
        if thread is None or os.getpid() != self._pid:
            return
        self.call(lambda: self._say_bye(bye))
        if get_ident() != self._ident:
            self._ended.wait(BYE_SECONDS)

    def _say_bye(self, bye: dict[str, object]) -> None:
        if self._closing:
            return
        self._closing = True
        self._listener.remove()  # first, so that a client that looks for a successor does not find this one
        if any(session.watches for session in self._sessions.values()):
            while not self.broadcast.collect():
                pass
        for session in list(self._sessions.values()):
            if session.watches:
                session.send_frame()
            session.end_with(bye)

    def _finish(self) -> None:
        """Close everything. On the server's thread, as its last act."""
        for session in list(self._sessions.values()):
            self.drop(session)
        self.broadcast.close()
        self._listener.remove()
        self._close_descriptors()
        if self._unsubscribe is not None:
            self._unsubscribe()
        atexit.unregister(self.close)
        servers.discard(self)
        self._thread = None
        self._ended.set()

    def _close_descriptors(self) -> None:
        self._selector.close()
        self._wakes.close()
        self._woken.close()

    def forget_in_child(self) -> None:
        """Close what belongs to the parent, in a forked child: a listener there would outlive it."""
        self._thread = None
        self._listener.close_in_child()
        for session in self._sessions.values():
            with suppress(OSError):
                session.connection.close()
        self._sessions.clear()
        with suppress(OSError):
            self._close_descriptors()
        atexit.unregister(self.close)

    # The loop

    def call(self, function: Callable[[], object]) -> None:
        """Call a function on the server's thread, soon. Any thread."""
        self._calls.append(function)
        if not self._is_awake and get_ident() != self._ident:  # its own thread takes it before it sleeps
            self._is_awake = True
            with suppress(OSError):
                self._wakes.send(b"\0")

    def _serve(self) -> None:
        self._ident = get_ident()
        try:
            self._loop()
        except Exception:  # a fault here ends the serving, in order, and nothing else
            _logger.exception("serving to other processes ended; the scheduler continues")
        finally:
            self._finish()

    def _loop(self) -> None:
        deadline: float | None = None
        while True:
            if self._closing:
                deadline = deadline or monotonic() + BYE_SECONDS / 2
                if not self._sessions or monotonic() > deadline:
                    break
            for key, mask in self._selector.select(self._timeout()):
                if callable(key.data):
                    key.data()
                    continue
                session: Session = key.data
                if mask & EVENT_WRITE:
                    session.write()
                if mask & EVENT_READ and not session.is_closed:
                    session.read()
            self._tick()

    @property
    def _is_watched(self) -> bool:
        return not self._closing and any(session.watches for session in self._sessions.values())

    def _timeout(self) -> float:
        """Return the seconds until something is due."""
        if self._closing:
            return 0.05
        deadlines = [session.next_deadline() for session in self._sessions.values()]
        due = min([self._listener.next_deadline(), *(each for each in deadlines if each is not None)])
        if self._is_watched:
            due = min(due, self._pace.due)
        return max(0.0, due - monotonic())

    def _wake(self) -> None:
        with suppress(BlockingIOError):
            self._woken.recv(4096)
        self._is_awake = False

    def _tick(self) -> None:
        while self._calls:
            self._calls.popleft()()
        now = monotonic()
        if self._is_watched and now >= self._pace.due:
            self._look(now)
        for session in list(self._sessions.values()):
            session.tick(now)
        for session in list(self._sessions.values()):
            self._register(session)
        self._listener.tick(now)

    def _look(self, now: float) -> None:
        """Take in what is new, and send it to those who wait for it."""
        began = thread_time()
        took_all = self.broadcast.collect()
        for session in list(self._sessions.values()):
            session.offer_frame(now)
        if took_all:
            self._pace.looked(now, thread_time() - began)
        else:
            self._pace.look_at_once()

    def _register(self, session: Session) -> None:
        """Register the session with the selector for reading and writing, as it wants."""
        wanted = EVENT_READ * session.wants_to_read | EVENT_WRITE * session.wants_to_write
        key = self._selector.get_map().get(session.connection.fileno())
        if key is None:
            if wanted:
                self._selector.register(session.connection, wanted, session)
        elif not wanted:
            self._selector.unregister(session.connection)
        elif key.events != wanted:
            self._selector.modify(session.connection, wanted, session)

    # Clients

    def _accept(self) -> None:
        found = self._listener.accept()
        if found is not None:
            self._welcome(*found)

    def _welcome(self, connection: socket.socket, peer: Peer) -> None:
        session = Session(self, connection, peer, self._numbers())
        self._sessions[session.number] = session
        if not may_use(peer):
            session.end_with(_error("not_yours", f"this scheduler belongs to user {os.getuid()}"))
        elif len(self._sessions) > MOST_CLIENTS:
            session.end_with(_error("too_many", f"{MOST_CLIENTS} clients are connected already"))
        else:
            session.send(encode(self._greeting()))

    def _greeting(self) -> dict[str, object]:
        scheduler = self.operations.scheduler
        return {
            "taskkit": _version(),
            "protocol": [OLDEST_VERSION, VERSION],
            "instance": self._instance,
            "pid": self._pid,
            "name": self.name,
            "target": self.target,
            "since": self._began,
            "zone": zone_name(None),
            "speed": scheduler.speed,
            "monotonic": monotonic(),
            "access": self.access,
            "requests": [*REQUESTS, *OWN_REQUESTS],
            "stored": self.operations.store is not None,
            "columns": own_columns(),
            "figures": to_row(scheduler.figures()),
        }

    def admit(self, session: Session) -> str | None:
        """Let a client watch. Return the reason if it may not, else None."""
        watching = sum(each.watches for each in self._sessions.values())
        if watching >= MOST_WATCHERS:
            return f"{watching} dashboards watch it already"
        session.watches = True
        session.reader = self.broadcast.add_reader(session.number)
        self._pace.look_at_once()
        return None

    def drop(self, session: Session) -> None:
        """Forget a client."""
        if self._sessions.pop(session.number, None) is None:
            return
        with suppress(KeyError, ValueError):
            self._selector.unregister(session.connection)
        session.close()
        self.waits.remove(session.number)
        if session.reader is not None:
            self.broadcast.remove_reader(session.reader)

    def watchers(self) -> list[str]:
        """Return who watches, as in `ada (pts/3)`. Any thread."""
        return [each.who for each in list(self._sessions.values()) if each.watches and each.who]

    def clients(self, but: Session) -> list[dict[str, object]]:
        """Return the other clients: who they are, and whether they watch."""
        return [
            {"who": each.who, "watches": each.watches}
            for each in self._sessions.values()
            if each is not but and each.who
        ]

    def announce(self, by: Session, verb: str, answer: object) -> None:
        """Show the other clients what one of them did, and log it once."""
        found = answer.get("names") if isinstance(answer, dict) else None
        names: Sequence[str] = found if isinstance(found, list | tuple) else ()
        if not names and not verb.endswith("scheduler"):
            return
        self._pace.look_soon()
        text = f"{by.who} {verb}"
        if len(names) == 1:
            text += f" {harmless(cut_end(names[0], 60))}"
        elif names:
            text += f" {plural(len(names), 'task')}"
        until = answer.get("until") if isinstance(answer, dict) else None
        if isinstance(until, float):
            text += f" until {short_time(until, time())}"
        _logger.info("%s", text)
        self.broadcast.notices.add(ClientNotice(time(), text, by.number))
        if self.on_notice is not None:
            self.on_notice(text)


def _error(kind: str, text: str) -> dict[str, object]:
    return {"error": {"kind": kind, "text": text}}


def _version() -> str:
    from taskkit import __version__

    return __version__


def _forget_in_child() -> None:
    for server in list(servers):
        server.forget_in_child()
    servers.clear()


os.register_at_fork(after_in_child=_forget_in_child)
