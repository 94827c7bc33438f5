"""A screen about one task: its keys command the task as those of a panel do, or say why not."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from textual import events

from taskkit import TaskDetails
from taskkit_tui.formatting import harmless, shorten
from taskkit_tui.keys.bindings import TO_THE_SCHEDULER
from taskkit_tui.keys.command import Command
from taskkit_tui.screens.parted_screen import PartedScreen
from taskkit_tui.viewmodel.row import TaskRow
from taskkit_tui.widgets.task_commands import TaskCommands

_AFTER_COMMAND_SECONDS = 0.1
"""Delay after a command before the task is looked at again."""


class TaskScreen(PartedScreen, TaskCommands):
    """A screen about one task, with the same keys as a panel.

    Args:
        details: The state of the task.
        clock: The present instant, in epoch seconds.
        read_only: Refuse commands.
        keys: What a person presses, by the ids of commands; ours where there is nothing.
    """

    def __init__(
        self, details: TaskDetails, clock: Callable[[], float], *, read_only: bool, keys: Mapping[str, str]
    ) -> None:
        super().__init__()
        self._keys = keys
        self.details = details
        self.read_only = read_only
        self.gone = False
        """True if the task is gone; its last state stays on the screen."""
        self._clock = clock
        self._was_covered = False

    async def look(self) -> None:
        """Ask for the state of the task, and show it."""
        raise NotImplementedError

    def why_not(self, command: Command) -> str | None:
        """Return why a command does not apply now, in words for a person; None if it does."""
        name = shorten(harmless(self.details.task.name), 40)
        if self.gone and command.id != "task.new":
            return f"{name} is gone"
        if command.id == "task.run-with" and not self.details.parameters:
            return f"{name} takes no parameters; {self._keys.get('task.run', 'r')} runs it"
        return command.why_not((TaskRow(self.details.task),), read_only=self.read_only)

    def on_key(self, event: events.Key) -> None:
        """Say why a key does not apply to the task."""
        active = self.active_bindings.get(event.key)
        if active is None or active.enabled or active.node is not self:
            return
        command = TO_THE_SCHEDULER.get(active.binding.id or "")
        if command is not None and (reason := self.why_not(command)) is not None:
            event.stop()
            self.notify(reason, title=active.binding.description, severity="warning", markup=False)

    def names(self) -> tuple[str, ...]:
        """Return the task, as the only target of a command."""
        return (self.details.task.name,)

    def selected_name(self) -> str:
        """Return the task."""
        return self.details.task.name

    def commanded(self) -> None:
        """Look at the task again soon."""
        self.set_timer(_AFTER_COMMAND_SECONDS, self.look)

    def on_screen_suspend(self) -> None:
        """Note that a dialog opens above this screen, or that it is left."""
        self._was_covered = True

    def on_screen_resume(self) -> None:
        """Look at the task again soon: the dialog above may have changed it."""
        if self._was_covered:
            self.commanded()
