"""Combine pictures of the dashboard into one SVG that moves, with nothing outside the file.

The frames lie beside each other on a strip, and one CSS animation moves the strip behind a window. So a
browser animates a single element, and GitHub plays the film inside `<img>`, where no script runs and nothing
is loaded.

A frame as Rich draws it is some 100 kB, and nearly all of it is equal to the frame before. This keeps the
film small:

- what a row of the screen holds is defined once, and used wherever a row looks the same;
- what all frames of one screen have in common, such as borders, is defined once for all of them;
- single characters of one colour, as in the timeline, are one text with many positions.

Rejected: an animation for each element that changes (hundreds of them keep a processor busy), SMIL (it does
not follow `prefers-reduced-motion`), and GIF (it is larger, and its text does not scale).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, TypeAlias

CELL_WIDTH: Final = 12.2
ROW_HEIGHT: Final = 24.4
"""The size of a cell in Rich's pictures, in the units of the SVG."""
BASELINE: Final = 18.5
"""The distance from the top of a row to the baseline of its text."""
FONTS: Final = '"Fira Code",ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace'
MARGIN: Final = 9
TITLE_HEIGHT: Final = 41

Rows: TypeAlias = tuple[tuple[str, ...], ...]
"""SVG elements, row by row, without their vertical position."""

LINES: Final = {"│": (5.3, 1.6), "┃": (4.6, 3.0), "█": (0.0, CELL_WIDTH)}
"""Characters that are drawn as rectangles, from where in the cell and how wide: in most fonts they leave gaps
between the rows."""

_RECT: Final = re.compile(r'<rect fill="(#\w+)" x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="24.65"')
_TEXT: Final = re.compile(
    r'<text class="terminal-(?:\d+-)?(r\d+)" x="([\d.]+)" y="([\d.]+)" textLength="([\d.]+)"'
    r"[^>]*>([^<]*)</text>"
)
_SINGLE: Final = re.compile(r'<text class="(\w+)" x="([\d.]+)">(.)</text>')
_STYLE: Final = re.compile(r"\.terminal-(?:\d+-)?(r\d+) \{ ([^}]*?) ?\}")


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of the film."""

    picture: str
    """An SVG as Textual exports it."""
    seconds: float
    """How long it is shown."""
    scene: str
    """Frames of one scene share their background; a name for each screen."""
    keys: str = ""
    """The keys that were pressed just before, to be shown in the title bar."""


@dataclass(frozen=True, slots=True)
class Screen:
    """The SVG elements of one frame."""

    boxes: Rows
    """Coloured rectangles, which lie below the texts of all rows."""
    texts: Rows


def make_film(frames: Sequence[Frame], columns: int, rows: int, title: str) -> str:
    """Return one SVG that shows the frames one after the other, for ever."""
    styles: dict[str, str] = {}
    screens = [_read(frame.picture, rows, styles) for frame in frames]
    width, height = columns * CELL_WIDTH, rows * ROW_HEIGHT
    outer_width, outer_height = round(width + 2 * MARGIN), round(height + TITLE_HEIGHT + MARGIN)
    pieces: dict[str, str] = {}
    strip: list[str] = []
    for _, group in groupby(zip(frames, screens, strict=True), key=lambda each: each[0].scene):
        scene = list(group)
        boxes = _common([screen.boxes for _, screen in scene])
        texts = _common([screen.texts for _, screen in scene])
        shared_boxes = _define(pieces, _placed(boxes, pieces))
        shared_texts = _define(pieces, _placed(texts, pieces))
        for frame, screen in scene:
            content = (
                f'<use href="#{shared_boxes}"/>{_placed(_without(screen.boxes, boxes), pieces)}'
                f'<use href="#{shared_texts}"/>{_placed(_without(screen.texts, texts), pieces)}'
                f"{_key_cap(frame.keys, width)}"
            )
            strip.append(f'<g transform="translate({len(strip) * outer_width})">{content}</g>')
    pictures = "\n".join(strip)
    seconds = sum(frame.seconds for frame in frames)
    rules = "\n".join(f".{name}{{{rule}}}" for rule, name in styles.items())
    definitions = "\n".join(f'<g id="{name}">{content}</g>' for content, name in pieces.items())
    return f"""<svg viewBox="0 0 {outer_width} {outer_height}" xmlns="http://www.w3.org/2000/svg">
