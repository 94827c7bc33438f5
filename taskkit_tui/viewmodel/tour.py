"""The tour of the demo: what to press, one step after the other, and how to see that it has been done."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from rich.cells import cell_len

from taskkit import OutcomeKind
from taskkit_tui.formatting import shorten_end
from taskkit_tui.viewmodel.header import Group, fitting
from taskkit_tui.viewmodel.pieces import Piece, Tone
from taskkit_tui.viewmodel.row import TaskRow


class Deed(StrEnum):
    """What a person can ask for that a step waits for."""

    PERIOD = "another period"
    DETAILS = "details"
    LOG = "the log of one task"
    UNDO = "the last change taken back"


CameAbout: TypeAlias = Callable[[TaskRow, TaskRow], bool]
"""Whether something has come about, of a task's row as the step began, and as it is."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step. It is done when `deed` was asked for, of the task if one is named, or `came_about`."""

    words: str
    """What to do, in not more than 54 cells. `[task.run]` stands for the key of the binding with that id."""
    more: str = ""
    """What is said behind it where there is room."""
    task: str = ""
    deed: Deed | None = None
    came_about: CameAbout | None = None
    least: float = 0.0
    """Seconds that it stays at least; what one only watches takes some time to be read."""


def _grew(before: TaskRow, now: TaskRow) -> bool:
    return now.trend > 0 and now.task.run_count >= before.task.run_count + 2


def _ran(before: TaskRow, now: TaskRow) -> bool:
    return now.task.run_count > before.task.run_count


def _was_stopped(before: TaskRow, now: TaskRow) -> bool:
    asked = None if now.task.run is None else now.task.run.asked_to_stop
    asked_before = None if before.task.run is None else before.task.run.asked_to_stop
    ended = now.last is not None and now.last != before.last and now.last.kind is OutcomeKind.STOPPED
    return ended or (asked is not None and asked != asked_before)


STEPS: Final = (
    Step(
        "Watch growing period: each run makes its period longer",
        " ↑, which any task may do to itself",
        task="growing period",
        came_about=_grew,
        least=6.0,
    ),
    Step(
        "Select growing period, press [task.period], type 3s, then ⏎",
        ": the countdown changes at once",
        task="growing period",
        deed=Deed.PERIOD,
    ),
    Step(
        "Press [go.on-demand], select rebuild site, [task.run] runs it",
        "; [task.run-with] asks for a title first",
        task="rebuild site",
        came_about=_ran,
    ),
    Step(
        "Select long haul while it runs ([go.running]), [task.stop] stops it",
        ", between two of its blocks",
        task="long haul",
        came_about=_was_stopped,
    ),
    Step(
        "Select flaky feed ([go.scheduled]), [task.details] tells why it fails",
        "; esc comes back from there",
        task="flaky feed",
        deed=Deed.DETAILS,
    ),
    Step(
        "Press [task.log] on a task: the log shows no other",
        "; [task.log-all] shows all again",
        deed=Deed.LOG,
    ),
    Step(
        "Press [task.undo]: your last change is taken back",
        ", as that of a period",
        deed=Deed.UNDO,
    ),
    Step("That is all: [app.help] tells every key, [app.quit] leaves", ", and the tasks stop"),
)


class Tour:
    """Which step it is at. Told what is asked for and how things stand, it goes on by itself.

    Args:
        keys: What a person presses, by the ids of bindings.
        steps: The steps; at least one.
    """

    def __init__(self, keys: Mapping[str, str], steps: Sequence[Step] = STEPS) -> None:
        self._keys = keys
        self._steps = tuple(steps)
        self._index = 0
        self._before: TaskRow | None = None
        self._since: float | None = None
        self.left = False
        """Whether it is over, because somebody has had enough of it."""

    @property
    def number(self) -> int:
        """The number of the step, from 1 on."""
        return self._index + 1

    def look(self, named: Callable[[str], TaskRow | None], now: float) -> None:
        """See whether what the step waits for has come about.

        Args:
            named: The row of a name.
            now: Seconds since some fixed instant.
        """
        step = self._steps[self._index]
        if self._since is None:
            self._since = now
        row = named(step.task) if step.task else None
        if self._before is None:
            self._before = row
        elif (
            row is not None
            and step.came_about is not None
            and step.came_about(self._before, row)
            and now - self._since >= step.least
        ):
            self.go(1)

    def note(self, deed: Deed, names: Collection[str] = ()) -> None:
        """Somebody has asked for something, of the tasks of these names."""
        step = self._steps[self._index]
        if step.deed is deed and (not step.task or step.task in names):
            self.go(1)

    def go(self, steps: int) -> None:
        """Go so many steps on, or back where `steps` is negative; not beyond the first and the last."""
        self._index = max(0, min(self._index + steps, len(self._steps) - 1))
        self._before = self._since = None

    def leave(self) -> None:
        """Have enough of it."""
        self.left = True

    def caption(self, width: int) -> tuple[Piece, ...]:
        """The line that says what to do, in so many cells: the hints give way first, the words last."""
        step = self._steps[self._index]
        words = shorten_end(self._with_keys(step.words), max(1, width - 1))
        count = f" {self.number}/{len(self._steps)} "
        tag = () if cell_len(words) + len(count) >= width else (Group((Piece(count, Tone.TITLE),), 4),)
        left = (
            *tag,
            Group((Piece(words, Tone.STRONG),), 9),
            Group((Piece(self._with_keys(step.more), Tone.PLAIN),), 0),
        )
        right = (
            Group((Piece(self._with_keys("  [tour.next] skips"), Tone.DIM),), 1),
            Group((Piece(self._with_keys("  [tour.leave] ends the tour "), Tone.DIM),), 2),
        )
        return fitting(left, right, width)

    def _with_keys(self, words: str) -> str:
        return re.sub(r"\[([a-z.-]+)\]", lambda found: self._keys.get(found[1], found[1]), words)
