"""The keys with which one steers the task that a screen is about: they ask the app, and say why not."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.screen import Screen

from taskkit import TaskDetails
from taskkit_tui.formatting import harmless, shorten
from taskkit_tui.messages import (
    AskNewTask,
    AskParameters,
    DisableTasks,
    DropOverrides,
    EnableTasks,
    RunTasks,
    ScalePeriod,
    SetPeriod,
    StopTasks,
    UndoChange,
    UnregisterTasks,
)
from taskkit_tui.screens.details_keys import COMMANDS
from taskkit_tui.viewmodel.applicability import why_not
from taskkit_tui.viewmodel.row import TaskRow

_AFTER_COMMAND = 0.1
"""Seconds after a command until what came of it is looked at."""


class TaskScreen(Screen[None]):
    """A screen about one task, which obeys the same keys here as in a panel.

    Args:
        details: How the task stands.
        clock: The present instant, in epoch seconds.
        read_only: Whether commands are refused.
    """

    def __init__(self, details: TaskDetails, clock: Callable[[], float], *, read_only: bool) -> None:
        super().__init__()
        self.details = details
        self.read_only = read_only
        self.gone = False
        """Whether the task is no more; what is shown is how it last was."""
        self._clock = clock

    def look(self) -> None:
        """Ask how the task stands now, and show it."""
        raise NotImplementedError

    def why_not(self, action: str) -> str | None:
        """Why a command does not apply now, in words for a person; `None` if it does."""
        if action not in COMMANDS:
            return None
        if self.gone:
            return f"{shorten(harmless(self.details.task.name), 40)} is gone"
        if action == "run_with" and not self.details.parameters:
            return f"{shorten(harmless(self.details.task.name), 40)} takes no parameters; r runs it"
        return why_not(action, (TaskRow(self.details.task),), read_only=self.read_only)

    def on_key(self, event: events.Key) -> None:
        """Say why a key does not apply to the task."""
        active = self.active_bindings.get(event.key)
        if active is None or active.enabled or active.node is not self:
            return
        if (reason := self.why_not(active.binding.action.partition("(")[0])) is not None:
            event.stop()
            self.notify(reason, title=active.binding.description, severity="warning", markup=False)

    @property
    def _names(self) -> tuple[str, ...]:
        return (self.details.task.name,)

    def _look_soon(self) -> None:
        self.set_timer(_AFTER_COMMAND, self.look)

    def action_run_now(self) -> None:
        """Run the task now; if it runs already once more."""
        self.post_message(RunTasks(self._names))
        self._look_soon()

    def action_run_with(self) -> None:
        """Open the form of the run's parameters."""
        self.post_message(AskParameters(self.details.task.name))

    def action_new_task(self) -> None:
        """Open the form of a new task."""
        self.post_message(AskNewTask())

    def action_stop(self) -> None:
        """Ask the run to stop."""
        self.post_message(StopTasks(self._names))
        self._look_soon()

    def action_disable(self) -> None:
        """Let nothing fall due."""
        self.post_message(DisableTasks(self._names))
        self._look_soon()

    def action_enable(self) -> None:
        """Let the task fall due again."""
        self.post_message(EnableTasks(self._names))
        self._look_soon()

    def action_slower(self) -> None:
        """Double the period."""
        self.post_message(ScalePeriod(self._names, 2.0))
        self._look_soon()

    def action_faster(self) -> None:
        """Halve the period."""
        self.post_message(ScalePeriod(self._names, 0.5))
        self._look_soon()

    def action_as_registered(self) -> None:
        """Put the task back on the schedule that it was registered with."""
        self.post_message(DropOverrides(self._names))
        self._look_soon()

    def action_undo(self) -> None:
        """Take back the last change."""
        self.post_message(UndoChange())
        self._look_soon()

    def action_period(self) -> None:
        """Type another period."""
        from taskkit_tui.screens.period import PeriodScreen

        def answered(seconds: float | None) -> None:
            if seconds is not None:
                self.post_message(SetPeriod(self._names, seconds))
                self._look_soon()

        self.app.push_screen(PeriodScreen((TaskRow(self.details.task),), self._clock), answered)

    def action_unregister(self) -> None:
        """Ask whether the task is to be forgotten."""
        from taskkit_tui.screens.confirm import ConfirmScreen, told_names

        lines = [*told_names(self._names)]
        if self.details.task.run is not None:
            lines.append("The run that goes on ends first.")

        def answered(yes: bool | None) -> None:
            if yes:
                self.post_message(UnregisterTasks(self._names))
                self._look_soon()

        self.app.push_screen(ConfirmScreen("Unregister this task?", lines), answered)
