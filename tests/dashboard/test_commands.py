"""What commands do, what they say, and how they are undone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from fake_backend import (
    CommandsAtOnce,
    FakeBackend,
    dashboard,
    running,
    screen_text,
    task,
    toasts,
    typed_schedule,
)

from taskkit import Daily, Every
from taskkit.operations import Answer
from taskkit.words.durations import LONGEST_PERIOD_SECONDS, SHORTEST_PERIOD_SECONDS
from taskkit_tui.app import TaskkitApp
from taskkit_tui.backend import Notice
from taskkit_tui.commands import Commands
from taskkit_tui.screens.help_screen import HelpScreen
from taskkit_tui.viewmodel.forms.new_task import NewTask
from taskkit_tui.viewmodel.model import TaskModel
from taskkit_tui.viewmodel.row import TaskRow


class Helm:
    """A commands with its backend, kept up to date."""

    def __init__(self, *tasks: object, read_only: bool = False) -> None:
        self.backend = FakeBackend(*tasks)  # type: ignore[arg-type]
        self.model = TaskModel()
        self.commands = CommandsAtOnce(Commands(self.backend, self.model, read_only=read_only))
        self.look()

    def look(self) -> None:
        self.model.apply(self.backend.collect().changes)

    def row(self, name: str) -> TaskRow | None:
        self.look()
        return self.model.named(name)


def test_what_was_done_is_told() -> None:
    helm = Helm(task(1, "a"), running(2, "b"))
    assert helm.commands.run(["a"]).text == "Started a"
    assert helm.commands.run(["b"]).text == "b runs once more after this run"
    assert helm.commands.stop(["b"]).text == "Asked to stop b"
    assert helm.commands.disable(["a", "b"]).text == "Disabled 2 tasks"
    helm.look()
    told = helm.commands.enable(["a", "unknown"])
    assert told.text == "Enabled a; 1 left out (does not apply)"
    assert not told.is_trouble
    assert helm.commands.disable(["unknown"]).is_trouble


def test_undo_takes_back_one_change_after_the_other_and_only_what_it_did() -> None:
    helm = Helm(task(1, "a"), task(2, "b", disabled=True))
    helm.commands.disable(["a", "b"])
    helm.look()
    helm.commands.period(["a"], 99.0)
    helm.look()
    assert helm.commands.undo().text == "a: every 30 s again"
    helm.look()
    row = helm.model.named("a")
    assert row is not None
    assert row.task.period == 30.0
    assert helm.commands.undo().text == "Undone: Disabled a"
    helm.look()
    named = [helm.model.named(name) for name in ("a", "b")]
    assert [row.task.disabled for row in named if row] == [False, True]
    assert helm.commands.undo().is_trouble


def test_a_schedule_is_changed_and_taken_back_to_what_it_was() -> None:
    nightly = {"schedule": "daily 03:30", "period": None}
    helm = Helm(task(1, "as declared", **nightly), task(2, "changed", overrides="daily 02:00", **nightly))
    told = helm.commands.period(["as declared", "changed", "unknown"], typed_schedule(Daily(4, 0)))
    assert told.text == "Daily 04:00: 2 tasks; 1 left out (does not apply)"
    helm.look()
    assert helm.commands.undo().text == "2 tasks have their former schedules again"
    assert [row.task.schedule for name in ("as declared", "changed") if (row := helm.row(name))] == [
        "daily 03:30"
    ] * 2


def test_a_schedule_that_is_put_back_as_registered_and_has_no_period_can_be_brought_again() -> None:
    helm = Helm(task(1, "a", schedule="daily 03:30", period=None, overrides="every 1 min"))
    helm.commands.as_registered(["a"])
    helm.look()
    assert helm.commands.undo().text == "a: daily 03:30 again"
    assert helm.backend.calls[-1] == ("undo", "a")


def test_what_is_gone_cannot_be_undone() -> None:
    helm = Helm(task(1, "a"))
    helm.commands.disable(["a"])
    helm.backend.remove(1)
    helm.look()
    assert helm.commands.undo().is_trouble


NEW = NewTask("demo:Page", {}, "page", typed_schedule(Every(60)))


def test_a_registration_is_taken_back_before_an_older_change_of_another_task() -> None:
    helm = Helm(task(1, "a"))
    helm.commands.disable(["a"])
    helm.look()
    helm.commands.register(NEW)
    helm.look()
    assert helm.commands.can_undo
    assert helm.commands.undo() == Notice("Undone: Registered page")
    assert helm.backend.calls[-1] == ("undo", "page")
    assert helm.commands.undo() == Notice("Undone: Disabled a")


@pytest.mark.parametrize(
    ("do", "words"),
    [
        (lambda commands: commands.run_with(["b"], {"x": 1}), "Started b"),
        (lambda commands: commands.stop(["c"]), "Asked to stop c"),
        (lambda commands: commands.unregister(["b", "c"]), "Unregistered 2 tasks"),
        (lambda commands: commands.register(replace(NEW, name="b")), "Replaced b"),
    ],
)
def test_what_cannot_be_taken_back_is_said_to_be_so_and_what_was_before_it_stays(
    do: Callable[[Commands], Notice], words: str
) -> None:
    helm = Helm(task(1, "a"), task(2, "b"), running(3, "c"))
    helm.commands.disable(["a"])
    helm.look()
    assert not do(helm.commands).is_trouble
    calls = list(helm.backend.calls)
    assert not helm.commands.can_undo
    assert helm.commands.undo() == Notice(
        f"{words} cannot be undone; u again undoes: Disabled a", is_trouble=True
    )
    assert helm.backend.calls == calls
    assert helm.commands.can_undo
    assert helm.commands.undo() == Notice("Undone: Disabled a")


def test_many_runs_in_a_row_are_said_once_not_to_be_taken_back() -> None:
    helm = Helm(task(1, "a"))
    helm.commands.disable(["a"])
    for _ in range(5):
        helm.commands.run(["a"])
    assert helm.commands.undo().is_trouble
    assert helm.commands.undo() == Notice("Undone: Disabled a")


def test_pausing_and_resuming_are_taken_back() -> None:
    helm = Helm(task(1, "a"))
    helm.commands.disable(["a"])
    helm.commands.pause(True)
    assert helm.commands.undo() == Notice("Undone: Paused")
    assert not helm.backend.paused
    helm.commands.pause(True)
    helm.commands.pause(False)
    assert helm.commands.undo() == Notice("Undone: Resumed")
    assert helm.backend.paused


def test_of_marked_tasks_is_said_what_could_not_be_taken_back() -> None:
    helm = Helm(task(1, "a"), task(2, "b"), task(3, "c"))
    helm.commands.disable(["a", "b", "c"])
    helm.backend.remove(2)
    helm.look()
    assert helm.commands.undo() == Notice("Undone: Disabled 2 tasks; 1 could not be undone")
    helm.commands.period(["a", "c"], 99.0)
    helm.backend.remove(1)
    helm.look()
    assert helm.commands.undo() == Notice("c: every 30 s again; 1 could not be undone")


def test_a_change_of_a_task_that_is_gone_is_not_taken_back_from_another_with_its_name() -> None:
    helm = Helm(task(1, "a"), task(2, "b"))
    helm.commands.enable(["a"])
    helm.commands.disable(["a", "b"])
    helm.look()
    helm.commands.unregister(["a"])
    helm.look()
    helm.commands.register(replace(NEW, name="a"))
    helm.look()
    assert helm.commands.undo() == Notice("Undone: Registered a")
    assert helm.commands.undo().is_trouble
    assert helm.commands.undo() == Notice("Undone: Disabled b; 1 could not be undone")


async def test_the_undo_key_takes_a_registration_back() -> None:
    async with dashboard(task(1, "a")) as (app, backend, pilot):
        await pilot.press("d")
        await pilot.pause()
        await app.commands.register(NEW)
        app.look()
        await pilot.press("u")
        await pilot.pause()
        assert backend.calls[-1] == ("undo", "page")
        assert toasts(app)[-1] == "Undone: Registered page"


@pytest.mark.parametrize(
    ("period", "factor", "expected"),
    [
        (30.0, 2.0, 60.0),
        (30.0, 0.5, 15.0),
        (SHORTEST_PERIOD_SECONDS, 0.5, SHORTEST_PERIOD_SECONDS),
        (LONGEST_PERIOD_SECONDS, 2.0, float(LONGEST_PERIOD_SECONDS)),
        (LONGEST_PERIOD_SECONDS * 2, 2.0, LONGEST_PERIOD_SECONDS * 2.0),
        (SHORTEST_PERIOD_SECONDS / 2, 0.5, SHORTEST_PERIOD_SECONDS / 2),
    ],
)
def test_a_period_is_scaled_within_bounds(period: float, factor: float, expected: float) -> None:
    helm = Helm(task(1, "a", period=period))
    (helm.commands.slower if factor > 1 else helm.commands.faster)(["a"])
    assert helm.backend.calls == [("set_period", "a", expected)]


def test_read_only_refuses() -> None:
    helm = Helm(task(1, "a"), read_only=True)
    commands = helm.commands
    for told in (
        commands.run(["a"]),
        commands.disable(["a"]),
        commands.pause(True),
        commands.undo(),
    ):
        assert told.is_trouble
    assert helm.backend.calls == []


async def test_what_pauses_is_what_was_asked_for_also_if_the_program_pauses_meanwhile() -> None:
    async with dashboard(task(1, "a")) as (app, backend, pilot):
        await pilot.press("P")
        backend.paused = True
        app.look()
        await pilot.press("y")
        await pilot.pause()
        assert backend.calls == [("pause",)]


async def test_a_scheduler_that_the_program_has_stopped_is_said_to_be_and_not_paused() -> None:
    async with dashboard(task(1, "a")) as (app, backend, pilot):
        backend.is_running = False
        app.look()
        await pilot.pause()
        assert "stopped" in screen_text(app)[0]
        await pilot.press("P")
        await pilot.pause()
        assert "has stopped the scheduler" in toasts(app)[-1]
        assert (await app.commands.pause(True)).is_trouble
        assert backend.calls == []


async def test_no_key_waits_for_an_answer_and_the_order_of_commands_is_that_of_the_keys() -> None:
    answered = asyncio.Event()

    class SlowBackend(FakeBackend):
        async def disable(self, names: Sequence[str]) -> Answer:
            await answered.wait()
            return await super().disable(names)

    backend = SlowBackend(task(1, "a"))
    app = TaskkitApp(backend)
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        await pilot.press("d", "u", "question_mark")
        await pilot.pause()
        assert isinstance(app.screen, HelpScreen), "the screen goes on while the answer is awaited"
        assert backend.calls == []
        answered.set()
        await pilot.pause()
        assert backend.calls == [("disable", "a"), ("undo", "a")]


async def test_leaving_gives_up_a_command_that_is_not_answered() -> None:
    class SilentBackend(FakeBackend):
        async def disable(self, names: Sequence[str]) -> Answer:
            await asyncio.Event().wait()
            return Answer(())

    app = TaskkitApp(SilentBackend(task(1, "a")))
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        await pilot.press("d", "q")
        await pilot.pause()
    assert app.return_code == 0
