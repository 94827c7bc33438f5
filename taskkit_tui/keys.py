"""Which keys there are where: what a keymap file can change, all but the keys of the dialogs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from textual.binding import Binding, BindingType

from taskkit_tui.app_bindings import APP_BINDINGS
from taskkit_tui.keymap import Place
from taskkit_tui.screens.details_keys import DETAILS_BINDINGS
from taskkit_tui.screens.main_bindings import MAIN_BINDINGS
from taskkit_tui.widgets.line_bindings import CHART_BINDINGS, LINE_BINDINGS
from taskkit_tui.widgets.log_bindings import LOG_BINDINGS
from taskkit_tui.widgets.panel_bindings import PANEL_BINDINGS
from taskkit_tui.widgets.tour_bindings import TOUR_BINDINGS


def _place(words: str, *bound: Sequence[BindingType]) -> Place:
    keys: dict[str, frozenset[str]] = {}
    for bindings in bound:
        for binding in Binding.make_bindings(bindings):
            if binding.id:
                keys[binding.id] = keys.get(binding.id, frozenset()) | {binding.key}
    return Place(words, keys)


PLACES: Final = (
    _place("in a panel of tasks", PANEL_BINDINGS, MAIN_BINDINGS, APP_BINDINGS),
    _place("in the log", LOG_BINDINGS, MAIN_BINDINGS, APP_BINDINGS),
    _place("in the details", CHART_BINDINGS, LINE_BINDINGS, DETAILS_BINDINGS, APP_BINDINGS),
    # Those that take the tour have hardly any keys of their own yet; its keys are in nobody's way.
    _place("in the tour", TOUR_BINDINGS, APP_BINDINGS),
)
"""Where keys can be pressed, and all that can be pressed there."""

BINDING_IDS: Final = frozenset(identity for place in PLACES for identity in place.keys)
"""The ids of all that can be pressed anywhere."""
