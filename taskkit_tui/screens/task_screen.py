"""The keys with which one steers the task that a screen is about: they ask the app, and say why not."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from textual import events

from taskkit import TaskDetails
from taskkit_tui.formatting import harmless, shorten
from taskkit_tui.screens.details_keys import COMMANDS
from taskkit_tui.screens.parted_screen import PartedScreen
from taskkit_tui.viewmodel.applicability import why_not
from taskkit_tui.viewmodel.row import TaskRow
from taskkit_tui.widgets.task_commands import TaskCommands

_AFTER_COMMAND = 0.1
"""Seconds after a command until what came of it is looked at."""


class TaskScreen(PartedScreen, TaskCommands):
    """A screen about one task, which obeys the same keys here as in a panel.

    Args:
        details: How the task stands.
        clock: The present instant, in epoch seconds.
        read_only: Whether commands are refused.
        keys: What a person presses, by the ids of bindings; ours where there is nothing.
    """

    def __init__(
        self, details: TaskDetails, clock: Callable[[], float], *, read_only: bool, keys: Mapping[str, str]
    ) -> None:
        super().__init__()
        self._keys = keys
        self.details = details
        self.read_only = read_only
        self.gone = False
        """Whether the task is no more; what is shown is how it last was."""
        self._clock = clock
        self._was_covered = False

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
            name = shorten(harmless(self.details.task.name), 40)
            return f"{name} takes no parameters; {self._keys.get('task.run', 'r')} runs it"
        return why_not(action, (TaskRow(self.details.task),), read_only=self.read_only)

    def on_key(self, event: events.Key) -> None:
        """Say why a key does not apply to the task."""
        active = self.active_bindings.get(event.key)
        if active is None or active.enabled or active.node is not self:
            return
        if (reason := self.why_not(active.binding.action.partition("(")[0])) is not None:
            event.stop()
            self.notify(reason, title=active.binding.description, severity="warning", markup=False)

    def names(self) -> tuple[str, ...]:
        """The task, as commands go to several elsewhere."""
        return (self.details.task.name,)

    def selected_name(self) -> str:
        """The task."""
        return self.details.task.name

    def commanded(self) -> None:
        """See soon what has come of a command."""
        self.set_timer(_AFTER_COMMAND, self.look)

    def on_screen_suspend(self) -> None:
        """A dialog opens above this screen, or it is left."""
        self._was_covered = True

    def on_screen_resume(self) -> None:
        """See soon what has come of what was answered above this screen."""
        if self._was_covered:
            self.commanded()
