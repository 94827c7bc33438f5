"""Colours that can be read, in every theme that Textual has."""

from __future__ import annotations

import pytest
from fake_backend import NOW, dashboard, task
from textual.app import App
from textual.color import Color

from taskkit_tui.themes import MIDNIGHT, contrast, derived_colours
from taskkit_tui.tones import TASK_COLOURS, Tone
from taskkit_tui.widgets.toned_widget import LineState

THEMES = {MIDNIGHT.name: MIDNIGHT, **App().available_themes}
TEXTS = ("dim", "good", "bad", "soon", "next", "busy", "changed", *TASK_COLOURS)


def test_contrast_is_that_of_the_wcag() -> None:
    assert contrast(Color.parse("#000000"), Color.parse("#ffffff")) == pytest.approx(21)
    assert contrast(Color.parse("#777777"), Color.parse("#ffffff")) == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("name", [name for name in THEMES if not name.startswith("ansi")])
def test_all_text_is_readable_on_the_cursor_row_and_the_row_is_visible(name: str) -> None:
    theme = THEMES[name]
    colours = {**theme.to_color_system().generate(), **derived_colours(theme), **theme.variables}
    background, cursor = (Color.parse(colours[each]) for each in ("background", "row-cursor"))
    assert contrast(background, cursor) > 1.2
    for text in TEXTS:
        for behind in (background, cursor):
            assert contrast(Color.parse(colours[text]), behind) > 3, text


@pytest.mark.parametrize("theme", ["ansi-dark", "ansi-light"])
async def test_with_sixteen_colours_the_cursor_is_reverse_video(theme: str) -> None:
    """A person may have made them anything; only text and background are sure to differ."""
    async with dashboard(task(1, next_run=NOW + 2)) as (app, _, pilot):
        app.theme = theme
        await pilot.pause()
        panel = app.main.last_panel
        for tone in Tone:
            under_cursor = panel.toned(tone, LineState.CURSOR)
            assert under_cursor.reverse
            assert under_cursor.color is under_cursor.bgcolor is None
        assert panel.toned(Tone.DIM, LineState.MARKED).color == panel.theme_colour("row-marked")
