"""The details screen: what it says of a task, what its keys do, and that no size and no text upset it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from time import monotonic
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from fake_backend import NOW, dashboard, on_demand, running, screen_text, task, toasts
from idle import eventually
from rich.cells import cell_len
from textual.app import App
from textual.pilot import Pilot
from textual.screen import Screen

from taskkit import (
    Daily,
    Outcome,
    OutcomeKind,
    Parameter,
    RetrySnapshot,
    Scheduler,
    Skip,
    SkipReason,
    TaskDetails,
    TaskState,
    Trigger,
)
from taskkit.testing import InlineExecutor, ManualClock
from taskkit.words.times import exact_time
from taskkit_tui.bridge import Bridge
from taskkit_tui.messages import CommandAsked
from taskkit_tui.screens.details_layout import heights
from taskkit_tui.screens.details_screen import DetailsScreen
from taskkit_tui.themes import MIDNIGHT, derived_colours
from taskkit_tui.tones import Tone
from taskkit_tui.viewmodel.details.chart_lines import chart_lines, chart_words
from taskkit_tui.viewmodel.details.due_list import due_lines
from taskkit_tui.viewmodel.details.facts import fact_lines, facts
from taskkit_tui.viewmodel.details.headline import explanation_lines, headline
from taskkit_tui.viewmodel.details.history_rows import columns_for, entries, entry_line, entry_words, key_of
from taskkit_tui.viewmodel.details.history_search import matching
from taskkit_tui.viewmodel.details.run_text import (
    LONGEST_COLOURED,
    coloured,
    run_copy,
    run_lines,
    traceback_lines,
)
from taskkit_tui.viewmodel.details.selection import HistorySelection
from taskkit_tui.viewmodel.screen_part import DETAILS_PARTS
from taskkit_tui.viewmodel.text_lines import folded, line_text, line_width, wrapped
from taskkit_tui.viewmodel.zoned_due_times import due_times

TRACEBACK = """Traceback (most recent call last):
  File "/srv/feeds.py", line 31, in run
    raise ConnectionError("feed is down")  # at night
    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
