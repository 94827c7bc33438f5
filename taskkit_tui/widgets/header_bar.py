"""Shows the first line: the scheduler's state, the counts of tasks, threads and lateness."""

from __future__ import annotations

from collections.abc import Sequence

from textual.strip import Strip

from taskkit import Figures
from taskkit_tui.viewmodel.header import Group, fitting, headline, side_notes
from taskkit_tui.widgets.toned_widget import TonedWidget


class HeaderBar(TonedWidget):
    """One line of figures. If it gets too long, the least important ones are left out first."""

    DEFAULT_CSS = """
    HeaderBar {
        height: 1;
        background: $bar;
    }
    """

    def __init__(self, *, id: str) -> None:  # noqa: A002  Textual's name
        super().__init__(id=id)
        self._left: tuple[Group, ...] = ()
        self._right: tuple[Group, ...] = ()

    def show(self, figures: Figures, notes: Sequence[str] = ()) -> None:
        """Show these figures and notes; repaint only if they differ."""
        left, right = headline(figures, notes), side_notes(figures)
        if (left, right) != (self._left, self._right):
            self._left, self._right = left, right
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """Return the line, as Textual asks for it."""
        if y > 0:
            return Strip.blank(self.size.width)
        return self.line(self.segments(fitting(self._left, self._right, self.size.width)))
