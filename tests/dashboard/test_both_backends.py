"""The dashboard over a scheduler of this process, and over one that another process serves: the same keys."""

from __future__ import annotations

import os
import re
import threading
from asyncio import wait_for
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from time import time
from typing import Final

import pytest
from fake_backend import screen_text
from idle import eventually
from textual.pilot import Pilot

from taskkit import Daily, Every, Scheduler, Task, current_run
from taskkit.remote.server import Access, Server
from taskkit.remote.serving import serve
from taskkit.remote.sockets import SocketFile, target_hash
from taskkit_tui.app import TaskkitApp
from taskkit_tui.backend import Backend
from taskkit_tui.bridge import Bridge
from taskkit_tui.remote_backend import RemoteBackend
from taskkit_tui.viewmodel.row import Panel

SHOP: Final = f"shop{os.getpid()}"
"""A name of this process, as all processes of a user see each other's services."""


class Page(Task):
    """Writes a page."""

    def __init__(self, filename: str) -> None:
        self.filename = filename

    def run(self) -> None:
        print("wrote", self.filename)


def haul() -> None:
    """Go on until it is asked to stop."""
    run = current_run()
    print("hauling")
    run.progress(1, 2)
    while run.sleep(60):
        pass


def fail() -> None:
    """Raise."""
    raise ValueError("no luck")


@pytest.fixture
def scheduler() -> Iterator[Scheduler]:
    scheduler = Scheduler()
    scheduler.add_task(Every(3600), lambda: print("hello"), "hourly", description="says hello")
    scheduler.add_on_demand_task(haul, "haul")
    scheduler.add_on_demand_task(fail, "fail")
    with scheduler:
        yield scheduler


@pytest.fixture
def folder() -> Iterator[Path]:
    with TemporaryDirectory(prefix="tk-") as made:
        yield Path(made)


def served(scheduler: Scheduler, folder: Path, access: Access = "control") -> tuple[Server, SocketFile]:
    path = folder / f"{SHOP}-17-00000000.sock"
    server = serve(scheduler, SHOP, path=path, task_classes=[Page], access=access, strict=True)
    return server, SocketFile(path, SHOP, 17, target_hash(None))


@pytest.fixture(params=["here", "elsewhere"])
def backend(request: pytest.FixtureRequest, scheduler: Scheduler, folder: Path) -> Iterator[Backend]:
    if request.param == "here":
        yield Bridge(scheduler, [Page])
        return
    server, file = served(scheduler, folder)
    yield RemoteBackend(file)
    server.close()


@asynccontextmanager
async def dashboard(backend: Backend) -> AsyncIterator[tuple[TaskkitApp, Pilot[None]]]:
    app = TaskkitApp(backend)
    async with app.run_test(size=(120, 36)) as pilot:
        await eventually(pilot, lambda: "hourly" in "\n".join(screen_text(app)))
        yield app, pilot
        app.exit()  # it looks at the scheduler no more, also while its screen is taken down
    backend.close(1)


def says(app: TaskkitApp, words: str) -> Callable[[], bool]:
    """A toast holds these words."""
    return lambda: any(words in toast.message for toast in app._notifications)


def shows(app: TaskkitApp, words: str) -> Callable[[], bool]:
    return lambda: words in "\n".join(screen_text(app))


async def test_a_run_is_started_prints_and_is_stopped(backend: Backend, scheduler: Scheduler) -> None:
    async with dashboard(backend) as (app, pilot):
        app.main.go_to_task("haul")
        await pilot.press("r")
        await eventually(pilot, shows(app, "hauling"))
        await eventually(pilot, lambda: "haul" in scheduler.running)
        await eventually(pilot, lambda: len(app.main.panel(Panel.RUNNING).rows) == 1)
        app.main.go_to_task("haul")
        await pilot.press("s")
        await eventually(pilot, lambda: "haul" not in scheduler.running)
        await eventually(pilot, says(app, "Asked to stop haul"))


