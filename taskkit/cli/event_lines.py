"""Formats events as lines with time, task and text, for `taskkit run`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import IntEnum
from time import localtime, strftime
from typing import Final

from taskkit.cli.console import BOLD, DIM, GREEN, RED, YELLOW, Console, task_colour
from taskkit.events import (
    ChangeKind,
    ClockJumped,
    Event,
    OutputWritten,
    RunFinished,
    RunProgressed,
    RunSkipped,
    RunStarted,
    SchedulerPaused,
    SchedulerResumed,
    SchedulerStarted,
    SchedulerStopped,
    TaskChanged,
    TaskEvent,
    TaskRegistered,
    TaskUnregistered,
    UnregisterReason,
)
from taskkit.outcome import FAILURES, OutcomeKind, Trigger
from taskkit.output_lines import OutputLine, Stream
from taskkit.words.durations import duration, in_words
from taskkit.words.name_forms import ShownNames
from taskkit.words.outcomes import kind_words, late_words, outcome_mark, trigger_words
from taskkit.words.plain_text import columns, cut_middle, harmless, padded, plural
from taskkit.words.times import short_time
from taskkit.words.urgency import is_late

MAX_NAME_WIDTH: Final = 24
"""The widest column of names, on a wide terminal."""

WARNING: Final = 30
ERROR: Final = 40

_OWN: Final = "taskkit"
_COLOUR: Final = re.compile(r"\x1b\[[0-9;:]*m")


class Detail(IntEnum):
    """The level of detail, as set by `-q` and `-v`."""

    QUIET = 0
    """Task output and failures."""
    NORMAL = 1
    VERBOSE = 2
    """Everything, progress too."""


class EventLines:
    """Formats events as aligned lines.

    Args:
        console: Decides about colours and the width.
        detail: The level of detail.
        names: The tasks at the start, so that the column of names has its width from the first line.
    """

    def __init__(self, console: Console, detail: Detail, names: Iterable[str] = ()) -> None:
        self._console = console
        self._detail = detail
        self._max_name_width = (
            MAX_NAME_WIDTH if console.width is None else max(8, min(MAX_NAME_WIDTH, console.width // 4))
        )
        self._width = len(_OWN)
        self._last_second = (-1, "")
        self._names = ShownNames()
        for name in names:
            self._shown(name)

    def of(self, event: Event) -> Iterator[str]:
        """Yield the lines of an event, without line ends."""
        detail = self._detail
        match event:
            case OutputWritten():
                if event.dropped:
                    lost = f"… {plural(event.dropped, 'line')} lost: written faster than they were read"
                    yield self._line(event.at, event.name, lost, YELLOW)
                for line in event.lines:
                    if not line.text.endswith("\r"):
                        yield self._output(event.name, line)
            case RunFinished():
                yield from self._finished(event)
            case RunStarted() if detail >= Detail.NORMAL:
                yield self._line(event.at, event.name, _started(event), DIM)
            case RunSkipped() if detail >= Detail.NORMAL:
                yield self._line(event.at, event.name, _skipped(event), YELLOW)
            case RunProgressed() if detail >= Detail.VERBOSE:
                yield self._line(event.at, event.name, _progressed(event), DIM)
            case TaskEvent():
                if detail >= Detail.NORMAL and (words := _about_task(event, detail)):
                    yield self._line(event.at, event.name, words, DIM)
                if isinstance(event, TaskUnregistered):
                    self._names.discard(event.name)  # its next line adds it again
            case SchedulerStopped() if event.abandoned or event.dropped or detail >= Detail.NORMAL:
                yield self.own(event.at, _stopped(event))
            case _ if detail >= Detail.NORMAL and (words := _about_scheduler(event)):
                yield self.own(event.at, words)

    def own(self, at: float, words: str) -> str:
        """Return a line of the command itself."""
        return self._row(at, self._console.paint(padded(_OWN, self._width), BOLD), words)

    def outside(self, at: float, text: str) -> str:
        """Return a line that was printed outside all runs."""
        return self._row(at, " " * self._width, self._foreign(text))

    def _output(self, name: str, line: OutputLine) -> str:
        colour = RED if line.level >= ERROR else YELLOW if line.level >= WARNING else 0
        plain = line.stream is not Stream.LOG or not colour
        text = self._foreign(line.text)
        return self._row(line.time, self._name(name), text if plain else self._console.paint(text, colour))

    def _finished(self, event: RunFinished) -> Iterator[str]:
        outcome = event.outcome
        failed = outcome.kind in FAILURES
        if not failed and self._detail < Detail.NORMAL:
            return
        words = f"{kind_words(outcome.kind)} after {duration(outcome.duration)}"
        if outcome.exception:
            words += f": {outcome.exception}"
        elif outcome.result is not None:
            words += f" → {outcome.result}"
        colour = RED if failed else YELLOW if outcome.kind is OutcomeKind.STOPPED else GREEN
        yield self._line(event.at, event.name, f"{outcome_mark(outcome.kind)} {words}", colour)
        if outcome.kind is OutcomeKind.FAILED and outcome.traceback:
            for row in outcome.traceback.rstrip("\n").split("\n"):
                yield self._line(event.at, event.name, f"  {row}", DIM)

    def _line(self, at: float, name: str, words: str, colour: int) -> str:
        shown = self._console.shown(words.expandtabs(8) if self._console.is_terminal else words)
        return self._row(at, self._name(name), self._console.paint(shown, colour))

    def _row(self, at: float, name: str, text: str) -> str:
        paint = self._console.paint
        return f"{paint(self._time(at), DIM)} {name} {paint('│', DIM)} {text}".rstrip()

    def _name(self, name: str) -> str:
        return self._console.paint(padded(self._shown(name), self._width), task_colour(name))

    def _shown(self, name: str) -> str:
        shown = name
        if self._console.is_terminal:
            self._names.add(name)
            shown = cut_middle(self._names.of(name), self._max_name_width)
        self._width = max(self._width, min(self._max_name_width, columns(shown)))
        return shown

    def _foreign(self, text: str) -> str:
        """Return the output of a task, harmless for a terminal; keep its colours if colours are used."""
        if not self._console.is_terminal:
            return text
        text = text.expandtabs(8)
        if "\x1b" not in text:
            return harmless(text)
        shown, at = [], 0
        for match in _COLOUR.finditer(text):
            shown.append(harmless(text[at : match.start()]))
            if self._console.coloured:
                shown.append(match.group())
            at = match.end()
        shown.append(harmless(text[at:]))
        return "".join(shown) + ("\x1b[0m" if self._console.coloured else "")

    def _time(self, at: float) -> str:
        # Each second is formatted once, as thousands of lines may share it.
        second = int(at // 1)
        if self._last_second[0] != second:
            form = "%H:%M:%S" if self._console.is_terminal else "%Y-%m-%d %H:%M:%S"
            self._last_second = (second, strftime(form, localtime(second)))
        return f"{self._last_second[1]}.{int(at % 1 * 1000):03}"


def _started(event: RunStarted) -> str:
    words = "▶ started"
    if event.attempt > 1:
        return f"{words}, {trigger_words(event.trigger, event.attempt)}"
    if event.trigger is not Trigger.SCHEDULE:
        words += f" {trigger_words(event.trigger, event.attempt)}"
    late = event.at - event.due
    return f"{words}, {in_words(round(late))} late" if is_late(late) else words


def _skipped(event: RunSkipped) -> str:
    words = (
        f"· skipped {plural(event.count, 'due time')}: {event.reason}{late_words(event.late_by, event.count)}"
    )
    if event.count > 1:
        first, last = short_time(event.first_due, event.at), short_time(event.last_due, event.at)
        return f"{words}, from {first} to {last}"
    return f"{words}, {short_time(event.first_due, event.at)}"


def _progressed(event: RunProgressed) -> str:
    progress = event.progress
    of = "" if progress.total is None else f" of {progress.total:g}"
    return f"… {progress.done:g}{of} {progress.message}".rstrip()


def _about_task(event: TaskEvent, detail: Detail) -> str | None:
    match event:
        case TaskRegistered():
            due = "" if event.next_run is None else f", next {short_time(event.next_run, event.at)}"
            return f"+ registered, {event.schedule}{due}"
        case TaskUnregistered(why=UnregisterReason.REPLACED):
            return "- replaced" if detail >= Detail.VERBOSE else None
        case TaskUnregistered(why=UnregisterReason.DONE):
            return f"- {_done(event.run_count)}"
        case TaskUnregistered():
            return f"- {event.why}"
        case TaskChanged(what=ChangeKind.DISABLED):
            return _disabled(event)
        case TaskChanged(what=ChangeKind.STOPPING):
            return "■ asked to stop"
        case TaskChanged(what=ChangeKind.AGAIN):
            return "▶ demanded again" if detail >= Detail.VERBOSE else None
        case TaskChanged(
            what=ChangeKind.PERIOD | ChangeKind.JITTER as what, before=float(before), after=float(after)
        ):
            return f"~ {what}: {in_words(after)}, was {in_words(before)}"
        case TaskChanged():
            return f"~ {event.what}: {event.after}, was {event.before}"
    return None


def _disabled(event: TaskChanged) -> str:
    if event.after:
        until = "" if event.until is None else f" until {short_time(event.until, event.at)}"
        return f"∥ disabled{until}"
    return "∥ enabled" if event.until is None else "∥ enabled again automatically, at the requested time"


def _done(runs: int) -> str:
    if not runs:
        return "gone: its time passed without a run"
    return f"done: it had its {'only run' if runs == 1 else plural(runs, 'run')}"


def _about_scheduler(event: Event) -> str | None:
    match event:
        case SchedulerStarted():
            return "started"
        case SchedulerPaused():
            return "paused: no task falls due until it is resumed"
        case SchedulerResumed():
            return "resumed"
        case ClockJumped():
            way = "forward" if event.seconds > 0 else "back"
            return f"the clock was set {way} by {in_words(abs(event.seconds))}"
    return None


def _stopped(event: SchedulerStopped) -> str:
    words = "stopped"
    if event.abandoned:
        words += f"; {plural(len(event.abandoned), 'run')} abandoned"
    if event.dropped:
        words += f"; {plural(event.dropped, 'pending run')} never started"
    return words
