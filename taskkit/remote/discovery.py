"""Finds the served schedulers of this machine, and those that a typed text means."""

from __future__ import annotations

import errno
import os
import socket
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from time import monotonic
from typing import Final

from taskkit.remote.errors import ProtocolError
from taskkit.remote.protocol import MOST_BYTES_TO_CLIENT, LineReader, decode
from taskkit.remote.rows import RowReader, check_columns, read_time
from taskkit.remote.sockets import (
    SocketFile,
    found_sockets,
    is_beginning,
    remove_stale,
    socket_file,
    target_hashes,
)
from taskkit.snapshot import Figures, SchedulerState

ANSWER_SECONDS: Final = 0.4
"""Time limit for the answers of all schedulers together."""


@dataclass(frozen=True, slots=True)
class Found:
    """A served scheduler, as it introduced itself."""

    socket: SocketFile
    greeting: dict[str, object] | None
    """None if it did not answer in time."""
    trouble: str = ""
    """The reason why it cannot be used; empty if it can, or did not answer."""

    @property
    def path(self) -> Path:
        """The path of its socket."""
        return self.socket.path

    @property
    def name(self) -> str:
        """The name that people use for it."""
        return self.socket.name

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.socket.pid

    @property
    def target(self) -> str | None:
        """The target that it was loaded from; None if it does not say."""
        found = None if self.greeting is None else self.greeting.get("target")
        return found if isinstance(found, str) else None

    @property
    def since(self) -> float | None:
        """The start of serving, in epoch seconds; None if it did not answer, or sent no such time."""
        found = None if self.greeting is None else self.greeting.get("since")
        try:
            return read_time(found)
        except ProtocolError:
            return None

    @property
    def is_standby(self) -> bool:
        """True if it waits until another process ends, which runs the same tasks."""
        figures = self.figures()
        return figures is not None and figures.state is SchedulerState.STANDBY

    def figures(self) -> Figures | None:
        """Return the scheduler in a few numbers; None if it did not answer."""
        if self.greeting is None:
            return None
        try:
            reader = RowReader(check_columns(self.greeting.get("columns")))
            return reader.read(Figures, self.greeting.get("figures"))
        except ProtocolError:
            return None


def running_schedulers() -> list[Found]:
    """Ask all served schedulers of this user at once, or for root those of all users.

    Sockets that a killed process has left are removed.
    """
    return ask_all(found_sockets())


def matching(text: str, found: Sequence[Found]) -> list[Found]:
    """Return those of `found` that a person means.

    Args:
        text: A name, a process id, the path of a socket, or a target. A socket that is not among `found` is
            asked, as its folder may be that of a container.
        found: All that were found.
    """
    if text.isascii() and text.isdigit():
        return [each for each in found if each.pid == int(text)]
    if text.endswith(".sock") and "/" in text:
        path = Path(text).absolute()
        return [each for each in found if each.path == path] or _at(path)
    named = [each for each in found if each.name == text]
    if named:
        return _without_standbys(named)
    wanted = target_hashes(text)
    return _without_standbys([each for each in found if each.socket.target_hash in wanted])


def _without_standbys(found: Sequence[Found]) -> list[Found]:
    """Leave out those on standby, unless there are no others: a person means the one that runs the tasks."""
    active = [each for each in found if not each.is_standby]
    return active or list(found)


def _at(path: Path) -> list[Found]:
    """Ask the scheduler behind a socket of this user, or for root of any user; none if there is none."""
    try:
        file, there = socket_file(path), path.lstat()
    except (ValueError, OSError):
        return []
    is_usable = stat.S_ISSOCK(there.st_mode) and os.getuid() in (there.st_uid, 0)
    return ask_all([file]) if is_usable else []


def is_target(text: str) -> bool:
    """True if the text is a target, which a process can be started for, and not a name, pid or socket."""
    return text.endswith(".toml") or ":" in text


class _Asked:
    """A connection that waits for a greeting."""

    def __init__(self, file: SocketFile) -> None:
        self.file = file
        self.connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.connection.setblocking(False)
        self.lines = LineReader(MOST_BYTES_TO_CLIENT)
        try:
            self.error = self.connection.connect_ex(str(file.path))
        except BaseException:
            self.connection.close()
            raise

    def answer(self) -> Found | None:
        """Read the answer; None until a whole line has come."""
        try:
            piece = self.connection.recv(65_536)
            lines = self.lines.feed(piece)
            if lines:
                return self._introduced(decode(lines[0]))
        except BlockingIOError:
            return None
        except (OSError, ProtocolError) as error:
            return Found(self.file, None, str(error))
        return None if piece else Found(self.file, None, "it closed the connection")

    def _introduced(self, greeting: dict[str, object]) -> Found:
        refusal = greeting.get("error")
        if isinstance(refusal, dict):
            return Found(self.file, None, str(refusal.get("text", "it refused")))
        return Found(self.file, greeting)


def ask_all(files: Sequence[SocketFile], seconds: float = ANSWER_SECONDS) -> list[Found]:
    """Ask the schedulers behind some sockets for their greetings, all at the same time.

    Args:
        files: The sockets.
        seconds: Time limit for all answers together.
    """
    answers: dict[SocketFile, Found | None] = {}
    waiting: dict[int, _Asked] = {}
    with DefaultSelector() as selector:
        try:
            for file in files:
                try:
                    asked = _Asked(file)
                except OSError as error:  # a path that is longer than that of a socket may be
                    answers[file] = Found(file, None, str(error))
                    continue
                if asked.error in (0, errno.EINPROGRESS):
                    answers[file] = Found(file, None)
                    waiting[asked.connection.fileno()] = asked
                    selector.register(asked.connection, EVENT_READ)
                    continue
                asked.connection.close()
                if asked.error == errno.EAGAIN or is_beginning(file):  # it lives, and its backlog is full
                    answers[file] = Found(file, None)
                elif not remove_stale(file.path) and asked.error != errno.ENOENT:
                    answers[file] = Found(file, None, "it cannot be connected to")
            deadline = monotonic() + seconds
            while waiting and (left := deadline - monotonic()) > 0:
                for key, _ in selector.select(left):
                    asked = waiting[key.fd]
                    answer = asked.answer()
                    if answer is not None:
                        answers[asked.file] = answer
                        selector.unregister(asked.connection)
                        del waiting[key.fd]
                        asked.connection.close()
        finally:
            for asked in waiting.values():
                asked.connection.close()
    return [each for each in answers.values() if each is not None]
