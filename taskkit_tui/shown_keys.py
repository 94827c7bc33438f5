"""Which key a person presses for what, as it is written on the screen: of their own keys, or else ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from textual.binding import Binding, BindingType

from taskkit_tui.app_bindings import APP_BINDINGS
from taskkit_tui.screens.main_bindings import MAIN_BINDINGS
from taskkit_tui.widgets.footer_bar import FIRST_OF_TWO
from taskkit_tui.widgets.log_bindings import LOG_BINDINGS
from taskkit_tui.widgets.panel_bindings import PANEL_BINDINGS
from taskkit_tui.widgets.tour_bindings import TOUR_BINDINGS


def shown_keys(own: Mapping[str, str], display: Callable[[Binding], str]) -> dict[str, str]:
    """The first key of each binding, by its id.

    Args:
        own: A person's own keys, by the ids of bindings; see `read_keymap`.
        display: How a key is written; see `App.get_key_display`.
    """
    keys: dict[str, str] = {}
    every: tuple[BindingType, ...] = (
        *PANEL_BINDINGS,
        *LOG_BINDINGS,
        *MAIN_BINDINGS,
        *APP_BINDINGS,
        *TOUR_BINDINGS,
    )
    for binding in every:
        if isinstance(binding, Binding) and binding.id:
            mine = own.get(binding.id)
            key = (mine or binding.key).partition(",")[0]
            shown = display(Binding(key, "", key_display=None if mine else binding.key_display))
            keys.setdefault(binding.id, FIRST_OF_TWO.get(shown, shown))
    return keys
