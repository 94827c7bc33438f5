"""`taskkit-tui serve` in a process of its own, as a person starts it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Collection
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from time import monotonic, sleep
from typing import Self

from pty_screen import PATIENCE

COMMAND = Path(sys.executable).with_name("taskkit-tui")


class ServedPage:
    """The command, and the address that it has printed.

    Args:
        options: Its options.
        folder: Where it works.
    """

    def __init__(self, *options: str, folder: Path) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [COMMAND, "serve", "--port", "0", *options],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "HOME": str(folder), "XDG_STATE_HOME": str(folder)},
        )
        assert self.process.stdout is not None
        self.printed = ""
        while (found := re.search(r"http\S+", self.printed)) is None:
            line = self.process.stdout.readline()
            assert line, f"it has ended: {self.printed}"
            self.printed += line
        self.printed += self.process.stdout.readline()
        self.address = found[0]
        self.port = int(re.findall(r":(\d+)/", self.address)[0])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdout is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stdout.close()

    def get(self, path: str, **headers: str) -> HTTPResponse:
        """Return the answer to a request, read whole. Underscores in names of headers are hyphens."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request("GET", path, headers={k.replace("_", "-"): v for k, v in headers.items()})
            answer = connection.getresponse()
            if answer.status != 101:
                answer.read()
            return answer
        finally:
            connection.close()

    def cookie(self) -> str:
        """Exchange the token for the cookie."""
        answer = self.get("/?" + self.address.partition("?")[2])
        assert answer.status == 303
        return answer.headers["Set-Cookie"].partition(";")[0]

    def connect(self, **headers: str) -> HTTPResponse:
        """Ask for the WebSocket, and return the answer; the connection ends at once."""
        return self.get("/ws", **{**self._upgrade(), **headers})

    def open_socket(self) -> WebSocket:
        """Return an open WebSocket."""
        headers = {**self._upgrade(), "Cookie": self.cookie(), "Host": f"127.0.0.1:{self.port}"}
        return WebSocket(self.port, {name.replace("_", "-"): text for name, text in headers.items()})

    def _upgrade(self) -> dict[str, str]:
        return {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec_WebSocket_Version": "13",
            "Sec_WebSocket_Key": "dGhlIHNhbXBsZSBub25jZQ==",
            "Origin": f"http://127.0.0.1:{self.port}",
        }

    def tabs(self) -> set[int]:
        """Return the process ids behind its tabs."""
        return processes_with(f"--parent {self.process.pid}")


class WebSocket:
    """An open WebSocket without a browser, for short messages."""

    def __init__(self, port: int, headers: dict[str, str]) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        lines = [
            "GET /ws?width=80&height=24 HTTP/1.1",
            *(f"{name}: {text}" for name, text in headers.items()),
        ]
        self._socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        self._file = self._socket.makefile("rb")
        status = self._file.readline()
        assert b" 101 " in status, status
        while self._file.readline() != b"\r\n":
            pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._socket.close()

    def send(self, text: bytes) -> None:
        """Send a message, masked with zeros."""
        length = bytes([254]) + len(text).to_bytes(2, "big") if len(text) > 125 else bytes([128 + len(text)])
        self._socket.sendall(b"\x81" + length + bytes(4) + text)

    def receive(self) -> bytes:
        """Return the next message; empty when the server has closed the connection."""
        head = self._file.read(2)
        if len(head) < 2 or head[0] & 15 == 8:
            return b""
        length = head[1]
        if length > 125:
            length = int.from_bytes(self._file.read(2 if length == 126 else 8), "big")
        return self._file.read(length)

    def wait_until_closed(self) -> None:
        """Read until the server has closed the connection."""
        while self.receive():
            pass


def processes_with(words: str) -> set[int]:
    """Return the ids of the processes that have these words in their command line."""
    found = set()
    for each in Path("/proc").iterdir():
        if each.name.isdigit():
            try:
                line = (each / "cmdline").read_bytes().replace(b"\0", b" ")
            except OSError:
                continue
            if words.encode() in line:
                found.add(int(each.name))
    return found


def wait_for(condition: Callable[[], object], what: str) -> None:
    """Wait until a condition is true."""
    deadline = monotonic() + PATIENCE
    while not condition():
        assert monotonic() < deadline, f"{what} did not happen in time"
        sleep(0.02)


def wait_until_gone(processes: Collection[int]) -> None:
    """Wait until none of these processes is there, not even as a zombie that we should reap."""
    wait_for(lambda: not any(Path(f"/proc/{each}").exists() for each in processes), f"the end of {processes}")
