"""Take the pictures and the film of the dashboard on a manual clock, byte for byte the same each time.

Run it as `python -m screenshots.take [FOLDER]`; without a folder the pictures beside this file are renewed.
The film and the pictures are taken in a process each, because runs are numbered throughout a process.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from textual.pilot import Pilot
from textual.widgets import Input

import demo_tasks
from screenshots.stage import Stage
from screenshots.tour import film_the_tour
from taskkit.targets.target import offered_classes
from taskkit_tui.app import TaskkitApp
from taskkit_tui.bridge import Bridge
from taskkit_tui.messages import CommandAsked, ShowDetails

HERE: Final = Path(__file__).parent
DRAWN_BY: Final = "drawn-by.txt"
"""Names the versions that drew the pictures: others may draw them a little differently."""

FILM: Final = "tour.svg"

SIZES: Final = ((120, 36), (80, 24))

Scene = Callable[[Pilot[Any]], Coroutine[Any, Any, None]]


async def main_screen(pilot: Pilot[Any]) -> None:
    """The main screen, as it opens."""
    await pilot.pause()


async def period(pilot: Pilot[Any]) -> None:
    """The dialog that changes a period, with its preview."""
    await pilot.press("p")
    await pilot.press("ctrl+u", *"1m30s")


async def help_screen(pilot: Pilot[Any]) -> None:
    """The keys."""
    await pilot.press("question_mark")


async def details(pilot: Pilot[Any]) -> None:
    """Everything about a task that runs; one that failed has a traceback, with folders of this machine."""
    pilot.app.post_message(ShowDetails("crawl"))
    await pilot.pause()


async def new_task(pilot: Pilot[Any]) -> None:
    """The form of a new task, filled in."""
    pilot.app.post_message(CommandAsked("task.new"))
    await pilot.pause()
    await pilot.press("enter", "p", "enter")
    await pilot.pause()
    await pilot.press("tab", *"news.html")


async def run_parameters(pilot: Pilot[Any]) -> None:
    """The form of a run with parameters."""
    pilot.app.post_message(CommandAsked("task.run-with", ("rebuild site",)))
    await pilot.pause()
    await pilot.press("ctrl+u", *"Every page")


SCENES: Final[dict[str, Scene]] = {
    "main": main_screen,
    "period": period,
    "help": help_screen,
    "details": details,
    "new-task": new_task,
    "run-parameters": run_parameters,
}


async def take(scene: Scene, width: int, height: int) -> str:
    """Return one picture as SVG."""
    with TemporaryDirectory() as folder:
        stage = Stage(Path(folder))
        app = TaskkitApp(Bridge(stage.scheduler, offered_classes(demo_tasks)))
        app.animation_level = "none"
        async with app.run_test(size=(width, height), notifications=False) as pilot:
            await pilot.pause()
            stage.play()
            app.look()
            await scene(pilot)
            for field in app.screen.query(Input):
                field.cursor_blink = False
            app.look()
            await pilot.pause()
            picture = app.export_screenshot(title="taskkit-tui")
        stage.scheduler.stop()
    return _without_ids(picture)


def _without_ids(picture: str) -> str:
    """Return the picture without the number that Rich makes of its content and the time."""
    return re.sub(r"terminal-\d+", "terminal", picture)


def versions() -> str:
    """Return the versions on which the bytes of the pictures depend: a traceback is seen in the film."""
    return f"textual {version('textual')}, python {sys.version_info.major}.{sys.version_info.minor}\n"


def take_pictures(folder: Path) -> None:
    """Take every scene at every size into `folder`."""
    for name, scene in SCENES.items():
        for width, height in SIZES:
            path = folder / f"{name}-{width}x{height}.svg"
            path.write_text(asyncio.run(take(scene, width, height)), encoding="utf-8")


def take_film(folder: Path) -> None:
    """Film the tour of the demo into `folder`."""
    (folder / FILM).write_text(asyncio.run(film_the_tour()), encoding="utf-8")


PARTS: Final = {"pictures": take_pictures, "film": take_film}


def take_part(folder: Path, part: str) -> None:
    """Take the pictures or the film into `folder`, in a process that has taken nothing before."""
    os.environ["TZ"] = "UTC"
    time.tzset()
    PARTS[part](folder)


def take_all(folder: Path) -> int:
    """Take everything into `folder`, each part in a process of its own. Return an exit status."""
    command = [sys.executable, "-m", __spec__.name, str(folder)]
    processes = [subprocess.Popen([*command, part]) for part in PARTS]
    (folder / DRAWN_BY).write_text(versions(), encoding="utf-8")
    return max(process.wait() for process in processes)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        take_part(Path(sys.argv[1]), sys.argv[2])
    else:
        sys.exit(take_all(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE))
