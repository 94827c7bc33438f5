"""Events as lines for a person: when, which task, what; a colour for each task, where there are colours."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import IntEnum
from time import localtime, strftime
from typing import Final

from taskkit.cli.console import BOLD, DIM, GREEN, RED, YELLOW, Console, task_colour
from taskkit.cli.words import kind_words, short_time, trigger_words
from taskkit.durations import duration, in_words
from taskkit.events import (
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
)
from taskkit.outcome import FAILURES, OutcomeKind
from taskkit.output import OutputLine, Stream
from taskkit.plain_text import columns, cut_middle, harmless, padded, plural

LONGEST_NAME: Final = 24
"""Columns that a name takes at most, on a wide terminal."""

LATE: Final = 1.0
"""Seconds after the due time from which on a run is told to be late."""

WARNING: Final = 30
ERROR: Final = 40

_OWN: Final = "taskkit"
_COLOUR: Final = re.compile(r"\x1b\[[0-9;:]*m")


class Detail(IntEnum):
    """How much is told."""

    QUIET = 0
    """What tasks write, and what fails."""
    NORMAL = 1
    VERBOSE = 2
    """Everything."""


class EventLines:
    """Writes events as lines, aligned under each other.

    Args:
        console: For its colours and its width.
        detail: How much is told.
        names: The tasks that there are, so that the column of names has its width from the beginning.
    """

    def __init__(self, console: Console, detail: Detail, names: Iterable[str] = ()) -> None:
        self._console = console
        self._detail = detail
        self._longest = (
            LONGEST_NAME if console.width is None else max(8, min(LONGEST_NAME, console.width // 4))
        )
        self._width = len(_OWN)
        self._second = (-1, "")
        for name in names:
            self._fit(harmless(name))

    def of(self, event: Event) -> Iterator[str]:
        """The lines of one event, without line ends."""
        detail = self._detail
        match event:
            case OutputWritten():
                if event.dropped:
                    lost = f"… {plural(event.dropped, 'line')} lost: it wrote faster than they were read"
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
            case TaskEvent() if detail >= Detail.NORMAL:
                if words := _about_task(event, detail):
                    yield self._line(event.at, event.name, words, DIM)
            case SchedulerStopped() if event.abandoned or event.dropped or detail >= Detail.NORMAL:
                yield self.own(event.at, _stopped(event))
            case _ if detail >= Detail.NORMAL and (words := _about_all(event)):
                yield self.own(event.at, words)

    def own(self, at: float, words: str) -> str:
        """A line of the command itself."""
        return self._row(at, self._console.paint(padded(_OWN, self._width), BOLD), words)

    def outside(self, at: float, text: str) -> str:
        """A line that was printed outside every run."""
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
        mark, colour = ("✗", RED) if failed else ("✓", GREEN)
        if outcome.kind is OutcomeKind.STOPPED:
            mark, colour = "■", YELLOW
        yield self._line(event.at, event.name, f"{mark} {words}", colour)
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
        shown = self._fit(harmless(name))
        return self._console.paint(padded(shown, self._width), task_colour(name))

    def _fit(self, name: str) -> str:
        shown = cut_middle(name, self._longest) if self._console.is_terminal else name
        self._width = max(self._width, min(self._longest, columns(shown)))
        return shown

    def _foreign(self, text: str) -> str:
        """What a task wrote: of what a terminal obeys, its colours are left, if there are any."""
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
        # A second is formatted once: lines come by the thousand.
        second = int(at // 1)
        if self._second[0] != second:
            form = "%H:%M:%S" if self._console.is_terminal else "%Y-%m-%d %H:%M:%S"
            self._second = (second, strftime(form, localtime(second)))
        return f"{self._second[1]}.{int(at % 1 * 1000):03}"


def _started(event: RunStarted) -> str:
    trigger = trigger_words(event.trigger, event.attempt)
    words = f"▶ started {trigger}".rstrip() if event.attempt == 1 else f"▶ started, {trigger}"
    late = event.at - event.due
    return f"{words}, {in_words(round(late))} late" if late >= LATE and event.attempt == 1 else words


def _skipped(event: RunSkipped) -> str:
    words = f"· skipped {plural(event.count, 'due time')}: {event.reason}"
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
        case TaskUnregistered(why="replaced"):
            return "- replaced" if detail >= Detail.VERBOSE else None
        case TaskUnregistered(why="done"):
            return f"- {_done(event.run_count)}"
        case TaskUnregistered():
            return f"- {event.why}"
        case TaskChanged(what="disabled"):
            return "∥ disabled" if event.after else "∥ enabled"
        case TaskChanged(what="stopping"):
            return "■ asked to stop"
        case TaskChanged(what="again"):
            return "▶ demanded once more" if detail >= Detail.VERBOSE else None
        case TaskChanged(what="period", before=float(before), after=float(after)):
            return f"~ period: {in_words(after)}, it was {in_words(before)}"
        case TaskChanged():
            return f"~ {event.what}: {event.after}, it was {event.before}"
    return None


def _done(runs: int) -> str:
    if not runs:
        return "gone: its time passed without a run"
    return f"done: it had its {'only run' if runs == 1 else plural(runs, 'run')}"


def _about_all(event: Event) -> str | None:
    match event:
        case SchedulerStarted():
            return "started"
        case SchedulerPaused():
            return "paused: nothing falls due until it is resumed"
        case SchedulerResumed():
            return "resumed"
        case ClockJumped():
            way = "forward" if event.seconds > 0 else "back"
            return f"somebody set the clock {way} by {in_words(abs(event.seconds))}"
    return None


def _stopped(event: SchedulerStopped) -> str:
    words = "stopped"
    if event.abandoned:
        words += f"; {plural(len(event.abandoned), 'run')} abandoned"
    if event.dropped:
        words += f"; {plural(event.dropped, 'run')} that waited for a thread never began"
    return words
