"""What a scheduler in the foreground tells: its events and output, as lines or as JSON, and its trouble."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import time
from typing import TYPE_CHECKING, Final

from taskkit.cli.console import Console
from taskkit.cli.event_json import lost_values, outside_values, values_of
from taskkit.cli.event_lines import Detail, EventLines
from taskkit.cli.json_lines import json_line
from taskkit.cli.teller import Teller
from taskkit.engine.router import take_output
from taskkit.events import Event
from taskkit.output import Stream
from taskkit.plain_text import harmless
from taskkit.scheduler import Scheduler

if TYPE_CHECKING:
    from taskkit.taskfile import Reload

_logger = logging.getLogger("taskkit")


@dataclass(frozen=True, slots=True)
class Said:
    """What the command itself says."""

    at: float
    words: str


@dataclass(frozen=True, slots=True)
class Outside:
    """A line that was printed outside every run."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Reloaded:
    """The task file was read again."""

    at: float
    reload: Reload


Item = Event | Said | Outside | Reloaded


class Report:
    """Tells what becomes of one scheduler.

    Args:
        scheduler: Whom it is about.
        as_json: Whether events are written as JSON. Whatever else is written to standard output goes to
            standard error then.
        detail: How much is told, of lines.
        colour: See `Console`.
        on_closed: Called once, when nobody reads standard output any more.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        *,
        as_json: bool,
        detail: Detail,
        colour: str,
        on_closed: Callable[[], object],
    ) -> None:
        sys.stdout.flush()
        stdout = sys.__stdout__ or sys.stdout
        names = [task.name for task in scheduler.snapshot().tasks]
        self._lines = EventLines(Console(stdout, colour), detail, names)
        self._detail = detail
        self._as_json = as_json
        self._scheduler = scheduler
        self._undo: list[Callable[[], object]] = []
        errors, output = _copy_of(2), _copy_of(1)
        self._errors = _ErrorHandler(errors)
        if as_json:
            os.dup2(errors, 1)
        self._teller: Teller[Item] = Teller(
            output,
            "ascii" if as_json else stdout.encoding,
            self._json_of if as_json else self._lines_of,
            self._lost,
            on_closed,
            lambda error: self._errors.write(f"cannot write the output: {error.strerror}"),
        )

    def open(self) -> None:
        """Tell from now on."""
        self._teller.start()
        if not _logger.hasHandlers():
            _logger.addHandler(self._errors)
            self._undo.append(lambda: _logger.removeHandler(self._errors))
        self._undo.append(take_output(self._hear_outside))
        self._undo.append(self._scheduler.subscribe(self._teller.put))

    def say(self, words: str) -> None:
        """Tell what the command itself does."""
        if not self._as_json and self._detail >= Detail.NORMAL:
            self._teller.put(Said(time(), words))

    def reloaded(self, reload: Reload) -> None:
        """Tell that the task file was read again. What is wrong with it is said by the logger."""
        if self._as_json or not reload.problems:
            self._teller.put(Reloaded(time(), reload))

    def close(self, timeout: float) -> None:
        """Tell what is left to tell, and no more."""
        self._teller.close(timeout)
        while self._undo:
            self._undo.pop()()

    def _hear_outside(self, stream: Stream, text: str) -> None:
        if text.endswith("\r"):
            return
        if stream is Stream.STDERR:
            self._errors.write_raw(text)
        else:
            self._teller.put(Outside(time(), text))

    def _lines_of(self, item: Item) -> Iterator[str]:
        match item:
            case Event():
                yield from self._lines.of(item)
            case Said():
                yield self._lines.own(item.at, item.words)
            case Outside():
                yield self._lines.outside(item.at, item.text)
            case Reloaded():
                if self._detail >= Detail.NORMAL:
                    yield self._lines.own(item.at, f"read the task file again: {item.reload}")

    def _json_of(self, item: Item) -> Iterator[str]:
        match item:
            case Event():
                for values in values_of(item):
                    yield json_line(values)
            case Outside():
                yield json_line(outside_values(item.at, item.text))
            case Reloaded():
                yield json_line(_reload_values(item))

    def _lost(self, count: int) -> str:
        if self._as_json:
            return json_line(lost_values(time(), count))
        return self._lines.own(time(), f"… {count:,} events lost: they came faster than they were read")


def _copy_of(descriptor: int) -> int:
    try:
        return os.dup(descriptor)
    except OSError:  # it was closed before the program began
        return os.open(os.devnull, os.O_WRONLY)


def _reload_values(item: Reloaded) -> dict[str, object]:
    reload = item.reload
    return {
        "event": "reloaded",
        "time": item.at,
        "added": reload.added,
        "changed": reload.changed,
        "removed": reload.removed,
        "passed": reload.passed,
        "problems": [str(each) for each in reload.problems],
    }


class _ErrorHandler(logging.Handler):
    """Writes what the library logs to standard error; how a run ended is told as an event.

    Not by way of `sys.stderr`, which belongs to the run that is under way on a thread.
    """

    _LONGEST: Final = 100
    """Lines of one record."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(logging.WARNING)
        self._descriptor = descriptor
        self._is_terminal = os.isatty(descriptor)
        self.addFilter(lambda record: not hasattr(record, "run"))

    def emit(self, record: logging.LogRecord) -> None:
        for line in self.format(record).split("\n")[: self._LONGEST]:
            self.write(line)

    def write(self, text: str) -> None:
        """Write a line of the command's own."""
        self.write_raw(f"taskkit: {text}")

    def write_raw(self, text: str) -> None:
        """Write a line."""
        shown = harmless(text.expandtabs(8)) if self._is_terminal else text
        try:
            os.write(self._descriptor, f"{shown}\n".encode(errors="backslashreplace"))
        except OSError:
            pass  # nobody is there to read it
