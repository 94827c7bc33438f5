"""Queues lines, failures and notices until the app takes them."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from pathlib import PurePath
from sys import getsizeof
from typing import TYPE_CHECKING, Final

from taskkit import ChangeKind, Event, OutcomeKind, OutputWritten, RunFinished, TaskChanged
from taskkit.outcome import FAILURES
from taskkit.words.durations import in_words
from taskkit_tui.backend import Notice
from taskkit_tui.formatting import harmless, plural, shorten
from taskkit_tui.log.log_line import LogLine

if TYPE_CHECKING:
    from taskkit.taskfile import Reload

MOST_WAITING: Final = 200_000
"""The most lines that wait. While the app is stalled, the oldest are dropped and counted."""

MOST_BYTES: Final = 32 * 1024 * 1024
"""The most bytes of memory that the texts of these lines take, roughly."""

_MOST_NOTICES: Final = 20
_MOST_NAMES: Final = 5
"""The most tasks that one toast names: it should not cover the screen."""

ERROR_LEVEL: Final = 40


class Inbox:
    """The queue between scheduler and app. `put` is for one thread at a time, `take` for another."""

    def __init__(self, most: int = MOST_WAITING, most_bytes: int = MOST_BYTES) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._batches: deque[tuple[list[LogLine], int, RunFinished | None, int]] = deque()
        self._notices: deque[Notice] = deque(maxlen=_MOST_NOTICES)
        self._put = 0
        self._taken = 0
        self._discarded = 0
        self._bytes_put = 0
        self._bytes_taken = 0
        self._bytes_discarded = 0
        self._lost = 0
        self._lost_reported = 0
        self.file_trouble: str | None = None
        """The fault of the task file as it is now, in a few words; `None` without one."""

    def put(self, event: Event) -> None:
        """Queue the lines or the failure of an event; other events are ignored."""
        if isinstance(event, OutputWritten):
            lines = [
                LogLine(line.time, event.name, event.run, line.stream, line.level, line.text)
                for line in event.lines
            ]
            self._append(lines, event.dropped, None)
        elif isinstance(event, RunFinished) and event.outcome.kind in FAILURES:
            self._append([_failure_line(event)], 0, event)
        elif (
            isinstance(event, TaskChanged)
            and event.what is ChangeKind.JITTER
            and isinstance(event.after, float)
        ):
            name = shorten(harmless(event.name), 30)
            self.add_notice(Notice(f"{name}: jitter is now {in_words(event.after)}"))

    def add_notice(self, notice: Notice) -> None:
        """Queue a notice. Any thread."""
        self._notices.append(notice)

    def report_reload(self, reload: Reload) -> None:
        """Queue the result of reading the task file again. Any thread."""
        words = _few_words(reload)
        if reload.problems:
            name = shorten(harmless(PurePath(reload.problems[0].file).name), 30)
            self.file_trouble = f"{name}: {plural(len(reload.problems), 'fault')}"
        elif self.file_trouble is not None:
            name = self.file_trouble.rpartition(": ")[0]
            self.file_trouble = None
            self.add_notice(
                Notice(f"{name} is valid again" + (f": {words}" if reload.changes_anything else ""))
            )
            return
        self.add_notice(Notice(words[:1].upper() + words[1:], is_trouble=bool(reload.problems)))

    def _append(self, lines: list[LogLine], dropped: int, failure: RunFinished | None) -> None:
        size = sum(getsizeof(line.text) + len(line.traceback or "") for line in lines)
        self._batches.append((lines, dropped, failure, size))
        self._put += len(lines)
        self._bytes_put += size
        while self._is_too_much() and len(self._batches) > 1:
            try:
                old, old_dropped, _, size = self._batches.popleft()
            except IndexError:  # the app has just taken everything
                return
            self._discarded += len(old)
            self._bytes_discarded += size
            self._lost += len(old) + old_dropped

    def _is_too_much(self) -> bool:
        return (
            self._put - self._taken - self._discarded > self._most
            or self._bytes_put - self._bytes_taken - self._bytes_discarded > self._most_bytes
        )

    def take(self) -> tuple[tuple[LogLine, ...], int, tuple[RunFinished, ...], tuple[Notice, ...]]:
        """Return what waits: lines, the number of lines dropped before them, failures, and notices."""
        lines: list[LogLine] = []
        failures: list[RunFinished] = []
        dropped = 0
        for _ in range(len(self._batches)):
            try:
                batch, lost, failure, size = self._batches.popleft()
            except IndexError:  # `put` has dropped some
                break
            lines += batch
            dropped += lost
            self._bytes_taken += size
            if failure is not None:
                failures.append(failure)
        self._taken += len(lines)
        lost_in_all = self._lost
        dropped += lost_in_all - self._lost_reported
        self._lost_reported = lost_in_all
        notices = tuple(self._notices.popleft() for _ in range(len(self._notices)))
        return tuple(lines), dropped, tuple(failures), notices


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
