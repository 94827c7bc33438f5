"""The budget for the output of ended runs: one bound in bytes for the whole scheduler.

The oldest output makes room for newer output. One handle gets only a part of the whole: a task that writes
much loses its own lines before others lose theirs.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Sequence
from typing import Final
from weakref import ref

from taskkit.outcome import Outcome
from taskkit.run import Run

MOST_BYTES: Final = 24 * 1024 * 1024
"""Bytes of memory for all handles together."""

MOST_OF_ONE: Final = 4 * 1024 * 1024
"""Bytes of memory for the runs of one handle."""


class OutputBudget:
    """The ended runs with output, oldest first. Guarded by the scheduler's lock.

    It has weak references to them, so that a run that is forgotten elsewhere is freed at once.

    Args:
        most: Bytes for all handles together.
        most_of_one: Bytes for the runs of one handle.
    """

    def __init__(self, most: int = MOST_BYTES, most_of_one: int = MOST_OF_ONE) -> None:
        self._most = most
        self._most_of_one = most_of_one
        self._weights: OrderedDict[ref[Run], int] = OrderedDict()
        self._weight = 0  # of all of them
        self._freed: deque[ref[Run]] = deque()  # filled on any thread, at any moment

    def add(self, run: Run, runs: Sequence[Run | Outcome]) -> None:
        """Add a run that has ended with output. Drops older output until all of it fits.

        Args:
            run: The run.
            runs: The runs of its handle, this one included, oldest first.
        """
        assert run.output is not None
        while self._freed:
            self._leave_out(self._freed.popleft())
        weight = run.output.weight
        self._weights[ref(run, self._freed.append)] = weight
        self._weight += weight
        if weight * len(runs) > self._most_of_one:  # a few more small runs need no check
            self._keep_to_its_part(runs)
        while self._weight > self._most and len(self._weights) > 1:
            oldest, weight = self._weights.popitem(last=False)
            self._weight -= weight
            if (old := oldest()) is not None:
                old.forget_output()

    def _keep_to_its_part(self, runs: Sequence[Run | Outcome]) -> None:
        room = self._most_of_one
        for newer, run in enumerate(reversed(runs)):
            if isinstance(run, Run) and run.output is not None:
                room -= run.output.weight
                if room < 0 and newer:
                    run.forget_output()
                    self._leave_out(ref(run))

    def _leave_out(self, run: ref[Run]) -> None:
        self._weight -= self._weights.pop(run, 0)
