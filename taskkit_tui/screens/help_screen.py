"""The help: the keys that apply here, from the bindings themselves."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import Any, ClassVar, Final, NamedTuple

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from taskkit_tui.keys.bindings import FIRST_OF_TWO
from taskkit_tui.screens.dialog import Dialog
from taskkit_tui.screens.main_layout import WIDE
from taskkit_tui.viewmodel.text_lines import wrapped

_TITLES = {
    "task": "On a task",
    "list": "In a list",
    "log": "In the log",
    "go": "Navigation",
    "view": "View",
    "timeline": "Timeline",
    "app": "Global",
    "tour": "The tour",
}
_KEY_WIDTH = 12


class KeyHelp(NamedTuple):
    """One line of the help."""

    keys: str
    tooltip: str
    applies: bool


class KeyGroup(NamedTuple):
    """The keys of one kind."""

    title: str
    keys: tuple[KeyHelp, ...]


SIGNS: Final = KeyGroup(
    "Signs",
    (
        KeyHelp("⏎", "The enter key.", applies=True),
        KeyHelp("≠", "A person has changed the schedule.", applies=True),
        KeyHelp("↑ ↓", "The period grew, or shrank.", applies=True),
        KeyHelp("RUNS", "The last runs: █ took longest, and 0.1 s at least; × failed.", applies=True),
    ),
)
"""The signs of the main screen that need an explanation."""


def key_groups(screen: Screen[Any]) -> tuple[KeyGroup, ...]:
    """Return the keys that are bound where the focus is, grouped by the first word of their ids."""
    found: dict[str, dict[str, list[str]]] = {}
    tips: dict[str, tuple[str, bool]] = {}
    for active in screen.active_bindings.values():
        binding = active.binding
        if not binding.id or not binding.tooltip:
            continue
        group = binding.id.split(".")[0]
        keys = found.setdefault(group, {}).setdefault(binding.id, [])
        shown = screen.app.get_key_display(binding)
        shown = FIRST_OF_TWO.get(shown, shown)
        if shown not in keys:
            keys.append(shown)
        tips[binding.id] = (binding.tooltip, active.enabled)
    return tuple(
        KeyGroup(
            title,
            tuple(KeyHelp(" ".join(keys), *tips[identity]) for identity, keys in found[group].items()),
        )
        for group, title in _TITLES.items()
        if group in found
    )


def _groups_of_first(groups: Sequence[KeyGroup]) -> int:
    """Return the number of groups in the first column that makes the longer column shortest."""
    heights = [len(group.keys) + 2 for group in groups]
    return min(
        range(1, len(heights) + 1),
        key=lambda first: max(sum(heights[:first]), sum(heights[first:])),
        default=0,
    )


class _KeyList(Static):
    """Keys with what they do, folded for the width."""

    def __init__(self, groups: Sequence[KeyGroup], *, id: str) -> None:  # noqa: A002  Textual's name
        super().__init__(id=id)
        self._groups = groups

    def on_resize(self, event: events.Resize) -> None:
        """Fold for the new width."""
        self.update(self._folded(event.size.width))

    def _folded(self, width: int) -> Content:
        lines: list[Content] = []
        for group in self._groups:
            lines.append(Content.styled(group.title, "bold $next"))
            for keys, tooltip, applies in group.keys:
                said = wrapped(tooltip, width - _KEY_WIDTH - 2)
                for key, row in zip_longest([keys], said, fillvalue=""):
                    gap = " " * max(1, _KEY_WIDTH - cell_len(key))
                    lines.append(
                        Content.assemble(
                            (f"  {key}{gap}", "bold" if applies else "$dim"),
                            (row, "" if applies else "$dim"),
                        )
                    )
            lines.append(Content(""))
        return Content("\n").join(lines[:-1])


class HelpScreen(Dialog[None]):
    """A list of keys; `esc`, `?`, `q` and `enter` leave it."""

    DEFAULT_CSS = """
    HelpScreen > #box {
        width: 74;
        height: auto;
        padding: 0 2;
        &.beside { width: 124; }
        & > #columns {
            layout: vertical;
            height: auto;
            & > Static { width: 1fr; }
            & > #second { margin-top: 1; }
        }
        &.beside > #columns {
            layout: horizontal;
            & > #second { margin: 0 0 0 4; }
        }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark,q,enter", "cancel", "Close", id="help.close", tooltip="Leave the help."),
        Binding("j", "scroll(1)", "Down", id="help.down", tooltip="Scroll down.", show=False),
        Binding("k", "scroll(-1)", "Up", id="help.up", tooltip="Scroll up.", show=False),
    ]

    def __init__(self, groups: Sequence[KeyGroup]) -> None:
        super().__init__()
        self.groups = tuple(groups)

    def compose(self) -> ComposeResult:
        """Make two columns in a box that scrolls."""
        with VerticalScroll(id="box") as box:
            box.border_title = "Keys"
            box.border_subtitle = "dim: does not apply · esc closes"
            first = _groups_of_first(self.groups)
            with Horizontal(id="columns"):
                yield _KeyList(self.groups[:first], id="first")
                if self.groups[first:]:
                    yield _KeyList(self.groups[first:], id="second")

    def on_resize(self, event: events.Resize) -> None:
        """Lay the columns side by side where there is room, else one below the other."""
        self.query_one("#box").set_class(event.size.width >= WIDE, "beside")

    def action_scroll(self, lines: int) -> None:
        """Scroll a little."""
        self.query_one("#box").scroll_relative(y=lines, animate=False)
