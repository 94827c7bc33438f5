"""What outlives a scheduler: how a registration stands, as plain data, and who keeps it until the next life.

`taskkit.store` keeps it in a file. Another keeper needs `Keeper`, given to `Scheduler.keep_with`, and
`Scheduler.watch_kept`, which tells what there is to keep.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from taskkit.outcome import Outcome, Skip
from taskkit.schedules import Every, Once, Schedule, are_equal

if TYPE_CHECKING:
    from taskkit.spec import TaskSpec


@dataclass(frozen=True, slots=True)
class KeptRetry:
    """A failed run that will be tried again."""

    attempt: int
    """The number of the next try; the first retry is 2."""
    at: float
    """When it is due, in epoch seconds."""
    parameters: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class KeptTask:
    """One registration, as far as it is to be the same after a restart."""

    name: str
    declared: Schedule | None
    """As the program or a file registered it; `None` if that could not be written down."""
    override: Schedule | None = None
    """What a person put in its place."""
    due: float | None = None
    """The next due time that was neither run nor skipped, in epoch seconds; `None` if there is none."""
    last_due: float | None = None
    """The last due time that was, in epoch seconds."""
    disabled: bool | None = None
    """What a person decided; `None` for as it was registered."""
    run_count: int = 0
    retry: KeptRetry | None = None
    again: Mapping[str, object] | None = None
    """The parameters of one more run that was demanded."""
    spec: TaskSpec | None = None
    """How to register it again, if a person did so while the program ran."""
    history: tuple[Outcome | Skip, ...] = ()
    """The last runs and skips, oldest first; only when it is recalled."""

    def goes_on_as(self, declared: Schedule) -> bool:
        """Whether a registration with this schedule goes on where this one was.

        A periodic schedule does if its period is the same, as programs often give a start that counts from
        now. `Once()` means now, each time anew.
        """
        if isinstance(declared, Every):
            return isinstance(self.declared, Every) and self.declared.period == declared.period
        return are_equal(declared, self.declared) and not are_equal(declared, Once())


@dataclass(frozen=True, slots=True)
class KeptChanges:
    """What is different since the last look of one `KeptWatch`."""

    changed: tuple[KeptTask, ...]
    """The registrations that are new or different, and those that are done with their last run."""
    gone: tuple[str, ...]
    """The names that are registered no more, and may be forgotten."""
    paused: bool
    """Whether the whole scheduler is."""
    done: tuple[str, ...] = ()
    """The names of those among `changed` that are registered no more, as they are done."""


class Keeper(Protocol):
    """Who knows how things stood at the end of an earlier life."""

    @property
    def paused(self) -> bool:
        """Whether the scheduler was paused."""

    def recall(self, name: str) -> KeptTask | None:
        """How the registration of that name stood; each is told once.

        Called under the scheduler's lock: it must be quick, and call nothing of the scheduler.
        """
