"""Measure the details of a task that has run a million times: to open, to page, to search.

python -m benchmarks.details
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter

from benchmarks.store import fill
from taskkit import Scheduler
from taskkit.store import Retention, Store
from taskkit_tui.app import TaskkitApp
from taskkit_tui.bridge import Bridge
from taskkit_tui.messages import ShowDetails
from taskkit_tui.screens.details_screen import DetailsScreen

RUNS = 1_000_000
NAME = "task 0"
OPENINGS = 9
TIMEOUT_SECONDS = 20.0
"""The time limit for something that should happen."""
GOAL_MILLISECONDS = 100.0
"""The goal for opening the details."""


def work() -> str:
    return "done"


async def until(condition: Callable[[], bool]) -> float:
    """Wait for a condition, and return the milliseconds until it holds."""
    began = perf_counter()
    while not condition():
        if perf_counter() - began > TIMEOUT_SECONDS:
            raise TimeoutError(f"it did not come within {TIMEOUT_SECONDS:g} s")
        await asyncio.sleep(0.0005)
    return 1000 * (perf_counter() - began)


async def measure(path: Path | None) -> dict[str, float]:
    """Return the median milliseconds of each action."""
    scheduler = Scheduler(capture=False)
    scheduler.add_periodic_task(None, 3600, work, NAME)
    store = None if path is None else Store.open(path, retention=Retention(None, None))
    bridge = Bridge(scheduler, store=store)
    app = TaskkitApp(bridge)
    opened: list[float] = []
    paged: list[float] = []
    late: list[float] = []
    figures = {}
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause(0.5)
        for _ in range(OPENINGS):
            began = perf_counter()
            app.post_message(ShowDetails(NAME))
            await until(lambda: isinstance(app.screen, DetailsScreen) and painted(app.screen))
            opened.append(1000 * (perf_counter() - began))
            screen = app.screen
            assert isinstance(screen, DetailsScreen)
            if store is not None:
                await until(lambda screen=screen: len(screen.parts.earlier.rows) > 0)
                paged.append(1000 * (perf_counter() - began))
            if len(opened) < OPENINGS:
                await pilot.press("q")
                await pilot.pause(0.1)
        figures["opened"] = median(opened)
        if store is None:
            return figures
        figures["with the first page of what is stored"] = median(paged)
        assert isinstance(screen, DetailsScreen)
        began = perf_counter()
        screen._search_for("nowhere")
        while not screen.parts.earlier.found_all and perf_counter() - began < TIMEOUT_SECONDS:
            screen.part("history").action_down()
            slept = perf_counter()
            await asyncio.sleep(0.01)
            late.append(1000 * (perf_counter() - slept - 0.01))
        figures["a search that finds nothing"] = 1000 * (perf_counter() - began)
        figures["the screen comes late meanwhile by at most"] = max(late)
        screen._search_for("")
        await pilot.pause(0.3)
        for _ in range(50):
            screen.part("history").action_last()
            rows = len(screen.parts.earlier.rows)
            await until(lambda rows=rows: len(screen.parts.earlier.rows) > rows)
        began = perf_counter()
        screen.part("history").action_first()
        await screen.look()
        figures[f"a look with {rows:,} rows loaded"] = 1000 * (perf_counter() - began)
    bridge.close(5)
    return figures


def painted(screen: DetailsScreen) -> bool:
    """True if the history is on the screen."""
    return any("History" in strip.text for strip in screen._compositor.render_strips())


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "tasks.db"
        fill(path, RUNS, 1)
        print(f"{'opened, without a store':<50}{asyncio.run(measure(None))['opened']:8.1f} ms")
        for what, milliseconds in asyncio.run(measure(path)).items():
            goal = f"   goal {GOAL_MILLISECONDS:g} ms" if what == "opened" else ""
            print(f"{f'{what}, {RUNS:,} runs':<50}{milliseconds:8.1f} ms{goal}")


if __name__ == "__main__":
    main()