async def test_a_run_that_does_not_stop_is_abandoned_after_a_question(
    backend: Backend, scheduler: Scheduler
) -> None:
    free = Event()
    scheduler.add_on_demand_task(lambda: free.wait(60), "hung")
    async with dashboard(backend) as (app, pilot):
        await eventually(pilot, shows(app, "hung"))
        app.main.go_to_task("hung")
        await pilot.press("r")
        await eventually(pilot, lambda: len(app.main.panel(Panel.RUNNING).rows) == 1)
        app.main.go_to_task("hung")
        await pilot.press("X")
        await eventually(pilot, says(app, "hung was not asked to stop yet; stop it first"))
        await pilot.press("s")
        await eventually(pilot, shows(app, "stopping"))
        await pilot.press("X")
        await eventually(pilot, shows(app, "may run a second time alongside it"))
        await pilot.press("n", "X")
        await eventually(pilot, shows(app, "Abandon this run?"))
        assert "hung" in scheduler.running
        await pilot.press("y")
        await eventually(pilot, says(app, "Abandoned the run of hung"))
        assert "hung" in scheduler.on_demand
        await eventually(pilot, lambda: not app.main.panel(Panel.RUNNING).rows)
        app.main.go_to_task("hung")
        await pilot.press("enter")
        await eventually(pilot, shows(app, "a run that has not ended"))
        free.set()


async def test_what_is_disabled_is_enabled_by_undo(backend: Backend, scheduler: Scheduler) -> None:
    handle = scheduler.handle("hourly")
    assert handle is not None
    async with dashboard(backend) as (app, pilot):
        app.main.go_to_task("hourly")
        await pilot.press("d")
        await eventually(pilot, says(app, "Disabled hourly"))
        assert handle.disabled
        await pilot.press("u")
        await eventually(pilot, says(app, "Undone: Disabled hourly"))
        assert not handle.disabled


async def test_a_task_is_disabled_until_a_time_and_that_is_undone(
    backend: Backend, scheduler: Scheduler
) -> None:
    handle = scheduler.handle("hourly")
    assert handle is not None
    async with dashboard(backend) as (app, pilot):
        app.main.go_to_task("hourly")
        await pilot.press("U")
        await eventually(pilot, shows(app, "Disable hourly until"))
        await pilot.press(*"soon")
        await eventually(pilot, shows(app, "is not a time"))
        await pilot.press("enter")
        await pilot.press("ctrl+u", *"2h")
        await eventually(pilot, shows(app, "Enabled again"))
        await pilot.press("enter")
        await eventually(pilot, says(app, "Disabled until"))
        assert handle.disabled
        assert handle.disabled_until == pytest.approx(time() + 7200, abs=60)
        await eventually(pilot, shows(app, "to "))
        app.main.go_to_task("hourly")
        await pilot.press("u")
        await eventually(pilot, says(app, "Undone: Disabled until"))
        assert not handle.disabled


async def test_a_period_is_previewed_changed_and_changed_back(backend: Backend, scheduler: Scheduler) -> None:
    handle = scheduler.handle("hourly")
    assert handle is not None
    async with dashboard(backend) as (app, pilot):
        app.main.go_to_task("hourly")
        await pilot.press("p", "ctrl+u", *"90m")
        await eventually(pilot, shows(app, "Then due at"))
        await pilot.press("enter")
        await eventually(pilot, lambda: handle.period == 5400)
        await pilot.press("u")
        await eventually(pilot, lambda: handle.period == 3600)


async def test_the_details_tell_of_a_failure(backend: Backend) -> None:
    async with dashboard(backend) as (app, pilot):
        app.main.go_to_task("fail")
        await pilot.press("r")
        await eventually(pilot, shows(app, "ValueError: no luck"))
        await pilot.press("enter")
        await eventually(pilot, shows(app, "Traceback"))


