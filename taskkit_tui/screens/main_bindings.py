"""The keys of the main screen that belong to no panel, each with an id that a keymap file can name."""

from __future__ import annotations

from typing import Final

from textual.binding import Binding, BindingType


def _key(
    key: str,
    action: str,
    words: str,
    id: str,  # noqa: A002  Textual's name
    tooltip: str,
    display: str | None = None,
    *,
    show: bool = False,
) -> Binding:
    return Binding(key, action, words, id=id, tooltip=tooltip, key_display=display, show=show)


MAIN_BINDINGS: Final[list[BindingType]] = [
    _key(
        "escape", "back", "Back", "view.back", "Leave the filter, the marks, the maximised panel.", show=True
    ),
    _key("slash", "filter", "Filter", "view.filter", "Show only some tasks.", "/", show=True),
    _key("question_mark", "help", "Help", "app.help", "The keys that apply here.", "?", show=True),
    _key("1", "go_to('scheduled')", "Scheduled", "go.scheduled", "Go to the scheduled tasks."),
    _key("2", "go_to('running')", "Running", "go.running", "Go to the running tasks."),
    _key("3", "go_to('on-demand')", "On demand", "go.on-demand", "Go to the tasks on demand."),
    _key("4", "go_to('log')", "Log", "go.log", "Go to the log."),
    _key("tab", "next_part(1)", "Next panel", "go.next", "Go to the next panel."),
    _key("shift+tab", "next_part(-1)", "Panel before", "go.previous", "Go back a panel."),
    _key("z", "maximise", "Maximise", "view.maximise", "Show only this panel, or all again."),
    _key("exclamation_mark", "only_failing", "Only failing", "view.failing", "Only what fails, or all.", "!"),
    _key("P", "pause", "Pause all", "app.pause", "Pause or resume everything; asks."),
    _key("less_than_sign", "zoom(-1)", "Zoom in", "timeline.in", "Less time on the timeline.", "<"),
    _key("greater_than_sign", "zoom(1)", "Zoom out", "timeline.out", "More time on the timeline.", ">"),
]
