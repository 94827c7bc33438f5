"""What requests do, what is told of them, and how they are taken back."""

from __future__ import annotations

import pytest
from fake_backend import FakeBackend, dashboard, running, screen_text, task, toasts

from taskkit import Daily
from taskkit_tui.formatting import LONGEST_PERIOD, SHORTEST_PERIOD
from taskkit_tui.steering import Steering
from taskkit_tui.viewmodel.model import TaskModel


class Helm:
    """A steering with its backend, kept up to date."""

    def __init__(self, *tasks: object, read_only: bool = False) -> None:
        self.backend = FakeBackend(*tasks)  # type: ignore[arg-type]
        self.model = TaskModel()
        self.steering = Steering(self.backend, self.model, read_only=read_only)
        self.look()

    def look(self) -> None:
        self.model.apply(self.backend.collect().changes)


def test_what_was_done_is_told() -> None:
    helm = Helm(task(1, "a"), running(2, "b"))
    assert helm.steering.run(["a"], {}).text == "Started a"
    assert helm.steering.run(["b"], {}).text == "b runs once more after this run"
    assert helm.steering.stop(["b"]).text == "Asked to stop b"
    assert helm.steering.disable(["a", "b"]).text == "Disabled 2 tasks"
    helm.look()
    told = helm.steering.enable(["a", "unknown"])
    assert told.text == "Enabled a; 1 left out, it does not apply"
    assert not told.is_trouble
    assert helm.steering.disable(["unknown"]).is_trouble


def test_undo_takes_back_one_change_after_the_other_and_only_what_it_did() -> None:
    helm = Helm(task(1, "a"), task(2, "b", disabled=True))
    helm.steering.disable(["a", "b"])
    helm.look()
    helm.steering.set_period(["a"], 99.0)
    helm.look()
    assert helm.steering.undo().text == "a: every 30 s again"
    helm.look()
    row = helm.model.named("a")
    assert row is not None
    assert row.task.period == 30.0
    assert helm.steering.undo().text == "Undone: Disabled a"
    helm.look()
    named = [helm.model.named(name) for name in ("a", "b")]
    assert [row.task.disabled for row in named if row] == [False, True]
    assert helm.steering.undo().is_trouble


def test_a_schedule_is_changed_and_taken_back_to_what_it_was() -> None:
    nightly = {"schedule": "daily 03:30", "period": None}
    helm = Helm(task(1, "as declared", **nightly), task(2, "changed", overrides="daily 02:00", **nightly))
    told = helm.steering.set_schedule(["as declared", "changed", "unknown"], Daily(4, 0))
    assert told.text == "Daily 04:00: 2 tasks; 1 left out, it does not apply"
    helm.look()
    assert helm.steering.undo().text == "2 tasks have their former schedules again"
    assert helm.backend.calls[2:] == [
        ("drop_override", "as declared"),
        ("reschedule", "changed", Daily(3, 30)),
    ]


def test_a_schedule_that_is_put_back_as_registered_and_has_no_period_can_be_brought_again() -> None:
    helm = Helm(task(1, "a", schedule="daily 03:30", period=None, overrides="every 1 min"))
    helm.steering.as_registered(["a"])
    helm.look()
    assert helm.steering.undo().text == "a: daily 03:30 again"
    assert helm.backend.calls[-1] == ("reschedule", "a", Daily(3, 30))


def test_what_is_gone_cannot_be_undone() -> None:
    helm = Helm(task(1, "a"))
    helm.steering.disable(["a"])
    helm.backend.remove(1)
    helm.look()
    assert helm.steering.undo().is_trouble


@pytest.mark.parametrize(
    ("period", "factor", "expected"),
    [
        (30.0, 2.0, 60.0),
        (30.0, 0.5, 15.0),
        (SHORTEST_PERIOD, 0.5, SHORTEST_PERIOD),
        (LONGEST_PERIOD, 2.0, float(LONGEST_PERIOD)),
        (LONGEST_PERIOD * 2, 2.0, LONGEST_PERIOD * 2.0),
        (SHORTEST_PERIOD / 2, 0.5, SHORTEST_PERIOD / 2),
    ],
)
def test_a_period_is_scaled_within_bounds(period: float, factor: float, expected: float) -> None:
    helm = Helm(task(1, "a", period=period))
    helm.steering.scale_period(["a"], factor)
    assert helm.backend.calls == [("set_period", "a", expected)]


def test_read_only_refuses() -> None:
    helm = Helm(task(1, "a"), read_only=True)
    steering = helm.steering
    for told in (
        steering.run(["a"], {}),
        steering.disable(["a"]),
        steering.set_paused(True),
        steering.undo(),
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
        assert app.steering.set_paused(True).is_trouble
        assert backend.calls == []
