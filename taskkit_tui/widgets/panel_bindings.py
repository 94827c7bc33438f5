"""The keys of a panel of tasks, each with an id that a keymap file can name."""

from __future__ import annotations

from typing import Final

from textual.binding import Binding, BindingType


def _shown(key: str, action: str, words: str, id: str, tooltip: str, display: str | None = None) -> Binding:  # noqa: A002
    return Binding(key, action, words, id=id, tooltip=tooltip, key_display=display)


def _hidden(key: str, action: str, words: str, id: str, tooltip: str, display: str | None = None) -> Binding:  # noqa: A002
    """A key that works, but is told only by the help."""
    return Binding(key, action, words, id=id, tooltip=tooltip, key_display=display, show=False)


PANEL_BINDINGS: Final[list[BindingType]] = [
    _shown("r", "run_now", "Run now", "task.run", "Run the task now; one that runs already once more."),
    _hidden("R", "run_with", "Run with…", "task.run-with", "Run the task with parameters."),
    _shown("s", "stop", "Stop", "task.stop", "Ask the run to stop."),
    _shown("d", "disable", "Disable", "task.disable", "Let no run fall due until it is enabled."),
    _shown("e", "enable", "Enable", "task.enable", "Put the task back on its schedule."),
    _shown("p", "period", "Period", "task.period", "Change the period, or a schedule that has none."),
    _shown("plus", "slower", "Slower/faster", "task.slower", "Double the period.", "+/-"),
    _hidden("minus", "faster", "Faster", "task.faster", "Halve the period.", "-"),
    _shown(
        "equals_sign",
        "as_registered",
        "As registered",
        "task.as-registered",
        "Take a change of its schedule back: as the program or the file has it.",
        "=",
    ),
    _shown("enter", "details", "Details", "task.details", "Open everything about the task.", "⏎"),
    _shown("n", "new_task", "New", "task.new", "Register a new task."),
    _shown("l", "log_of_task", "Its log", "task.log", "Show only this task in the log."),
    _hidden("L", "log_of_all", "Log of all", "task.log-all", "Show all tasks in the log."),
    _hidden("D", "unregister", "Unregister", "task.unregister", "Forget the task; asks first."),
    _hidden("space", "mark", "Mark", "task.mark", "Mark the task; commands then go to all the marked."),
    _hidden(
        "asterisk", "mark_all", "Mark all", "task.mark-all", "Mark all tasks of the panel, or none.", "*"
    ),
    _hidden("u", "undo", "Undo", "task.undo", "Take back the last change."),
    _hidden("y", "copy_name", "Copy name", "task.copy", "Copy the task's name."),
    _hidden("o", "sort_next", "Sort", "list.sort", "Sort by the next column."),
    _hidden("O", "sort_reverse", "Turn round", "list.reverse", "Turn the order round."),
    _hidden("up,k", "cursor_up", "Up", "list.up", "Select the row above."),
    _hidden("down,j", "cursor_down", "Down", "list.down", "Select the row below."),
    _hidden("pageup,ctrl+b,ctrl+u", "page_up", "Page up", "list.page-up", "Go up by a panelful."),
    _hidden("pagedown,ctrl+f,ctrl+d", "page_down", "Page down", "list.page-down", "Go down by a panelful."),
    _hidden("home,g", "first", "First", "list.first", "Select the first row."),
    _hidden("end,G", "last", "Last", "list.last", "Select the last row."),
]
