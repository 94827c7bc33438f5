"""The history in the details goes on with what is stored, over restarts, and all of it can be searched."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from threading import Event
from time import tzset
from types import SimpleNamespace
from typing import Any

import pytest
from fake_backend import NOW, dashboard, screen_text, task, toasts
from idle import eventually
from test_details import Stage, details, failed, outcome, shown, skip, text_of, texts
from textual.pilot import Pilot

from taskkit import Outcome, OutcomeKind, Skip, SkipReason, TaskDetails
from taskkit.store import StoredRun, StoredSkip
from taskkit.words.times import row_time
from taskkit_tui.log.log_line import LogLine
from taskkit_tui.screens.details_screen import DetailsScreen
from taskkit_tui.screens.history_reader import HistoryReader
from taskkit_tui.viewmodel.details.history_rows import (
    Restart,
    columns_for,
    entries,
    entry_line,
    entry_words,
    when_of,
)
from taskkit_tui.viewmodel.details.history_search import kinds_named, matching
from taskkit_tui.viewmodel.details.parts import DetailsParts
from taskkit_tui.viewmodel.details.run_text import run_lines, run_title
from taskkit_tui.viewmodel.details.selection import HistorySelection
from taskkit_tui.viewmodel.details.stored_history import (
    PAGE,
    HistoryPages,
    PageRequest,
    StoredEntry,
    fetch_page,
    joined,
)
from taskkit_tui.viewmodel.text_lines import line_text, line_width

DAY = 86_400.0


@pytest.fixture(autouse=True)
def _no_look_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is to come at once must not wait for the look that comes once a second."""
    monkeypatch.setattr("taskkit_tui.screens.details_screen.TICK_SECONDS", 3600.0)


@pytest.fixture
def machine_in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Europe/Berlin")
        tzset()
        yield
    tzset()


def run(number: int, session: int = 1, kind: OutcomeKind = OutcomeKind.SUCCEEDED, **fields: Any) -> StoredRun:
    """A stored run; higher numbers are newer."""
    return StoredRun(number, "flaky feed", session, outcome(number, kind, **fields))


def row(stored: StoredRun | StoredSkip) -> StoredEntry:
    entry = stored.outcome if isinstance(stored, StoredRun) else stored.skip
    return StoredEntry(stored.id, stored.session, entry)


def page(first: int, last: int) -> tuple[StoredEntry, ...]:
    """The rows of runs, newest first."""
    return tuple(row(run(number)) for number in range(last, first - 1, -1))


def numbers(told: Sequence[object]) -> list[object]:
    """The numbers of runs; other entries as they are called."""
    return [each.run if isinstance(each, Outcome) else type(each).__name__ for each in told]


class Shelf:
    """What is stored, as the backend looks into it; a search can be held up."""

    def __init__(self, *stored: StoredRun | StoredSkip) -> None:
        self.stored = sorted(stored, key=lambda each: -each.id)
        self.asked: list[tuple[str, int | None]] = []
        self.begun: dict[str, Event] = {}
        self.held: dict[str, Event] = {}
        self.given_up: dict[str, Event] = {}

    def hold(self, search: str) -> None:
        """Let questions for this wait until `release`, or until nobody wants to know any more."""
        self.begun[search], self.held[search], self.given_up[search] = Event(), Event(), Event()

    def release(self, search: str) -> None:
        self.held[search].set()

    def __call__(
        self,
        *,
        limit: int,
        before: int | None,
        search: str = "",
        kinds: Collection[OutcomeKind | SkipReason] = (),
        should_continue: Callable[[], bool],
    ) -> Sequence[StoredRun | StoredSkip]:
        self.asked.append((search, before))
        if search in self.held:
            self.begun[search].set()
            while not self.held[search].wait(0.01):
                if not should_continue():
                    self.given_up[search].set()
                    return ()
        return [each for each in self.stored if self._passes(each, before, search, kinds)][:limit]

    @staticmethod
    def _passes(
        each: StoredRun | StoredSkip, before: int | None, search: str, kinds: Collection[Any]
    ) -> bool:
        if before is not None and each.id >= before:
            return False
        if isinstance(each, StoredSkip):
            return not search and (not kinds or each.skip.reason in kinds)
        words = f"{each.outcome.exception} {each.outcome.result}"
        return search in words and (not kinds or each.outcome.kind in kinds)


