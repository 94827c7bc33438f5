"""The program behind one browser tab: a dashboard that is attached to a scheduler, on pipes."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from time import sleep
from typing import Any, Final

from textual import events, messages
from textual.app import App
from textual.drivers._byte_stream import ByteStream
from textual.drivers.web_driver import WebDriver

from taskkit.bounded_start import BoundedStartThread
from taskkit.process.parent_death import end_with_parent
from taskkit.remote.sockets import socket_file
from taskkit_tui.app import TaskkitApp
from taskkit_tui.keys.bindings import KEY_CONTEXTS
from taskkit_tui.keys.keymap import keymap_path, read_keymap
from taskkit_tui.remote_backend import RemoteBackend
from taskkit_tui.terminal.terminal_screen import can_read
from taskkit_tui.terminal.typed_input import TypedInput

_CHUNK: Final = 65_536
_POLL_SECONDS: Final = 0.1
END_SECONDS: Final = 0.5
"""Time that the app has to end, once its tab is gone."""


class BrowserDriver(WebDriver):
    """The driver of a screen in a browser. It reads keys as those of a terminal, and ends with its input.

    Args:
        app: The app.
        arguments: As for the base class.
    """

    def __init__(self, app: App[Any], **arguments: Any) -> None:
        super().__init__(app, **arguments)
        self._write = partial(self._write_all)

    def _write_all(self, data: bytes) -> int:
        """Write to the server. There is nothing left to do if it is gone."""
        left = memoryview(data)
        try:
            while left:
                left = left[os.write(self.fileno, left) :]
        except OSError:
            os._exit(1)
        return len(data)

    def run_input_thread(self) -> None:
        """Read keys and messages of the server until either side ends."""
        typed, packets = TypedInput(), ByteStream()
        while not self.exit_event.is_set():
            data = b""
            if can_read(0, _POLL_SECONDS):
                data = os.read(0, _CHUNK)
                if not data:
                    self._end()
                    return
            for kind, payload in packets.feed(data) if data else ():
                if kind == "D":
                    for message in typed.feed(payload):
                        self.process_message(message)
                else:
                    self._on_meta(kind, payload)
            if not data:
                for message in typed.feed(b""):
                    self.process_message(message)

    def _end(self) -> None:
        """Leave the app; end the process if that takes long, for example while it waits to write."""
        try:
            BoundedStartThread(_end_late, name="taskkit-tui end").start()
        except (RuntimeError, MemoryError):
            pass  # no thread could be started: the app ends on its own, or the server ends it
        self._app.post_message(messages.ExitApp())


def _end_late() -> None:
    sleep(END_SECONDS)
    os._exit(0)


class BrowserApp(TaskkitApp):
    """The dashboard in a browser tab, which has no shell to be suspended to."""

    def on_app_blur(self, event: events.AppBlur) -> None:
        """Keep the selection: the base driver reports at the start that the page does not have the focus."""
        event.prevent_default()

    def action_suspend_process(self) -> None:
        """Say that this is for terminals."""
        self.notify("A browser tab cannot be suspended.", timeout=3)


def read_size() -> tuple[int, int] | None:
    """Wait for the size of the screen, which the server sends first; None if there is none to come."""
    while True:
        head = _read_exactly(5)
        if head is None:
            return None
        payload = _read_exactly(int.from_bytes(head[1:], "big"))
        if payload is None:
            return None
        message = json.loads(payload) if head[:1] == b"M" else {}
        if message.get("type") == "resize":
            return message["width"], message["height"]


def _read_exactly(size: int) -> bytes | None:
    data = b""
    while len(data) < size:
        piece = os.read(0, size - len(data))
        if not piece:
            return None
        data += piece
    return data


def main(arguments: Sequence[str] | None = None) -> int:
    """Show the dashboard until its tab is closed. Return the exit status."""
    parser = argparse.ArgumentParser(prog="taskkit-tui serve")
    parser.add_argument("--socket", type=Path, required=True, help="the socket of the scheduler")
    parser.add_argument("--parent", type=int, required=True, help="the process id of the server")
    parser.add_argument("--control", action="store_true", help="let its keys change tasks")
    options = parser.parse_args(arguments)
    with suppress(ValueError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent(options.parent, signal.SIGKILL)
    size = read_size()
    if size is None:
        return 0  # no tab has come
    os.environ["COLUMNS"], os.environ["ROWS"] = map(str, size)  # the driver looks there
    keymap, wrong_keys = read_keymap(keymap_path(), KEY_CONTEXTS)
    backend = RemoteBackend(socket_file(options.socket), program="browser")
    app = BrowserApp(backend, read_only=not options.control, keymap=keymap, notices=wrong_keys)
    app.driver_class = BrowserDriver
    try:
        app.run()
    finally:
        backend.close(0)
    return app.return_code or 0


if __name__ == "__main__":
    sys.exit(main())
