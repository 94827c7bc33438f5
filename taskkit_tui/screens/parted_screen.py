"""Base of screens with parts: all parts where there is room, else one at a time, with tabs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.geometry import Size
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from taskkit_tui.screens.main_layout import Shape, shape_for, too_small_words
from taskkit_tui.viewmodel.screen_part import ScreenPart
from taskkit_tui.widgets.background import end_work
from taskkit_tui.widgets.tab_bar import Tab, TabBar

if TYPE_CHECKING:
    from taskkit_tui.screens.help_screen import KeyGroup


class PartedScreen(Screen[None]):
    """Knows the current part, and which parts are visible.

    A subclass composes the parts, the bars that it names, a `TabBar` with the id `tabs`, and a `Static` with
    the id `too-small`. A container of parts is visible as long as one of them is.
    """

    DEFAULT_CSS = """
    PartedScreen {
        background: $background;
        layout: vertical;

        #too-small {
            display: none;
            width: 1fr;
            height: 1fr;
            content-align: center middle;
            text-wrap: nowrap;
        }
    }
    """

    PARTS: ClassVar[tuple[ScreenPart, ...]] = ()
    """The parts, in the order of the keys and of `tab`."""
    FIRST: ClassVar[str] = ""
    """The first current part."""
    BARS: ClassVar[tuple[str, ...]] = ()
    """The ids of the widgets that are visible unless the terminal is too small for anything."""

    def __init__(self) -> None:
        super().__init__()
        self.room = Size()
        """The size of the terminal. Textual sets `size` only after the first layout."""
        self.shape = Shape.WIDE
        """The layout for that size."""
        self.current = self.FIRST
        """The part with the focus."""
        self.maximised = False
        """True if only the current part is visible although there may be room for all."""

    def _on_prune(self) -> None:
        end_work(self)

    @property
    def single(self) -> bool:
        """True if one part is visible at a time."""
        return self.shape is not Shape.TOO_SMALL and (self.maximised or self.shape is Shape.SINGLE)

    @property
    def seen(self) -> frozenset[str]:
        """The visible parts."""
        if self.shape is Shape.TOO_SMALL:
            return frozenset()
        return frozenset({self.current} if self.single else self._identities)

    @property
    def _identities(self) -> tuple[str, ...]:
        return tuple(part.identity for part in self.PARTS)

    def part(self, identity: str) -> Widget:
        """Return the widget of a part."""
        return self.query_one(f"#{identity}", Widget)

    @property
    def is_current(self) -> bool:
        """True if it can be seen. Textual calls this before it paints.

        Textual takes a screen right under an opaque one for visible as well, and would paint all of the one
        on top again for each change below.
        """
        top = self.app.screen_stack[-1:]
        return super().is_current and (self in top or any(screen.styles.background.a < 1 for screen in top))

    # For subclasses.

    def arranged(self) -> None:
        """Called when other parts may be visible."""

    def arranged_first(self) -> None:
        """Called once, when all parts are there and arranged, before they are laid out and painted."""

    def counts(self) -> Mapping[str, int]:
        """Return the number of items of the parts that have some."""
        return {}

    def look_at_tabs(self) -> None:
        """Show the counts and the current part in the tabs."""
        counts = self.counts()
        self.query_one(TabBar).show(
            [
                Tab(str(number), title, short, counts.get(identity), identity == self.current)
                for number, (identity, title, short) in enumerate(self.PARTS, start=1)
            ]
        )

    def key_groups(self) -> tuple[KeyGroup, ...]:
        """Return the groups of the help."""
        from taskkit_tui.screens.help_screen import key_groups

        return key_groups(self)

    # The visible parts.

    def on_compose(self) -> None:
        """Choose the layout while there are no parts whose styles would be applied again."""
        self._choose_shape(self.app.size)

    def on_mount(self) -> None:
        """Arrange the parts before they are laid out and painted for the first time."""
        self.arrange_parts()
        self.arranged_first()

    def on_resize(self, event: events.Resize) -> None:
        """Choose the layout for the new size."""
        if event.size != self.room:
            self._choose_shape(event.size)
            self.arrange_parts()

    def _choose_shape(self, room: Size) -> None:
        self.room, self.shape = room, shape_for(*room)
        self._classify()

    def _classify(self) -> None:
        for shape in Shape:
            self.set_class(shape is (Shape.SINGLE if self.single else self.shape), shape)

    def arrange_parts(self) -> None:
        """Show the parts that there is room for."""
        hopeless, single, seen = self.shape is Shape.TOO_SMALL, self.single, self.seen
        self._classify()
        holders: dict[Widget, bool] = {}
        for identity in self._identities:
            part = self.part(identity)
            part.display = identity in seen
            for holder in part.ancestors:
                if holder is self:
                    break
                if isinstance(holder, Widget):
                    holders[holder] = holders.get(holder, False) or identity in seen
        for holder, is_seen in holders.items():
            holder.display = is_seen
        self.query_one(TabBar).display = single
        for bar in self.BARS:
            self.query_one(f"#{bar}").display = not hopeless
        too_small = self.query_one("#too-small", Static)
        too_small.display = hopeless
        if hopeless:
            too_small.update(too_small_words(*self.room))
        self.arranged()

    # The current part.

    def enter_part(self, identity: str) -> None:
        """Make a part the current one, and show only it where there is room for one."""
        self.current = identity
        self.arrange_parts()

    def go_to(self, identity: str) -> None:
        """Focus one of the parts, and show it."""
        self.enter_part(identity)
        # Not `focus()`, which waits for its turn: the next key may be here already.
        self.set_focus(self.part(identity))

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Follow the focus to another part."""
        identity = event.widget.id
        if identity is not None and identity != self.current and identity in self._identities:
            self.enter_part(identity)

    @on(TabBar.TabClicked)
    def _on_tab_clicked(self, event: TabBar.TabClicked) -> None:
        self.go_to(self.PARTS[event.index].identity)

    # Keys.

    def action_go_to(self, identity: str) -> None:
        """Go to a part."""
        self.go_to(identity)

    def action_next_part(self, step: int) -> None:
        """Go to the next part, or to the previous one."""
        identities = self._identities
        self.go_to(identities[(identities.index(self.current) + step) % len(identities)])

    def action_maximise(self) -> None:
        """Show only the part that has the focus, or all again."""
        self.maximised = not self.maximised
        self.arrange_parts()
        self.set_focus(self.part(self.current))

    def action_help(self) -> None:
        """Show the keys that apply here."""
        from taskkit_tui.screens.help_screen import HelpScreen

        self.app.push_screen(HelpScreen(self.key_groups()))