def shelf_of(count: int) -> Shelf:
    """So many runs, the newest 20 of which are remembered as well."""
    return Shelf(*(run(number) for number in range(1, count + 1)))


def remembered(shelf: Shelf) -> TaskDetails:
    runs = [each.outcome for each in shelf.stored[:20] if isinstance(each, StoredRun)]
    return details(*reversed(runs))


@asynccontextmanager
async def opened(
    shelf: Shelf, told: TaskDetails | None = None, **options: Any
) -> AsyncIterator[tuple[Stage, DetailsScreen, Pilot[None]]]:
    async with shown(told or remembered(shelf), history_query=shelf, **options) as (app, screen, pilot):
        yield app, screen, pilot
        for held in shelf.held.values():
            held.set()


# How what is stored is joined to what is remembered.


def test_the_stored_history_continues_the_remembered_one_without_repeats() -> None:
    told = joined(entries(details(outcome(4), outcome(5))), page(1, 5))
    assert numbers(told) == [5, 4, 3, 2, 1]
    assert numbers(joined((), page(1, 2))) == [2, 1]
    assert numbers(joined(entries(details(outcome(9))), page(1, 2))) == [9, 2, 1]


def test_stored_rows_that_are_not_remembered_yet_wait_for_the_next_update() -> None:
    assert numbers(joined(entries(details(outcome(3), outcome(4))), page(1, 6))) == [4, 3, 2, 1]


def test_a_run_from_before_a_restart_is_shown_as_stored() -> None:
    bare = failed(1, traceback=None)
    whole = row(run(1, kind=OutcomeKind.FAILED, traceback="as it is stored", output=("a line",)))
    fresh = failed(2, traceback="as it was", output=("a line", "a line that is not stored"))
    cut = row(run(2, kind=OutcomeKind.FAILED, traceback="as it", output=("a line",)))
    assert joined((fresh, bare), (cut, whole)) == (fresh, whole.entry)


def test_no_output_is_only_said_when_the_store_cannot_have_any() -> None:
    def words(earlier: HistoryPages, entry: Outcome) -> str:
        complete = not earlier.may_hold_more(entry)
        return " ".join(texts(run_lines(entry, details(), NOW, 200, complete=complete)))

    bare = outcome(1)
    nothing = "No output."
    assert nothing in words(HistoryPages(), bare)
    earlier = HistoryPages(has_store=True)
    assert nothing not in words(earlier, bare)
    earlier.take(PageRequest(), page(2, 3))
    assert nothing not in words(earlier, bare)
    earlier.take(PageRequest(), page(1, 3))
    assert nothing in words(earlier, bare)
    nowhere = HistoryPages(has_store=True)
    nowhere.take(PageRequest(), ())
    assert nothing in words(nowhere, bare)
    assert nothing not in words(nowhere, outcome(1, OutcomeKind.INTERRUPTED))


def test_no_other_traceback_is_shown_below_a_failed_run() -> None:
    def words(entry: Outcome | Skip) -> str:
        return " ".join(texts(run_lines(entry, details(), NOW, 200, failed(1))))

    assert "last traceback · run 1" not in words(failed(2, traceback=None))
    assert "last traceback · run 1" not in words(outcome(2, OutcomeKind.TIMED_OUT))
    assert "last traceback · run 1" in words(outcome(2))
    assert "last traceback · run 1" in words(skip())


