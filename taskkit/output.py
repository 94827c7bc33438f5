"""What one run writes: its lines, bounded, with a count of those no longer kept."""

from __future__ import annotations

from codecs import IncrementalDecoder
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from taskkit.fast_init import fast_init

if TYPE_CHECKING:
    from taskkit.engine.lines import UnfinishedLine

LINES_KEPT: Final = 1_000
"""How many of its newest lines are kept until somebody takes them."""

LINES_REMEMBERED: Final = 100
"""How many of its last lines an ended run keeps, in its outcome."""


class Stream(StrEnum):
    """Where a line of output was written."""

    STDOUT = "stdout"
    STDERR = "stderr"
    LOG = "log"


@fast_init
@dataclass(frozen=True, slots=True)
class OutputLine:
    r"""One line that a run wrote, without its line end.

    A text that ends in `\r` is not the last word: a progress line, or the begin of a line whose end has not
    come yet. The next line of the same run and stream takes its place.
    """

    time: float
    """When, in epoch seconds."""
    stream: Stream
    text: str
    level: int
    """As in `logging`: stdout counts as INFO (20), stderr as WARNING (30), a record as its own level."""


@dataclass(slots=True, eq=False)
class ShownLine:
    """A line that was shown before its end came, and changes in its place."""

    time: float
    stream: Stream
    text: str
    level: int
    place: int
    """How many lines had been handed over before it."""
    taken: bool = False


class RunOutput:
    """The newest lines of one run.

    Any thread may `add`, `show` and `revise`; one thread at a time may `take`. Lines are told in batches: a
    run that writes faster than its readers read costs them no event a line, and the lines that fell out of
    the bounded buffer before anyone took them are counted.

    There is no lock. `add` appends first and looks at `announced` afterwards, `take` clears `announced`
    first and reads afterwards: whichever way the two meet, a line is in the batch or announced anew.

    Args:
        name: The task's.
        run: The run's number.
        time: The wall clock.
        tell: Called on the writing thread when there are lines to take and nobody has been told of them.
    """

    __slots__ = (
        "_fresh",
        "_handed_over",
        "_last",
        "_taken",
        "_tell",
        "_time",
        "_written",
        "announced",
        "decoders",
        "name",
        "run",
        "unfinished",
    )

    def __init__(
        self, name: str, run: int, time: Callable[[], float], tell: Callable[[RunOutput], None]
    ) -> None:
        self.name = name
        self.run = run
        self.announced = False
        """Whether somebody has been told that there are lines to take. Who was told and will not come to
        take them sets it back."""
        self.unfinished: dict[tuple[object, object], UnfinishedLine] = {}
        """What is no whole line yet, by thread and source; `taskkit.engine.lines` sees to it."""
        self.decoders: dict[tuple[object, object], IncrementalDecoder] = {}
        """The same for bytes."""
        self._time = time
        self._tell = tell
        self._fresh: deque[tuple[float, Stream, str, int] | ShownLine] = deque(maxlen=LINES_KEPT)
        self._last: deque[tuple[float, Stream, str, int] | ShownLine] = deque(maxlen=LINES_REMEMBERED)
        self._handed_over = 0  # lines that were appended to _fresh
        self._taken = 0  # of those, how many were taken or told as lost
        self._written = 0

    def add(self, stream: Stream, text: str, level: int) -> None:
        """Keep one more line; `text` has no line end."""
        line = (self._time(), stream, text, level)
        self._last.append(line)
        self._written += 1
        self._hand_over(line)

    def show(self, stream: Stream, text: str, level: int) -> ShownLine:
        """Keep a line whose end has not come yet."""
        shown = ShownLine(self._time(), stream, text + "\r", level, self._handed_over)
        self._last.append(shown)
        self._written += 1
        self._hand_over(shown)
        return shown

    def revise(self, shown: ShownLine, text: str, *, ended: bool) -> None:
        """Change a shown line. If nobody took it yet, that costs no second line.

        Args:
            shown: What `show` answered.
            text: The new text.
            ended: Whether this is its last word.
        """
        shown.time = self._time()
        shown.text = text if ended else text + "\r"
        # `take` marks it before it reads the text, so what it may have missed is seen here.
        if shown.taken or self._handed_over - shown.place >= LINES_KEPT:
            shown.taken = False
            shown.place = self._handed_over
            self._hand_over(shown)

    def take(self) -> tuple[tuple[OutputLine, ...], int]:
        """The lines added since the last call, and how many more of them are lost."""
        self.announced = False
        fresh = self._fresh
        lines: list[OutputLine] = []
        for _ in range(len(fresh)):  # not until it is empty: a run may write as fast as this reads
            try:
                line = fresh.popleft()
            except IndexError:
                break  # somebody else took them, against the rule
            if isinstance(line, ShownLine):
                line.taken = True
                lines.append(OutputLine(line.time, line.stream, line.text, line.level))
            else:
                lines.append(OutputLine(*line))
        lost = max(0, self._handed_over - self._taken - len(lines) - len(fresh))
        self._taken += len(lines) + lost
        return tuple(lines), lost

    def remembered(self) -> tuple[str, ...]:
        """The last lines, as text. May be called while the run goes on writing."""
        lines = self._last.copy()  # in one step, unlike `list()`, which would stumble over an `add`
        return tuple((line.text if isinstance(line, ShownLine) else line[2]).rstrip("\r") for line in lines)

    @property
    def dropped(self) -> int:
        """How many lines `remembered()` does not tell."""
        return max(0, self._written - LINES_REMEMBERED)

    def _hand_over(self, line: tuple[float, Stream, str, int] | ShownLine) -> None:
        self._fresh.append(line)
        self._handed_over += 1
        if not self.announced:
            self.announced = True
            self._tell(self)
