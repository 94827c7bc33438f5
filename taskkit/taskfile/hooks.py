"""Runs the hooks of a task file: commands for a task that has failed, or that succeeds again.

They run alongside the tasks and never delay one: at most four at a time, each for at most 30 seconds. What
they print is shown under the task and the run that they are about.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import partial
from tempfile import mkstemp
from threading import Condition
from threading import Event as Flag
from typing import Any, Final

from taskkit.bounded_start import BoundedStartThread
from taskkit.command import CommandError, CommandTask
from taskkit.engine.process_group import ProcessGroup
from taskkit.events import Event, RunFinished
from taskkit.handler import TaskHandler
from taskkit.outcome import FAILURES, Outcome
from taskkit.scheduler import Scheduler
from taskkit.taskfile.hook_keys import Hooks

HOOK_SECONDS: Final = 30.0
"""The longest time of a hook. Then it is terminated, and killed two seconds later."""

MOST_AT_ONCE: Final = 4
"""The most hooks at a time; a further one is skipped, and reported in the log."""

LONGEST_ERROR: Final = 4096
"""Bytes of `TASKKIT_ERROR`."""

_logger = logging.getLogger("taskkit")


class HookRunner:
    """Runs the hooks of the tasks of one scheduler. Thread-safe.

    Args:
        scheduler: The scheduler.
        seconds: The longest time of a hook.
    """

    def __init__(self, scheduler: Scheduler, seconds: float = HOOK_SECONDS) -> None:
        self._scheduler = scheduler
        self._seconds = seconds
        self._hooks: Mapping[str, Hooks] = {}
        self._handles: dict[str, TaskHandler] = {}
        self._is_subscribed = False
        self._interrupted_seen = 0
        """The number of interrupted runs whose hooks were run, or which had none."""
        self._changed = Condition()  # guards what follows
        self._number = 0
        """The number of hooks at work."""
        self._processes: set[ProcessGroup] = set()
        self._left_out = 0

    def use(self, hooks: Mapping[str, Hooks]) -> None:
        """Use these hooks from now on, by the names of their tasks.

        Runs that were interrupted by the end of the process before have theirs now. Call it after the start.
        """
        for name in hooks:
            handle = self._scheduler.handle(name)
            if handle is not None:
                self._handles[name] = handle  # a task that is done is no longer known
        self._hooks = hooks
        if hooks and not self._is_subscribed:
            self._is_subscribed = True
            self._scheduler.subscribe(self._receive, kinds=(RunFinished,))
        interrupted = self._scheduler.interrupted
        for outcome in interrupted[self._interrupted_seen :]:
            self._receive(RunFinished(outcome.finished, outcome.task, outcome.run, outcome))
        self._interrupted_seen = len(interrupted)

    def wait(self, timeout: float) -> None:
        """Wait until no hook runs, and kill those that still run after `timeout` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: not self._number, timeout)
            left = tuple(self._processes)
        for each in left:
            each.kill()

    def _receive(self, event: Event) -> None:
        assert isinstance(event, RunFinished)
        hooks = self._hooks.get(event.name)
        if hooks is None:
            return
        outcome = event.outcome
        if outcome.kind in FAILURES:
            if outcome.last_try:
                self._start("on_failure", hooks.on_failure, event)
        elif event.recovered:
            self._start("on_recovery", hooks.on_recovery, event)

    def _start(self, key: str, arguments: Mapping[str, Any] | None, event: RunFinished) -> None:
        if arguments is None:
            return
        with self._changed:
            if self._number >= MOST_AT_ONCE:
                self._left_out += 1
                _logger.warning(
                    "%s of %s is skipped, as %d hooks are running already; %d were skipped so far",
                    *(key, event.name, MOST_AT_ONCE, self._left_out),
                )
                return
            self._number += 1
        run = partial(self._run, key, CommandTask(**arguments), event)
        try:
            BoundedStartThread(run, name=f"{key} of {event.name}").start()
        except (RuntimeError, MemoryError) as error:  # the system refuses it
            _logger.warning("%s of %s: %s", key, event.name, error)
            self._note_end()

    def _run(self, key: str, hook: CommandTask, event: RunFinished) -> None:
        try:
            with self._printing_for(event), _output_file(event.outcome) as path:
                status = self._follow(key, hook, event, path)
            if status:
                _logger.warning("%s of %s: %s", key, event.name, CommandError(hook.words, status))
        except Exception as error:  # noqa: BLE001 - the system may refuse anything; the others go on
            _logger.warning("%s of %s: %s", key, event.name, error)
        finally:
            self._note_end()

    def _note_end(self) -> None:
        with self._changed:
            self._number -= 1
            self._changed.notify_all()

    def _printing_for(self, event: RunFinished) -> AbstractContextManager[None]:
        handle = self._scheduler.handle(event.name) or self._handles.get(event.name)
        if handle is None:  # the end of the process before has interrupted its only run
            return nullcontext()
        return self._scheduler.printing_for(handle, event.run)

    def _follow(self, key: str, hook: CommandTask, event: RunFinished, path: str) -> int:
        """Run a hook to its end. Return its exit status."""
        process = hook.start(f"{key} of {event.name}", _variables(event, path))
        with self._changed:
            self._processes.add(process)
        has_ended = Flag()

        def end_if_late() -> None:
            if not has_ended.wait(self._seconds):
                _end(process, key, event.name, self._seconds)

        try:
            try:
                BoundedStartThread(end_if_late, name=f"limit of {key} of {event.name}").start()
            except (RuntimeError, MemoryError):
                process.terminate()  # without its limit it might never end
                process.follow(hook.grace)
                raise
            return process.follow(hook.grace)
        finally:
            has_ended.set()
            with self._changed:
                self._processes.discard(process)


def _end(process: ProcessGroup, key: str, name: str, seconds: float) -> None:
    _logger.warning("%s of %s was ended, as it took longer than %g s", key, name, seconds)
    process.terminate()


def _variables(event: RunFinished, output_path: str) -> dict[str, str]:
    outcome = event.outcome
    error = (outcome.exception or "").replace("\0", "\N{REPLACEMENT CHARACTER}").replace("\n", " ")
    return {
        "TASKKIT_TASK": event.name,
        "TASKKIT_OUTCOME": outcome.kind.value,
        "TASKKIT_ERROR": error.encode(errors="replace")[:LONGEST_ERROR].decode(errors="ignore"),
        "TASKKIT_RUN": str(event.run),
        "TASKKIT_OUTPUT_FILE": output_path,
    }


@contextmanager
def _output_file(outcome: Outcome) -> Iterator[str]:
    """Write the last lines of a run to a file that only this user can read; remove it afterwards."""
    descriptor, path = mkstemp(prefix="taskkit-", suffix=".log")
    try:
        with open(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:  # noqa: PTH123
            file.writelines(line.removesuffix("\r") + "\n" for line in outcome.output)
        yield path
    finally:
        with suppress(OSError):
            os.unlink(path)  # noqa: PTH108 - a text