def test_a_skip_that_grew_over_a_restart_covers_the_stored_ones() -> None:
    grown = skip(5, at=NOW - 500)
    parts = (
        StoredSkip(3, "flaky feed", 2, 0.0, skip(2, at=NOW - 470)),
        StoredSkip(2, "flaky feed", 1, 0.0, skip(3, at=NOW - 500)),
        run(1),
    )
    rows = [row(run(4, 2)), *(row(each) for each in parts)]
    assert numbers(joined((outcome(4), grown), rows)) == [4, "Restart", "Skip", 1]
    apart = StoredSkip(2, "flaky feed", 1, 0.0, skip(3, SkipReason.PAUSED, at=NOW - 500))
    assert numbers(joined((grown,), [row(apart)])) == ["Skip", "Skip"]


def test_a_restart_is_shown_between_two_sessions_even_among_remembered_runs() -> None:
    rows = [row(run(number, session)) for number, session in ((5, 4), (4, 2), (3, 2), (2, 1), (1, 1))]
    told = joined(entries(details(outcome(4), outcome(5), outcome(6))), rows)
    assert numbers(told) == [6, 5, "Restart", 4, 3, "Restart", 2, 1]
    first, second = (each for each in told if isinstance(each, Restart))
    assert (first.times, second.times) == (2, 1)
    assert (first.before, first.after) == (outcome(4).started, outcome(5).started)
    assert "restarted 2 times before" in entry_words(first, NOW)
    assert run_title(first) == "Restarted"
    assert any("started again 2 times" in text for text in texts(run_lines(first, details(), NOW, 80)))
    assert numbers(matching(told, "!nothing like it", NOW)) == [6, 5, 4, 3, 2, 1]


@pytest.mark.parametrize("width", [1, 2, 5, 9, 20, 30, 44, 80, 120])
def test_the_line_of_a_restart_is_as_wide_as_the_rows(width: int) -> None:
    told = joined((), [row(run(2, 2)), row(run(1, 1))])
    columns = columns_for(told, NOW, width)
    line = entry_line(told[1], NOW, columns)
    assert line_width(line) <= max(width, 30)
    if width >= 44:
        assert line_width(line) == width
        assert "restarted before" in line_text(line)


def test_an_interrupted_run_says_when_it_was_last_seen_running() -> None:
    cut_off = outcome(1, OutcomeKind.INTERRUPTED)
    line = line_text(entry_line(cut_off, NOW, columns_for((cut_off,), NOW, 110)))
    assert line.startswith("⊘")
    assert f"interrupted  last seen {row_time(cut_off.finished, NOW)}" in line
    assert "500 ms" not in line
    assert "500 ms" not in entry_words(cut_off, NOW)
    words = " ".join(texts(run_lines(cut_off, details(cut_off), NOW, 200)))
    assert "last seen running at" in words
    assert "took" not in words


def test_the_column_of_times_is_as_wide_as_the_widest_one() -> None:
    for ago in ((1.0,), (1.0, DAY), (DAY, 400 * DAY), (1.0, DAY, 40 * DAY, 3000 * DAY), (-2 * DAY, 1.0), ()):
        told = tuple(outcome(1, started=NOW - each, finished=NOW - each) for each in ago)
        widest = max((len(row_time(when_of(each), NOW)) for each in told), default=8)
        assert columns_for(told, NOW, 100).when == widest


def test_a_row_of_another_day_has_the_weekday_if_there_is_room() -> None:
    told = (outcome(1, started=NOW - 3 * DAY),)
    day = datetime.fromtimestamp(NOW - 3 * DAY)
    date = f"{day.day:>2} {day:%b %H:%M}"

    def written(width: int) -> str:
        return line_text(entry_line(told[0], NOW, columns_for(told, NOW, width)))

    assert written(60).startswith(f"✓ {day:%a} {date}  ")
    assert written(59).startswith(f"✓ {date}  ")


