"""A small app that the tests of the terminal run in a pseudo-terminal; arguments change what it does."""

from __future__ import annotations

import atexit
import logging
import os
import signal
import subprocess
import sys
import time
from collections import deque
from pathlib import Path
from threading import Thread
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Static

from taskkit import Stream
from taskkit_tui.log.log_line import LogLine
from taskkit_tui.terminal.driver import PrivateDriver
from taskkit_tui.terminal.run_app import run_in_terminal
from taskkit_tui.themes import MIDNIGHT
from taskkit_tui.widgets.log_pane import LogPane

OLD_HANDLER = logging.StreamHandler(sys.stderr)
WAITING: deque[LogLine] = deque(maxlen=100_000)


def on_line(stream: Stream, text: str) -> None:
    WAITING.append(LogLine(time.time(), "", None, stream, 20, text))


def write_everywhere() -> None:
    """From C, from a child and its children, from a handler that holds the old stderr."""
    os.write(1, b"written to 1\n")
    os.write(2, b"written to 2 \xff\n")
    subprocess.run("echo from a child; cat; echo after its input >&2", shell=True, check=False)
    logging.getLogger("old").warning("to the old handler")
    assert sys.__stdout__ is not None
    print("to the old stdout", file=sys.__stdout__, flush=True)
    os.write(1, b"10%\r20%\r")
    time.sleep(0.5)
    os.write(1, b"30%\rwritten all\n")


class TerminalApp(App[None]):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit"),
        Binding("ctrl+c", "quit", priority=True),
        Binding("ctrl+z", "suspend_process"),
        Binding("X", "crash"),
        Binding("W", "write"),
        Binding("F", "fill"),
    ]

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return MIDNIGHT.variables

    def compose(self) -> ComposeResult:
        yield Static("ready")
        yield LogPane()

    def on_mount(self) -> None:
        self.set_interval(0.05, self.drain)

    def drain(self) -> None:
        self.query_one(Static).update(
            f"ready {self.size.width}x{self.size.height} {sys.getswitchinterval() * 1e6:.0f} us"
        )
        self.query_one(LogPane).append([WAITING.popleft() for _ in range(len(WAITING))])

    def action_crash(self) -> None:
        raise RuntimeError("crashed on purpose")

    def action_write(self) -> None:
        Thread(target=write_everywhere, daemon=True).start()

    def action_fill(self) -> None:
        """Write more than a terminal that nobody reads takes."""
        self.set_interval(
            0.02,
            lambda: self.query_one(LogPane).append(
                [LogLine(0.0, "", None, "stdout", 20, os.urandom(60).hex())] * 40
            ),
        )


def stop(seconds: float) -> list[str]:
    with Path(os.environ["STOPPED"]).open("a") as file:
        file.write("asked to stop\n")
    if "slow" in sys.argv:
        time.sleep(60)
    if "abandon" in sys.argv:
        Thread(target=print_for_ever, daemon=True).start()
        time.sleep(0.2)
        return ["never\x1bends"]
    return []


def print_for_ever() -> None:
    while True:
        print("still here", file=sys.__stdout__)


def at_exit() -> None:
    """As the library does with commands that still go on."""
    Path(os.environ["STOPPED"]).with_name("tidied").touch()


def hear_nothing(_driver: PrivateDriver, _message: Message) -> None:
    raise RuntimeError("no ears")


if __name__ == "__main__":
    if "deaf" in sys.argv:
        PrivateDriver.process_message = hear_nothing  # type: ignore[method-assign]
    if "handles" in sys.argv:
        signal.signal(signal.SIGUSR1, lambda *_: on_line(Stream.STDOUT, "handled by the program"))
    atexit.register(at_exit)
    logging.getLogger("old").addHandler(OLD_HANDLER)
    status = run_in_terminal(TerminalApp(), on_line=on_line, stop=stop)
    print(f"back with {status}, {sys.getswitchinterval() * 1e6:.0f} us")
    sys.exit(status)
