"""Defines our theme, and derives our colours from every other theme.

Widgets name colours by their meaning (`$dim`, `$soon`, `$task-3`). Our theme defines them. For any other
theme they are mixed from its own colours; in the `ansi` themes they are the terminal's sixteen.
"""

from __future__ import annotations

from typing import Final

from textual.color import Color
from textual.theme import Theme

from taskkit_tui.tones import TASK_COLOURS

_DARK_TASKS: Final = (
    "#86d9a5",
    "#7dd3fc",
    "#c4a7f5",
    "#f5c26b",
    "#8ab4f8",
    "#f2a0c9",
    "#7fd6cf",
    "#d3d17a",
)
_LIGHT_TASKS: Final = (
    "#1d7a44",
    "#0b6e99",
    "#6b46b8",
    "#946200",
    "#2a5bc4",
    "#a83279",
    "#0f766e",
    "#6d6a00",
)
_ANSI_TASKS: Final = (
    "ansi_green",
    "ansi_cyan",
    "ansi_magenta",
    "ansi_yellow",
    "ansi_blue",
    "ansi_bright_magenta",
    "ansi_bright_cyan",
    "ansi_bright_green",
)

_LEAST_CONTRAST: Final = 3.2
"""The least contrast of text on the row under the cursor, for derived colours."""

_MOST_LIFT: Final = 1.4
"""The most contrast of that row with the others."""

MIDNIGHT: Final = Theme(
    name="taskkit",
    primary="#7dd3fc",
    secondary="#8ab4f8",
    accent="#7dd3fc",
    foreground="#c8d3e0",
    background="#0e141b",
    surface="#16202b",
    panel="#1a2430",
    success="#86d9a5",
    warning="#f5c26b",
    error="#ff7a85",
    dark=True,
    variables={
        "dim": "#7c8b9f",
        "faint": "#3e4856",
        "rule": "#2a3644",
        "bar": "#16202b",
        "row-cursor": "#1d3347",
        "row-cursor-blurred": "#16202b",
        "row-marked": "#2b2a3d",
        "good": "#86d9a5",
        "bad": "#ff7a85",
        "soon": "#f5c26b",
        "next": "#7dd3fc",
        "busy": "#8ab4f8",
        "changed": "#c4a7f5",
        "chart": "#5fa8a0",
        "border": "#7dd3fc",
        "border-blurred": "#2a3644",
        "block-cursor-background": "#1d3347",
        "block-cursor-foreground": "#c8d3e0",
        "input-selection-background": "#7dd3fc 30%",
        "footer-key-foreground": "#7dd3fc",
        "scrollbar": "#2a3644",
        "scrollbar-hover": "#3e4856",
        "scrollbar-active": "#7dd3fc",
        "scrollbar-background": "#0e141b",
        "scrollbar-background-hover": "#0e141b",
        "scrollbar-background-active": "#0e141b",
        "scrollbar-corner-color": "#0e141b",
        **dict(zip(TASK_COLOURS, _DARK_TASKS, strict=True)),
    },
)
"""The default: the night sky over a server room."""


def derived_colours(theme: Theme) -> dict[str, str]:
    """Return our variables, mixed from the colours of a theme that does not define them."""
    if theme.name == MIDNIGHT.name:
        return {}
    if theme.name.startswith("ansi"):
        return _ansi_colours()
    system = theme.to_color_system().generate()
    foreground, background = Color.parse(system["foreground"]), Color.parse(system["background"])
    primary = Color.parse(system["primary"])

    def mixed(share: float) -> str:
        return background.blend(foreground, share).hex

    cursor = _lifted(background, primary)
    ends = Color.parse("#ffffff" if theme.dark else "#000000")

    def read(colour: str) -> str:
        return _legible(Color.parse(colour), ends, background, cursor).hex

    tasks = tuple(map(read, _DARK_TASKS if theme.dark else _LIGHT_TASKS))
    return {
        "dim": _legible(Color.parse(mixed(0.66)), foreground, background, cursor).hex,
        "faint": mixed(0.3),
        "rule": mixed(0.22),
        "bar": mixed(0.07),
        "row-cursor": cursor.hex,
        "row-cursor-blurred": mixed(0.09),
        "row-marked": _lifted(background, Color.parse(system["warning"])).hex,
        "good": read(system["text-success"]),
        "bad": read(system["text-error"]),
        "soon": read(system["text-warning"]),
        "next": read(system["text-primary"]),
        "busy": read(system["text-secondary"]),
        "changed": read(system["text-accent"]),
        "chart": tasks[6],
        **dict(zip(TASK_COLOURS, tasks, strict=True)),
    }


def contrast(one: Color, other: Color) -> float:
    """Return the contrast of two colours by the WCAG, from 1 to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: Color) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.03928 else float(((part + 0.055) / 1.055) ** 2.4)
        for part in colour.normalized
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _lifted(background: Color, colour: Color) -> Color:
    """Return a background with a touch of a colour: visible at a glance, and readable under all text."""
    share = 0.28
    while share > 0.1 and contrast(lifted := background.blend(colour, share), background) > _MOST_LIFT:
        share -= 0.02
    return lifted


def _legible(colour: Color, towards: Color, *backgrounds: Color) -> Color:
    """Return a colour, moved towards another one until it is readable on all backgrounds."""
    for step in range(11):
        read = colour.blend(towards, step / 10)
        if all(contrast(read, background) >= _LEAST_CONTRAST for background in backgrounds):
            break
    return read


def _ansi_colours() -> dict[str, str]:
    return {
        "dim": "ansi_default",
        "faint": "ansi_bright_black",
        "rule": "ansi_bright_black",
        "bar": "ansi_default",
        "row-cursor": "ansi_blue",
        "row-cursor-blurred": "ansi_default",
        "row-marked": "ansi_magenta",
        "good": "ansi_green",
        "bad": "ansi_red",
        "soon": "ansi_yellow",
        "next": "ansi_cyan",
        "busy": "ansi_blue",
        "changed": "ansi_magenta",
        "chart": "ansi_cyan",
        **dict(zip(TASK_COLOURS, _ANSI_TASKS, strict=True)),
    }