@pytest.mark.parametrize(
    ("zone", "title"),
    [(None, "History 1"), ("Europe/Berlin", "History 1"), ("Asia/Tokyo", "History 1 · local time")],
)
def test_where_the_schedule_has_a_zone_of_its_own_the_history_says_that_its_times_are_local(
    zone: str | None, title: str, machine_in_berlin: None
) -> None:
    parts = DetailsParts(details(outcome(1), zone=zone), NOW)
    parts.select()
    assert parts.borders()["history"].title == title


# What is asked, and when.


def test_pages_follow_one_another_until_there_is_nothing_before() -> None:
    earlier = HistoryPages()
    assert earlier.next_request(further=False) == PageRequest()
    earlier.take(PageRequest(), page(101, 200))
    assert earlier.next_request(further=False) is None
    assert not earlier.complete
    assert earlier.next_request(further=True) == PageRequest("", 101)
    earlier.take(PageRequest("", 101), page(61, 100))
    assert earlier.complete
    assert earlier.next_request(further=True) is None
    assert [each.id for each in earlier.rows] == list(range(200, 60, -1))


def test_newer_pages_are_put_before_older_ones_unless_something_is_missing_between() -> None:
    earlier = HistoryPages()
    earlier.take(PageRequest(), page(1, 100))
    earlier.take(PageRequest(), page(21, 120))
    assert [each.id for each in earlier.rows] == list(range(120, 0, -1))
    earlier.take(PageRequest(), page(301, 400))
    assert [each.id for each in earlier.rows] == list(range(400, 300, -1))
    assert earlier.next_request(further=True) == PageRequest("", 301)
    earlier.take(PageRequest(), ())
    assert len(earlier.rows) == PAGE, "an answer that failed takes nothing away"


def test_a_remembered_run_that_was_not_fetched_is_requested_one_update_later() -> None:
    earlier = HistoryPages()
    earlier.take(PageRequest(), page(1, 2))
    new = entries(details(outcome(2), outcome(3)))
    earlier.notice(new)
    assert earlier.next_request(further=False) is None
    earlier.notice(new)
    assert earlier.next_request(further=False) == PageRequest()
    earlier.take(PageRequest(), page(1, 2))
    again = []
    for call in range(2, 20):
        earlier.notice(new)
        if earlier.next_request(further=False) == PageRequest():
            again.append(call)
            earlier.take(PageRequest(), page(1, 2))
    assert again == [2, 4, 8, 16], "a store that is slow is not asked all the time"
    earlier.take(PageRequest(), page(1, 3))
    earlier.notice(new)
    earlier.notice(entries(details(outcome(3), outcome(4))))
    assert earlier.next_request(further=False) is None, "a look later"
    earlier.notice(entries(details(outcome(4), outcome(5))))
    assert earlier.next_request(further=False) == PageRequest()


def test_a_search_is_requested_literally_and_an_inverted_one_is_not() -> None:
    earlier = HistoryPages()
    earlier.take(PageRequest(), page(101, 200))
    earlier.search_for(" disk [full] ")
    assert earlier.next_request(further=False) == PageRequest("disk [full]")
    assert not earlier.found_all
    earlier.search_for("!disk")
    assert earlier.next_request(further=False) is None
    assert earlier.found_all


def test_a_page_of_an_ended_search_is_dropped() -> None:
    earlier = HistoryPages()
    earlier.search_for("disk")
    earlier.search_for("disc")
    earlier.take(PageRequest("disk"), page(1, 3))
    assert earlier.found == ()
    assert earlier.next_request(further=False) == PageRequest("disc")


def test_no_further_pages_of_everything_are_fetched_during_a_search() -> None:
    earlier = HistoryPages()
    earlier.take(PageRequest(), page(101, 200))
    earlier.search_for("disk")
    earlier.take(PageRequest("disk"), page(1, 3))
    assert earlier.next_request(further=True) is None


