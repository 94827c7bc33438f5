"""Takes the pictures of the README: the dashboard on a manual clock, byte for byte the same each time.

Run it as `python -m screenshots.take [FOLDER]`; without a folder the pictures beside this file are renewed.
"""

from __future__ import annotations

import asyncio
import os
import re
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
from taskkit.target import offered_classes
from taskkit_tui.app import TaskkitApp
from taskkit_tui.bridge import Bridge
from taskkit_tui.messages import AskNewTask, AskParameters, ShowDetails

HERE: Final = Path(__file__).parent
VERSION_FILE: Final = "textual-version.txt"
"""Names the version of Textual that drew the pictures: another one may draw them a little differently."""

SIZES: Final = ((120, 36), (80, 24))

Scene = Callable[[Pilot[Any]], Coroutine[Any, Any, None]]


async def main_screen(pilot: Pilot[Any]) -> None:
    """As it is found."""
    await pilot.pause()


async def period(pilot: Pilot[Any]) -> None:
    """The dialog that changes a period, with its preview."""
    await pilot.press("p")
    await pilot.press("ctrl+u", *"1m30s")


async def help_screen(pilot: Pilot[Any]) -> None:
    """The keys."""
    await pilot.press("question_mark")


async def details(pilot: Pilot[Any]) -> None:
    """Everything about a task that runs. Not one that failed: its traceback names folders of this machine."""
    pilot.app.post_message(ShowDetails("crawl"))
    await pilot.pause()


async def new_task(pilot: Pilot[Any]) -> None:
    """The form of a new task, filled in."""
    pilot.app.post_message(AskNewTask())
    await pilot.pause()
    await pilot.press("enter", "p", "enter")
    await pilot.pause()
    await pilot.press("tab", *"news.html")


async def run_parameters(pilot: Pilot[Any]) -> None:
    """The form of a run with parameters."""
    pilot.app.post_message(AskParameters("rebuild site"))
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
    """One picture as SVG."""
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
    """The picture without the number that Rich makes of its content and the time."""
    return re.sub(r"terminal-\d+", "terminal", picture)


def take_all(folder: Path) -> None:
    """Take every scene at every size into `folder`."""
    os.environ["TZ"] = "UTC"
    time.tzset()
    for name, scene in SCENES.items():
        for width, height in SIZES:
            path = folder / f"{name}-{width}x{height}.svg"
            path.write_text(asyncio.run(take(scene, width, height)), encoding="utf-8")
    (folder / VERSION_FILE).write_text(version("textual") + "\n", encoding="utf-8")


if __name__ == "__main__":
    take_all(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
