"""A new task from a form: what is offered, what can be typed, what comes of it."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from datetime import datetime
from pathlib import Path
from types import ModuleType

import pytest
from fake_backend import NOW, dashboard, done_at_once, on_demand, screen_text, task, toasts, typed_schedule
from textual import events

from demo_tasks import proposals, task_classes
from taskkit import Cron, Daily, Every, Once, OnDemand, Parameter, Schedule, Scheduler, Task
from taskkit.operations import Offer
from taskkit.schedules.typed_schedule import preview, read_schedule
from taskkit.targets.target import offered_classes
from taskkit.testing import InlineExecutor, ManualClock
from taskkit_tui.app import TaskkitApp
from taskkit_tui.bridge import Bridge
from taskkit_tui.viewmodel.forms import schedule_preview
from taskkit_tui.viewmodel.forms.new_task import NewTask, is_name, proposed_name

PAGES = Offer("demo:Page", "Page", "Writes a page.", (Parameter("filename", "str", required=True),))
TICKS = Offer("demo:Tick", "Tick", "Ticks.", ())


class Page(Task):
    """Writes a page.

    At more length.
    """

    def __init__(self, filename: str, folder: Path = Path()) -> None:
        self.filename = filename
        self.folder = folder

    def run(self) -> None:
        print(f"wrote {self.filename}")


class Needy(Task):
    """Cannot be typed."""

    def __init__(self, connection: ManualClock) -> None:
        self.connection = connection

    def run(self) -> None: ...


@pytest.mark.parametrize(
    ("typed", "schedule"),
    [
        ("30", Every(30)),
        ("every 1h30m", Every(5400)),
        ("03:30", Daily(3, 30)),
        ("daily 03:30 Europe/Berlin", Daily(3, 30, "Europe/Berlin")),
        ("in 10m", Once(NOW + 600)),
        ("2033-12-24 18:00", Once(datetime(2033, 12, 24, 18))),
        ("2033-12-24T18:00:05", Once(datetime(2033, 12, 24, 18, 0, 5))),
        ("*/15 9-17 * * 1-5", Cron("*/15 9-17 * * 1-5")),
        ("@hourly", Cron("@hourly")),
        ("cron */15 9-17 * * 1-5", Cron("*/15 9-17 * * 1-5")),
        ("cron */15 9-17 * * 1-5 Europe/Berlin", Cron("*/15 9-17 * * 1-5", "Europe/Berlin")),
        ("30 3 * * mon-fri", Cron("30 3 * * mon-fri")),
        ("@daily UTC", Cron("@daily", "UTC")),
        ("every 5 min", Every(300)),
        ("1 h 30 min", Every(5400)),
        ("Daily at 3:30", Daily(3, 30)),
        ("in 2 min", Once(NOW + 120)),
        ("once 2033-12-24 18:00", Once(datetime(2033, 12, 24, 18))),
        ("on demand", OnDemand()),
    ],
)
def test_a_schedule_is_typed_as_a_person_says_it(typed: str, schedule: Schedule) -> None:
    assert read_schedule(typed, NOW) == schedule


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "soon",
        "0",
        "in",
        "in soon",
        "25:00",
        "03:61",
        "03:30 Nowhere/City",
        "2033-13-01 00:00",
        "2001-01-01 00:00",
        "61 * * * *",
        "cron",
        "@never",
        "-5",
        "every",
        "every day",
        "daily",
        "03:30 Europe",
        "every 0.0000001",
    ],
)
def test_a_schedule_that_is_none_is_refused_in_words(typed: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read_schedule(typed, NOW)


def test_what_is_no_schedule_at_all_is_told_as_it_was_typed_with_what_one_can_type() -> None:
    with pytest.raises(ValueError, match="daily at dawn is not a schedule: type a period, a time of day"):
        read_schedule("daily at dawn", NOW)


@pytest.mark.parametrize(
    "schedule",
    [
        Every(30),
        Every(300),
        Daily(3, 30),
        Daily(3, 30, "Europe/Berlin"),
        Cron("0 4 * * *"),
        Cron("0 4 * * *", "Europe/Berlin"),
        OnDemand(),
    ],
)
def test_the_words_of_a_schedule_can_be_typed_again(schedule: Schedule) -> None:
    assert read_schedule(str(schedule), NOW) == schedule


def test_the_due_times_are_those_of_a_task_that_is_registered_now() -> None:
    assert preview(Every(30), NOW, 3) == (NOW, NOW + 30, NOW + 60)
    assert preview(Once(NOW + 5), NOW, 3) == (NOW + 5,)
    assert preview(OnDemand(), NOW, 3) == ()
    assert len(preview(Daily(3, 30), NOW, 5)) == 5
    assert preview(Every(30), NOW, 3, at_once=False) == (NOW + 30, NOW + 60, NOW + 90)


@pytest.mark.parametrize("after", [0, 5])
def test_the_one_time_of_a_task_is_told_as_one_types_it(after: int) -> None:
    at = datetime(2033, 12, 24, 18, 0, after).timestamp()
    typed = schedule_preview.as_typed(task(1, schedule=str(Once(at)), next_run=at))
    assert read_schedule(typed, NOW) == Once(at)


def test_the_proposed_name_tells_tasks_of_one_class_apart() -> None:
    assert proposed_name(PAGES, {"filename": "a.html"}) == "Page for a.html"
    assert proposed_name(PAGES, {}) == "Page"


def test_a_module_offers_what_it_lists_else_its_public_task_classes() -> None:
    module = ModuleType("some")
    module.Page, module._Hidden, module.Task, module.number = Page, Needy, Task, 3  # type: ignore[attr-defined]
    assert offered_classes(module) == (Page,)
    module.task_classes = [Needy]  # type: ignore[attr-defined]
    assert offered_classes(module) == (Needy,)
    assert offered_classes(None) == ()


def test_a_module_offers_what_its_public_interface_names() -> None:
    module = ModuleType("some")
    module.Page, module.Needy, module.__all__ = Page, Needy, ["Needy", "missing"]  # type: ignore[attr-defined]
    assert offered_classes(module) == (Needy,)


def test_an_abstract_class_is_not_offered() -> None:
    class Unfinished(Page, ABC):
        @abstractmethod
        def fetch(self) -> None: ...

    module = ModuleType("some")
    module.Unfinished = Unfinished  # type: ignore[attr-defined]
    assert offered_classes(module) == ()


def test_the_bridge_offers_what_can_be_typed_and_makes_tasks_of_it() -> None:
    clock = ManualClock(NOW)
    scheduler = Scheduler(clock=clock, executor=InlineExecutor())
    bridge = Bridge(scheduler, [Page, Needy], {"folder": "site"})
    bridge.open()
    (offer,) = done_at_once(bridge.offers())
    assert (offer.title, offer.summary) == ("Page", "Writes a page.")
    assert offer.prefilled == {"folder": "site"}
    done_at_once(
        bridge.register(
            NewTask(offer.key, {"filename": "a.html", "folder": "pages"}, "a page", typed_schedule(Every(30)))
        )
    )
    clock.advance(1)
    assert [line.text for line in bridge.collect().lines] == ["wrote a.html"]
    handle = scheduler.handle("a page")
    assert handle is not None
    assert handle.task.folder == Path("pages")  # type: ignore[union-attr]
    bridge.close(1)
    assert sys.modules


async def test_a_page_generator_for_a_new_file_is_registered() -> None:
    async with dashboard(task(1)) as (app, backend, pilot):
        backend.offered = (PAGES, TICKS)
        await pilot.press("n")
        await pilot.pause()
        assert "Writes a page." in "\n".join(screen_text(app))
        await pilot.press("tab", *"new.html", "enter", "enter", "ctrl+u", *"1m", "enter")
        await pilot.pause()
        assert backend.calls == [
            (
                "register",
                NewTask(
                    "demo:Page", {"filename": "new.html"}, "Page for new.html", typed_schedule(Every(60))
                ),
            )
        ]
        assert toasts(app) == ["Registered Page for new.html, every 1 min"]


async def test_what_is_missing_or_wrong_is_said_and_nothing_is_sent() -> None:
    async with dashboard(task(1)) as (app, backend, pilot):
        backend.offered = (PAGES,)
        await pilot.press("n", "ctrl+j")
        await pilot.pause()
        assert "filename must not be empty" in "\n".join(screen_text(app))
        assert app.focused is app.screen.query_one("#field-0")
        await pilot.press("a", "tab", "tab", "ctrl+u", *"soon", "enter")
        await pilot.pause()
        assert "soon is not a schedule" in "\n".join(screen_text(app))
        await pilot.press("shift+tab", "ctrl+u", *"heartbeat")
        await pilot.pause()
        assert "replaces the task heartbeat" in "\n".join(screen_text(app))
        await pilot.press("escape")
        assert backend.calls == []


async def test_an_empty_field_is_no_fault_until_the_form_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("taskkit_tui.screens.new_task_dialog.TICK_SECONDS", 0.05)
    async with dashboard(task(1)) as (app, backend, pilot):
        backend.offered = (PAGES,)
        await pilot.press("n", "tab", "ctrl+u", "x", "backspace", "tab", "ctrl+u")
        await pilot.pause()
        assert "✗" not in "\n".join(screen_text(app))
        await pilot.press("enter")
        missing = ("✗ filename must not be empty", "✗ a task needs a name", "✗ say when it runs")
        for several_looks in (0, 0.1):
            await pilot.pause(several_looks)
            assert all(words in "\n".join(screen_text(app)) for words in missing)
        await pilot.press("a")
        await pilot.pause()
        assert "✗" not in "\n".join(screen_text(app))
        assert backend.calls == []


async def test_a_form_proposes_what_the_target_wants_instead_of_a_default() -> None:
    folder = Parameter("folder", "path", default=".")
    offer = Offer("demo:Page", "Page", "", (*PAGES.parameters, folder), {"folder": "/srv/site"})
    async with dashboard(task(1)) as (app, backend, pilot):
        backend.offered = (TICKS, offer)
        await pilot.press("n", "enter", "down", "enter", "tab", "a", "enter")
        assert app.focused is app.screen.query_one("#field-1")
        await pilot.press("ctrl+j")
        await pilot.pause()
        values = {"filename": "a", "folder": "/srv/site"}
        assert backend.calls == [
            ("register", NewTask("demo:Page", values, "Page for a", typed_schedule(Every(30))))
        ]


async def test_another_class_brings_other_fields() -> None:
    async with dashboard(task(1)) as (app, backend, pilot):
        backend.offered = (PAGES, TICKS)
        await pilot.press("n", "enter", "down", "enter")
        await pilot.pause()
        told = "\n".join(screen_text(app))
        assert "Ticks." in told
        assert "filename" not in told
        await pilot.press("ctrl+j")
        await pilot.pause()
        assert backend.calls == [("register", NewTask("demo:Tick", {}, "Tick", typed_schedule(Every(30))))]


async def test_a_class_is_chosen_by_typing_some_of_its_name() -> None:
    async with dashboard(task(1)) as (app, backend, pilot):
        backend.offered = (PAGES, TICKS)
        await pilot.press("n", "enter", "i", "c", "enter")
        await pilot.pause()
        assert "Ticks." in "\n".join(screen_text(app))


async def test_what_is_typed_at_once_goes_into_the_first_field() -> None:
    """A form of several classes begins with the class, which takes no letters."""
    async with dashboard(task(1)) as (_, backend, pilot):
        backend.offered = (PAGES, TICKS)
        await pilot.press("n", *"new.html", "enter", "enter", "ctrl+u", *"1m", "enter")
        await pilot.pause()
        assert backend.calls == [
            (
                "register",
                NewTask(
                    "demo:Page", {"filename": "new.html"}, "Page for new.html", typed_schedule(Every(60))
                ),
            )
        ]


async def test_what_is_pasted_at_once_goes_there_too_and_takes_the_place_of_a_proposal() -> None:
    offer = Offer("demo:Page", "Page", "Writes a page.", PAGES.parameters, {"filename": "index.html"})
    async with dashboard(task(1)) as (app, backend, pilot):
        backend.offered = (offer, TICKS)
        await pilot.press("n")
        await pilot.pause()
        app.post_message(events.Paste("new.html\nrm"))
        await pilot.pause()
        await pilot.press("x", "ctrl+j")
        await pilot.pause()
        assert backend.calls[0][1].texts == {"filename": "new.htmlx"}  # type: ignore[attr-defined]


async def test_what_was_typed_for_one_class_is_there_for_another_that_asks_for_the_same() -> None:
    other = Offer("demo:Other", "Other", "", PAGES.parameters, {"filename": "other.html"})
    async with dashboard(task(1)) as (_, backend, pilot):
        backend.offered = (PAGES, other, TICKS)
        await pilot.press("n", *"mine", "shift+tab", "enter", "down", "down", "enter")
        await pilot.press("enter", "up", "enter", "ctrl+j")
        await pilot.pause()
        assert backend.calls[0][1].texts == {"filename": "mine"}  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["山\u3000川", "a\u00a0b", "\u3000", "e\u0301", "👩\u200d🔧"])
async def test_the_form_takes_each_name_that_the_library_takes(name: str) -> None:
    Scheduler().add_on_demand_task(print, name)
    async with dashboard(task(1)) as (app, backend, pilot):
        backend.offered = (TICKS,)
        await pilot.press("n", "ctrl+u")
        app.post_message(events.Paste(name))
        await pilot.pause()
        await pilot.press("ctrl+j")
        await pilot.pause()
        assert backend.calls == [("register", NewTask("demo:Tick", {}, name, typed_schedule(Every(30))))]


@pytest.mark.parametrize("name", ["", "a\x1bb", "a\x85b", "a\x7f"])
def test_the_form_takes_no_name_that_the_library_refuses(name: str) -> None:
    assert not is_name(name)
    with pytest.raises(ValueError, match="name"):
        Scheduler().add_on_demand_task(print, name)


async def test_the_focus_is_seen_on_the_class_as_on_any_field() -> None:
    async with dashboard(task(1)) as (app, backend, pilot):
        backend.offered = (PAGES, TICKS)
        await pilot.press("n")
        chooser, field = app.screen.query_one("#offer"), app.screen.query_one("#field-0")
        edges = [(chooser.styles.border_left, field.styles.border_left)]
        await pilot.press("tab")
        edges.append((chooser.styles.border_left, field.styles.border_left))
        assert edges[0] == edges[1][::-1]
        assert edges[0] != edges[1]


async def test_what_a_constructor_has_against_it_is_told_and_what_was_typed_stays() -> None:
    async with dashboard(task(1)) as (app, backend, pilot):
        backend.offered = (TICKS, PAGES)
        await pilot.press("n", "enter", "down", "enter", "tab", "a", "tab", "ctrl+u", *"unwanted", "ctrl+j")
        await pilot.pause()
        told = "\n".join(screen_text(app))
        assert "✗ unwanted was not registered: ValueError: no such file" in told
        await pilot.press("backspace")
        await pilot.pause()
        assert "not registered" not in "\n".join(screen_text(app))
        await pilot.press("ctrl+j")
        await pilot.pause()
        assert backend.calls[-1] == (
            "register",
            NewTask("demo:Page", {"filename": "a"}, "unwante", typed_schedule(Every(30))),
        )
        assert len(app.screen_stack) == 1


@pytest.mark.parametrize(
    ("offered", "focused"),
    [((TICKS,), "name"), ((PAGES,), "field-0"), ((TICKS, PAGES), "offer")],
    ids=["one class", "one class with a parameter", "two classes"],
)
async def test_where_there_is_one_class_one_begins_with_the_first_field(
    offered: tuple[Offer, ...], focused: str
) -> None:
    async with dashboard(task(1)) as (app, backend, pilot):
        backend.offered = offered
        await pilot.press("n")
        await pilot.pause()
        assert app.focused is not None
        assert app.focused.id == focused


async def test_the_cursor_is_on_the_new_task() -> None:
    async with dashboard(task(1), on_demand(2, "some")) as (app, backend, pilot):
        backend.offered = (TICKS,)
        await pilot.press("3", "n", "ctrl+j")
        await pilot.pause()
        panel = app.main.focused_panel
        assert panel is not None
        assert panel.selected is not None
        assert panel.selected.name == "Tick"


async def test_a_target_without_classes_says_so() -> None:
    async with dashboard(task(1)) as (app, _, pilot):
        await pilot.press("n")
        await pilot.pause()
        assert "offers no task class" in toasts(app)[0]
        assert "lists its classes as task_classes" in toasts(app)[0]


HOSTILE = Offer(
    "evil",
    "[/nope] [bold]Evil\x1b[2J",
    "[red]Summary[/nope]\u202e",
    (Parameter("[b]a[/c]", "choice", ("[x]", "[/y]"), required=True),),
    {"[b]a[/c]": "[x]"},
)


@pytest.mark.parametrize("size", [(1, 1), (10, 3), (40, 10), (80, 24), (120, 36)])
async def test_what_is_offered_is_foreign_text_at_every_size(size: tuple[int, int]) -> None:
    async with dashboard(task(1), size=size) as (app, backend, pilot):
        backend.offered = (HOSTILE, TICKS)
        app.main.last_panel.action_command("task.new")
        await pilot.pause()
        await pilot.press("enter", "down", "up")
        await pilot.pause()
        assert "\x1b" not in "\n".join(screen_text(app))
        await pilot.press("enter")
        await pilot.pause()
        assert "\x1b" not in "\n".join(screen_text(app))
        await pilot.press("ctrl+j")
        await pilot.pause()
        name = "[/nope] [bold]Evil␛[2J for [x]"
        assert backend.calls == [
            ("register", NewTask("evil", {"[b]a[/c]": "[x]"}, name, typed_schedule(Every(30))))
        ]


async def test_the_field_that_one_types_in_stays_in_sight_when_the_terminal_shrinks() -> None:
    async with dashboard(task(1)) as (app, backend, pilot):
        backend.offered = (PAGES,)
        await pilot.press("n", "a", "enter", "enter")
        await pilot.resize_terminal(45, 10)
        await pilot.pause()
        await pilot.pause()
        assert app.focused is app.screen.query_one("#when")
        assert "▌ 30" in "\n".join(screen_text(app))


async def test_everything_from_the_class_to_the_last_due_time_fits_a_small_terminal() -> None:
    """At 80x24, with two parameters, and a name that is taken."""
    folder = Parameter("folder", "path", default=".")
    async with dashboard(task(1), size=(80, 24)) as (app, backend, pilot):
        backend.offered = (Offer("demo:Page", "Page", "Writes a page.", (*PAGES.parameters, folder)),)
        await pilot.press("n", "a", "tab", "tab", "ctrl+u", *"heartbeat")
        await pilot.pause()
        told = "\n".join(screen_text(app))
        for words in ("Writes a page.", "filename", "folder", "replaces the task heartbeat", "in 2:00"):
            assert words in told


@pytest.mark.parametrize("size", [(120, 36), (80, 24)])
async def test_the_box_stands_still_while_one_types(size: tuple[int, int]) -> None:
    def frame(app: TaskkitApp) -> list[int]:
        return [at for at, row in enumerate(screen_text(app)) if "New task" in row or "esc leaves" in row]

    async with dashboard(task(1), size=size) as (app, backend, pilot):
        backend.offered = (PAGES,)
        await pilot.press("n", "a", "tab", "ctrl+u", *"hear")
        await pilot.pause()
        before = frame(app)
        assert len(before) == 2
        for keys, words in (
            (["t", "b", "e", "a", "t"], "replaces the task heartbeat"),
            (["tab", "ctrl+u", *"2030-"], "2030- is not a period"),
            (["ctrl+u", *"soon"], "soon is not a schedule"),
            (["ctrl+u", *"on demand"], "on demand"),
            (["ctrl+u", *"03:30"], "daily 03:30"),
        ):
            await pilot.press(*keys)
            await pilot.pause()
            assert words in "\n".join(screen_text(app))
            assert frame(app) == before, words


async def test_generating_again_under_the_same_name_changes_the_settings(tmp_path: Path) -> None:
    """The servlet of the manual of 2001: a file name, seconds, a button; and a list of tasks and periods."""
    clock = ManualClock(NOW)
    scheduler = Scheduler(clock=clock, executor=InlineExecutor())
    app = TaskkitApp(Bridge(scheduler, task_classes, proposals(tmp_path)))
    async with app.run_test(size=(120, 36)) as pilot:

        async def generate(filename: str, seconds: str) -> None:
            await pilot.press("n", "tab", *filename, "enter", "enter", "enter", "ctrl+u", *seconds)
            await pilot.pause()
            said.append("replaces the task" in "\n".join(screen_text(app)))
            await pilot.press("enter")
            await pilot.pause()

        said: list[bool] = []
        await generate("static1.html", "20")
        clock.advance(5)
        await generate("static1.html", "60")
        clock.advance(0)
        app.look()
        await pilot.pause()

        assert said == [False, True]
        (row,) = app.model.rows()
        assert (row.task.schedule, row.task.run_count) == ("every 1 min", 1)
        assert [(name, handle.period) for name, handle in scheduler.scheduled.items()] == [
            ("PageGenerator for static1.html", 60.0)
        ]
        assert (tmp_path / "site" / "static1.html").exists()
    scheduler.stop()