def test_a_search_knows_the_words_for_outcomes_and_skip_reasons() -> None:
    assert kinds_named("Interrupted") == {OutcomeKind.INTERRUPTED}
    assert kinds_named("timed out") == {OutcomeKind.TIMED_OUT}
    assert kinds_named("paused") == {SkipReason.PAUSED}
    assert kinds_named("skipped") == set(SkipReason)
    assert kinds_named("ed") == frozenset()
    told = [
        run(4, kind=OutcomeKind.FAILED),
        run(3, result="failed twice"),
        run(2),
        run(1, kind=OutcomeKind.FAILED),
    ]
    found = fetch_page(PageRequest("failed"), Shelf(*told), lambda: True)
    assert [each.id for each in found] == [4, 3, 1]
    assert [each.id for each in fetch_page(PageRequest("failed", 4), Shelf(*told), lambda: True)] == [3, 1]


def test_matches_are_shown_below_the_fetched_rows_and_only_once() -> None:
    earlier = HistoryPages()
    earlier.take(PageRequest(), page(5, 104))
    earlier.search_for("run")
    earlier.take(PageRequest("run"), page(1, 7))
    selection = HistorySelection(earlier)
    selection.update(details(outcome(104)), "no such text", NOW)
    assert numbers(selection.entries) == [4, 3, 2, 1]
    assert (selection.total, selection.shown) == (100, 4)


# The screen.


async def test_the_chart_and_t_reach_as_far_back_as_the_history() -> None:
    shelf = shelf_of(80)
    shelf.stored[60] = run(20, kind=OutcomeKind.FAILED, traceback="ValueError: long ago")
    async with opened(shelf) as (app, screen, pilot):
        await eventually(pilot, lambda: "× 1 failed" in text_of(app))
        assert len(screen.parts.selection.runs) == 80
        await pilot.press("4", *["left"] * 65)
        await pilot.pause()
        assert numbers([screen.parts.selection.entry]) == [15]
        await pilot.press("t")
        await pilot.pause()
        assert numbers([screen.parts.selection.entry]) == [20]
        assert "ValueError: long ago" in text_of(app)


async def test_the_history_continues_near_its_end() -> None:
    shelf = shelf_of(250)
    async with opened(shelf) as (app, screen, pilot):
        await eventually(pilot, lambda: "History 100+" in text_of(app))
        assert len(shelf.asked) == 1, "only what can soon be seen is asked for"
        await pilot.press("end")
        await eventually(pilot, lambda: "History 200+" in text_of(app))
        await pilot.press("end")
        await eventually(pilot, lambda: "History 250 " in text_of(app))
        await pilot.press("end", "enter")
        await eventually(pilot, lambda: "Run 1 · succeeded" in text_of(app))
        assert numbers(screen.parts.selection.entries) == list(range(250, 0, -1))
        assert shelf.asked == [("", None), ("", 151), ("", 51)]


async def test_scrolling_with_the_wheel_loads_more_as_the_keys_do() -> None:
    async with opened(shelf_of(250)) as (app, screen, pilot):
        await eventually(pilot, lambda: "History 100+" in text_of(app))
        screen.part("history").scroll_to(y=80, animate=False)
        await eventually(pilot, lambda: "History 200+" in text_of(app))


async def test_a_restart_is_seen_between_two_runs() -> None:
    shelf = Shelf(run(1, 1), run(2, 1), run(3, 2))
    async with opened(shelf, details(outcome(3))) as (app, _, pilot):
        await eventually(pilot, lambda: "─ restarted before" in text_of(app))
        assert "History 3 " in text_of(app)
        await pilot.press("down")
        await eventually(pilot, lambda: "Restarted" in text_of(app))


async def test_without_a_store_the_history_is_the_remembered_one() -> None:
    shelf = Shelf()
    async with opened(shelf, details(outcome(1), outcome(2))) as (app, screen, pilot):
        await eventually(pilot, lambda: bool(shelf.asked) and screen.parts.earlier.complete)
        assert "History 2 " in text_of(app)


