"""Turns tones into colours of the theme, for widgets that paint their own lines.

The colours come from the theme's variables, and are cached until the theme changes. Component classes would
be the usual way, but each tone of each widget would cost a match of the style sheet before the first paint.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from functools import cached_property

from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.strip import Strip
from textual.widget import Widget

from taskkit_tui.tones import Tone
from taskkit_tui.viewmodel.text_lines import Piece

_VARIABLES = {Tone.PLAIN: "foreground", Tone.STRONG: "foreground", Tone.TITLE: "next"}
"""The tones whose theme variable has a name other than that of the tone."""

_BOLD = frozenset({Tone.STRONG, Tone.TITLE})


class LineState(StrEnum):
    """The state of a whole line; the value is the theme variable of its background."""

    PLAIN = ""
    CURSOR = "row-cursor"
    """The line has the cursor, in the focused panel."""
    RESTING = "row-cursor-blurred"
    """The line has the cursor, in a panel without the focus."""
    MARKED = "row-marked"


class TonedWidget(Widget):
    """A widget that paints lines of toned pieces."""

    @cached_property
    def _styles_of(self) -> dict[tuple[str, LineState], Style]:
        return {}

    def notify_style_update(self) -> None:
        """Forget the colours, because the theme may have changed. Textual calls this."""
        super().notify_style_update()
        self._styles_of.clear()

    def toned(self, tone: Tone, state: LineState = LineState.PLAIN) -> Style:
        """Return the style of a tone in a line of the given state."""
        style = self._styles_of.get((tone, state))
        if style is None:
            if self.app.native_ansi_color:
                style = self._ansi_style(tone, state)
            else:
                cursor = state is LineState.CURSOR
                style = Style(
                    color=self.theme_colour(_VARIABLES.get(tone, tone)),
                    bgcolor=self.theme_colour(state) if state else self.rich_style.bgcolor,
                    bold=True if tone in _BOLD or (cursor and tone is Tone.PLAIN) else None,
                )
            self._styles_of[tone, state] = style
        return style

    def _ansi_style(self, tone: Tone, state: LineState) -> Style:
        """Return a style of the terminal's sixteen colours; none is sure to be readable on another."""
        if state is LineState.CURSOR:
            return Style(reverse=True, bold=True if tone in _BOLD or tone is Tone.PLAIN else None)
        marked = state is LineState.MARKED and tone in {Tone.PLAIN, Tone.DIM}
        return Style(
            color=self.theme_colour(LineState.MARKED if marked else _VARIABLES.get(tone, tone)),
            bgcolor=self.rich_style.bgcolor,
            bold=True if tone in _BOLD or (marked and tone is Tone.PLAIN) else None,
            dim=True if tone is Tone.DIM and not marked else None,
            underline=True if state is LineState.RESTING else None,
        )

    def coloured(self, variable: str) -> Style:
        """Return the style for a theme variable, such as one of `task_colour`."""
        style = self._styles_of.get((variable, LineState.PLAIN))
        if style is None:
            style = self._styles_of[variable, LineState.PLAIN] = Style(
                color=self.theme_colour(variable), bgcolor=self.rich_style.bgcolor
            )
        return style

    def segments(self, pieces: Iterable[Piece], state: LineState = LineState.PLAIN) -> Iterator[Segment]:
        """Yield pieces as segments, ready to paint."""
        for text, tone in pieces:
            words = text.lstrip(" ")
            if len(words) < len(text):
                # Some SVG viewers drop the space at the start of a piece.
                yield self.space(len(text) - len(words), state)
            if words:
                yield Segment(words, self.toned(tone, state))

    def space(self, width: int, state: LineState = LineState.PLAIN) -> Segment:
        """Return that many empty cells."""
        return Segment(" " * width, self.toned(Tone.PLAIN, state))

    def line(self, segments: Iterable[Segment]) -> Strip:
        """Return a whole line, cut or padded to the width of the widget."""
        return Strip(segments).adjust_cell_length(self.size.width, self.toned(Tone.PLAIN))

    def theme_colour(self, variable: str) -> RichColor | None:
        """Return the theme's colour for a variable; `None` if it has no such variable."""
        value = self.app.theme_variables.get(variable)
        return None if value is None else Color.parse(value).rich_color