async def test_a_task_is_made_of_an_offered_class(backend: Backend, scheduler: Scheduler) -> None:
    async with dashboard(backend) as (app, pilot):
        await pilot.press("n")
        await eventually(pilot, shows(app, "filename"))
        await pilot.press(*"a.html", "enter", "enter", "ctrl+u", *"on demand", "enter")
        await eventually(pilot, lambda: "Page for a.html" in scheduler.on_demand)
        await eventually(pilot, shows(app, "Page for a.html"))
        selected = app.main.panel(Panel.ON_DEMAND)
        await eventually(pilot, lambda: selected.has_focus and selected.selected_name() == "Page for a.html")
        await pilot.press("r")
        await eventually(pilot, shows(app, "wrote a.html"))


async def test_a_schedule_that_is_none_is_refused_in_words(backend: Backend) -> None:
    async with dashboard(backend) as (app, pilot):
        await pilot.press("n")
        await eventually(pilot, shows(app, "filename"))
        await pilot.press(*"a", "enter", "enter", "ctrl+u", *"sometimes")
        await eventually(pilot, shows(app, "sometimes is not a schedule"))


async def test_a_schedule_is_previewed_in_the_window_of_its_task(
    backend: Backend, scheduler: Scheduler
) -> None:
    scheduler.add_task(
        Daily(12, 0, "UTC"), print, "noon", window="mon-fri 09:00-17:00", until="2100-01-01 00:00"
    )

    async with dashboard(backend) as (app, pilot):
        await eventually(pilot, shows(app, "noon"))
        preview = await backend.preview("0 * * * * UTC", 9, at_once=False, name="noon")
        assert {datetime.fromtimestamp(due, UTC).hour for due in preview.due_times} <= set(range(9, 17))
        assert len(preview.due_times) == 9
        with pytest.raises(ValueError, match="no due time would lie in the window of the task"):
            await backend.preview("daily 03:00 UTC", 3, at_once=False, name="noon")
        assert list((await backend.preview("after extract", 3, at_once=False, name="noon")).due_times) == []
        assert len((await backend.preview("1 h after each run", 3, at_once=False)).due_times) == 1


async def test_leaving_a_service_leaves_its_tasks_running(scheduler: Scheduler, folder: Path) -> None:
    server, file = served(scheduler, folder)
    async with dashboard(RemoteBackend(file)) as (app, pilot):
        await pilot.press("q")
        await eventually(pilot, lambda: not app.is_running)
    assert scheduler.is_running
    server.close()


async def test_who_leaves_a_service_is_told_that_it_goes_on_and_who_else_watches(
    scheduler: Scheduler, folder: Path
) -> None:
    server, file = served(scheduler, folder)
    first, second = RemoteBackend(file), RemoteBackend(file)
    async with dashboard(first) as (_, pilot):
        await eventually(pilot, lambda: len(server.watchers()) == 1)
        assert first.last_words() == f"{SHOP} (process 17) keeps running"
        second.open()
        await eventually(pilot, lambda: len(server.watchers()) == 2)
        assert re.fullmatch(rf"{SHOP} \(process 17\) keeps running; .+ watches it too", first.last_words())
        second.close(1)
    server.close()
    assert first.last_words() == ""


