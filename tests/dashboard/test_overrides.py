"""A schedule that a person changed: it is marked, one key takes it back, and an undo brings it again."""

from __future__ import annotations

from pathlib import Path

from fake_backend import (
    NOW,
    CommandsAtOnce,
    FakeBackend,
    dashboard,
    done_at_once,
    screen_text,
    task,
    toasts,
    typed_schedule,
)
from test_commands import Helm

from taskkit import Every, Parameter, Recipe, Scheduler, Task, TaskDetails, TaskSnapshot
from taskkit.taskfile import TaskFileFollower
from taskkit_tui.bridge import Bridge
from taskkit_tui.commands import Commands
from taskkit_tui.viewmodel.details.facts import facts
from taskkit_tui.viewmodel.forms.new_task import NewTask
from taskkit_tui.viewmodel.model import TaskModel
from taskkit_tui.viewmodel.panels import row_cells
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
        assert told[says] == "every 1 min · = restores it"


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
    assert helm.commands.as_registered(["heartbeat"]).text == "Put back heartbeat"
    helm.look()
    assert not helm.commands.undo().is_trouble
    assert isinstance(helm.backend, FakeBackend)
    assert helm.backend.calls == [("drop_override", "heartbeat"), ("undo", "heartbeat")]


def test_what_is_changed_in_the_dashboard_is_a_persons_change() -> None:
    scheduler = Scheduler()
    bridge = Bridge(scheduler)
    scheduler.add_periodic_task(None, 60, print, "heartbeat")
    assert done_at_once(bridge.set_periods({"heartbeat": 30})).names
    assert scheduler.snapshot().tasks[0].overrides == "every 1 min"
    assert done_at_once(bridge.drop_override(["heartbeat"])).names
    assert scheduler.snapshot().tasks[0].overrides is None


def test_what_is_registered_in_the_dashboard_is_to_be_kept() -> None:
    scheduler = Scheduler()
    bridge = Bridge(scheduler, [Page])
    (offer,) = done_at_once(bridge.offers())
    assert offer.parameters == (Parameter("filename", "str", required=True),)
    watch = scheduler.watch_persistence()
    done_at_once(
        bridge.register(NewTask(offer.key, {"filename": "a.html"}, "page", typed_schedule(Every(60))))
    )
    (kept,) = watch.collect().changed
    assert kept.spec is not None
    assert kept.spec.recipe == Recipe.of(Page, {"filename": "a.html"})


def test_it_is_known_whether_a_file_the_program_or_a_person_registered_a_task(tmp_path: Path) -> None:
    scheduler = Scheduler()
    assert Bridge(scheduler).source("heartbeat") == "program"
    bridge = Bridge(scheduler, [Page], follower=TaskFileFollower(scheduler, tmp_path / "tasks.toml"))
    assert bridge.source("heartbeat") == "file"
    done_at_once(
        bridge.register(
            NewTask(
                done_at_once(bridge.offers())[0].key,
                {"filename": "a.html"},
                "page",
                typed_schedule(Every(60)),
            )
        )
    )
    assert bridge.source("page") == ""


def test_a_class_that_cannot_be_imported_again_can_be_registered_all_the_same() -> None:
    class Local(Task):
        def run(self) -> None:
            pass

    scheduler = Scheduler()
    bridge = Bridge(scheduler, [Local])
    watch = scheduler.watch_persistence()
    done_at_once(
        bridge.register(NewTask(done_at_once(bridge.offers())[0].key, {}, "local", typed_schedule(Every(60))))
    )
    (kept,) = watch.collect().changed
    assert (kept.name, kept.spec) == ("local", None)


class RealHelm:
    """A commands of a real scheduler that a file is followed by."""

    def __init__(self, file: Path, seconds: int) -> None:
        self._file = file
        self.write(seconds)
        self.scheduler = Scheduler()
        self._follower = TaskFileFollower(self.scheduler, file)
        self._follower.load()
        self.bridge = Bridge(self.scheduler, [Page])
        self._watch = self.scheduler.watch()
        self.model = TaskModel()
        self.commands = CommandsAtOnce(Commands(self.bridge, self.model))
        self.look()

    def write(self, seconds: int) -> None:
        self._file.write_text(f'[tasks.a]\ncommand = "true"\nevery = "{seconds}s"\n')

    def reload(self, seconds: int) -> None:
        self.write(seconds)
        self._follower.load()
        self.look()

    def look(self) -> None:
        self.model.apply(self._watch.collect())

    @property
    def task(self) -> TaskSnapshot:
        return self.scheduler.snapshot().tasks[0]


def test_an_undo_leaves_no_change_of_a_person_behind(tmp_path: Path) -> None:
    helm = RealHelm(tmp_path / "tasks.toml", 30)
    helm.commands.period(["a"], 99)
    helm.look()
    assert helm.task.overrides == "every 30 s"
    assert helm.commands.undo().text == "a: every 30 s again"
    assert (helm.task.period, helm.task.overrides) == (30, None)


def test_an_undo_does_not_bring_back_what_the_file_said_before_it_was_edited(tmp_path: Path) -> None:
    helm = RealHelm(tmp_path / "tasks.toml", 30)
    helm.commands.period(["a"], 99)
    helm.look()
    helm.reload(45)
    assert helm.task.period == 99
    assert helm.commands.undo().text == "a: every 45 s again"
    assert (helm.task.period, helm.task.overrides) == (45, None)


def test_an_undo_leaves_alone_what_the_program_has_registered_anew(tmp_path: Path) -> None:
    helm = RealHelm(tmp_path / "tasks.toml", 30)
    helm.commands.period(["a"], 99)
    helm.look()
    helm.scheduler.add_periodic_task(None, 7, print, "a")
    helm.look()
    assert helm.commands.undo().is_trouble
    assert (helm.task.period, helm.task.overrides) == (7, None)


def test_an_undo_of_a_registration_leaves_alone_what_has_taken_its_name_since(tmp_path: Path) -> None:
    helm = RealHelm(tmp_path / "tasks.toml", 30)
    offer = done_at_once(helm.bridge.offers())[0].key
    helm.commands.register(NewTask(offer, {"filename": "a.html"}, "page", typed_schedule(Every(60))))
    helm.look()
    helm.scheduler.add_periodic_task(None, 7, print, "page")
    helm.look()
    assert helm.commands.undo().text == "Can no longer undo: Registered page (the task was changed since)"
    assert helm.scheduler.handle("page") is not None
    helm.commands.register(NewTask(offer, {"filename": "a.html"}, "other", typed_schedule(Every(60))))
    helm.look()
    assert helm.commands.undo().text == "Undone: Registered other"
    assert helm.scheduler.handle("other") is None
