"""Which of several running schedulers to attach to: at the start, and after one of them is lost."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from math import inf
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pytest
from fake_backend import screen_text
from idle import eventually

from taskkit import Every, Scheduler
from taskkit.remote import Server, serve
from taskkit.remote.sockets import SocketFile, target_hash
from taskkit_tui.app import TaskkitApp
from taskkit_tui.remote_backend import RemoteBackend
from taskkit_tui.screens.service_dialog import ServiceScreen

WORKER: Final = f"worker{os.getpid()}"
"""A name of this process, as all processes of a user see each other's services."""


class Workers:
    """Services of one name and target, each with a scheduler of its own."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder = folder
        self._stack = stack
        self.servers: dict[int, Server] = {}

    def start(self, pid: int) -> SocketFile:
        path = self._folder / f"{WORKER}-{pid}-{target_hash('web:app')}.sock"
        scheduler = self._stack.enter_context(Scheduler())
        scheduler.add_task(Every(3600), lambda: None, f"task of {pid}")
        server = serve(scheduler, WORKER, target="web:app", path=path, strict=True)
        self._stack.callback(server.close)
        self.servers[pid] = server
        return SocketFile(path, WORKER, pid, target_hash("web:app"))


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Workers]:
    with TemporaryDirectory(prefix="tk-") as folder, ExitStack() as stack:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)
        monkeypatch.setattr("taskkit_tui.remote_backend._SUCCESSOR_SECONDS", 0.4)
        sockets = Path(folder) / "taskkit"
        sockets.mkdir(mode=0o700)
        yield Workers(sockets, stack)


def shows(app: TaskkitApp, words: str) -> Callable[[], bool]:
    return lambda: words in "\n".join(screen_text(app))


def asks(app: TaskkitApp) -> Callable[[], bool]:
    return lambda: isinstance(app.screen, ServiceScreen) and app.screen.answers_from < inf


async def test_among_several_one_is_chosen_from_a_list_with_live_figures(workers: Workers) -> None:
    backend = RemoteBackend(workers.start(17), workers.start(18))
    app = TaskkitApp(backend)
    async with app.run_test(size=(120, 36)) as pilot:
        await eventually(pilot, asks(app))
        await eventually(pilot, shows(app, "1 task, 0 running, 0 failing"))
        other = workers.servers[18].operations.scheduler
        other.add_on_demand_task(lambda: None, "another")
        await eventually(pilot, shows(app, "2 tasks, 0 running, 0 failing"))
        await pilot.press("2")
        await eventually(pilot, shows(app, "task of 18"))
        assert f"{WORKER} (18)" in screen_text(app)[0]
        app.exit()
    backend.close(1)


async def test_one_that_has_just_ended_is_not_attached_to_and_it_is_asked_again(workers: Workers) -> None:
    backend = RemoteBackend(workers.start(17), workers.start(18))
    app = TaskkitApp(backend)
    async with app.run_test(size=(120, 36)) as pilot:
        await eventually(pilot, asks(app))
        assert backend.attach_to("/no/such.sock")
        await pilot.press("1")
        await eventually(pilot, shows(app, "task of 17"))
        app.exit()
    backend.close(1)


async def test_who_chooses_none_leaves(workers: Workers) -> None:
    backend = RemoteBackend(workers.start(17), workers.start(18))
    app = TaskkitApp(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        await eventually(pilot, asks(app))
        await pilot.press("escape")
        await eventually(pilot, lambda: app._exit)
    backend.close(1)


async def test_after_a_loss_siblings_are_asked_about_until_the_successor_is_there(workers: Workers) -> None:
    backend = RemoteBackend(workers.start(17))
    workers.start(18)
    app = TaskkitApp(backend)
    async with app.run_test(size=(120, 36)) as pilot:
        await eventually(pilot, shows(app, "task of 17"))
        workers.servers[17].close()
        await eventually(pilot, asks(app))
        assert shows(app, "others of its name are running")()
        workers.start(19)
        await eventually(pilot, lambda: not asks(app)())
        await eventually(pilot, shows(app, "task of 19"))

        workers.servers[19].close()
        await eventually(pilot, asks(app))
        await pilot.press("escape")  # wait for it: it is not asked again
        await eventually(pilot, lambda: not asks(app)())
        await pilot.pause(0.3)
        assert not asks(app)()
        workers.start(20)
        await eventually(pilot, shows(app, "task of 20"))

        workers.servers[20].close()
        await eventually(pilot, asks(app))
        await pilot.press("enter")
        await eventually(pilot, shows(app, "task of 18"))
        app.exit()
    backend.close(1)
