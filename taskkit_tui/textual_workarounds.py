"""Where Textual itself would raise, or take keys in another order than they were typed."""

from __future__ import annotations

from textual import events
from textual.app import App
from textual.await_complete import AwaitComplete
from textual.command import CommandList, CommandPalette
from textual.errors import NoWidget
from textual.widgets import OptionList

from taskkit_tui.key_order import KeyOrder
from taskkit_tui.screens.layout import Shape, shape_for


class SteadyApp(App[None], inherit_bindings=False):
    """An app that no key, no click and no size of the terminal upsets."""

    def __init__(self) -> None:
        super().__init__()
        self._key_order = KeyOrder(self)

    def action_command_palette(self) -> None:
        """Open the palette, where there is room for it."""
        if shape_for(*self.size) is not Shape.TOO_SMALL and not isinstance(self.screen, CommandPalette):
            from taskkit_tui.palette import Palette

            self.push_screen(Palette(id="--command-palette"))

    def search_themes(self) -> None:
        """Offer the themes in a palette of their own."""
        from textual.theme import ThemeProvider

        from taskkit_tui.palette import Palette

        self.push_screen(Palette(providers=[ThemeProvider], placeholder="Search for themes…"))

    def pop_screen(self) -> AwaitComplete:
        """Leave a screen, but not the main one, as two quick clicks beside the palette would."""
        return super().pop_screen() if len(self.screen_stack) > 1 else AwaitComplete()

    def on_resize(self, event: events.Resize) -> None:
        """Close the palette where there is no room for it: turning its pages raises there."""
        if shape_for(*event.size) is Shape.TOO_SMALL and isinstance(self.screen, CommandPalette):
            self.pop_screen()

    async def on_event(self, event: events.Event) -> None:
        """Let keys come one after the other; only a key that is urgent waits for none."""
        if isinstance(event, events.Key) and not event.is_forwarded:
            if not self.screen_stack:
                return  # the last screen was taken down while the key was on its way
            active = self.active_bindings.get(event.key)
            urgent = active is not None and active.binding.priority
            if not urgent and self._key_order.holds_back(event):
                return
        if isinstance(event, events.MouseDown | events.MouseMove) and self._is_on_what_is_gone(event):
            return
        await super().on_event(event)

    def _is_on_what_is_gone(self, event: events.MouseEvent) -> bool:
        """Whether what is seen there was taken down already, as a toast that is replaced: it raises then."""
        try:
            widget, _ = self.get_widget_at(event.x, event.y)
        except (NoWidget, IndexError):  # the last screen may be gone as well
            return False
        return widget.parent is None

    def copy_to_clipboard(self, text: str) -> None:
        """Copy it; what no terminal could be told, as half of a character, as `?`."""
        super().copy_to_clipboard(text.encode("utf-8", "replace").decode("utf-8"))

    def on_key(self, event: events.Key) -> None:
        """Let a key pass that would turn the pages of a list before there are any."""
        if event.key in {"pageup", "pagedown"} and self._pages_nothing():
            event.prevent_default()

    def _pages_nothing(self) -> bool:
        """Whether the list that has the keys would turn a page before it is laid out: it raises then."""
        lists: list[OptionList] = [self.focused] if isinstance(self.focused, OptionList) else []
        if isinstance(self.screen, CommandPalette):
            lists += self.screen.query(CommandList)
        return not all(listed.scrollable_content_region for listed in lists)
