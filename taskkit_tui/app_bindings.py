"""The keys of the whole dashboard, each with an id that a keymap file can name."""

from __future__ import annotations

from typing import Final

from textual.binding import Binding, BindingType

APP_BINDINGS: Final[list[BindingType]] = [
    Binding("q", "leave", "Quit", id="app.quit", tooltip="Leave; asks when runs are active."),
    # Two bindings of one id, so that the footer is silent where `q` does something else.
    Binding(
        "ctrl+q",
        "leave",
        "Quit",
        id="app.quit",
        tooltip="Leave; asks when runs are active.",
        show=False,
    ),
    Binding(
        "ctrl+c",
        "leave_at_once",
        "Leave",
        id="app.leave",
        tooltip="Leave without asking.",
        show=False,
        priority=True,
    ),
    Binding(
        "ctrl+z",
        "suspend_process",
        "Suspend",
        id="app.suspend",
        tooltip="Back to the shell; fg continues, and until then nothing runs.",
        show=False,
        priority=True,
    ),
    Binding(
        "ctrl+p,colon",
        "command_palette",
        "Commands",
        id="app.palette",
        tooltip="All commands.",
        show=False,
    ),
]
