"""The pictures and the film of the README show the dashboard as it is."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from screenshots.film import Frame, make_film
from screenshots.take import DRAWN_BY, FILM, PARTS, versions

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "screenshots"

drawn_by = (PICTURES / DRAWN_BY).read_text(encoding="utf-8")


TAKE = """
import sys
from pathlib import Path
import idle

idle.use()
from screenshots.take import take_part

take_part(Path(sys.argv[1]), sys.argv[2])
"""


@pytest.mark.skipif(versions() != drawn_by, reason=f"the pictures were drawn by {drawn_by.strip()}")
@pytest.mark.parametrize("part", PARTS)
def test_the_pictures_are_not_stale(part: str, tmp_path: Path) -> None:
    """If this fails, run `make screenshots`, and look at what has changed."""
    subprocess.run(
        [sys.executable, "-W", "error", "-c", TAKE, tmp_path, part],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
        check=True,
        capture_output=True,
        timeout=300,
    )

    fresh = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    kept = {path.name: path.read_bytes() for path in PICTURES.glob("*.svg")}
    assert sorted(fresh) == sorted(name for name in kept if (name == FILM) == (part == "film"))
    assert [name for name in fresh if fresh[name] != kept[name]] == []


def test_the_film_is_one_small_file_that_loads_nothing() -> None:
    film = (PICTURES / "tour.svg").read_text(encoding="utf-8")

    assert len(film.encode()) < 400_000
    assert set(re.findall(r"https?://[^\"]+", film)) == {"http://www.w3.org/2000/svg"}
    assert "@import" not in film
    assert "url(" not in film
    assert set(re.findall(r'href="#(\w+)"', film)) <= set(re.findall(r'id="(\w+)"', film))


def picture(*rows: str) -> str:
    """A picture as Rich draws it, with one text and one rectangle in each row."""
    lines = [".terminal-1-r1 { fill: #ffffff }"]
    for number, text in enumerate(rows):
        y = number * 24.4
        lines.append(f'<rect fill="#000000" x="0" y="{y + 1.5:g}" width="122" height="24.65"/>')
        lines.append(f'<text class="terminal-1-r1" x="0" y="{y + 20:g}" textLength="122">{text}</text>')
    return "\n".join(lines)


def film_of(*frames: Frame) -> str:
    return make_film(frames, columns=10, rows=2, title="film")


def test_a_film_holds_what_its_frames_share_only_once() -> None:
    film = film_of(Frame(picture("same", "a"), 1.0, "main"), Frame(picture("same", "b"), 1.0, "main"))

    assert film.count(">same<") == 1
    assert film.count(">a<") == film.count(">b<") == 1


def test_a_row_that_moves_is_used_again() -> None:
    film = film_of(Frame(picture("one", "two"), 1.0, "main"), Frame(picture("two", "three"), 1.0, "main"))

    assert film.count(">two<") == 1


def test_each_frame_is_shown_for_its_time_and_the_film_begins_anew() -> None:
    film = film_of(Frame(picture("a"), 1.0, "main"), Frame(picture("b"), 3.0, "main", keys="p"))

    ElementTree.fromstring(film)
    assert "animation:film 4s step-end infinite" in film
    assert re.findall(r"([\d.]+)%\{transform:translateX\((-?\d+)px\)\}", film) == [("0", "0"), ("25", "-140")]
    assert ">p</text>" in film
