"""Services for tests: schedulers served here, or by processes of their own, and raw connections to them."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from patience import PATIENCE, eventually

from taskkit.remote.client import Client
from taskkit.remote.discovery import Found, running_schedulers
from taskkit.remote.sockets import SocketFile, found_sockets

SERVICE = """
import sys, time
from taskkit import Scheduler, Every
from taskkit.remote import serve
def work():
    print("worked")
scheduler = Scheduler()
scheduler.add_on_demand_task(work, "work")
scheduler.add_task(Every(3600, time.time() + 3600), work, "hourly")
with scheduler, serve(scheduler, sys.argv[1], target=sys.argv[2] or None, strict=True):
    print("ready", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A short runtime folder of the test's own."""
    with TemporaryDirectory(prefix="tk-") as made:
        monkeypatch.setenv("XDG_RUNTIME_DIR", made)
        monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)
        yield Path(made)


SHOP = f"shop-{os.getpid()}"
"""A name of this process, as all processes of a user see each other's services."""


@contextmanager
def service(name: str = SHOP, target: str = "", program: str = SERVICE) -> Iterator[subprocess.Popen[str]]:
    """A process that serves a scheduler with the tasks `work` and `hourly`."""
    process = subprocess.Popen(
        [sys.executable, "-c", program, name, target],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGCONT)
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def stop_process(pid: int) -> None:
    """Stop a process by SIGSTOP, and wait until it stands."""
    os.kill(pid, signal.SIGSTOP)
    os.waitid(os.P_PID, pid, os.WSTOPPED)


def running_here() -> list[Found]:
    """The services of this test, without those of other processes."""
    folder = Path(os.environ["XDG_RUNTIME_DIR"], "taskkit")
    return [each for each in running_schedulers() if each.path.parent == folder]


@contextmanager
def no_remote_thread_left() -> Iterator[None]:
    """Threads of servers and clients that begin inside have ended soon after."""
    yield
    eventually(lambda: not any(each.name == "taskkit remote" for each in threading.enumerate()))


def socket_of(process: subprocess.Popen[str]) -> SocketFile:
    """The socket of a service."""
    return next(each for each in found_sockets() if each.pid == process.pid)


def socket_file(path: Path | None) -> SocketFile:
    """The socket of a scheduler that is served here."""
    assert path is not None
    return next(each for each in found_sockets() if each.path == path)


@contextmanager
def client_of(file: SocketFile, *, watch: bool = True) -> Iterator[Client]:
    """A client, closed at the end."""
    client = Client(file, watch=watch, tty="pts/3")
    try:
        yield client
    finally:
        client.close()


class Raw:
    """A connection without a client: sends and reads bytes."""

    def __init__(self, path: Path | None) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(PATIENCE)
        try:
            self.socket.connect(str(path))
        except OSError:
            self.socket.close()
            raise
        self._file = self.socket.makefile("rb")

    def __enter__(self) -> Raw:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._file.close()
        self.socket.close()

    def read(self) -> dict[str, object] | None:
        """The next message; None at the end."""
        try:
            line = self._file.readline()
        except ConnectionResetError:
            return None
        return json.loads(line) if line else None

    def send(self, message: object) -> None:
        """Send a message as a line."""
        self.send_bytes(json.dumps(message).encode() + b"\n")

    def send_bytes(self, data: bytes) -> None:
        """Send bytes, as far as the other side takes them."""
        with suppress(BrokenPipeError, ConnectionResetError):
            self.socket.sendall(data)

    def greet(self, **hello: object) -> dict[str, object]:
        """Read the greeting and say hello."""
        greeting = self.read()
        assert greeting is not None
        self.send({"hello": 1, **hello})
        return greeting

    def ask(self, request: str, **arguments: object) -> dict[str, object]:
        """The answer to a request; frames before it are left out."""
        self.send({"id": 1, "do": request, **arguments})
        while True:
            message = self.read()
            assert message is not None
            if "id" in message:
                return message


def wait_for_link(client: Client, link: str) -> None:
    """Wait until a client is connected like that."""
    eventually(lambda: client.state.link == link, lambda: client.state)


def listens(path: Path) -> bool:
    """Whether somebody answers there: a new socket refuses between `bind` and `listen`."""
    try:
        with Raw(path):
            return True
    except OSError:
        return False
