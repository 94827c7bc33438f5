"""The film of the README: a person takes the tour of the demo, on the manual clock."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from textual.pilot import Pilot
from textual.widgets import Input

import demo_tasks
import taskkit_tui
from demo_tasks.flaky import Flaky
from screenshots.film import Frame, make_film
from screenshots.stage import Stage
from taskkit.targets.target import offered_classes
from taskkit_tui.bridge import Bridge
from taskkit_tui.tour import TouredApp
from taskkit_tui.viewmodel.tour_steps import STEPS

COLUMNS: Final = 112
ROWS: Final = 32
TYPING_SECONDS: Final = 0.35
"""How long a frame lasts after a key of a text."""
READING_SECONDS: Final = 1.6
"""How long a frame lasts after a key that changes much."""

WAITED_SECONDS: Final = 215
"""How long the demo has run when the film begins: the growing period is short then, and grows twice."""

KEY_NAMES: Final = {"enter": "⏎", "escape": "esc", "down": "↓", "up": "↑", "ctrl+u": "^u"}


class FilmedApp(TouredApp):
    """The dashboard with a tour, whose toasts stay until the next key: their own clock cannot be set."""

    CSS_PATH = Path(taskkit_tui.__file__).parent / "screens" / "main.tcss"

    def notify(self, message: str, **options: Any) -> None:
        """Show a toast."""
        super().notify(message, **{**options, "timeout": 3600.0})


class Camera:
    """Presses keys and takes a frame after each, while the clock of the demo follows that of the film."""

    def __init__(self, pilot: Pilot[Any], app: FilmedApp, stage: Stage) -> None:
        self._pilot = pilot
        self._app = app
        self._stage = stage
        self._seconds = 0.0
        """The part of a second by which the film is ahead of the demo's clock."""
        self.frames: list[Frame] = []

    async def watch(self, seconds: int) -> None:
        """Take a frame for each of so many seconds."""
        for _ in range(seconds):
            await self._shoot(1.0)

    async def press(self, key: str, seconds: float = READING_SECONDS) -> None:
        """Press a key, and show for so many seconds what it did."""
        self._app.clear_notifications()
        await self._pilot.press(key)
        await self._shoot(seconds, KEY_NAMES.get(key, key))

    async def type(self, text: str) -> None:
        """Type a text, letter by letter."""
        for letter in text:
            await self.press(letter, TYPING_SECONDS)

    async def select(self, name: str) -> None:
        """Walk to a task in the panel that has the focus."""
        panel = self._app.main.focused_panel
        assert panel is not None
        while True:
            names = [row.name for row in panel.rows.window(0, len(panel.rows))]
            steps = names.index(name) - names.index(panel.task_name)
            if steps == 0:
                return
            await self.press("down" if steps > 0 else "up", TYPING_SECONDS)

    async def _shoot(self, seconds: float, keys: str = "") -> None:
        await self._look()
        for field in self._app.screen.query(Input):
            field.cursor_blink = False
        await self._pilot.pause()
        picture = self._app.export_screenshot()
        self.frames.append(Frame(picture, seconds, type(self._app.screen).__name__, keys))
        self._seconds += seconds
        whole = int(self._seconds + 0.001)
        self._seconds -= whole
        self._stage.wait(whole)
        await self._look()

    async def _look(self) -> None:
        """Have the app show how things stand now: when its own timer looks depends on the machine."""
        await self._pilot.pause()
        self._stage.clock.settle()  # a run that was stopped ends on its thread
        self._app.look()
        await self._pilot.pause()


async def take_the_tour(camera: Camera) -> None:
    """Do what the tour says: watch, change a period, undo that, run, stop, look into a failure and a log."""
    await camera.watch(9)
    await camera.select("growing period")
    await camera.press("p")
    await camera.press("ctrl+u", TYPING_SECONDS)
    await camera.type("1m")
    await camera.watch(1)
    await camera.press("enter")
    await camera.watch(2)
    await camera.press("u")
    await camera.press("3", 1.0)
    await camera.select("rebuild site")
    await camera.press("r")
    await camera.watch(4)
    await camera.press("2", 1.0)
    await camera.select("long haul")
    await camera.press("s")
    await camera.watch(2)
    await camera.press("1", TYPING_SECONDS)
    await camera.select("flaky feed")
    await camera.press("enter", 4.0)
    await camera.press("escape", TYPING_SECONDS)
    await camera.press("l", 3.0)


def name_no_folder() -> None:
    """Have tracebacks of the task that fails name its file without the folder of this machine."""
    for function in (Flaky.run, Flaky.titles):
        function.__code__ = function.__code__.replace(co_filename="demo_tasks/flaky.py")


async def film_the_tour() -> str:
    """Return the film as one SVG."""
    name_no_folder()
    with TemporaryDirectory() as folder:
        stage = Stage(Path(folder))
        app = FilmedApp(Bridge(stage.scheduler, offered_classes(demo_tasks)), clock=stage.clock.time)
        app.animation_level = "none"
        async with app.run_test(size=(COLUMNS, ROWS), notifications=True) as pilot:
            await pilot.pause()
            stage.wait(WAITED_SECONDS)
            app.look()
            await pilot.pause()
            app.clear_notifications()
            app.action_tour_step(-1)  # the first step was done while the clock ran ahead
            camera = Camera(pilot, app, stage)
            await take_the_tour(camera)
            if app.tour.number != len(STEPS):
                raise RuntimeError(f"the film ends at step {app.tour.number}: adapt take_the_tour()")
        stage.scheduler.stop()
    return make_film(camera.frames, COLUMNS, ROWS, "taskkit-tui --tour")
