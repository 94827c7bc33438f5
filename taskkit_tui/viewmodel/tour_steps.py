"""Defines the tour of the demo: its steps, and how each one is recognised as done."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from rich.cells import cell_len

from taskkit import OutcomeKind
from taskkit_tui.formatting import shorten_end
from taskkit_tui.tones import Tone
from taskkit_tui.viewmodel.header import Group, fitting
from taskkit_tui.viewmodel.row import TaskRow
from taskkit_tui.viewmodel.text_lines import Piece


class TourAction(StrEnum):
    """An action of a person that a step waits for."""

    PERIOD = "another period"
    DETAILS = "details"
    LOG = "the log of one task"
    UNDO = "undo"


Condition: TypeAlias = Callable[[TaskRow, TaskRow], bool]
"""True if a step is done, given the task's row at the start of the step and its row now."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step. It is done after `action`, for the task if one is named, or when `condition` is true."""

    words: str
    """The instruction, in at most 54 cells. `[task.run]` is replaced by the key of that binding."""
    more: str = ""
    """Further words, shown if there is room."""
    task: str = ""
    action: TourAction | None = None
    condition: Condition | None = None
    least_seconds: float = 0.0
    """The least time that it stays: a step that is only watched takes time to read."""


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
        " ↑; a task may change its own schedule",
        task="growing period",
        condition=_grew,
        least_seconds=6.0,
    ),
    Step(
        "Select growing period, press [task.period], type 1m, then ⏎",
        ": the countdown changes at once",
        task="growing period",
        action=TourAction.PERIOD,
    ),
    Step(
        "Press [task.undo] to undo: the old period is back",
        "; this works after any change of yours",
        action=TourAction.UNDO,
    ),
    Step(
        "Press [go.on-demand], select rebuild site, [task.run] runs it",
        "; [task.run-with] asks for a title first",
        task="rebuild site",
        condition=_ran,
    ),
    Step(
        "Select long haul while it runs ([go.running]), [task.stop] stops it",
        ", between two of its blocks",
        task="long haul",
        condition=_was_stopped,
    ),
    Step(
        "Select flaky feed ([go.scheduled]), [task.details] shows why it fails",
        "; esc goes back",
        task="flaky feed",
        action=TourAction.DETAILS,
    ),
    Step(
        "Press [task.log] on a task: the log shows only this task",
        "; [task.log-all] shows all again",
        action=TourAction.LOG,
    ),
    Step("That is all: [app.help] shows all keys, [app.quit] quits", ", and the tasks stop"),
)


class Tour:
    """The tour, at one of its steps. It moves to the next step when the present one is done.

    Args:
        keys: The keys to press, by the ids of bindings.
        steps: The steps; at least one.
    """

    def __init__(self, keys: Mapping[str, str], steps: Sequence[Step] = STEPS) -> None:
        self._keys = keys
        self._steps = tuple(steps)
        self._index = 0
        self._before: TaskRow | None = None
        self._since: float | None = None
        self.left = False
        """True once the person has ended the tour."""

    @property
    def number(self) -> int:
        """The number of the step, from 1."""
        return self._index + 1

    def update(self, named: Callable[[str], TaskRow | None], now: float) -> None:
        """Go to the next step if the condition of the present one is true.

        Args:
            named: Returns the row of a name.
            now: Monotonic seconds.
        """
        step = self._steps[self._index]
        if self._since is None:
            self._since = now
        row = named(step.task) if step.task else None
        if self._before is None:
            self._before = row
        elif (
            row is not None
            and step.condition is not None
            and step.condition(self._before, row)
            and now - self._since >= step.least_seconds
        ):
            self.go(1)

    def note(self, action: TourAction, names: Collection[str] = ()) -> None:
        """Go to the next step if it waits for this action, for one of these tasks."""
        step = self._steps[self._index]
        if step.action is action and (not step.task or step.task in names):
            self.go(1)

    def go(self, steps: int) -> None:
        """Go forward by some steps, or back if `steps` is negative; not beyond the first and the last."""
        self._index = max(0, min(self._index + steps, len(self._steps) - 1))
        self._before = self._since = None

    def leave(self) -> None:
        """End the tour."""
        self.left = True

    def caption(self, width: int) -> tuple[Piece, ...]:
        """Return the line with the instruction, for a width in cells: hints are dropped first, words last."""
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
