"""The keys of the log, each with an id that a keymap file can name."""

from __future__ import annotations

from typing import Final

from textual.binding import Binding, BindingType

LOG_BINDINGS: Final[list[BindingType]] = [
    Binding("f", "follow", "Follow", id="log.follow", tooltip="Stay with the newest line, or let go."),
    Binding("slash", "find", "Find", key_display="/", id="log.find", tooltip="Find text in the lines shown."),
    Binding("n", "find_next", "Next match", id="log.find-next", tooltip="Go to the next match.", show=False),
    Binding(
        "N", "find_previous", "Previous match", id="log.find-previous", tooltip="Go back a match.", show=False
    ),
    Binding(
        "ampersand",
        "only_matching",
        "Only matches",
        key_display="&",
        id="log.only-matching",
        tooltip="Only the lines that match, or all.",
        show=False,
    ),
    Binding("w", "wrap", "Wrap", id="log.wrap", tooltip="Fold long lines, or cut them."),
    Binding("t", "stamps", "Times", id="log.stamps", tooltip="Show or hide the time of each line."),
    Binding("v", "level", "Level", id="log.level", tooltip="Least level: everything, info, warning, error."),
    Binding(
        "left_square_bracket",
        "previous_run",
        "Runs",
        key_display="[ ]",
        id="log.previous-run",
        tooltip="Go to the run before, of this line's task.",
    ),
    Binding(
        "right_square_bracket",
        "next_run",
        "Next run",
        key_display="]",
        id="log.next-run",
        tooltip="Go to the next run of this line's task.",
        show=False,
    ),
    Binding(
        "enter",
        "open",
        "Its run",
        key_display="⏎",
        id="log.open",
        tooltip="Open the traceback of a failure; of any other line its run, in the details.",
    ),
    Binding(
        "l", "only_this", "Only it", id="log.only-this", tooltip="Only the task of this line.", show=False
    ),
    Binding("L", "all_tasks", "All", id="log.all", tooltip="All tasks again.", show=False),
    Binding("y", "copy", "Copy", id="log.copy", tooltip="Copy the selected text, else the line."),
    Binding(
        "ctrl+s", "save", "Save", id="log.save", tooltip="Save the lines shown as a file in this folder."
    ),
    Binding("escape", "cancel", "Back", id="log.cancel", tooltip="End the search.", show=False),
    Binding("up,k", "cursor_up", "Up", id="log.up", tooltip="Go to the line above.", show=False),
    Binding("down,j", "cursor_down", "Down", id="log.down", tooltip="Go to the line below.", show=False),
    Binding(
        "pageup,ctrl+b,ctrl+u",
        "page_up",
        "Page up",
        id="log.page-up",
        tooltip="Go up by a panelful.",
        show=False,
    ),
    Binding(
        "pagedown,ctrl+f,ctrl+d",
        "page_down",
        "Page down",
        id="log.page-down",
        tooltip="Go down by a panelful.",
        show=False,
    ),
    Binding("home,g", "first", "First", id="log.first", tooltip="Go to the oldest line.", show=False),
    Binding("end,G", "last", "Last", id="log.last", tooltip="Go to the newest line.", show=False),
    Binding("left", "left", "Left", id="log.left", tooltip="Show what is further left.", show=False),
    Binding("right", "right", "Right", id="log.right", tooltip="Show what is further right.", show=False),
]
