"""The output of one run: its last lines, bounded, and the count of dropped ones."""

from __future__ import annotations

from codecs import IncrementalDecoder
from collections import deque
from collections.abc import Callable
from sys import getsizeof
from threading import Lock
from typing import Final
from weakref import WeakSet

from taskkit.line_assembler import UnfinishedLine
from taskkit.output_lines import OutputLine, ShownLine, Stream

LINES_KEPT: Final = 1_000
"""The most new lines that are kept for the delivery."""

LINES_REMEMBERED: Final = 100
"""The most lines that an ended run keeps, in its outcome."""

MOST_BYTES: Final = 2 * 1024 * 1024
"""Bytes of memory for the lines of one run; the oldest make room. A single line is always kept."""

MOST_BYTES_OF_ALL: Final = 16 * 1024 * 1024
"""Bytes of memory for the lines of all runs that write much at the same time; they share it."""

_BYTES_A_LINE: Final = 120
"""Approximate size of one line without its text."""

_CHARACTERS_UNWEIGHED: Final = 64 * 1024
"""Characters that a run writes between two checks of the bytes that its lines take. A character takes four
bytes at most, so that these are less than `MOST_BYTES` in any case.
"""

_dropping = Lock()
_writing_much: WeakSet[RunOutput] = WeakSet()  # of active runs