async def test_the_zone_of_the_service_is_named_where_it_is_another(
    scheduler: Scheduler, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("taskkit.remote.server.zone_name", lambda _tz: "America/New_York")
    server, file = served(scheduler, folder)
    async with dashboard(RemoteBackend(file)) as (app, pilot):
        await eventually(pilot, shows(app, f"{SHOP} (17), America/New_York"))
    server.close()


async def test_very_many_names_are_commanded_and_undone_as_few_are(
    scheduler: Scheduler, folder: Path
) -> None:
    """Their names take more than a message to the service may have."""
    names = [f"{'x' * 250} {number}" for number in range(1500)]
    for name in names:
        scheduler.add_on_demand_task(fail, name)
    server, file = served(scheduler, folder)
    backend = RemoteBackend(file)
    async with dashboard(backend):
        answer = await backend.disable(names)
        assert len(answer.names) == scheduler.snapshot().figures.disabled == 1500
        assert answer.token is not None
        assert len((await backend.undo(answer.token)).names) == 1500
        assert scheduler.snapshot().figures.disabled == 0
    server.close()


async def test_a_service_for_looking_only_refuses_commands_itself(scheduler: Scheduler, folder: Path) -> None:
    server, file = served(scheduler, folder, access="view")
    async with dashboard(RemoteBackend(file)) as (app, pilot):
        await eventually(pilot, shows(app, f"{SHOP} (17), view only"))
        app.main.go_to_task("hourly")
        await pilot.press("d")
        await eventually(pilot, says(app, "this socket is view only"))
    handle = scheduler.handle("hourly")
    assert handle is not None
    assert not handle.disabled
    server.close()


async def test_the_screen_goes_on_where_the_service_ends(scheduler: Scheduler, folder: Path) -> None:
    server, file = served(scheduler, folder)
    async with dashboard(RemoteBackend(file)) as (app, pilot):
        await eventually(pilot, shows(app, f"⇄ {SHOP} (17)"))
        server.close()
        await eventually(pilot, shows(app, f"⚠ {SHOP} (17)"))
        assert app.main.has_class("-disconnected")
        assert shows(app, "hourly")()
        app.main.go_to_task("hourly")
        await pilot.press("d")
        await eventually(pilot, says(app, "nothing was sent"))


async def test_nothing_of_an_earlier_instance_stays(scheduler: Scheduler, folder: Path) -> None:
    server, file = served(scheduler, folder)
    backend = RemoteBackend(file)
    async with dashboard(backend) as (app, pilot):
        await eventually(pilot, shows(app, "haul"))
        server.close()
        # Only an instance that begins after the loss was noticed is taken for a successor.
        await eventually(pilot, lambda: not backend.is_connected)
        with Scheduler() as successor:
            successor.add_on_demand_task(print, "another")
            again = serve(successor, SHOP, path=file.path, strict=True)
            await eventually(pilot, shows(app, "another"))
            await eventually(pilot, lambda: not shows(app, "hourly")())
            await eventually(pilot, says(app, f"{SHOP} runs again, as process 17"))
            again.close()


async def test_a_key_that_has_no_answer_yet_is_said_to_wait(
    scheduler: Scheduler, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("taskkit_tui.app.WAITING_SECONDS", 0.05)
    server, file = served(scheduler, folder)
    goes_on = threading.Event()
    async with dashboard(RemoteBackend(file)) as (app, pilot):
        await eventually(pilot, shows(app, "hourly"))
        app.main.go_to_task("hourly")
        server.call(goes_on.wait)
        await pilot.press("d")
        await eventually(pilot, says(app, f"Asked {SHOP} (17); no answer yet"))
        goes_on.set()
        await eventually(pilot, says(app, "Disabled hourly"))
    server.close()


async def test_details_that_were_seen_are_shown_at_once_while_the_service_does_not_answer(
    scheduler: Scheduler, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("taskkit.remote.client.SILENCE_SECONDS", 0.2)
    server, file = served(scheduler, folder)
    goes_on = threading.Event()
    async with dashboard(RemoteBackend(file)) as (app, pilot):
        await eventually(pilot, shows(app, "hourly"))
        seen = await app.backend.describe("hourly")
        server.call(goes_on.wait)
        await eventually(pilot, lambda: not app.backend.is_connected)
        assert await wait_for(app.backend.describe("hourly"), 1) == seen
        goes_on.set()
    server.close()


async def test_a_period_is_not_previewed_where_the_service_does_not_answer(
    scheduler: Scheduler, folder: Path
) -> None:
    server, file = served(scheduler, folder)
    async with dashboard(RemoteBackend(file)) as (app, pilot):
        app.main.go_to_task("hourly")
        server.close()
        await eventually(pilot, shows(app, f"⚠ {SHOP} (17)"))
        await pilot.press("p", "ctrl+u", *"90m")
        await eventually(pilot, shows(app, "17) is not connected (closed)"))