async def test_a_stored_run_stays_when_it_is_no_longer_remembered() -> None:
    shelf = shelf_of(30)
    now = [remembered(shelf)]
    async with shown(now[0], lambda: now[0], history_query=shelf) as (app, screen, pilot):
        await eventually(pilot, lambda: "History 30 " in text_of(app))
        shelf.stored = shelf_of(60).stored
        now[0] = remembered(shelf)
        for _ in range(2):
            await screen.look()
        await eventually(pilot, lambda: "History 60 " in text_of(app))
        assert numbers(screen.parts.selection.entries) == list(range(60, 0, -1))


async def test_a_search_finds_what_is_stored_and_not_loaded() -> None:
    shelf = shelf_of(250)
    shelf.stored[240] = run(10, result="a needle")
    async with opened(shelf) as (app, _, pilot):
        await eventually(pilot, lambda: "History 100+" in text_of(app))
        await pilot.press("slash", *"needle")
        await eventually(pilot, lambda: "History 1 of 100+" in text_of(app))
        assert "a needle" in text_of(app)
        assert shelf.asked[-1] == ("needle", None)
        await pilot.press("enter", "enter")
        await eventually(pilot, lambda: "Run 10 · succeeded" in text_of(app))
        await pilot.press("escape", "escape")
        await eventually(pilot, lambda: "History 100+" in text_of(app))


