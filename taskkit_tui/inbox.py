"""What waits for the app to look: the lines and failures of runs, and what else a person is to be told."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from taskkit import Event, OutcomeKind, OutputWritten, RunFinished
from taskkit.outcome import FAILURES
from taskkit_tui.backend import Told
from taskkit_tui.formatting import harmless, plural, shorten
from taskkit_tui.log.line import LogLine

if TYPE_CHECKING:
    from taskkit.taskfile import Reload

MOST_WAITING: Final = 200_000
"""Lines that wait for the app at most; while it is stalled the oldest are dropped, and counted."""

_MOST_TOLD: Final = 20
_MOST_NAMES: Final = 5
"""Tasks that are named at once where many change; a toast is not to cover the screen."""

ERROR_LEVEL: Final = 40


class Inbox:
    """The lines and failures that wait for the app. `put` on any one thread at a time, `take` on another."""

    def __init__(self, most: int = MOST_WAITING) -> None:
        self._most = most
        self._batches: deque[tuple[list[LogLine], int, RunFinished | None]] = deque()
        self._told: deque[Told] = deque(maxlen=_MOST_TOLD)
        self._put = 0
        self._taken = 0
        self._discarded = 0
        self._lost = 0
        self._lost_told = 0
        self.file_trouble: str | None = None
        """What is wrong with the file of tasks as it is now, in few words; `None` if nothing is."""

    def put(self, event: Event) -> None:
        """Keep what an event has to tell the log; other events are seen in the changes."""
        if isinstance(event, OutputWritten):
            lines = [
                LogLine(line.time, event.name, event.run, line.stream, line.level, line.text)
                for line in event.lines
            ]
            self._append(lines, event.dropped, None)
        elif isinstance(event, RunFinished) and event.outcome.kind in FAILURES:
            self._append([_failure_line(event)], 0, event)

    def tell(self, told: Told) -> None:
        """Keep something else that a person is to be told. Any thread."""
        self._told.append(told)

    def hear(self, reload: Reload) -> None:
        """Keep what came of reading the file of tasks again. Any thread."""
        words = _few_words(reload)
        if reload.problems:
            name = shorten(harmless(PurePath(reload.problems[0].file).name), 30)
            self.file_trouble = f"{name}: {plural(len(reload.problems), 'fault')}"
        elif self.file_trouble is not None:
            name = self.file_trouble.rpartition(": ")[0]
            self.file_trouble = None
            self.tell(Told(f"{name} is read again" + (f": {words}" if reload.changes_anything else "")))
            return
        self.tell(Told(words[:1].upper() + words[1:], is_trouble=bool(reload.problems)))

    def _append(self, lines: list[LogLine], dropped: int, failure: RunFinished | None) -> None:
        self._batches.append((lines, dropped, failure))
        self._put += len(lines)
        while self._put - self._taken - self._discarded > self._most and len(self._batches) > 1:
            try:
                old, old_dropped, _ = self._batches.popleft()
            except IndexError:  # the app took everything just now
                return
            self._discarded += len(old)
            self._lost += len(old) + old_dropped

    def take(self) -> tuple[tuple[LogLine, ...], int, tuple[RunFinished, ...], tuple[Told, ...]]:
        """What waits: lines, how many were lost before them, failures, and what else there is to tell."""
        lines: list[LogLine] = []
        failures: list[RunFinished] = []
        dropped = 0
        for _ in range(len(self._batches)):
            try:
                batch, lost, failure = self._batches.popleft()
            except IndexError:  # the other side dropped some
                break
            lines += batch
            dropped += lost
            if failure is not None:
                failures.append(failure)
        self._taken += len(lines)
        lost_in_all = self._lost
        dropped += lost_in_all - self._lost_told
        self._lost_told = lost_in_all
        told = tuple(self._told.popleft() for _ in range(len(self._told)))
        return tuple(lines), dropped, tuple(failures), told


def _failure_line(event: RunFinished) -> LogLine:
    outcome = event.outcome
    words = {OutcomeKind.TIMED_OUT: "timed out", OutcomeKind.ABANDONED: "abandoned: it did not stop in time"}
    text = words.get(outcome.kind, "failed")
    if outcome.exception:
        text = outcome.exception if outcome.kind is OutcomeKind.FAILED else f"{text}: {outcome.exception}"
    return LogLine(event.at, event.name, event.run, "log", ERROR_LEVEL, text, outcome.traceback)


def _few_words(reload: Reload) -> str:
    few = replace(
        reload,
        added=_few(reload.added),
        changed=_few(reload.changed),
        removed=_few(reload.removed),
        passed=_few(reload.passed),
    )
    return str(few)


def _few(names: tuple[str, ...]) -> tuple[str, ...]:
    more = len(names) - _MOST_NAMES
    return (*names[:_MOST_NAMES], f"and {more:,} more") if more > 1 else names
