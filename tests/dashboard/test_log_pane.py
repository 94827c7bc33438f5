"""The log pane, fed by lists."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.app import App, ComposeResult
from textual.geometry import Offset
from textual.pilot import Pilot
from textual.selection import Selection

from taskkit_tui.log import search
from taskkit_tui.log.log_line import LogLine
from taskkit_tui.themes import MIDNIGHT
from taskkit_tui.widgets.log_pane import LogPane


class LogApp(App[None]):
    """A log pane and nothing else."""

    def __init__(self, most_lines: int = 1_000) -> None:
        super().__init__()
        self.most_lines = most_lines
        self.opened: list[LogLine | tuple[str, int]] = []

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return MIDNIGHT.variables

    def compose(self) -> ComposeResult:
        yield LogPane(most_lines=self.most_lines)

    def on_log_pane_traceback_opened(self, message: LogPane.TracebackOpened) -> None:
        self.opened.append(message.line)

    def on_log_pane_run_opened(self, message: LogPane.RunOpened) -> None:
        self.opened.append((message.name, message.run))

    @property
    def pane(self) -> LogPane:
        return self.query_one(LogPane)


@asynccontextmanager
async def running(
    size: tuple[int, int] = (80, 12), **arguments: int
) -> AsyncIterator[tuple[LogApp, Pilot[None]]]:
    app = LogApp(**arguments)
    async with app.run_test(size=size) as pilot:
        app.pane.focus()
        await pilot.pause()
        yield app, pilot


def line(
    text: str, name: str = "feed", run: int | None = 1, level: int = 20, traceback: str | None = None
) -> LogLine:
    return LogLine(1_700_000_000.125, name, run, "stdout", level, text, traceback)


def some(count: int, **arguments: object) -> list[LogLine]:
    return [line(f"line {number}", **arguments) for number in range(count)]  # type: ignore[arg-type]


def seen(app: LogApp) -> list[str]:
    """The text of the rows, without what stands before it."""
    pane = app.pane
    rows = [pane.render_line(y).text for y in range(pane.scrollable_content_region.height)]
    return [row.partition("│ ")[2].rstrip() if "│ " in row else row.strip() for row in rows]


def toasts(app: LogApp) -> list[str]:
    """The texts of the toasts."""
    return [notice.message for notice in app._notifications]


async def test_lines_show_time_name_and_text():
    async with running() as (app, _):
        app.pane.append([line("tick 41", "heartbeat")])

        row = app.pane.render_line(0).text
        assert row[3:].startswith(":13:20.125 heartbeat │ tick 41")
        assert app.pane.border_title == "Log · all tasks"
        assert app.pane.border_subtitle == "following · 1 line"


async def test_an_empty_log_says_what_belongs_there():
    async with running() as (app, _):
        assert "Nothing printed yet" in app.pane.render_line(0).text


async def test_a_log_without_lines_of_a_task_says_where_its_earlier_runs_are():
    async with running() as (app, pilot):
        app.pane.append(some(3, name="another"))
        app.pane.show_only("feed")
        await pilot.pause()
        (said,) = [row for row in seen(app) if "No lines" in row]
        assert "⏎ on the task opens its earlier runs." in said
        await pilot.press("v")
        await pilot.pause()
        assert any("v changes the lowest level" in row for row in seen(app))


async def test_it_follows_until_a_person_scrolls_up():
    async with running() as (app, pilot):
        app.pane.append(some(50))
        assert seen(app)[-1] == "line 49"

        app.pane.scroll_to(y=5, animate=False, immediate=True)
        app.pane.append([line("another"), line("one more")])

        assert not app.pane.following
        assert seen(app)[0] == "line 5"
        assert "2 new ↓" in app.pane.border_subtitle

        await pilot.press("G")
        assert app.pane.following
        assert seen(app)[-1] == "one more"
        assert "new" not in app.pane.border_subtitle


async def test_the_visible_lines_stay_in_place_while_old_ones_are_dropped():
    async with running(most_lines=100) as (app, _):
        app.pane.append(some(100))
        app.pane.scroll_to(y=50, animate=False, immediate=True)
        before = seen(app)

        app.pane.append(some(30, name="other"))

        assert seen(app) == before
        assert "30 lines dropped" in app.pane.border_title


async def test_the_top_of_the_log_says_how_many_lines_were_dropped():
    async with running(most_lines=100) as (app, pilot):
        app.pane.append(some(100), lost=1_104)
        app.pane.append(some(100))
        await pilot.press("g")

        assert seen(app)[0] == "1,204 lines dropped"
        assert "1,204 lines dropped" in app.pane.border_title


async def test_one_task_only_and_all_again():
    async with running() as (app, pilot):
        app.pane.append([line("mine", "a"), line("its", "b"), line("mine too", "a")])
        app.pane.show_only("a")
        assert seen(app)[:3] == ["mine", "mine too", ""]
        assert app.pane.border_title == "Log · a"

        app.pane.append([line("late", "b"), line("late too", "a")])
        assert seen(app)[:3] == ["mine", "mine too", "late too"]

        await pilot.press("L")
        assert seen(app)[:2] == ["mine", "its"]
        await pilot.press("l")
        assert app.pane.shows.name == "a"


async def test_one_run_only():
    async with running() as (app, _):
        app.pane.append([line("first", run=1), line("second", run=2)])
        app.pane.show_only("feed", run=2)

        assert seen(app)[0] == "second"
        assert app.pane.border_title == "Log · feed · run 2"


async def test_the_least_level_cycles():
    async with running() as (app, pilot):
        app.pane.append(
            [line("debug", level=10), line("info"), line("warning", level=30), line("error", level=40)]
        )
        counts = []
        for _ in range(4):
            await pilot.press("v")
            counts.append(app.pane.line_count)

        assert counts == [3, 2, 1, 4]


async def test_wrapping_shows_all_of_a_long_line():
    async with running(size=(40, 12)) as (app, pilot):
        text = "".join(str(n % 10) for n in range(100))
        app.pane.append([line("first"), line(text)])
        await pilot.press("w")

        assert "".join(seen(app)[1:5]) == text
        await pilot.press("w")
        assert len(seen(app)[1]) < 40


async def test_a_cut_line_can_be_seen_to_its_end():
    async with running(size=(40, 12)) as (app, pilot):
        app.pane.append([line("x" * 60 + "END")])
        for _ in range(9):
            await pilot.press("right")

        assert "END" in seen(app)[0]
        await pilot.press(*["left"] * 9)
        assert "END" not in seen(app)[0]


async def test_times_can_be_hidden():
    async with running() as (app, pilot):
        app.pane.append([line("x")])
        await pilot.press("t")

        assert app.pane.render_line(0).text.startswith(" feed │ x")


async def test_finding_counts_and_goes_from_match_to_match():
    async with running() as (app, pilot):
        app.pane.append([line("error one"), *some(30), line("Error two"), *some(30)])
        await pilot.press("slash", *"eror", "backspace", "backspace", *"ror")
        assert "/error" in seen(app)[-1]
        assert "match 2 of 2 ·" in seen(app)[-1]

        await pilot.press("enter")
        assert "/error match 2 of 2 ·" in app.pane.border_subtitle
        assert app.pane.current_line == line("Error two")

        await pilot.press("n")
        assert app.pane.current_line == line("error one")
        await pilot.press("N")
        assert app.pane.current_line == line("Error two")

        app.pane.append([line("error three")])
        assert "match 2 of 3 ·" in app.pane.border_subtitle
        await pilot.press("k")
        assert "/error 3 matches ·" in app.pane.border_subtitle

        await pilot.press("escape")
        assert "error" not in app.pane.border_subtitle


async def test_a_match_out_of_sight_is_put_a_third_down():
    async with running(size=(80, 17)) as (app, pilot):
        app.pane.append([*some(30), line("error one"), line("error two"), *some(30)])
        await pilot.press("slash", *"error", "enter")
        rows = seen(app)
        assert app.pane.current_line == line("error two")
        assert rows.index("error two") == len(rows) // 3

        await pilot.press("N")
        assert app.pane.current_line == line("error one")
        assert seen(app) == rows  # it was in sight

        app.pane.scroll_to(y=0, animate=False, immediate=True)
        await pilot.press("n")
        assert seen(app).index("error one") == len(rows) // 3


async def test_keys_are_handled_while_many_lines_are_searched(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(search, "SEARCH_SECONDS", 0)
    monkeypatch.setattr(search, "_SLICES", (16, 16))
    async with running() as (app, pilot):
        app.pane.append([line("the one error"), *some(400), line("no match")])
        await pilot.press("slash")
        app.pane._find("error")
        assert app.pane._finder is not None
        assert app.pane._finder.is_incomplete
        app.pane.append([line("another error meanwhile")])
        await pilot.pause()
        await pilot.pause()

        assert not app.pane._finder.is_incomplete
        assert list(app.pane._finder.numbers) == [0, 402]

        await pilot.press("escape", "slash", *"error", "enter")
        await pilot.pause()
        await pilot.press("ampersand")
        await pilot.pause()
        assert [text.split("│")[-1].strip() for text in seen(app) if "error" in text] == [
            "the one error",
            "another error meanwhile",
        ]


async def test_only_the_lines_that_match_can_be_shown_and_all_again():
    async with running(size=(120, 12)) as (app, pilot):
        app.pane.append([line("error one"), *some(30), line("Error two")])
        await pilot.press("ampersand")
        assert toasts(app) == ["No search yet: press / to find text"]
        await pilot.press("slash", *"error", "enter", "ampersand")
        app.pane.append([line("fine"), line("error three")])
        assert seen(app)[:4] == ["error one", "Error two", "error three", ""]
        assert "only /error · & shows all" in app.pane.border_subtitle

        await pilot.press("ampersand")
        assert app.pane.line_count == 34
        await pilot.press("ampersand", "slash")
        assert app.pane.line_count == 34
        await pilot.press(*"three", "enter", "ampersand")
        assert app.pane.line_count == 1
        await pilot.press("escape")
        assert app.pane.line_count == 34


async def test_letters_are_text_in_the_prompt_and_escape_goes_back():
    async with running() as (app, pilot):
        app.pane.append([line("quit"), *some(30)])
        await pilot.press("slash", *"qu")
        assert app.pane.current_line == line("quit")

        await pilot.press("escape")
        assert app.pane.following
        assert app.pane.current_line == line("line 29")


async def test_a_search_without_a_match_says_so():
    async with running() as (app, pilot):
        app.pane.append(some(3))
        await pilot.press("slash", *"zzz")

        assert "not found" in seen(app)[-1]


async def test_runs_are_found_by_brackets():
    async with running() as (app, pilot):
        app.pane.append(
            [
                line("a1", "a", 1), line("b1", "b", 2), line("a1+", "a", 1), line("a2", "a", 3),
                line("a2+", "a", 3), line("b1+", "b", 2), line("a3", "a", 4),
            ]
        )  # fmt: skip
        visited = []
        for key in ("[", "[", "[", "]", "]"):
            await pilot.press({"[": "left_square_bracket", "]": "right_square_bracket"}[key])
            assert app.pane.current_line is not None
            visited.append(app.pane.current_line.text)

        assert visited == ["a2", "a1", "a1", "a2", "a3"]


async def test_enter_opens_the_traceback_of_a_failure_and_of_any_other_line_its_run():
    async with running() as (app, pilot):
        failure = line("ConnectionError: feed is down", level=40, traceback="Traceback …")
        app.pane.append([line("from outside", "", None), failure, line("fine", run=5)])
        assert "⏎ opens the traceback" in app.pane.render_line(1).text

        await pilot.press("enter")
        assert app.opened == [("feed", 5)]
        await pilot.press("k", "enter")
        assert app.opened == [("feed", 5), failure]
        await pilot.press("k", "enter")
        assert len(app.opened) == 2
        assert toasts(app) == ["This line does not belong to a run"]


async def test_a_line_is_copied_without_its_colours():
    async with running() as (app, pilot):
        app.pane.append([line("\x1b[31mred\x1b[0m")])
        await pilot.press("y")

        assert app.clipboard == "red"


async def test_the_mouse_selects_and_the_selection_stays_on_its_text():
    async with running() as (app, pilot):
        app.pane.append([line("one"), line("two"), line("three")])
        column = app.pane.render_line(0).text.index("one") + 1
        await pilot.mouse_down(LogPane, offset=(column + 1, 1))
        await pilot.hover(LogPane, offset=(column + 1, 3))
        await pilot.mouse_up(LogPane, offset=(column + 1, 3))
        app.pane.append(some(100))

        await pilot.press("y")
        assert app.clipboard == "ne\ntwo\nth"


async def test_a_selection_from_the_left_edge_has_no_more_than_the_text():
    async with running() as (app, _):
        app.pane.append([line("one"), line("two")])

        assert app.pane.get_selection(Selection(Offset(-20, 0), Offset(2, 1))) == ("one\ntw", "\n")
        assert app.pane.get_selection(Selection(None, None)) == ("one\ntwo", "\n")


async def test_saving_writes_a_file_and_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    async with running() as (app, pilot):
        app.pane.append(some(3))
        await pilot.press("ctrl+s")
        await app.workers.wait_for_complete()

        (saved,) = tmp_path.iterdir()
        assert len(saved.read_text().splitlines()) == 3
        assert toasts(app) == [f"Saved 3 lines as {saved.name}"]


async def test_the_toast_of_a_saved_file_names_the_filters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    async with running() as (app, pilot):
        app.pane.append([*some(3), line("bad [b]", level=40), line("worse", "[b]", level=40)])
        app.pane.show_only("feed", 1)
        app.pane.show_level(30)
        await pilot.press("slash", *"[b]", "enter", "ctrl+s")
        await app.workers.wait_for_complete()

        (saved,) = tmp_path.iterdir()
        assert len(saved.read_text().splitlines()) == 1
        only = "only of feed, run 1, from warning up"
        assert toasts(app) == [f"Saved 1 line as {saved.name}: {only}; including lines without “[b]”"]


async def test_progress_takes_one_line():
    async with running() as (app, _):
        for percent in range(0, 100, 10):
            app.pane.append([line(f"{percent} %\r")])
        app.pane.append([line("done"), line("next")])

        assert seen(app)[:3] == ["done", "next", ""]


async def test_no_size_breaks_it():
    hostile = [
        line("漢字" * 50), line("\x1b[2J\x1b]0;x\x07\0\u202e", "na\u202eme"), line("x" * 1_000_000),
        line("e\u0301" * 30, "漢字" * 20), line("", ""), line("boom", level=40, traceback="T"),
    ]  # fmt: skip
    async with running() as (app, pilot):
        app.pane.append(hostile * 5, lost=3)
        for size in [(1, 1), (2, 2), (3, 1), (1, 30), (7, 4), (23, 5), (40, 10), (200, 60), (80, 3)]:
            await pilot.resize_terminal(*size)
            for action in (
                app.pane.action_wrap,
                app.pane.action_first,
                app.pane.action_find,
                app.pane.action_right,
                app.pane.action_last,
                app.pane.action_page_up,
                app.pane.action_stamps,
                app.pane.action_level,
            ):
                action()
                width = max(0, app.pane.scrollable_content_region.width)
                for y in range(max(0, app.pane.scrollable_content_region.height)):
                    assert app.pane.render_line(y).cell_length == width


async def test_columns_stay_straight_under_wide_and_combining_characters():
    async with running(size=(60, 12)) as (app, _):
        app.pane.append([line("漢字漢字", "漢字"), line("e\u0301" * 9, "e\u0301"), line("x" * 100, "plain")])

        from rich.cells import cell_len

        bars = {cell_len(app.pane.render_line(y).text.partition("│")[0]) for y in range(3)}
        assert len(bars) == 1


async def test_markup_in_names_is_text():
    async with running() as (app, _):
        app.pane.append([line("[red]x[/red]", "[b]evil[/b]")])
        app.pane.show_only("[b]evil[/b]")

        assert "[red]x[/red]" in seen(app)[0]
        assert app.pane._border_title is not None
        assert "[b]evil[/b]" in app.pane._border_title.plain


async def test_every_key_has_an_id_and_a_tooltip():
    assert all(binding.id and binding.tooltip for binding in LogPane.BINDINGS)


async def test_names_that_look_the_same_are_spelled_differently_in_the_log() -> None:
    def named() -> list[str]:
        rows = [app.pane.render_line(y).text for y in range(2)]
        return [row.partition("│ ")[0].split()[-1] for row in rows if "│ " in row]

    async with running() as (app, _):
        app.pane.append([line("one", "backup\u200b")])
        assert named() == ["backup"]
        app.pane.append([line("two", "backup")])
        assert named() == ["backup\\u200b", "backup"]
