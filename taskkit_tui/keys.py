"""The ids of the bindings that a keymap file can change: all but those of the dialogs."""

from __future__ import annotations

from typing import Final

from textual.binding import Binding

from taskkit_tui.app_bindings import APP_BINDINGS
from taskkit_tui.screens.details_keys import DETAILS_BINDINGS
from taskkit_tui.screens.main_bindings import MAIN_BINDINGS
from taskkit_tui.widgets.log_bindings import LOG_BINDINGS
from taskkit_tui.widgets.panel_bindings import PANEL_BINDINGS
from taskkit_tui.widgets.tour_bindings import TOUR_BINDINGS

BINDING_IDS: Final = frozenset(
    binding.id
    for bindings in (
        APP_BINDINGS,
        MAIN_BINDINGS,
        PANEL_BINDINGS,
        LOG_BINDINGS,
        DETAILS_BINDINGS,
        TOUR_BINDINGS,
    )
    for binding in bindings
    if isinstance(binding, Binding) and binding.id
)
