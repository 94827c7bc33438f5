"""Output that belongs to a run that has ended, as that of a hook: it is shown under its task and number."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from taskkit.capture import router
from taskkit.outcome import NOTHING_SKIPPED, Trigger
from taskkit.run import NO_PARAMETERS, Run, current

if TYPE_CHECKING:
    from taskkit.engine.core import Core
    from taskkit.engine.registration import Registration


@contextmanager
def printing_for(core: Core, entry: Registration, number: int) -> Iterator[None]:
    """Attribute what this thread prints to a run that has ended.

    Args:
        core: The core of the scheduler.
        entry: The task.
        number: The number of the run.
    """
    now = core.now()
    assert entry.handle is not None
    run = Run(
        entry.name,
        entry.task,
        entry.policies,
        entry.handle,
        number,
        Trigger.SCHEDULE,
        now.wall,
        now.steady,
        1,
        NO_PARAMETERS,
        NOTHING_SKIPPED,
        core.clock,
        core,
    )
    token = current.set(run)
    try:
        yield
    finally:
        router.finish(run)
        run.end(core.now())
        current.reset(token)
