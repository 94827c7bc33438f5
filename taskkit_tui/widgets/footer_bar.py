"""The footer: the keys that apply now, from the bindings themselves."""

from __future__ import annotations

from typing import Final, NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding
from textual.strip import Strip

from taskkit_tui.keys.bindings import FOOTER_RANKS
from taskkit_tui.keys.command import STAYS
from taskkit_tui.tones import Tone
from taskkit_tui.viewmodel.text_lines import Piece
from taskkit_tui.widgets.toned_widget import TonedWidget

_HELP: Final = "app.help"


class _Hint(NamedTuple):
    key: str
    words: str
    binding: Binding

    @property
    def width(self) -> int:
        return cell_len(self.key) + 1 + cell_len(self.words)


class FooterBar(TonedWidget):
    """A line of hints. A click on one does what its key does."""

    DEFAULT_CSS = """
    FooterBar {
        height: 1;
        background: $bar;
    }
    """

    def __init__(self, *, id: str) -> None:  # noqa: A002  Textual's name
        super().__init__(id=id)
        self._hints: tuple[_Hint, ...] = ()

    def on_mount(self) -> None:
        """Follow the bindings of the focused widget."""
        self.screen.bindings_updated_signal.subscribe(self, self._update)

    def _update(self, _screen: object = None) -> None:
        hints = tuple(self._applicable())
        if hints != self._hints:
            self._hints = hints
            self.refresh()

    def _applicable(self) -> list[_Hint]:
        hints: dict[tuple[str, str], _Hint] = {}
        for _node, binding, enabled, _tooltip in self.screen.active_bindings.values():
            if binding.show and enabled:
                hint = _Hint(self.app.get_key_display(binding), binding.description, binding)
                hints.setdefault((binding.id or binding.action, binding.description), hint)
        return sorted(hints.values(), key=lambda hint: hint.binding.id == _HELP)

    def _placed(self) -> list[tuple[int, _Hint]]:
        """Return the hints that fit, with their first columns; help, the last one, stays."""
        room = self.size.width - 1
        gap = 3 if sum(hint.width + 3 for hint in self._hints) <= room else 2
        hints = list(self._hints)
        while len(hints) > 1 and sum(hint.width + gap for hint in hints) > room:
            hints.remove(self._least(hints[:-1]))
        placed = []
        x = 2 if gap == 3 else 1
        for hint in hints:
            placed.append((x, hint))
            x += hint.width + gap
        return placed

    @staticmethod
    def _least(hints: list[_Hint]) -> _Hint:
        """Return the hint that leaves first: that of the lowest rank, of several the last."""
        return min(reversed(hints), key=lambda hint: FOOTER_RANKS.get(hint.binding.id or "", STAYS))

    def render_line(self, y: int) -> Strip:
        """Return the line. Textual calls this."""
        if y > 0:
            return Strip.blank(self.size.width)
        segments: list[Segment] = []
        x = 0
        for start, hint in self._placed():
            segments.append(self.space(start - x))
            segments.append(Segment(hint.key, self.toned(Tone.NEXT) + Style(bold=True)))
            segments.extend(self.segments([Piece(f" {hint.words}", Tone.DIM)]))
            x = start + hint.width
        return self.line(segments)

    def on_click(self, event: events.Click) -> None:
        """Do what the key of the hint does."""
        for start, hint in self._placed():
            if start <= event.x < start + hint.width:
                self.app.simulate_key(hint.binding.key)