ConnectionError: feed is down
"""
NASTY = "[b]bold[/b] \x1b[2J\x07\u202eevil 日本語"


def outcome(run: int = 1, kind: OutcomeKind = OutcomeKind.SUCCEEDED, **fields: Any) -> Outcome:
    """A run that ended; higher numbers are newer."""
    started = NOW - 1000 + run * 10
    given: dict[str, Any] = {
        "trigger": Trigger.SCHEDULE,
        "due": started,
        "started": started,
        "finished": started + 0.5,
        "duration": 0.5,
        "lateness": 0.0004,
    }
    return Outcome(kind=kind, run=run, **{**given, **fields})


def failed(run: int = 1, **fields: Any) -> Outcome:
    given = {"exception": "ConnectionError: feed is down", "traceback": TRACEBACK}
    return outcome(run, OutcomeKind.FAILED, **{**given, **fields})


def skip(count: int = 1, reason: SkipReason = SkipReason.OVERLAP, at: float = NOW - 500) -> Skip:
    return Skip(reason, count, at, at + 10 * (count - 1))


def details(*history: Outcome | Skip, **fields: Any) -> TaskDetails:
    given: dict[str, Any] = {
        "task": task(name="flaky feed", description="Asks a feed."),
        "explanation": "flaky feed is next due at 12:00:10, in 10 s.",
        "policies": {"timeout": "30.0", "retries": "5"},
        "zone": None,
        "due_times": tuple(NOW + 10 + 30 * k for k in range(10)),
        "history": history,
        "output": (),
        "parameters": (),
    }
    return TaskDetails(**{**given, **fields})


class Stage(App[None]):
    """An app that only shows the screen, and writes down what is asked for."""

    def __init__(self, screen: DetailsScreen, theme: str = MIDNIGHT.name) -> None:
        super().__init__()
        self.asked: list[CommandAsked] = []
        self.details_screen = screen
        self.register_theme(MIDNIGHT)
        self.theme = theme

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return derived_colours(self.current_theme)

    def on_mount(self) -> None:
        self.push_screen(self.details_screen)

    def on_command_asked(self, request: CommandAsked) -> None:
        self.asked.append(request)


Shown = tuple[Stage, DetailsScreen, Pilot[None]]


@asynccontextmanager
async def shown(
    told: TaskDetails,
    refresh: Callable[[], TaskDetails | None] | None = None,
    size: tuple[int, int] = (120, 36),
    theme: str = MIDNIGHT.name,
    **options: Any,
) -> AsyncIterator[Shown]:
    async def refreshed() -> TaskDetails | None:
        return told if refresh is None else refresh()

    screen = DetailsScreen(told, refreshed, now=lambda: NOW, **options)
    app = Stage(screen, theme)
    async with app.run_test(size=size, notifications=True) as pilot:
        await pilot.pause()
        yield app, screen, pilot


def text_of(app: Stage) -> str:
    return "\n".join(screen_text(app))  # type: ignore[arg-type]


def texts(lines: Any) -> list[str]:
    return [line_text(each) for each in lines]


# What it says.


async def test_a_large_screen_shows_everything() -> None:
    told = details(
        skip(3),
        outcome(1, result=12, output=("12 stories",)),
        failed(2),
        outcome(3, trigger=Trigger.RUN_NOW, lateness=2.5),
        parameters=(Parameter("depth", "int", default=3),),
    )
    async with shown(told) as (app, _, _pilot):
        words = text_of(app)
    for part in (
        "flaky feed is next due at 12:00:10, in 10 s.",
        "Asks a feed.",
        "every 30 s",
        "up to 5",
        "depth: int = 3",
        "Next 10 · local time",
        "3 skipped · overlap: the run before was still going on",
        "→ 12",
        "by hand",
        "2.5 s",
        "ConnectionError: feed is down",
        "last traceback · run 2",
        "× 1 failed",
    ):
        assert part in words, part


def test_the_headline_says_the_present_state() -> None:
    cases = (
        (task(), "scheduled"),
        (task(disabled=True), "disabled"),
        (running(since=12), "running 0:12"),
        (running(since=12, asked_to_stop=NOW - 4), "stopping 4 s"),
        (running(started=None), "waiting for a thread"),
        (running(again=True), "running 0:12 · then again"),
        (task(retry=RetrySnapshot(2, 5, NOW + 8)), "failed · retry 2/5"),
        (on_demand(), "on demand"),
        (task(state=TaskState.GONE, next_run=None), "done"),
    )
    for snapshot, words in cases:
        line = line_text(headline(details(task=snapshot), NOW, 100))
        assert f"{snapshot.name}  {words}" in line


@pytest.mark.parametrize("width", [1, 5, 12, 20, 40, 80, 120])
def test_the_headline_keeps_to_its_width_while_there_is_room_for_a_state(width: int) -> None:
    line = headline(details(task=task(name="long " * 40)), NOW, width)
    assert line_width(line) <= max(width, 16)


def test_policies_are_written_in_words_with_units() -> None:
    policies = {
        "timeout": "90.0",
        "retry_delay": "2",
        "catch_up": "False",
        "overlap": "queue",
        "max_runs": "1",
        "keep": "False",
        "on_error": "tell",
        "later": "x",
    }
    lines = texts(fact_lines(facts(details(policies=policies)), 46))
    told = {line[:13].strip(): line[13:] for line in lines}
    assert told["timeout"] == "1 min 30 s"
    assert told["retry delay"] == "2.0 s, doubling"
    assert told["catch up"] == "no"
    assert told["on overlap"] == "one more run after it"
    assert told["at most"] == "1 run"
    assert told["keep"] == "no: removed after a run"
    assert told["on error"] == "tell()"
    assert told["later"] == "x"


def test_a_task_without_policies_of_its_own_has_the_defaults() -> None:
    assert "policies     the defaults" in texts(fact_lines(facts(details(policies={})), 46))


def test_a_due_time_after_a_change_of_the_clocks_says_so_and_no_other_does() -> None:
    """T5: daily tasks keep their local time, so the days around the change are not 24 hours apart."""
    zone = ZoneInfo("Europe/Berlin")
    start = datetime(2026, 10, 23, 12, tzinfo=zone).timestamp()
    due = [start]
    for _ in range(4):
        due.append(Daily(3, 30, "Europe/Berlin").next_after(due[-1]) or 0.0)
    told = due_times(tuple(due[1:]), "Europe/Berlin", start)
    assert [each.shift for each in told] == [timedelta(), timedelta(hours=-1), timedelta(), timedelta()]
    lines = texts(
        due_lines(details(task=task(period=None), zone="Europe/Berlin", due_times=tuple(due[1:])), start, 44)
    )
    assert [("clock −1 h" in line) for line in lines] == [False, True, False, False]
    assert ["+02:00" in line for line in lines] == [True, False, False, False]
    assert all("03:30" in line for line in lines)


def test_a_change_of_the_clocks_before_the_first_due_time_is_marked_as_well() -> None:
    now = datetime(2026, 3, 28, 23, tzinfo=ZoneInfo("Europe/Berlin")).timestamp()
    (first,) = due_times((now + 6 * 3600,), "Europe/Berlin", now)
    assert first.shift_words == "clock +1 h"


@pytest.mark.parametrize("width", [1, 8, 17, 24, 30, 44, 60])
def test_due_times_of_one_list_are_aligned_and_keep_to_the_width_where_they_can(width: int) -> None:
    lines = due_lines(details(), NOW, width)
    widths = {line_width(each) for each in lines}
    assert len(widths) == 1
    assert widths == {width} or width < 17


def test_what_is_never_due_says_why() -> None:
    for snapshot, words in (
        (task(disabled=True, next_run=None), "Disabled"),
        (on_demand(), "on demand"),
        (task(next_run=None, period=None), "No due times are left"),
    ):
        (line,) = texts(due_lines(details(task=snapshot, due_times=()), NOW, 80))
        assert words in line


def test_a_time_beyond_the_calendar_and_an_unknown_zone_do_not_raise() -> None:
    far = details(due_times=(1e30,), zone="Nowhere/Land")
    assert "beyond the calendar" in texts(due_lines(far, NOW, 44))[0]
    assert exact_time(1e30) == "beyond the calendar"


# The history.


def test_the_history_is_newest_first_beginning_with_a_run_in_progress() -> None:
    told = entries(details(skip(), outcome(1), failed(2), task=running(number=7)))
    assert [type(each).__name__ for each in told] == ["RunSnapshot", "Outcome", "Outcome", "Skip"]
    assert [each.run for each in told if isinstance(each, Outcome)] == [2, 1]


def test_every_skip_says_its_reason() -> None:
    """O4: a person can always answer why it did not run."""
    words = {reason: entry_words(skip(14, reason), NOW) for reason in SkipReason}
    assert all("14 skipped · " in each for each in words.values())
    assert len(set(words.values())) == len(SkipReason)


def test_columns_are_dropped_one_by_one_but_never_the_outcome() -> None:
    told = (failed(2), outcome(1))
    lines = {}
    for width in range(1, 120):
        columns = columns_for(told, NOW, width)
        lines[width] = line_text(entry_line(told[0], NOW, columns))
        if width >= 30:
            assert cell_len(lines[width]) <= width
            assert "failed" in lines[width]
    assert "schedule" in lines[80]
    assert "0.4 ms" in lines[80]
    assert "schedule" not in lines[44]
    assert "500 ms" in lines[44]


def test_a_search_looks_at_rows_tracebacks_and_output() -> None:
    told = (failed(3), outcome(2, output=("12 stories",)), skip(), outcome(1))
    for typed, found in (
        ("", 4),
        ("FAILED", 1),
        ("srv/feeds", 1),
        ("stories", 1),
        ("!failed", 3),
        ("overlap|failed", 2),
        ("(", 1),
        ("nothing like it", 0),
    ):
        assert len(matching(told, typed, NOW)) == found, typed


def test_the_selection_stays_near_an_entry_that_is_gone() -> None:
    selection = HistorySelection()
    selection.update(details(outcome(1), outcome(2), outcome(3)), "", NOW)
    selection.choose_index(2)
    selection.update(details(outcome(2), outcome(3), outcome(4)), "", NOW)
    assert isinstance(selection.entry, Outcome)
    assert selection.entry.run == 2
    selection.update(details(), "", NOW)
    assert selection.entry is None
    selection.choose_index(5)
    selection.walk(1)


def test_no_part_is_without_a_line_and_due_times_are_not_pushed_out() -> None:
    for height in range(24, 80):
        for facts_told in (1, 8, 40):
            fitting = heights(height, why=9, facts=facts_told, due=10, history=20)
            left = height - 2 - fitting.why
            assert left - fitting.facts >= min(12, left // 2)
            assert left - fitting.history - fitting.durations >= 5


# The chart.


def test_the_chart_is_as_wide_and_high_as_asked_and_marks_failures() -> None:
    runs = [outcome(1, duration=1.0), failed(2, duration=0.5), outcome(3, duration=0.25)]
    lines = texts(chart_lines(runs, 40, 4))
    assert len(lines) == 4
    assert all(cell_len(line) <= 40 for line in lines)
    assert "1.0 s ┤" in lines[0]
    assert "0 ┤" in lines[-1]
    assert sum(line.count("×") for line in lines) == 1
    assert [line[8] for line in lines] == ["█"] * 4
    assert chart_words(runs) == "median 625 ms · × 1 failed"


@pytest.mark.parametrize("size", [(1, 1), (3, 1), (10, 2), (200, 20), (24, 0)])
def test_the_chart_fits_into_any_size(size: tuple[int, int]) -> None:
    runs = [outcome(number, duration=number * 0.0) for number in range(20)]
    lines = chart_lines(runs, *size)
    assert all(line_width(each) <= max(size[0], 1) for each in lines)


def test_the_bar_of_the_selected_run_is_highlighted() -> None:
    runs = [outcome(1), outcome(2)]
    (line,) = chart_lines(runs, 20, 1, key_of(runs[1]))
    assert [look for text, look in line if text.strip()] == [Tone.CHART, Tone.STRONG]


def test_the_bar_of_the_selected_run_is_there_however_old_it_is() -> None:
    runs = [outcome(number, duration=float(number)) for number in range(1, 201)]
    for number in (1, 2, 99, 150, 171, 172, 200):
        (line,) = chart_lines(runs, 30, 1, key_of(runs[number - 1]))
        bars = [look for text, look in line if text.strip()]
        assert len(bars) == 30
        assert bars.count(Tone.STRONG) == 1
    top, *_ = texts(chart_lines(runs, 40, 4, key_of(runs[0])))
    assert "33 s ┤" in top, "the highest bar that is seen, not of all"
    (line,) = chart_lines(runs, 30, 1)
    assert all(look is Tone.CHART for text, look in line if text.strip())


# What one run left.


def test_a_traceback_has_colours_and_its_text_is_not_changed() -> None:
    lines = coloured(TRACEBACK.rstrip("\n"))
    assert texts(lines) == TRACEBACK.rstrip("\n").split("\n")
    looks = {text: look for line in lines for text, look in line}
    assert looks["raise"] is Tone.CHANGED
    assert looks["31"] is Tone.SOON
    assert looks["# at night"] is Tone.DIM
    assert next(look for _, look in lines[-1]) is Tone.BAD


def test_a_huge_traceback_stays_plain() -> None:
    huge = TRACEBACK * (LONGEST_COLOURED // len(TRACEBACK) + 1)
    assert {look for line in traceback_lines(huge, 200) for _, look in line} == {Tone.PLAIN}


def test_a_traceback_cannot_command_the_terminal() -> None:
    for text in (NASTY, "a\rb\x0b\x85\u2028c\ud800", "", "\n\n", ">>> [/b]"):
        for line in texts(traceback_lines(text, 30)):
            assert line.isprintable()


def test_the_output_keeps_its_colours_and_nothing_else() -> None:
    run = outcome(1, output=("\x1b[32mgreen\x1b[0m \x1b[2Jrest",), output_dropped=1204)
    lines = run_lines(run, details(run), NOW, 60)
    assert "green rest" in texts(lines)
    assert any("1 line, 1,204 earlier ones dropped" in line for line in texts(lines))
    (painted,) = [line for line in lines if line_text(line) == "green rest"]
    assert "color(2)" in str(painted[0][1])


def test_a_run_in_progress_shows_its_output() -> None:
    told = details(task=running(number=7), output=("page 31",))
    assert texts(run_lines(entries(told)[0], told, NOW, 60))[-1] == "page 31"


def test_a_copied_run_is_whole_and_as_it_was_written() -> None:
    run = failed(1, output=("one", "two"))
    copied = run_copy(run, details(run), NOW)
    assert copied.endswith(f"{TRACEBACK}one\ntwo")
    assert "took 500 ms" in copied


def test_prose_is_cut_between_words_and_wide_characters_are_not_halved() -> None:
    assert wrapped("one two three", 7) == ["one two", "three"]
    assert wrapped("日本語日本語", 5) == ["日本", "語日", "本語"]
    assert wrapped("", 5) == [""]


def test_a_long_name_is_cut_after_a_dot_or_a_colon_or_a_slash_before_it_is_cut_anywhere() -> None:
    assert wrapped("demo_tasks.long_haul:LongHaul", 19) == ["demo_tasks.", "long_haul:LongHaul"]
    assert wrapped("it runs demo_tasks.long_haul:LongHaul now", 17) == [
        "it runs",
        "demo_tasks.",
        "long_haul:",
        "LongHaul now",
    ]
    assert wrapped("/srv/a_very_long_folder/x", 8) == ["/srv/", "a_very_l", "ong_fold", "er/x"]
    assert wrapped("../../..", 3) == ["../", "../", ".."]
    told = [line_text(each) for each in fact_lines(facts(details(body="demo_tasks.long_haul:LongHaul")), 30)]
    assert "does         demo_tasks." in told
    assert "             long_haul:" in told
    assert texts(folded((("日本語", None),), 3)) == ["日", "本", "語"]


def test_foreign_text_is_made_harmless_everywhere() -> None:
    told = details(
        failed(2, exception=NASTY, output=(NASTY,), traceback=NASTY),
        outcome(1, result=NASTY),
        task=task(name=NASTY, description=NASTY, schedule=NASTY),
        explanation=NASTY,
        policies={NASTY: NASTY},
        zone=NASTY,
        parameters=(Parameter(NASTY, "str", default=NASTY),),
    )
    lines = [
        headline(told, NOW, 200),
        *explanation_lines(told, 200),
        *fact_lines(facts(told), 200),
        *due_lines(told, NOW, 200),
    ]
    for entry in entries(told):
        lines.append(entry_line(entry, NOW, columns_for(entries(told), NOW, 200)))
        lines += run_lines(entry, told, NOW, 200)
    assert all(line_text(each).isprintable() for each in lines)
    assert any("[b]bold[/b]" in line_text(each) for each in lines)


# The screen.


@pytest.mark.parametrize("theme", [MIDNIGHT.name, "textual-light", "ansi-dark", "ansi-light"])
async def test_foreign_text_is_literal_on_the_screen_in_every_theme(theme: str) -> None:
    told = details(
        failed(1, exception=NASTY), task=task(name=NASTY), explanation=NASTY, zone="[red]x", policies={}
    )
    async with shown(told, theme=theme) as (app, _, _pilot):
        words = text_of(app)
    assert "[b]bold[/b]" in words
    assert "local time" not in words
    assert "Next 10 · [red]x" in words
    assert "\x1b" not in words
    assert "\u202e" not in words


@pytest.mark.parametrize("size", [(120, 36), (80, 24), (79, 24), (40, 10), (39, 9), (200, 60)])
async def test_it_is_legible_at_every_size(size: tuple[int, int]) -> None:
    async with shown(details(outcome(1), failed(2)), size=size) as (app, _, _pilot):
        words = text_of(app)
        assert ("flaky feed" in words) or ("needs" in words and size < (40, 10))
        assert "ailed" in words or "needs" in words


async def test_no_size_raises() -> None:
    async with shown(details(failed(1), skip(), outcome(2))) as (_, screen, pilot):
        for size in ((1, 1), (2, 5), (40, 10), (3, 100), (300, 2), (80, 24), (1, 1), (120, 36)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            await screen.look()
        for key in ("tab", "enter", "t", "y", "end", "up", "slash", "escape"):
            await pilot.resize_terminal(1, 1)
            await pilot.press(key)


async def test_a_small_screen_shows_one_part_at_a_time() -> None:
    async with shown(details(failed(1)), size=(60, 18)) as (app, screen, pilot):
        for number, part in enumerate(DETAILS_PARTS, start=1):
            await pilot.press(str(number))
            await pilot.pause()
            assert [each for each in DETAILS_PARTS if screen.part(each.identity).display] == [part]
        await pilot.press("1")
        await pilot.pause()
        assert "is next due" in text_of(app)


async def test_tab_cycles_through_the_parts() -> None:
    async with shown(details(failed(1))) as (_, screen, pilot):
        seen = []
        for _ in DETAILS_PARTS:
            await pilot.press("tab")
            seen.append(screen.focused.id if screen.focused else None)
        assert seen == ["durations", "run", "facts", "due", "history"]
        await pilot.press("shift+tab")
        assert screen.focused is screen.part("due")


async def test_enter_reads_the_selected_run_and_escape_goes_back_then_leaves() -> None:
    async with shown(details(outcome(1), failed(2), outcome(3))) as (app, screen, pilot):
        await pilot.press("down", "enter")
        await pilot.pause()
        assert screen.focused is screen.part("run")
        assert "Run 2 · failed" in text_of(app)
        assert any("raise ConnectionError" in line for line in texts(screen.part("run").lines))
        await pilot.press("escape")
        assert screen.focused is screen.part("history")
        await pilot.press("escape")
        await pilot.pause()
        assert app.screen is not screen


async def test_q_leaves_from_anywhere() -> None:
    async with shown(details(failed(1))) as (app, screen, pilot):
        await pilot.press("enter", "q")
        await pilot.pause()
        assert app.screen is not screen


async def test_t_goes_to_the_last_run_that_left_a_traceback() -> None:
    async with shown(details(failed(1), outcome(2), skip())) as (_, screen, pilot):
        await pilot.press("t")
        assert isinstance(screen.parts.selection.entry, Outcome)
        assert screen.parts.selection.entry.run == 1
    async with shown(details(outcome(1))) as (_, screen, pilot):
        assert screen.check_action("last_traceback", ()) is None


async def test_slash_searches_the_history_while_typing() -> None:
    async with shown(details(outcome(1), failed(2), outcome(3))) as (app, screen, pilot):
        await pilot.press("slash", *"fail")
        await pilot.pause()
        assert "History 1 of 3" in text_of(app)
        assert not app.asked, "letters that one types are no commands"
        await pilot.press("enter", "escape")
        await pilot.pause()
        assert "History 3" in text_of(app)
        assert app.screen is screen


async def test_arrows_in_the_chart_select_runs() -> None:
    async with shown(details(outcome(1), skip(), outcome(2), outcome(3))) as (_, screen, pilot):
        await pilot.press("4", "left", "left")
        await pilot.pause()
        assert isinstance(screen.parts.selection.entry, Outcome)
        assert screen.parts.selection.entry.run == 1


async def test_the_selection_stays_on_its_run_while_new_ones_come() -> None:
    now = details(outcome(1), outcome(2))
    async with shown(now, lambda: now) as (_, screen, pilot):
        await pilot.press("down")
        await pilot.pause()
        now = replace(now, history=(*now.history, skip(), outcome(3)))
        await screen.look()
        assert isinstance(screen.parts.selection.entry, Outcome)
        assert screen.parts.selection.entry.run == 1
        assert screen.part("history").index == 3


async def test_the_selection_follows_the_newest_run() -> None:
    now = details(outcome(1))
    async with shown(now, lambda: now) as (_, screen, _pilot):
        now = replace(now, history=(*now.history, outcome(2), skip()))
        await screen.look()
        assert isinstance(screen.parts.selection.entry, Outcome)
        assert screen.parts.selection.entry.run == 2


async def test_choosing_the_newest_run_makes_the_selection_follow_again() -> None:
    now = details(outcome(1), outcome(2))
    async with shown(now, lambda: now) as (_, screen, pilot):
        await pilot.press("down", "up")
        await pilot.pause()
        now = replace(now, history=(*now.history, outcome(3)))
        await screen.look()
        assert isinstance(screen.parts.selection.entry, Outcome)
        assert screen.parts.selection.entry.run == 3


async def test_the_output_of_a_run_in_progress_is_followed_until_a_person_scrolls_up() -> None:
    now = details(task=running(number=7), output=tuple(f"line {k}" for k in range(50)))
    async with shown(now, lambda: now) as (app, screen, pilot):
        await pilot.pause()
        assert "line 49" in text_of(app)
        now = replace(now, output=(*now.output, "line 50"))
        await screen.look()
        await pilot.pause()
        assert "line 50" in text_of(app)
        await pilot.press("5", "up")
        now = replace(now, output=(*now.output, "line 51"))
        await screen.look()
        await pilot.pause()
        assert "line 51" not in text_of(app)


async def test_an_unregistered_task_says_so_and_its_last_state_stays() -> None:
    now: list[TaskDetails | None] = [details(failed(1))]
    async with shown(details(failed(1)), lambda: now[0]) as (app, screen, pilot):
        now[0] = None
        await screen.look()
        await pilot.pause()
        words = text_of(app)
        assert "flaky feed is no longer registered." in words
        assert "ConnectionError: feed is down" in words
        await pilot.press("r")
        await pilot.pause()
        assert app.asked == []
        assert toasts(app) == ["flaky feed is gone"]  # type: ignore[arg-type]
        now[0] = details(failed(1))
        await screen.look()
        await pilot.pause()
        assert "is no longer registered." not in text_of(app)


@pytest.mark.parametrize(
    ("width", "told"), [(42, "  → pages: 3, broken…"), (100, "  succeeded  → pages: 3, broken links: 1")]
)
def test_in_a_narrow_row_the_glyph_says_success_and_the_result_stays(width: int, told: str) -> None:
    run = outcome(1, result="pages: 3, broken links: 1")
    shown = line_text(entry_line(run, NOW, columns_for((run,), NOW, width)))
    assert shown.startswith("✓")
    assert shown.endswith(told)


@pytest.mark.parametrize("width", [42, 44, 50, 60])
def test_the_facts_of_a_run_are_wrapped_between_two_of_them(width: int) -> None:
    run = outcome(1, result="a result that is longer than a row of the history, and is read here whole")
    told = texts(run_lines(run, details(run), NOW, width))
    assert any(row.startswith("late 0.4 ms") or " · late 0.4 ms" in row for row in told)
    assert not any(row.endswith("·") for row in told)
    assert "read here whole" in " ".join(told)


async def test_it_updates_itself_once_a_second() -> None:
    asked = []

    def refresh() -> TaskDetails:
        asked.append(NOW)
        return details()

    async with shown(details(), refresh) as (_, _screen, pilot):
        for _ in range(30):
            if asked:
                break
            await pilot.pause(0.1)
    assert asked


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("r", "task.run"),
        ("R", "task.run-with"),
        ("n", "task.new"),
        ("d", "task.disable"),
        ("plus", "task.slower"),
        ("minus", "task.faster"),
        ("p", "task.period"),
        ("D", "task.unregister"),
        ("u", "task.undo"),
    ],
)
async def test_the_command_keys_of_the_main_screen_work_here(key: str, expected: str) -> None:
    title = Parameter("title", "str", default="All")
    async with shown(details(outcome(1), parameters=(title,)), size=(160, 36)) as (app, _, pilot):
        assert "R Run with…   n New   ? Help" in text_of(app)
        await pilot.press(key)
        await pilot.pause()
        (message,) = app.asked
    assert message.command == expected
    assert message.names == (() if key in "nu" else ("flaky feed",))


async def test_stop_and_enable_apply_where_there_is_something_to_stop_or_enable() -> None:
    both = details(task=running(name="flaky feed", disabled=True))
    async with shown(both) as (app, _, pilot):
        await pilot.press("s", "e")
        await pilot.pause()
        assert [each.command for each in app.asked] == ["task.stop", "task.enable"]


async def test_a_key_that_does_not_apply_says_why() -> None:
    async with shown(details(task=task(name="flaky feed", period=None, schedule="daily 03:30"))) as (
        app,
        _,
        pilot,
    ):
        await pilot.press("plus")
        await pilot.pause()
        assert toasts(app) == ["flaky feed has no period: it runs daily 03:30"]  # type: ignore[arg-type]
        await pilot.press("R")
        await pilot.pause()
        assert toasts(app)[-1] == "flaky feed takes no parameters; r runs it"  # type: ignore[arg-type]
        assert "Run with" not in text_of(app).splitlines()[-1]
        assert app.asked == []


async def test_read_only_refuses_every_command() -> None:
    async with shown(details(outcome(1)), read_only=True) as (app, _, pilot):
        await pilot.press("r", "d", "p", "plus", "D", "u", "R")
        await pilot.pause()
        assert app.asked == []
        assert len(app.screen_stack) == 2


async def test_a_period_and_unregistering_are_asked_about_as_on_the_main_screen() -> None:
    told = details(task=running(name="heartbeat"))
    async with dashboard(running(name="heartbeat")) as (app, backend, pilot):
        backend.details["heartbeat"] = told
        await pilot.press("2", "enter", "p")
        await pilot.pause()
        assert "Period of heartbeat" in "\n".join(screen_text(app))
        await pilot.press("ctrl+u", "9", "enter")
        await pilot.pause()
        assert backend.calls == [("set_period", "heartbeat", 9.0)]
        await pilot.press("D")
        await pilot.pause()
        assert "An active run ends first." in "\n".join(screen_text(app))
        await pilot.press("y")
        await pilot.pause()
        assert backend.calls[1:] == [("unregister", "heartbeat")]
        assert isinstance(app.screen, DetailsScreen)


async def test_what_is_answered_in_a_dialog_is_seen_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("taskkit_tui.screens.details_screen.TICK_SECONDS", 3600.0)
    async with dashboard(task()) as (app, backend, pilot):
        backend.details["heartbeat"] = details(task=task())
        await pilot.press("enter", "p", "ctrl+u", "9")
        backend.details["heartbeat"] = details(task=task(schedule="every 9 s", period=9.0))
        await pilot.press("enter")
        deadline = monotonic() + 5
        while "every 9 s" not in "\n".join(screen_text(app)) and monotonic() < deadline:
            await pilot.pause(0.02)
        assert "every 9 s" in "\n".join(screen_text(app))


async def test_y_copies_what_is_selected() -> None:
    async with shown(details(failed(1))) as (app, _, pilot):
        await pilot.press("y")
        assert TRACEBACK.strip() in app.clipboard
        await pilot.press("2", "down", "y")
        await pilot.pause()
        copied = datetime.fromisoformat(app.clipboard)
        assert copied.timestamp() == NOW + 40
        await pilot.press("1", "y")
        assert "every 30 s" in app.clipboard
        assert "is next due" in app.clipboard


async def test_a_real_scheduler_is_shown_and_followed() -> None:
    clock = ManualClock(NOW)
    scheduler = Scheduler(clock=clock, executor=InlineExecutor())
    scheduler.add_periodic_task(NOW, 10, lambda: print("tick"), "heartbeat")
    with scheduler:
        clock.advance(25)
        told = scheduler.describe("heartbeat", due_times=10)
        assert told is not None
        screen = DetailsScreen(told, partial(Bridge(scheduler).describe, "heartbeat"), now=clock.time)
        app = Stage(screen)
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            assert "History 3" in text_of(app)
            assert "tick" in text_of(app)
            clock.advance(10)
            await screen.look()
            await pilot.pause()
            assert "History 4" in text_of(app)
            scheduler.unregister_task("heartbeat")
            await screen.look()
            await pilot.pause()
            assert "heartbeat is no longer registered." in text_of(app)


def test_the_facts_name_the_executor_and_where_the_run_is() -> None:
    def named(task: Any) -> list[str]:
        return [fact.value for fact in facts(replace(details(), task=task)) if fact.name == "executor"]

    assert named(running(1)) == []
    assert named(running(1, executor="loop")) == ["loop"]
    assert named(running(1, executor="cluster", where="worker 3")) == ["cluster · worker 3"]


async def test_the_first_paint_is_arranged_for_the_size_of_the_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with dashboard(task(), size=(60, 20)) as (app, backend, pilot):
        backend.details["heartbeat"] = details(task=task())
        painted: list[str] = []
        original = app._display

        def display(screen: Screen[Any], renderable: Any) -> None:
            if isinstance(screen, DetailsScreen):
                painted.append("\n".join(screen_text(app)))
            original(screen, renderable)

        monkeypatch.setattr(app, "_display", display)
        await pilot.press("enter")
        await eventually(pilot, lambda: painted)
        assert "1 About" in painted[0]  # its tab
        assert "╭─ About" not in painted[0]
