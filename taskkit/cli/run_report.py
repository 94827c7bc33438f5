"""Reports the events, output and errors of a scheduler in the foreground, as lines or as JSON."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import time
from typing import TYPE_CHECKING, Final

from taskkit.capture.router import take_output
from taskkit.cli.console import Console
from taskkit.cli.event_lines import Detail, EventLines
from taskkit.cli.json_output import event_objects, json_line, lost_events_object, outside_line_object
from taskkit.cli.output_writer import OutputWriter
from taskkit.events import Event
from taskkit.output_lines import Stream
from taskkit.scheduler import Scheduler
from taskkit.words.plain_text import harmless, plural

if TYPE_CHECKING:
    from taskkit.store import Store
    from taskkit.targets.target import Target
    from taskkit.taskfile import Reload

_logger = logging.getLogger("taskkit")


@dataclass(frozen=True, slots=True)
class OwnMessage:
    """A message of the command itself."""

    at: float
    words: str


@dataclass(frozen=True, slots=True)
class OutsideLine:
    """A line that was printed outside all runs."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Reloaded:
    """A reload of the task file."""

    at: float
    reload: Reload


Item = Event | OwnMessage | OutsideLine | Reloaded


class RunReport:
    """Writes the events and output of one scheduler to standard output, and errors to standard error.

    Args:
        scheduler: The scheduler to report on.
        as_json: True to write events as JSON. Everything else that is written to standard output then goes
            to standard error.
        detail: The level of detail of lines.
        colour: See `Console`.
        on_closed: Called once, when the reader of standard output has gone away.
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
        try:
            sys.stdout.flush()
        except OSError:
            raise
        except Exception:  # noqa: BLE001 - the target has replaced or removed the stream
            pass
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
        self._writer: OutputWriter[Item] = OutputWriter(
            output,
            "ascii" if as_json else stdout.encoding,
            self._as_json_lines if as_json else self._as_lines,
            self._lost,
            on_closed,
            lambda error: self._errors.write(f"cannot write the output: {error.strerror}"),
        )

    def open(self) -> None:
        """Start reporting."""
        self._writer.start()
        if not _logger.hasHandlers():
            _logger.addHandler(self._errors)
            self._undo.append(lambda: _logger.removeHandler(self._errors))
        self._undo.append(take_output(self._on_outside_output))
        self._undo.append(self._scheduler.subscribe(self._writer.put))

    def write_message(self, words: str) -> None:
        """Write a message of the command itself."""
        if not self._as_json and self._detail >= Detail.NORMAL:
            self._writer.put(OwnMessage(time(), words))

    def reloaded(self, reload: Reload) -> None:
        """Report a reload of the task file. Its problems, if any, are logged."""
        if self._as_json or not reload.problems:
            self._writer.put(Reloaded(time(), reload))

    def close(self, timeout: float) -> None:
        """Write the backlog, for at most `timeout` seconds, and stop reporting."""
        self._writer.close(timeout)
        while self._undo:
            self._undo.pop()()

    def _on_outside_output(self, stream: Stream, text: str) -> None:
        if text.endswith("\r"):
            return
        if stream is Stream.STDERR:
            self._errors.write_raw(text)
        else:
            self._writer.put(OutsideLine(time(), text))

    def _as_lines(self, item: Item) -> Iterator[str]:
        match item:
            case Event():
                yield from self._lines.of(item)
            case OwnMessage():
                yield self._lines.own(item.at, item.words)
            case OutsideLine():
                yield self._lines.outside(item.at, item.text)
            case Reloaded():
                if self._detail >= Detail.NORMAL:
                    yield self._lines.own(item.at, f"reloaded the task file: {item.reload}")

    def _as_json_lines(self, item: Item) -> Iterator[str]:
        match item:
            case Event():
                for values in event_objects(item):
                    yield json_line(values)
            case OutsideLine():
                yield json_line(outside_line_object(item.at, item.text))
            case Reloaded():
                yield json_line(_reload_object(item))

    def _lost(self, count: int) -> str:
        if self._as_json:
            return json_line(lost_events_object(time(), count))
        return self._lines.own(time(), f"… {count:,} events lost: written faster than they were read")


def _copy_of(descriptor: int) -> int:
    try:
        return os.dup(descriptor)
    except OSError:  # it was closed before the program started
        return os.open(os.devnull, os.O_WRONLY)


def _reload_object(item: Reloaded) -> dict[str, object]:
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
    """Writes log records of the library to standard error, except outcomes of runs, which are events.

    It writes to the descriptor: `sys.stderr` belongs to the run in progress on each thread.
    """

    _MAX_LINES: Final = 100
    """The most lines of one record that are written."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(logging.WARNING)
        self._descriptor = descriptor
        self._is_terminal = os.isatty(descriptor)
        self.addFilter(lambda record: not hasattr(record, "run"))

    def emit(self, record: logging.LogRecord) -> None:
        for line in self.format(record).split("\n")[: self._MAX_LINES]:
            self.write(line)

    def write(self, text: str) -> None:
        """Write a message of the command itself."""
        self.write_raw(f"taskkit: {text}")

    def write_raw(self, text: str) -> None:
        """Write a line."""
        shown = harmless(text.expandtabs(8)) if self._is_terminal else text
        try:
            os.write(self._descriptor, f"{shown}\n".encode(errors="backslashreplace"))
        except OSError:
            pass  # standard error is closed


def start_message(target: Target, store: Store | None) -> str:
    """Return what is about to run, and where its state is."""
    tasks = plural(target.scheduler.snapshot().figures.tasks, "task")
    if store is not None:
        where = f"state in {harmless(str(store.path))}"
    else:
        where = "it saves its state itself" if target.scheduler.is_persistent else "no state is saved"
    return f"{harmless(target.text)}: {tasks}; {where}"
