"""What becomes of due times: how a run ended, what had started it, and why another never was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from taskkit.fast_init import fast_init
from taskkit.frozen_dict import FrozenDict


class Trigger(StrEnum):
    """What made a run start."""

    SCHEDULE = "schedule"
    DEMAND = "demand"
    RUN_NOW = "run_now"
    RETRY = "retry"


class OutcomeKind(StrEnum):
    """How a run ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    STOPPED = "stopped"
    TIMED_OUT = "timed_out"
    ABANDONED = "abandoned"
    """The scheduler stopped and could not wait for it any longer."""
    INTERRUPTED = "interrupted"
    """Its process ended before it did; nobody knows how far it came."""


FAILURES: Final = (
    OutcomeKind.FAILED,
    OutcomeKind.TIMED_OUT,
    OutcomeKind.ABANDONED,
    OutcomeKind.INTERRUPTED,
)
"""The kinds after which a task counts as failing: it has not done its work, though nobody told it to stop.
One that was cut off may itself have been what ended the process."""


class SkipReason(StrEnum):
    """Why a due time passed without a run of its own."""

    OVERLAP = "overlap"
    """The run before was still going on, or its retries were."""
    DISABLED = "disabled"
    MISSED = "missed"
    """Nobody was there to start it: a stall, a suspended machine, a clock set forward."""
    PAUSED = "paused"
    REPLACED = "replaced"
    """A run of the registration that this one replaced was still going on."""


NOTHING_SKIPPED: Final[Mapping[SkipReason, int]] = FrozenDict()


@fast_init
@dataclass(frozen=True, slots=True)
class Outcome:
    """How one run ended. Plain data: it holds no task and no exception object."""

    kind: OutcomeKind
    trigger: Trigger
    run: int
    """The number of the run, unique in this process."""
    due: float
    """When it should have started, in epoch seconds."""
    started: float | None
    """When it did, in epoch seconds; `None` if it was stopped while it waited for a thread."""
    finished: float
    """When it ended, in epoch seconds."""
    duration: float
    """Seconds from start to end, by a clock that only goes forward."""
    lateness: float
    """Seconds from due to start, jitter not counted; never negative."""
    result: object = None
    """What the task returned: a number or a string as it is, anything else as its repr; shortened to 200
    characters."""
    exception: str | None = None
    """Type and message, on one line, as in `ValueError: no such feed`."""
    traceback: str | None = None
    attempt: int = 1
    """1 for the first try, 2 for the first retry, and so on."""
    skipped: Mapping[SkipReason, int] = NOTHING_SKIPPED
    """Due times that passed without a run since the run before, by reason."""
    output: tuple[str, ...] = ()
    """The last lines that it wrote."""
    output_dropped: int = 0
    """How many earlier lines are no longer kept."""
    task: str = ""
    """The name under which the task was registered."""
    last_try: bool = True
    """Whether its policies grant no further try. `False`: one follows, unless meanwhile the task is disabled,
    unregistered, replaced or demanded, or the scheduler stopped."""


@dataclass(frozen=True, slots=True)
class Skip:
    """Due times that passed without a run of their own, for one reason."""

    reason: SkipReason
    count: int
    first_due: float
    """Epoch seconds."""
    last_due: float
    """Epoch seconds."""
