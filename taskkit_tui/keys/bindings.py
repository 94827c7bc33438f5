"""Keys made from the table of commands: bindings of widgets, the ids of a keymap, names on the screen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from textual.binding import Binding, BindingType

from taskkit_tui.keys import command_table
from taskkit_tui.keys.command import HIDDEN, Command, Place
from taskkit_tui.keys.keymap import KeyContext

FIRST_OF_TWO: Final = {"+/-": "+", "[ ]": "["}
"""The first key of two that the footer writes as one."""


def rows_of(place: Place) -> tuple[Command, ...]:
    """Return the commands of a place, in the order of the table."""
    return tuple(command for command in command_table.COMMANDS if place in command.where)


def bindings_of(place: Place) -> list[BindingType]:
    """Return the keys of a place, for a widget's BINDINGS."""
    return [command.binding(place) for command in rows_of(place)]


TO_THE_SCHEDULER: Final = {command.id: command for command in command_table.COMMANDS if not command.action}
"""The commands that go to the scheduler or open something about a task, by their ids."""

FOOTER_RANKS: Final = {
    command.id: command.footer for command in command_table.COMMANDS if command.footer != HIDDEN
}
"""The ranks of commands in the footer, by id: as it gets narrow, the lowest ranks are left out first."""

_PANEL_ACTIONS: Final = {command.action: command for command in rows_of(Place.PANEL)}


def command_of(action: str, parameters: tuple[object, ...]) -> Command | None:
    """Return the command behind a Textual action on a task; None if it is another action."""
    if action == "command":
        return TO_THE_SCHEDULER.get(str(parameters[0]))
    return _PANEL_ACTIONS.get(action)


def _context(words: str, *places: Place) -> KeyContext:
    keys: dict[str, frozenset[str]] = {}
    for place in places:
        for binding in Binding.make_bindings(bindings_of(place)):
            keys[binding.id or ""] = keys.get(binding.id or "", frozenset()) | {binding.key}
    return KeyContext(words, keys)


KEY_CONTEXTS: Final = (
    _context("in a panel of tasks", Place.PANEL, Place.MAIN, Place.APP),
    _context("in the log", Place.LOG, Place.MAIN, Place.APP),
    _context("in the details", Place.CHART, Place.LINES, Place.DETAILS, Place.APP),
    # People who take the tour hardly have a keymap yet: its keys take none from the other places.
    _context("in the tour", Place.TOUR, Place.APP),
)
"""The places where keys can be pressed, with the keys that a keymap file can change."""

BINDING_IDS: Final = frozenset(identity for context in KEY_CONTEXTS for identity in context.keys)
"""The ids of all keys."""


def shown_keys(own: Mapping[str, str], display: Callable[[Binding], str]) -> dict[str, str]:
    """Return the first key of each command as the screen writes it, by ids.

    Args:
        own: A person's own keys, by ids; see `read_keymap`.
        display: How a key is written; see `App.get_key_display`.
    """
    keys: dict[str, str] = {}
    for place in (Place.PANEL, Place.LOG, Place.MAIN, Place.APP, Place.TOUR):
        for command in rows_of(place):
            mine = own.get(command.id)
            key = (mine or command.keys).partition(",")[0]
            shown = display(Binding(key, "", key_display=None if mine else command.display))
            keys.setdefault(command.id, FIRST_OF_TWO.get(shown, shown))
    return keys
