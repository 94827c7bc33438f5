"""Refuses `/dev/tty` to Python code of this process that would ask there, as `getpass` does.

Such code would write over the screen, and a thread that waits for an answer would take keys forever: it
cannot be interrupted, not even by the task's timeout. So opening the terminal fails, as where there is none.
Most code then reads standard input, which is empty, and its run fails at once with an error message.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import current_thread
from typing import Final

from textual.message import Message

from taskkit import NoCurrentRunError, current_run

_TTY: Final = "/dev/tty"

_REFUSED: Final = "the dashboard has the terminal, so a task cannot ask there"


class TerminalAsked(Message):
    """Says that code of this process tried to open the terminal, and was refused."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        """The task's name; outside any task, the thread's."""


class TerminalDisturbed(Message):
    """Says that a program changed the modes of the terminal. Screen and keys have been taken back."""


class _Guard:
    """The state that the audit hook reads. The hook stays for the life of the process; the state changes."""

    def __init__(self) -> None:
        self.paths: frozenset[str] = frozenset()
        self.is_taken: Callable[[], bool] = lambda: False
        self.refused: Callable[[str], object] = lambda _name: None
        self._is_hooked = False

    def hook(self) -> None:
        """Install the audit hook, once per process."""
        if not self._is_hooked:
            self._is_hooked = True
            sys.addaudithook(self._audit)

    def _audit(self, event: str, arguments: tuple[object, ...]) -> None:
        if event != "open" or not self.paths:
            return
        path = arguments[0]
        if not isinstance(path, str | bytes) or os.fsdecode(path) not in self.paths or not self.is_taken():
            return
        self.refused(_name_of_caller())
        raise OSError(errno.ENXIO, _REFUSED, os.fsdecode(path))


_guard: Final = _Guard()


def _name_of_caller() -> str:
    try:
        return current_run().name
    except NoCurrentRunError:
        return current_thread().name


@contextmanager
def guard_terminal(
    terminal: int, is_taken: Callable[[], bool], refused: Callable[[str], object]
) -> Iterator[None]:
    """Refuse to open a terminal while the dashboard has it.

    Args:
        terminal: A descriptor of the terminal.
        is_taken: Returns whether the dashboard has it now. Called on any thread.
        refused: Called with the name of the task, or of the thread, that was refused; on its thread.
    """
    paths = {_TTY}
    try:
        paths.add(os.ttyname(terminal))
    except OSError:
        pass  # it has no name here
    _guard.is_taken, _guard.refused = is_taken, refused
    _guard.paths = frozenset(paths)
    _guard.hook()
    try:
        yield
    finally:
        _guard.paths = frozenset()
