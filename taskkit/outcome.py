"""Outcomes of runs and reasons of skips: each due time ends in one of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from taskkit._helpers.fast_init import fast_init
from taskkit._helpers.frozen_dict import FrozenDict


class Trigger(StrEnum):
    """The cause that started a run."""

    SCHEDULE = "schedule"
    DEMAND = "demand"
    RUN_NOW = "run_now"
    RETRY = "retry"


class OutcomeKind(StrEnum):
    """The ways in which a run can end."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    STOPPED = "stopped"
    TIMED_OUT = "timed_out"
    ABANDONED = "abandoned"
    """It did not end in time when the scheduler stopped, or a person gave it up. It may still be running."""
    INTERRUPTED = "interrupted"
    """Its process ended first; how far the run came is not known."""


FAILURES: Final = (
    OutcomeKind.FAILED,
    OutcomeKind.TIMED_OUT,
    OutcomeKind.ABANDONED,
    OutcomeKind.INTERRUPTED,
)
"""The kinds after which a task is failing: it has not done its work, and was not asked to stop. An
interrupted run counts, as it may itself have ended the process."""


RETRIED: Final = (OutcomeKind.FAILED, OutcomeKind.TIMED_OUT)
"""The kinds after which a retry may follow."""


class SkipReason(StrEnum):
    """The reason for which a due time passed without a run."""

    OVERLAP = "overlap"
    """The run before, or one of its retries, was still active (`max_instances` in APScheduler)."""
    DISABLED = "disabled"
    MISSED = "missed"
    """A misfire: a stall, a suspended machine, a clock set forward, or the program was not running."""
    PAUSED = "paused"
    REPLACED = "replaced"
    """A run of the registration before, under the same name, was still active."""
    WINDOW = "window"
    """It is outside the hours of `window`, or on a date of `not_on`."""


NOTHING_SKIPPED: Final[Mapping[SkipReason, int]] = FrozenDict()


@fast_init
@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of one run. Plain data, without the task and the exception object."""

    kind: OutcomeKind
    trigger: Trigger
    run: int
    """The number of the run, unique in this process."""
    due: float
    """The due time, in epoch seconds."""
    started: float | None
    """Epoch seconds; `None` if it was stopped while it waited for a thread."""
    finished: float
    """Epoch seconds."""
    duration: float
    """Seconds from start to end, by the steady clock."""
    lateness: float
    """Seconds from due time to start, without jitter; never negative."""
    result: object = None
    """The returned value: numbers and strings as they are, else the repr, in 200 characters at most."""
    exception: str | None = None
    """Type and message on one line, as in `ValueError: no such feed`."""
    traceback: str | None = None
    attempt: int = 1
    """1 for the first try, 2 for the first retry."""
    skipped: Mapping[SkipReason, int] = NOTHING_SKIPPED
    """Due times that were skipped since the run before, by reason."""
    output: tuple[str, ...] = ()
    """The last lines of its output: 100 at most, in 2 MiB of memory. An older outcome may have lost them."""
    output_dropped: int = 0
    """Earlier lines that are lost."""
    task: str = ""
    """The name of the task."""
    last_try: bool = True
    """True if its policies allow no further try. False if a retry follows, unless the task is disabled,
    unregistered, replaced or demanded meanwhile, or the scheduler stops."""

    def without_output(self) -> Outcome:
        """Return a copy without output, in which all lines count as dropped."""
        return replace(self, output=(), output_dropped=self.output_dropped + len(self.output))


@dataclass(frozen=True, slots=True)
class Skip:
    """Due times that passed without a run, for one reason."""

    reason: SkipReason
    count: int
    first_due: float
    """Epoch seconds."""
    last_due: float
    """Epoch seconds."""
    late_by: float | None = None
    """Seconds by which the last of them was late when it was skipped for that; `None` if it was skipped for
    another reason."""
