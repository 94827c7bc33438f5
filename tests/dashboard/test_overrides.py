"""A schedule that a person changed: it is marked, one key takes it back, and an undo brings it again."""

from __future__ import annotations

from pathlib import Path

from fake_backend import NOW, FakeBackend, dashboard, screen_text, task, toasts
from test_steering import Helm

from taskkit import Every, Parameter, Recipe, Scheduler, Task, TaskDetails
from taskkit.taskfile import TaskFileFollower
from taskkit_tui.bridge import Bridge
from taskkit_tui.viewmodel import row_cells
from taskkit_tui.viewmodel.details_facts import facts
from taskkit_tui.viewmodel.new_task import NewTask
from taskkit_tui.viewmodel.row import TaskRow

CHANGED = task(1, "heartbeat", schedule="every 30 s", overrides="every 1 min")


class Page(Task):
    """Something to make in a form."""

    def __init__(self, filename: str) -> None:
        self.filename = filename

    def run(self) -> None:
        pass


def words(row: TaskRow) -> str:
    return "".join(piece.text for piece in row_cells.schedule(row, NOW, 20))


def test_a_changed_schedule_is_marked() -> None:
    assert words(TaskRow(CHANGED)) == "every 30 s ≠"
    assert words(TaskRow(CHANGED, trend=1)) == "every 30 s ≠"
    assert words(TaskRow(task(1, "heartbeat"), trend=1)) == "every 30 s ↑"


def test_the_details_say_what_was_registered() -> None:
    details = TaskDetails(CHANGED, "", {}, None, (), (), (), ())
    for source, says in (("program", "program says"), ("file", "file says"), ("", "registered")):
        told = {fact.name: fact.value for fact in facts(details, source)}
        assert told["schedule"] == "every 30 s"
        assert told[says] == "every 1 min · = puts it back"


async def test_one_key_takes_the_change_back_and_is_shown_only_then() -> None:
    async with dashboard(CHANGED, task(2, "nightly")) as (app, backend, pilot):
        assert "= As registered" in screen_text(app)[-1]
        await pilot.press("equals_sign")
        await pilot.pause()
        assert backend.calls == [("drop_override", "heartbeat")]
        assert toasts(app)[-1].endswith("Put back heartbeat")
        await pilot.press("equals_sign")
        await pilot.pause()
        assert "As registered" not in screen_text(app)[-1]
        assert backend.calls == [("drop_override", "heartbeat")]
        assert "has the schedule that it was registered with" in toasts(app)[-1]


def test_an_undo_brings_the_change_again() -> None:
    helm = Helm(CHANGED)
    assert helm.steering.as_registered(["heartbeat"]).text == "Put back heartbeat"
    helm.look()
    assert not helm.steering.undo().is_trouble
    assert isinstance(helm.backend, FakeBackend)
    assert helm.backend.calls == [("drop_override", "heartbeat"), ("set_period", "heartbeat", 30.0)]


def test_what_is_changed_in_the_dashboard_is_a_persons_change() -> None:
    scheduler = Scheduler()
    bridge = Bridge(scheduler)
    scheduler.add_periodic_task(None, 60, print, "heartbeat")
    assert bridge.set_period("heartbeat", 30)
    assert scheduler.snapshot().tasks[0].overrides == "every 1 min"
    assert bridge.drop_override("heartbeat")
    assert scheduler.snapshot().tasks[0].overrides is None


def test_what_is_registered_in_the_dashboard_is_to_be_kept() -> None:
    scheduler = Scheduler()
    bridge = Bridge(scheduler, [Page])
    (offer,) = bridge.offers()
    assert offer.parameters == (Parameter("filename", "str", required=True),)
    watch = scheduler.watch_kept()
    bridge.register(NewTask(offer.key, {"filename": "a.html"}, "page", Every(60)))
    (kept,) = watch.collect().changed
    assert kept.spec is not None
    assert kept.spec.recipe == Recipe.of(Page, {"filename": "a.html"})


def test_it_is_known_whether_a_file_the_program_or_a_person_registered_a_task(tmp_path: Path) -> None:
    scheduler = Scheduler()
    assert Bridge(scheduler).source("heartbeat") == "program"
    bridge = Bridge(scheduler, [Page], follower=TaskFileFollower(scheduler, tmp_path / "tasks.toml"))
    assert bridge.source("heartbeat") == "file"
    bridge.register(NewTask(bridge.offers()[0].key, {"filename": "a.html"}, "page", Every(60)))
    assert bridge.source("page") == ""


def test_a_class_that_cannot_be_imported_again_can_be_registered_all_the_same() -> None:
    class Local(Task):
        def run(self) -> None:
            pass

    scheduler = Scheduler()
    bridge = Bridge(scheduler, [Local])
    watch = scheduler.watch_kept()
    bridge.register(NewTask(bridge.offers()[0].key, {}, "local", Every(60)))
    (kept,) = watch.collect().changed
    assert (kept.name, kept.spec) == ("local", None)