<title>{title}</title>
<style>
text{{font:20px {FONTS};white-space:pre}}
rect{{shape-rendering:crispEdges}}
.title{{font:bold 18px arial,sans-serif;fill:#c5c8c6}}
.cap{{fill:#7dd3fc;shape-rendering:auto}}
.key{{font-weight:bold;fill:#0e141b}}
{rules}
#strip{{animation:film {_number(seconds)}s step-end infinite}}
@media (prefers-reduced-motion:reduce){{#strip{{animation:none}}}}
@keyframes film{{{_keyframes(frames, outer_width)}}}
</style>
<defs>
{definitions}
</defs>
<rect fill="#292929" width="{outer_width}" height="{outer_height}" rx="8"/>
<circle cx="26" cy="22" r="7" fill="#ff5f57"/><circle cx="48" cy="22" r="7" fill="#febc2e"/>\
<circle cx="70" cy="22" r="7" fill="#28c840"/>
<text class="title" x="{_number(outer_width / 2)}" y="28" text-anchor="middle">{title}</text>
<svg width="{outer_width}" height="{outer_height}">\
<g transform="translate({MARGIN} {TITLE_HEIGHT})"><g id="strip">
{pictures}
</g></g></svg>
</svg>
"""


def _read(picture: str, rows: int, styles: dict[str, str]) -> Screen:
    """Read a picture; `styles` collects the CSS rules of all pictures, and the class of each."""
    names = {
        name: styles.setdefault(rule.replace(": ", ":").replace("; ", ";"), f"c{len(styles)}")
        for name, rule in _STYLE.findall(picture)
    }
    boxes: list[list[str]] = [[] for _ in range(rows)]
    texts: list[list[str]] = [[] for _ in range(rows)]
    for row, group in groupby(_RECT.finditer(picture), key=lambda found: _row(found[3], 1.5)):
        boxes[row] += _joined(list(group))
    for found in _TEXT.finditer(picture):
        style, x, y, length, text = found.groups()
        spaced = text.replace("&#160;", " ")
        if plain := spaced.rstrip():
            # Where the font has another width, `textLength` keeps the columns; a single character needs none.
            fitted = float(length) - (len(spaced) - len(plain)) * CELL_WIDTH
            width = f' textLength="{_number(fitted)}"' if fitted > 1.5 * CELL_WIDTH else ""
            element = f'<text class="{names[style]}" x="{x}"{width}>{plain}</text>'
            if plain in LINES:
                left, thickness = LINES[plain]
                element = _box(f'class="{names[style]}"', float(x) + left, thickness)
            texts[_row(y, 20)].append(element)
    return Screen(tuple(map(tuple, boxes)), tuple(map(tuple, texts)))


def _joined(found: list[re.Match[str]]) -> Iterator[str]:
    """Join rectangles of one colour that touch each other."""
    for fill, group in groupby(found, key=lambda rectangle: rectangle[1]):
        joined = list(group)
        begin = float(joined[0][2])
        width = float(joined[-1][2]) + float(joined[-1][4]) - begin
        yield _box(f'fill="{fill}"', begin, width)


def _box(look: str, x: float, width: float) -> str:
    return f'<rect {look} x="{_number(x)}" y="-{BASELINE}" width="{_number(width)}" height="24.9"/>'


def _row(y: str, first: float) -> int:
    return round((float(y) - first) / ROW_HEIGHT)


def _common(screens: Sequence[Rows]) -> Rows:
    """Return what each row has in all of these screens."""
    first, *others = screens
    return tuple(
        tuple(element for element in row if all(element in other[number] for other in others))
        for number, row in enumerate(first)
    )


def _without(rows: Rows, shared: Rows) -> Rows:
    return tuple(
        tuple(element for element in row if element not in common)
        for row, common in zip(rows, shared, strict=True)
    )


def _placed(rows: Rows, pieces: dict[str, str]) -> str:
    """Return uses of pieces, one for each row that has any elements."""
    uses = []
    for number, row in enumerate(rows):
        if row:
            y = _number(number * ROW_HEIGHT + BASELINE)
            uses.append(f'<use href="#{_define(pieces, _together(row))}" y="{y}"/>')
    return "".join(uses)


def _together(row: Sequence[str]) -> str:
    """Join the elements of a row; single characters of one class become one text with a list of positions."""
    others: list[str] = []
    singles: dict[str, list[tuple[str, str]]] = {}
    for element in row:
        if found := _SINGLE.fullmatch(element):
            style, x, character = found.groups()
            singles.setdefault(style, []).append((x, character))
        else:
            others.append(element)
    for style, characters in singles.items():
        positions = " ".join(x for x, _ in characters)
        others.append(
            f'<text class="{style}" x="{positions}">{"".join(each for _, each in characters)}</text>'
        )
    return "".join(others)


def _define(pieces: dict[str, str], content: str) -> str:
    return pieces.setdefault(content, f"p{len(pieces)}")


def _key_cap(keys: str, width: float) -> str:
    """Return a key cap for the title bar; nothing if no key was pressed."""
    if not keys:
        return ""
    cap = len(keys) * CELL_WIDTH + 20
    x = width - cap
    return (
        f'<rect class="cap" x="{_number(x)}" y="-34" width="{_number(cap)}" height="28" rx="6"/>'
        f'<text class="key" x="{_number(x + 10)}" y="-13">{keys}</text>'
    )


def _keyframes(frames: Sequence[Frame], frame_width: int) -> str:
    total = sum(frame.seconds for frame in frames)
    passed = 0.0
    rules = []
    for index, frame in enumerate(frames):
        rules.append(f"{_number(100 * passed / total, 4)}%{{transform:translateX({-index * frame_width}px)}}")
        passed += frame.seconds
    return "".join(rules)


def _number(value: float, digits: int = 1) -> str:
    return f"{round(value, digits):g}"
