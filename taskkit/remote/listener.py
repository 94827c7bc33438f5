"""The listening socket of a server: its file, the connections that it accepts, and its repair.

The file of the socket may be deleted at any time by a cleaner of temporary files, and the process may run out
of descriptors. Neither ends the serving.
"""

from __future__ import annotations

import errno
import logging
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from selectors import EVENT_READ, BaseSelector
from time import monotonic
from typing import Final

from taskkit.remote.errors import SocketPathError
from taskkit.remote.sockets import Peer, listen, peer_of, socket_folder

HOUSEKEEPING_SECONDS: Final = 60.0
"""The time between two checks that the file of the socket is still there."""
PAUSE_SECONDS: Final = 1.0
"""Pause in accepting connections while the process has no descriptor left."""

_logger = logging.getLogger("taskkit")


class Listener:
    """Listens at one path. Only for the server's thread, except `open`, `path` and `close_in_child`.

    Args:
        selector: Where it is registered while it waits for connections.
        on_connection: The data of that registration, called when a client connects.
    """

    def __init__(self, selector: BaseSelector, on_connection: Callable[[], object]) -> None:
        self.path: Path | None = None
        """The path of the socket; None if there is none."""
        self._selector = selector
        self._on_connection = on_connection
        self._socket: socket.socket | None = None
        self._inode = (0, 0)
        self._in_runtime_folder = False
        self._accepts_again: float | None = None
        self._checked = monotonic()
        self._is_homeless = False

    def open(self, path: Path, *, in_runtime_folder: bool) -> None:
        """Listen at `path`.

        Args:
            path: The path of the socket.
            in_runtime_folder: Make the runtime folder again if it is deleted.

        Raises:
            SocketPathError: The socket cannot be made.
        """
        self._in_runtime_folder = in_runtime_folder
        self._socket = listen(path)
        found = path.lstat()
        self._inode = (found.st_dev, found.st_ino)
        self.path = path
        self._selector.register(self._socket, EVENT_READ, self._on_connection)

    def accept(self) -> tuple[socket.socket, Peer] | None:
        """Return a new connection, which does not block, and its other end; None if there is none."""
        assert self._socket is not None
        try:
            connection, _ = self._socket.accept()
        except BlockingIOError:
            return None
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                # It would be ready again at once: without a pause this would be a busy loop.
                self._selector.unregister(self._socket)
                self._accepts_again = monotonic() + PAUSE_SECONDS
            return None
        try:
            connection.setblocking(False)
            return connection, peer_of(connection)
        except OSError:
            connection.close()
            return None

    def next_deadline(self) -> float:
        """Return when `tick` is due, by the monotonic clock."""
        check = self._checked + HOUSEKEEPING_SECONDS
        return check if self._accepts_again is None else min(check, self._accepts_again)

    def tick(self, now: float) -> None:
        """Accept again after a pause, and look after the file of the socket."""
        if self._accepts_again is not None and now >= self._accepts_again and self._socket is not None:
            self._accepts_again = None
            self._selector.register(self._socket, EVENT_READ, self._on_connection)
        if now - self._checked >= HOUSEKEEPING_SECONDS:
            self._checked = now
            self._make_again()

    def remove(self) -> None:
        """Stop listening, and remove the file of the socket."""
        if self.path is not None and self._is_ours(self.path):
            with suppress(OSError):
                self.path.unlink()
        self.path = None
        self._close()

    def close_in_child(self) -> None:
        """Close the copy of a forked child. The file, and the selector that both share, stay as they are."""
        self.path = None
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _close(self) -> None:
        if self._socket is not None:
            with suppress(KeyError, ValueError):  # it is not registered during a pause
                self._selector.unregister(self._socket)
            self._socket.close()
            self._socket = None
        self._accepts_again = None

    def _is_ours(self, path: Path) -> bool:
        try:
            found = path.lstat()
        except OSError:
            return False
        return (found.st_dev, found.st_ino) == self._inode

    def _make_again(self) -> None:
        """Make the file of the socket again if it was deleted."""
        path = self.path
        if path is None or self._is_ours(path):
            return
        self._close()
        try:
            if self._in_runtime_folder:
                socket_folder()
            self.open(path, in_runtime_folder=self._in_runtime_folder)
            self._is_homeless = False
        except SocketPathError as error:
            if not self._is_homeless:
                _logger.warning("the socket %s is gone and cannot be made again: %s", path, error)
            self._is_homeless = True
