"""The last line: the keys that apply now, from the bindings themselves."""

from __future__ import annotations

from typing import Final, NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding
from textual.strip import Strip

from taskkit_tui.viewmodel.pieces import Piece, Tone
from taskkit_tui.widgets.tones import TonedWidget

_HELP: Final = "app.help"

FIRST_TO_LEAVE: Final = (
    "task.slower",
    "task.run-with",
    "task.log",
    "task.as-registered",
    "task.period",
    "task.copy",
    "log.save",
    "log.copy",
    "log.stamps",
    "log.wrap",
    "task.new",
    "view.filter",
    "task.disable",
    "task.enable",
    "app.quit",
)
"""The ids of the hints that leave where it gets narrow, one after the other: first what one needs seldom,
last what one looks for at once. Whoever misses one finds it in the help, which stays."""


FIRST_OF_TWO: Final = {"+/-": "+", "[ ]": "["}
"""Where two keys are shown as one here: the first of them, for elsewhere each is told by itself."""


class _Hint(NamedTuple):
    key: str
    words: str
    binding: Binding

    @property
    def width(self) -> int:
        return cell_len(self.key) + 1 + cell_len(self.words)


class FooterBar(TonedWidget):
    """One line of hints. A click on one does what its key does."""

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
        """Follow the bindings of whatever has the focus."""
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
        """The hints that fit, with the column each begins in; help, the last, keeps its place."""
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
        """The hint that is missed the least: one that leaves first, else the last."""
        ranked = {hint.binding.id: hint for hint in hints}
        return next((ranked[identity] for identity in FIRST_TO_LEAVE if identity in ranked), hints[-1])

    def render_line(self, y: int) -> Strip:
        """The line, as Textual asks for it."""
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
