"""Works around errors of Textual: exceptions, leaked widgets, and keys handled out of order."""

from __future__ import annotations

from math import inf
from time import monotonic
from typing import Any, Final

from rich.console import RenderableType
from textual import events
from textual._context import active_message_pump
from textual.app import App
from textual.await_complete import AwaitComplete
from textual.command import CommandList, CommandPalette
from textual.css.query import NoMatches
from textual.dom import DOMNode
from textual.errors import NoWidget
from textual.message import Message
from textual.message_pump import MessagePump
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import OptionList

from taskkit_tui.keys.key_order import KeyOrder
from taskkit_tui.resource_limits import refusal_words
from taskkit_tui.screens.dialog import Dialog
from taskkit_tui.screens.main_layout import Shape, shape_for

REFUSAL_SECONDS: Final = 5.0
"""Least time between two toasts that say that the system refuses something."""
QUIET_SECONDS: Final = 1.0
"""Time after the last key or click until nobody is taken to type."""


class SteadyApp(App[None], inherit_bindings=False):
    """An app that survives any key, click and size of the terminal."""

    def __init__(self) -> None:
        super().__init__()
        self._key_order = KeyOrder(self)
        self._refused_at = -inf
        self._typed_at = -inf
        self._is_painting = False

    def is_quiet(self) -> bool:
        """Return True while nobody types or clicks. Any thread."""
        return monotonic() - self._typed_at > QUIET_SECONDS

    def action_command_palette(self) -> None:
        """Open the palette, if there is room for it."""
        if shape_for(*self.size) is not Shape.TOO_SMALL and not isinstance(self.screen, CommandPalette):
            from taskkit_tui.palette_screen import PaletteScreen

            self.push_screen(PaletteScreen(id="--command-palette"))

    def search_themes(self) -> None:
        """Open a palette of the themes."""
        from textual.theme import ThemeProvider

        from taskkit_tui.palette_screen import PaletteScreen

        self.push_screen(PaletteScreen(providers=[ThemeProvider], placeholder="Search for themes…"))

    def pop_screen(self) -> AwaitComplete:
        """Leave a screen, but never the main one: two quick clicks beside the palette would leave that."""
        return super().pop_screen() if len(self.screen_stack) > 1 else AwaitComplete()

    def on_resize(self, event: events.Resize) -> None:
        """Close the palette if there is no room for it: paging would raise there."""
        if shape_for(*event.size) is Shape.TOO_SMALL and isinstance(self.screen, CommandPalette):
            self.pop_screen()

    async def on_event(self, event: events.Event) -> None:
        """Handle keys one after the other; only a priority key does not wait."""
        if isinstance(event, events.InputEvent):
            self._typed_at = monotonic()
        if isinstance(event, events.Key) and not event.is_forwarded:
            if not self.screen_stack:
                return  # the last screen was removed before the key arrived
            active = self.active_bindings.get(event.key)
            urgent = active is not None and active.binding.priority
            if not urgent and (self._comes_too_early(event) or self._key_order.holds_back(event)):
                return
        if isinstance(event, events.MouseDown | events.MouseUp) and self._comes_too_early(event):
            return
        if isinstance(event, events.MouseDown | events.MouseMove) and self._hits_removed_widget(event):
            return
        await super().on_event(event)

    def _comes_too_early(self, event: events.InputEvent) -> bool:
        """Return True if this was on its way before a dialog that opened by itself was painted."""
        screen = self.screen_stack[-1] if self.screen_stack else None
        return isinstance(screen, Dialog) and event.time < screen.answers_from

    async def _dispatch_action(self, namespace: DOMNode, action_name: str, params: Any) -> bool:
        try:
            return await super()._dispatch_action(namespace, action_name, params)
        except Exception as error:
            if not self._reports_refusal(error):
                raise
            return True

    async def _on_message(self, message: Message) -> None:
        try:
            await super()._on_message(message)
        except Exception as error:
            # The app cannot exist without these.
            begins = isinstance(message, events.Load | events.Compose | events.Mount)
            if begins or not self._reports_refusal(error):
                raise

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        self._is_painting = True
        try:
            super()._display(screen, renderable)
        finally:
            self._is_painting = False

    def _handle_exception(self, error: Exception) -> None:
        if self._is_painting and isinstance(error, MemoryError):
            return  # this piece is not painted; a later one may be
        if isinstance(error, NoMatches) and self._is_closing(active_message_pump.get(self)):
            return  # it was closed before it was mounted: Textual then mounts it without its children
        super()._handle_exception(error)

    def _is_closing(self, pump: MessagePump) -> bool:
        """True if a widget or a screen is being removed, or the app is being left."""
        return self._exit or pump._closing or (isinstance(pump, Widget) and pump._pruning)

    def _reports_refusal(self, error: Exception) -> bool:
        """Report a refusal of the system in a toast, now and then. Return False for any other error."""
        words = refusal_words(error)
        if words is None:
            return False
        if monotonic() - self._refused_at > REFUSAL_SECONDS:
            self._refused_at = monotonic()
            self.notify(f"Not possible now: {words}", severity="warning", markup=False, timeout=8)
        return True

    def _hits_removed_widget(self, event: events.MouseEvent) -> bool:
        """True if the widget there is already removed, as a replaced toast: Textual would raise."""
        try:
            widget, _ = self.get_widget_at(event.x, event.y)
        except (NoWidget, IndexError):  # the last screen may be gone as well
            return False
        return widget.parent is None

    def remove_empty_toast_holders(self) -> None:
        """Remove the holders of toasts that are gone.

        When a new toast is shown, Textual removes the expired and replaced toasts, but not their holders.
        """
        for screen in self.screen_stack:
            for rack in screen.children:
                if rack.id == "textual-toastrack":
                    for holder in rack.children:
                        if holder.is_mounted and not holder.children:
                            holder.remove()

    def copy_to_clipboard(self, text: str) -> None:
        """Copy `text`; replace lone surrogates, which cannot be encoded, by `?`."""
        super().copy_to_clipboard(text.encode("utf-8", "replace").decode("utf-8"))

    def on_key(self, event: events.Key) -> None:
        """Ignore a page key for a list that is not laid out yet."""
        if event.key in {"pageup", "pagedown"} and self._would_page_empty_list():
            event.prevent_default()

    def _would_page_empty_list(self) -> bool:
        """True if the focused list is not laid out yet: Textual would raise on a page key."""
        lists: list[OptionList] = [self.focused] if isinstance(self.focused, OptionList) else []
        if isinstance(self.screen, CommandPalette):
            lists += self.screen.query(CommandList)
        return not all(listed.scrollable_content_region for listed in lists)
