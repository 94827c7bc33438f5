"""The keys of the details screen. Those that command a task are the ones that every panel has."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from textual.binding import Binding, BindingType

from taskkit_tui.viewmodel.part import DETAILS_PARTS
from taskkit_tui.widgets.panel_bindings import PANEL_BINDINGS

COMMANDS: Final = frozenset(
    {
        "run_now",
        "run_with",
        "stop",
        "disable",
        "enable",
        "period",
        "slower",
        "faster",
        "as_registered",
        "unregister",
        "undo",
    }
)
"""The actions that ask for something to be done to the task."""

_OF_A_PANEL: Final = [each for each in PANEL_BINDINGS if isinstance(each, Binding)]

DETAILS_BINDINGS: Final[list[BindingType]] = [
    Binding("escape", "back", "Back", key_display="esc", id="view.back", tooltip="Go back."),
    Binding(
        "enter",
        "open",
        "Read",
        key_display="⏎",
        id="view.open",
        tooltip="Read the traceback and the output of the selected run.",
    ),
    Binding(
        "t",
        "last_traceback",
        "Traceback",
        id="view.last-traceback",
        tooltip="Go to the last run that left a traceback.",
    ),
    *(each for each in _OF_A_PANEL if each.action in COMMANDS - {"run_with"}),
    Binding("slash", "search", "Search", key_display="/", id="view.filter", tooltip="Search the history."),
    Binding("y", "copy", "Copy", id="task.copy", tooltip="Copy what is selected."),
    # Where there is room for them in the footer.
    *(replace(each, show=True) for each in _OF_A_PANEL if each.action in {"run_with", "new_task"}),
    Binding("q", "leave", "Leave", id="view.leave", tooltip="Go back to the tasks.", show=False),
    Binding("z", "maximise", "Maximise", id="view.maximise", tooltip="Only this part, or all.", show=False),
    Binding("tab", "next_part(1)", "Next part", id="go.next", tooltip="Go to the next part.", show=False),
    Binding(
        "shift+tab", "next_part(-1)", "Part before", id="go.previous", tooltip="Go back a part.", show=False
    ),
    *(
        Binding(
            str(number),
            f"go_to('{part}')",
            title,
            id=f"go.{part}",
            tooltip=f"Go to “{title}”.",
            show=False,
        )
        for number, (part, title, _) in enumerate(DETAILS_PARTS, start=1)
    ),
    Binding(
        "question_mark",
        "help",
        "Help",
        key_display="?",
        id="app.help",
        tooltip="The keys that apply here.",
    ),
]
