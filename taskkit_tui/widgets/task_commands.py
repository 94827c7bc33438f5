"""The keys with which one steers tasks, wherever tasks are shown: they ask, and nothing else."""

from __future__ import annotations

from textual.message import Message
from textual.widget import Widget

from taskkit_tui.messages import (
    AskNewTask,
    AskParameters,
    AskPeriod,
    AskUnregister,
    DisableTasks,
    DropOverrides,
    EnableTasks,
    RunTasks,
    ScalePeriod,
    StopTasks,
    UndoChange,
)


class TaskCommands(Widget):
    """What can be asked for of tasks that one has selected, or is looking at."""

    def names(self) -> tuple[str, ...]:
        """The tasks that a command goes to."""
        raise NotImplementedError

    def selected_name(self) -> str | None:
        """The one task that is asked about, where it cannot be several; `None` if there is none."""
        raise NotImplementedError

    def commanded(self) -> None:
        """Called after each command that is not asked about first, before anything has come of it."""

    def _command(self, request: Message) -> None:
        self.post_message(request)
        self.commanded()

    def action_run_now(self) -> None:
        """Run the tasks now; running ones once more."""
        self._command(RunTasks(self.names()))

    def action_run_with(self) -> None:
        """Open the form of the run's parameters."""
        if (name := self.selected_name()) is not None:
            self.post_message(AskParameters(name))

    def action_stop(self) -> None:
        """Ask the runs to stop."""
        self._command(StopTasks(self.names()))

    def action_disable(self) -> None:
        """Let nothing fall due."""
        self._command(DisableTasks(self.names()))

    def action_enable(self) -> None:
        """Let the tasks fall due again."""
        self._command(EnableTasks(self.names()))

    def action_period(self) -> None:
        """Open the dialog that changes a period, or a schedule that has none."""
        self.post_message(AskPeriod(self.names()))

    def action_slower(self) -> None:
        """Double the period."""
        self._command(ScalePeriod(self.names(), 2.0))

    def action_faster(self) -> None:
        """Halve the period."""
        self._command(ScalePeriod(self.names(), 0.5))

    def action_as_registered(self) -> None:
        """Put the tasks back on the schedules that they were registered with."""
        self._command(DropOverrides(self.names()))

    def action_unregister(self) -> None:
        """Ask whether the tasks are to be forgotten."""
        self.post_message(AskUnregister(self.names()))

    def action_undo(self) -> None:
        """Take back the last change."""
        self._command(UndoChange())

    def action_new_task(self) -> None:
        """Open the form of a new task."""
        self.post_message(AskNewTask())
