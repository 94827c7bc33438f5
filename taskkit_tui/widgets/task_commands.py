"""The action behind every command to the scheduler: it posts a request, and does nothing else."""

from __future__ import annotations

from textual.widget import Widget

from taskkit_tui.keys.bindings import TO_THE_SCHEDULER
from taskkit_tui.keys.command import AppliesTo
from taskkit_tui.messages import CommandAsked


class TaskCommands(Widget):
    """A widget or screen whose keys command tasks, or the whole scheduler."""

    def names(self) -> tuple[str, ...]:
        """Return the tasks that a command goes to."""
        return ()

    def selected_name(self) -> str | None:
        """Return the task of a command that goes to one only; None if there is none."""
        return None

    def commanded(self) -> None:
        """Called after each command that is carried out at once, before its effect shows."""

    def action_command(self, identity: str) -> None:
        """Ask for a command of the table, by its id."""
        command = TO_THE_SCHEDULER[identity]
        names = self.names() if command.applies_to is AppliesTo.MARKED else ()
        if command.applies_to is AppliesTo.SELECTED:
            if (name := self.selected_name()) is None:
                return
            if command.request is not None:
                self.post_message(command.request(name))
                return
            names = (name,)
        self.post_message(CommandAsked(identity, names))
        if not command.asks:
            self.commanded()