async def test_nothing_is_asked_while_a_person_types(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("taskkit_tui.screens.history_reader.TYPING_SECONDS", 3600.0)
    shelf = shelf_of(250)
    async with opened(shelf) as (app, _, pilot):
        await eventually(pilot, lambda: "History 100+" in text_of(app))
        await pilot.press("slash", *"needle")
        assert shelf.asked == [("", None)]


async def test_a_search_without_matches_says_so_when_it_is_complete() -> None:
    shelf = shelf_of(30)
    shelf.hold("nowhere")
    async with opened(shelf) as (app, _, pilot):
        await pilot.press("slash", *"nowhere")
        await eventually(pilot, shelf.begun["nowhere"].is_set)
        assert "Searching the stored history…" in text_of(app)
        shelf.release("nowhere")
        await eventually(pilot, lambda: "Nothing matches." in text_of(app))


async def test_a_newer_search_does_not_wait_for_the_one_before() -> None:
    shelf = shelf_of(250)
    shelf.stored[240] = run(10, result="needle")
    shelf.hold("nee")
    async with opened(shelf) as (app, _, pilot):
        await eventually(pilot, lambda: "History 100+" in text_of(app))
        await pilot.press("slash", *"nee")
        await eventually(pilot, shelf.begun["nee"].is_set)
        await pilot.press(*"dle")
        await eventually(pilot, lambda: "History 1 of 100+" in text_of(app))
        await eventually(pilot, shelf.given_up["nee"].is_set)


async def test_a_store_that_does_not_answer_delays_no_key_and_leaving_gives_it_up() -> None:
    shelf = shelf_of(250)
    shelf.hold("")
    async with opened(shelf) as (app, screen, pilot):
        await eventually(pilot, shelf.begun[""].is_set)
        assert "History 20" in text_of(app)
        await pilot.press("down", "down", "enter")
        await eventually(pilot, lambda: "Run 248 · succeeded" in text_of(app))
        await screen.look()
        await pilot.press("q")
        await eventually(pilot, lambda: app.screen is not screen)
        await eventually(pilot, shelf.given_up[""].is_set)
        assert len(shelf.asked) == 1, "one question at a time"


async def test_the_hint_says_where_it_searches() -> None:
    async with opened(shelf_of(1)) as (app, _, pilot):
        await pilot.press("slash")
        await pilot.pause()
        assert "text, in all that is stored; regular expression, or ! inverts, in what is loaded" in text_of(
            app
        )


# The app.


async def test_the_app_shows_what_its_backend_has_stored() -> None:
    async with dashboard(task(1, "flaky feed")) as (app, backend, pilot):
        backend.details["flaky feed"] = details(outcome(3))
        backend.stored = [run(1, 1), run(2, 1), run(3, 2)]
        await pilot.press("enter")
        await eventually(pilot, lambda: "restarted" in "\n".join(screen_text(app)))
        assert "History 3 " in "\n".join(screen_text(app))


async def test_enter_on_a_line_of_the_log_opens_the_details_on_its_run() -> None:
    async with dashboard(task(1, "flaky feed")) as (app, backend, pilot):
        backend.details["flaky feed"] = details(outcome(8), outcome(9))
        backend.stored = [run(number, result=f"result {number}") for number in range(1, 10)]
        for number in (8, 3, 77):
            backend.write(LogLine(NOW, "flaky feed", number, "stdout", 20, f"from run {number}"))
        app.look()
        await pilot.press("4", "enter")
        await eventually(pilot, lambda: "Run 77 is no longer remembered" in toasts(app))
        await pilot.press("escape", "k", "enter")
        await eventually(pilot, lambda: "Run 3 · succeeded" in text_of(app))
        await eventually(pilot, lambda: "→ result 3" in text_of(app))
        await pilot.press("escape", "k", "enter")
        await eventually(pilot, lambda: "Run 8 · succeeded" in text_of(app))
        await pilot.press("escape")
        assert app.screen is app.main
        assert app.main.current == "log"


async def test_the_about_part_names_the_origin_of_the_schedule() -> None:
    async with dashboard(task(1, "flaky feed")) as (app, backend, pilot):
        changed = task(1, "flaky feed", schedule="every 30 s", overrides="every 1 min")
        backend.details["flaky feed"] = replace(details(), task=changed)
        await pilot.press("enter")
        await eventually(pilot, lambda: "program says every 1 min" in "\n".join(screen_text(app)))


async def test_a_broken_store_is_shown_all_the_time_and_reported_once() -> None:
    async with dashboard(task()) as (app, backend, pilot):
        assert "not stored" not in screen_text(app)[0]

        async def a_second_later() -> None:
            backend.time += 1
            app.look()
            await pilot.pause()

        backend.trouble = "tasks.db cannot be written: the disk is full"
        await a_second_later()
        assert "⚠ state not stored" in screen_text(app)[0]
        assert toasts(app) == [
            "The state cannot be saved at the moment: tasks.db cannot be written: the disk is full"
        ]
        app.clear_notifications()
        await pilot.pause()
        await a_second_later()
        assert toasts(app) == []
        backend.trouble = None
        await a_second_later()
        assert "not stored" not in screen_text(app)[0]
        assert toasts(app) == ["The state is saved again"]


@pytest.mark.parametrize("size", [(120, 36), (80, 24)])
async def test_a_broken_task_file_is_shown_as_long_as_it_is_broken(size: tuple[int, int]) -> None:
    async with dashboard(task(), size=size) as (app, backend, pilot):
        for trouble, told in (("tasks.toml: 2 faults", True), (None, False)):
            backend.file_trouble = trouble
            backend.time += 1
            app.look()
            await pilot.pause()
            assert ("⚠ tasks.toml: 2 faults" in screen_text(app)[0]) is told
            assert toasts(app) == []


@pytest.mark.parametrize("leaving", ["the screen", "the app"])
async def test_a_page_that_comes_while_the_screen_closes_is_not_shown(leaving: str) -> None:
    """Its parts may be gone already, though it is still the one that asked."""
    app = SimpleNamespace(is_running=True, screen_stack=[])
    screen = SimpleNamespace(app=app)
    app.screen_stack.append(screen)
    taken: list[object] = []
    earlier = SimpleNamespace(take=lambda *answer: taken.append(answer), question=lambda further: None)

    def history_query(**_: object) -> Sequence[StoredRun]:
        if leaving == "the screen":
            app.screen_stack.clear()
        else:
            app.is_running = False
        return ()

    reader = HistoryReader(screen, earlier, history_query, lambda: False, lambda: taken.append("shown"))  # type: ignore[arg-type]
    await reader._ask(PageRequest(), history_query)
    assert taken == []