class RunOutput:
    """The newest lines of one run.

    Any thread may call `add`, `show` and `revise`; only one thread at a time may call `take`. Lines are
    delivered in batches: a run that writes faster than subscribers read makes no event for each line, and the
    lines that fell out of the bounded buffer before that are counted. It is bounded in lines and in bytes.

    A writer waits for no lock. The race between a writer and the delivery:

    1. `add` appends its line, and then reads `announced`.
    2. `take` sets `announced` to False, and then reads the lines.

    Guarantee: whichever comes first, each line is in this batch or is announced again.

    Args:
        name: The name of the task.
        run: The number of the run.
        time: The wall clock.
        notify: Called on the writing thread when there are new lines and they are not announced yet.
    """

    __slots__ = (
        "__weakref__",
        "_characters",
        "_fresh",
        "_handed_over",
        "_last",
        "_notify",
        "_taken",
        "_time",
        "_weigh_at",
        "_written",
        "announced",
        "decoders",
        "name",
        "run",
        "unfinished",
    )

    def __init__(
        self, name: str, run: int, time: Callable[[], float], notify: Callable[[RunOutput], None]
    ) -> None:
        self.name = name
        self.run = run
        self.announced = False
        """True from `notify` to `take`. A listener that will not call `take()` must reset this to False."""
        self.unfinished: dict[tuple[object, object], UnfinishedLine] = {}
        """Lines without an end yet, by thread and source; `taskkit.line_assembler` fills it."""
        self.decoders: dict[tuple[object, object], IncrementalDecoder] = {}
        """Decoders that hold part of a character, by thread and source."""
        self._time = time
        self._notify = notify
        self._fresh: deque[tuple[float, Stream, str, int] | ShownLine] = deque(maxlen=LINES_KEPT)
        self._last: deque[tuple[float, Stream, str, int] | ShownLine] = deque(maxlen=LINES_REMEMBERED)
        self._handed_over = 0  # lines that were appended to _fresh
        self._taken = 0  # of those, the ones taken or reported as lost
        self._written = 0
        self._characters = 0  # ever written
        self._weigh_at = _CHARACTERS_UNWEIGHED  # the count at which to check next

    def add(self, stream: Stream, text: str, level: int) -> None:
        """Add one line; `text` has no line end."""
        line = (self._time(), stream, text, level)
        self._last.append(line)
        self._written += 1
        self._hand_over(line)
        self._characters += len(text)
        if self._characters > self._weigh_at:
            self._drop_surplus()

    def show(self, stream: Stream, text: str, level: int) -> ShownLine:
        """Add a line whose end has not come yet."""
        shown = ShownLine(self._time(), stream, text + "\r", level, self._handed_over)
        self._last.append(shown)
        self._written += 1
        self._hand_over(shown)
        self._characters += len(text)
        return shown

    def revise(self, shown: ShownLine, text: str, *, ended: bool) -> None:
        """Change a shown line. While it is not taken yet, that adds no second line.

        Args:
            shown: The return value of `show`.
            text: The new text.
            ended: True if this is its final text.
        """
        shown.time = self._time()
        shown.text = text if ended else text + "\r"
        # `take` marks it before it reads the text, so a change that it missed is noticed here.
        if shown.taken or self._handed_over - shown.place >= LINES_KEPT:
            shown.taken = False
            shown.place = self._handed_over
            self._hand_over(shown)
        self._characters += len(text)
        if self._characters > self._weigh_at:
            self._drop_surplus()

    def count_dropped(self, count: int) -> None:
        """Count lines that were lost before they came here. One thread at a time."""
        self._written += count
        self._handed_over += count

    def take(self) -> tuple[tuple[OutputLine, ...], int]:
        """Return the lines added since the last call, and how many more were lost."""
        self.announced = False
        fresh = self._fresh
        lines: list[OutputLine] = []
        for _ in range(len(fresh)):  # not until it is empty: a run may write as fast as this reads
            try:
                line = fresh.popleft()
            except IndexError:
                break  # another thread took them, against the rule
            if isinstance(line, ShownLine):
                line.taken = True
                lines.append(OutputLine(line.time, line.stream, line.text, line.level))
            else:
                lines.append(OutputLine(*line))
        lost = max(0, self._handed_over - self._taken - len(lines) - len(fresh))
        self._taken += len(lines) + lost
        return tuple(lines), lost

    def trim_unread(self) -> None:
        """Drop what no subscriber reads, but for `LINES_REMEMBERED` lines for the next subscriber."""
        self.announced = False
        if len(self._fresh) > LINES_REMEMBERED:
            self._drop_oldest(self._fresh, len(self._fresh) - LINES_REMEMBERED)

    @property
    def untaken_lines(self) -> int:
        """The number of lines to take."""
        return len(self._fresh)

    @property
    def characters_written(self) -> int:
        """The characters that were ever written."""
        return self._characters

    @property
    def has_untaken(self) -> bool:
        """True if there are lines to take."""
        return bool(self._fresh)

    def close(self) -> None:
        """Give up the share of the common memory: the run has ended."""
        _writing_much.discard(self)

    def drop_untaken(self) -> None:
        """Drop the lines that were not taken, as nothing will take them."""
        self._fresh.clear()

    def remembered(self) -> tuple[str, ...]:
        """Return the last lines, as text. May be called while the run is still writing."""
        return tuple(_text_of(line).rstrip("\r") for line in self._last_lines())

    @property
    def dropped(self) -> int:
        """The number of lines that `remembered()` does not return."""
        return max(0, self._written - len(self._last_lines()))

    @property
    def weight(self) -> int:
        """The approximate size of `remembered()` in bytes."""
        if self._characters <= 1_000 and self._written <= LINES_REMEMBERED:  # most runs write little
            return self._written * _BYTES_A_LINE + 4 * self._characters
        return sum(map(_size_of, self._last.copy()))

    def forget(self) -> None:
        """Drop all lines; they count as dropped."""
        self._last.clear()

    def _last_lines(self) -> deque[tuple[float, Stream, str, int] | ShownLine]:
        lines = self._last.copy()  # in one step, unlike `list()`, which would stumble over an `add`
        if self._characters > _CHARACTERS_UNWEIGHED:
            for _ in range(_surplus(lines, MOST_BYTES)):
                lines.popleft()
        return lines

    def _drop_surplus(self) -> None:
        """Drop the oldest lines beyond the bounds.

        Only one thread at a time does this; another one writes on, and tries again at its next line.
        """
        if not _dropping.acquire(blocking=False):
            return
        try:
            self._weigh_at = self._characters + _CHARACTERS_UNWEIGHED
            _writing_much.add(self)
            room = min(MOST_BYTES, MOST_BYTES_OF_ALL // max(1, len(_writing_much)))
            for lines in (self._last, self._fresh):
                self._drop_oldest(lines, _surplus(lines.copy(), room))
        finally:
            _dropping.release()

    def _drop_oldest(self, lines: deque[tuple[float, Stream, str, int] | ShownLine], count: int) -> None:
        for _ in range(count):
            try:
                line = lines.popleft()
            except IndexError:  # they were taken meanwhile
                return
            if lines is self._fresh and isinstance(line, ShownLine):
                line.taken = True  # so that its next revision is handed over

    def _hand_over(self, line: tuple[float, Stream, str, int] | ShownLine) -> None:
        self._fresh.append(line)
        self._handed_over += 1
        if not self.announced:
            self.announced = True
            self._notify(self)


def _text_of(line: tuple[float, Stream, str, int] | ShownLine) -> str:
    return line.text if isinstance(line, ShownLine) else line[2]


def _size_of(line: tuple[float, Stream, str, int] | ShownLine) -> int:
    """Return its approximate size in bytes."""
    return getsizeof(_text_of(line)) + _BYTES_A_LINE


def _surplus(lines: deque[tuple[float, Stream, str, int] | ShownLine], room: int) -> int:
    """Return how many of the oldest lines do not fit into `room` bytes together with the newer ones."""
    for newer, line in enumerate(reversed(lines)):
        room -= _size_of(line)
        if room < 0 and newer:
            return len(lines) - newer
    return 0
