"""Every key of the main screen, and what it asks the scheduler for."""

from __future__ import annotations

import pytest
from fake_backend import FAILED, NOW, RETRY, dashboard, on_demand, past, running, screen_text, task, toasts
from textual import events

from taskkit import Outcome, OutcomeKind, RunFinished, TaskSnapshot, Trigger
from taskkit_tui.log.log_line import LogLine
from taskkit_tui.messages import CommandAsked
from taskkit_tui.viewmodel.row import Panel
from taskkit_tui.widgets.filter_bar import FilterBar

HEARTBEAT = task(1, "heartbeat", next_run=NOW + 2)
DAILY = task(2, "nightly", period=None, schedule="daily 03:30", next_run=NOW + 90)
CRAWL = running(3, "crawl")
REBUILD = on_demand(4, "rebuild site")


@pytest.mark.parametrize(
    ("keys", "calls"),
    [
        ("r", [("run", "heartbeat", {})]),
        ("d", [("disable", "heartbeat")]),
        ("d e", [("disable", "heartbeat"), ("enable", "heartbeat")]),
        ("plus", [("set_period", "heartbeat", 60.0)]),
        ("minus", [("set_period", "heartbeat", 15.0)]),
        ("2 s", [("stop", "crawl")]),
        ("2 r", [("run", "crawl", {})]),
        ("3 r", [("run", "rebuild site", {})]),
        ("down r", [("run", "nightly", {})]),
        ("j r", [("run", "nightly", {})]),
        ("ctrl+d r", [("run", "nightly", {})]),
        ("ctrl+f ctrl+u r", [("run", "heartbeat", {})]),
        ("G r", [("run", "nightly", {})]),
        ("G k r", [("run", "heartbeat", {})]),
        ("G g r", [("run", "heartbeat", {})]),
        ("tab r", [("run", "crawl", {})]),
        ("shift+tab shift+tab r", [("run", "rebuild site", {})]),
        ("asterisk d", [("disable", "heartbeat"), ("disable", "nightly")]),
        ("space space d", [("disable", "heartbeat"), ("disable", "nightly")]),
        ("space escape G d", [("disable", "nightly")]),
        ("d u", [("disable", "heartbeat"), ("undo", "heartbeat")]),
        ("plus u", [("set_period", "heartbeat", 60.0), ("undo", "heartbeat")]),
        (
            "asterisk d u",
            [("disable", n) for n in ("heartbeat", "nightly")] + [("undo", "heartbeat", "nightly")],
        ),
        ("P y", [("pause",)]),
        ("P y P y", [("pause",), ("resume",)]),
        ("P n", []),
        ("P escape", []),
        ("P enter", []),
        ("D y", [("unregister", "heartbeat")]),
        ("D n", []),
        ("D right enter", [("unregister", "heartbeat")]),
        ("D tab enter", [("unregister", "heartbeat")]),
        ("D enter", []),
        ("4 r d s D", []),
        ("p 5 enter", [("set_period", "heartbeat", 5.0)]),
    ],
)
async def test_a_key_asks_for_what_it_says(keys: str, calls: list[tuple[object, ...]]) -> None:
    async with dashboard(HEARTBEAT, DAILY, CRAWL, REBUILD) as (app, backend, pilot):
        for key in keys.split():
            await pilot.press(key)
        assert backend.calls == calls
        assert not app.is_headless or app.is_running


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ("down plus", "nightly has no period: it runs daily 03:30"),
        ("s", "heartbeat is not running"),
        ("e", "heartbeat is enabled already"),
        ("d d", "heartbeat is disabled already"),
        ("2 s s", "crawl is stopping already"),
        ("u", "There is nothing to undo"),
    ],
)
async def test_a_key_that_does_not_apply_says_why(keys: str, reason: str) -> None:
    async with dashboard(HEARTBEAT, DAILY, CRAWL) as (app, _, pilot):
        for key in keys.split():
            await pilot.press(key)
        assert toasts(app)[-1] == reason


async def test_the_footer_shows_only_what_applies() -> None:
    async with dashboard(HEARTBEAT, DAILY, CRAWL) as (app, _, pilot):
        footer = screen_text(app)[-1]
        assert "d Disable" in footer
        assert "e Enable" not in footer
        assert "s Stop" not in footer
        await pilot.press("d")
        await pilot.pause()
        footer = screen_text(app)[-1]
        assert "e Enable" in footer
        assert "d Disable" not in footer
        await pilot.press("2")
        await pilot.pause()
        assert "s Stop" in screen_text(app)[-1]
        await pilot.press("4")
        await pilot.pause()
        assert "f Follow" in screen_text(app)[-1]


@pytest.mark.parametrize(
    ("width", "hints"),
    [
        (110, "r Run now  s Stop  d Disable  p Period  ⏎ Details  n New  l Its log  / Filter"),
        (80, "r Run now  s Stop  d Disable  ⏎ Details  n New  / Filter"),
        (60, "r Run now  s Stop  d Disable  ⏎ Details"),
        (48, "r Run now  s Stop  ⏎ Details"),
    ],
)
async def test_the_footer_keeps_what_one_looks_for_first_at_every_width(width: int, hints: str) -> None:
    async with dashboard(CRAWL, size=(width, 30)) as (app, _, pilot):
        await pilot.press("2")
        await pilot.pause()
        assert screen_text(app)[-1].strip() == f"{hints}  q Quit  ? Help"


async def test_the_footer_names_no_way_to_quit_where_q_does_something_else() -> None:
    async with dashboard(HEARTBEAT) as (app, _, pilot):
        await pilot.press("slash")
        await pilot.pause()
        assert "Quit" not in screen_text(app)[-1]
        await pilot.press("escape", "4")
        await pilot.pause()
        assert "q Quit" in screen_text(app)[-1]


async def test_read_only_refuses_everything_but_looking_and_shows_a_lock() -> None:
    async with dashboard(HEARTBEAT, CRAWL, read_only=True) as (app, backend, pilot):
        assert "read-only" in screen_text(app)[0]
        for key in ["r", "d", "p", "plus", "minus", "D", "P", "u", "n", "asterisk", "d", "2", "s"]:
            await pilot.press(key)
        assert backend.calls == []
        assert len(app.screen_stack) == 1
        assert set(toasts(app)) == {"read-only: the tasks run, and no key changes them"}
        app.main.post_message(CommandAsked("task.run", ("heartbeat",)))
        await pilot.pause()
        assert backend.calls == []


async def test_the_filter_follows_every_letter() -> None:
    async with dashboard(HEARTBEAT, DAILY, CRAWL) as (app, backend, pilot):
        rows = app.main.panel(Panel.SCHEDULED).rows
        await pilot.press("slash", *"nigh")
        assert (len(rows), rows.total) == (1, 2)
        await pilot.press("enter", "r")
        assert backend.calls == [("run", "nightly", {})]
        await pilot.press("escape")
        assert len(rows) == 2
        await pilot.press("slash", "exclamation_mark", *"nigh")
        assert [row.name for row in rows.window(0, 9)] == ["heartbeat"]
        await pilot.press("escape")
        assert len(rows) == 2
        assert not app.query_one(FilterBar).display


async def test_only_what_fails() -> None:
    async with dashboard(HEARTBEAT, task(5, "flaky", past=FAILED)) as (app, _, pilot):
        rows = app.main.panel(Panel.SCHEDULED).rows
        await pilot.press("exclamation_mark")
        assert [row.name for row in rows.window(0, 9)] == ["flaky"]
        await pilot.press("exclamation_mark")
        assert len(rows) == 2


async def test_escape_leaves_the_filter_then_the_marks_then_the_maximised_panel() -> None:
    async with dashboard(HEARTBEAT, DAILY) as (app, _, pilot):
        await pilot.press("z", "asterisk", "slash", "h", "enter")
        await pilot.press("escape")
        assert (app.model.filter.active, len(app.model.marked), app.main.maximised) == (False, 2, True)
        await pilot.press("escape")
        assert (len(app.model.marked), app.main.maximised) == (0, True)
        await pilot.press("escape")
        assert not app.main.maximised
        assert app.is_running


async def test_what_hides_rows_or_widens_a_command_tells_the_way_back() -> None:
    async with dashboard(HEARTBEAT, DAILY) as (app, _, pilot):
        assert "esc" not in screen_text(app)[-1]
        for keys in (["space"], ["z"], ["exclamation_mark"]):
            await pilot.press(*keys)
            await pilot.pause()
            assert "esc Back" in screen_text(app)[-1], keys
            await pilot.press("escape")
            await pilot.pause()
            assert "esc" not in screen_text(app)[-1], keys
        await pilot.press("exclamation_mark")
        await pilot.pause()
        assert any("esc shows all" in line for line in screen_text(app))


async def test_the_log_of_one_task_and_of_all_while_the_focus_stays() -> None:
    async with dashboard(HEARTBEAT, DAILY) as (app, backend, pilot):
        backend.write(
            LogLine(NOW, "heartbeat", 1, "stdout", 20, "tick"),
            LogLine(NOW, "nightly", 2, "stdout", 20, "report"),
        )
        app.look()
        await pilot.press("l")
        assert app.main.log_pane.line_count == 1
        assert app.main.log_pane.border_subtitle == "L shows all tasks · following · 1 line"
        assert app.main.focused_panel is app.main.panel(Panel.SCHEDULED)
        await pilot.press("L")
        assert app.main.log_pane.line_count == 2


async def test_while_everything_is_paused_no_countdown_falls() -> None:
    async with dashboard(HEARTBEAT, task(2, "off", disabled=True)) as (app, _, pilot):
        await pilot.press("P", "y")
        await pilot.pause()
        lines = screen_text(app)
        assert "∥ paused" in lines[0]
        assert any("heartbeat" in line and "paused" in line for line in lines)
        assert any("off" in line and "disabled" in line for line in lines)
        assert [line.split() for line in lines if line.startswith("  paused")] == [["paused", "┃"]]
        await pilot.press("P", "y")
        await pilot.pause()
        assert any("next 1 min" in line and line.count("┃") > 1 for line in screen_text(app))


async def test_sorting_by_key() -> None:
    async with dashboard(HEARTBEAT, DAILY) as (app, _, pilot):
        panel = app.main.panel(Panel.SCHEDULED)
        seen = [panel.rows.sorting.column.key]
        for _ in panel.plan.sortable():
            await pilot.press("o")
            await pilot.pause()
            seen.append(panel.rows.sorting.column.key)
        assert seen[0] == seen[-1]
        assert len(set(seen)) == len(panel.plan.sortable())
        await pilot.press("O")
        await pilot.pause()
        assert panel.rows.sorting.reverse


async def test_no_key_sorts_by_a_column_that_is_not_seen() -> None:
    async with dashboard(HEARTBEAT, DAILY, size=(80, 24)) as (app, _, pilot):
        panel = app.main.panel(Panel.SCHEDULED)
        titles = screen_text(app)[2]
        assert "RUNS" not in titles
        seen = set()
        for _ in panel.plan.sortable():
            await pilot.press("o")
            await pilot.pause()
            seen.add(panel.rows.sorting.column.title)
        assert seen >= {"NAME", "IN", "LAST"}
        assert all(title in titles for title in seen)


async def test_a_column_that_goes_as_the_terminal_shrinks_is_left_by_the_same_key() -> None:
    async with dashboard(HEARTBEAT, DAILY) as (app, _, pilot):
        panel = app.main.panel(Panel.SCHEDULED)
        while panel.rows.sorting.column.title != "RUNS":
            await pilot.press("o")
            await pilot.pause()
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        await pilot.press("o")
        await pilot.pause()
        assert panel.rows.sorting.column.title == "NAME"


async def test_the_timeline_zooms() -> None:
    async with dashboard(HEARTBEAT) as (app, _, pilot):
        for words in ("next 10 min", "next 1 h", "next 1 day", "next 1 day"):
            await pilot.press("greater_than_sign")
            await pilot.pause()
            assert any(words in line for line in screen_text(app))
        await pilot.press("less_than_sign")
        await pilot.pause()
        assert any("next 1 h" in line for line in screen_text(app))


async def test_the_name_is_copied() -> None:
    async with dashboard(HEARTBEAT) as (app, _, pilot):
        await pilot.press("y")
        await pilot.pause()
        assert app.clipboard == "heartbeat"
        assert toasts(app) == ["Sent to the terminal: heartbeat"], "whether it took it, nobody knows"


async def test_marks_and_the_cursor_stay_on_their_tasks_while_the_list_sorts_itself_anew() -> None:
    def due(**seconds: float) -> list[TaskSnapshot]:
        return [task(n, name, next_run=NOW + at) for n, (name, at) in enumerate(seconds.items(), 1)]

    async with dashboard(*due(a=1, b=2, c=3, d=400, e=500)) as (app, backend, pilot):
        panel = app.main.panel(Panel.SCHEDULED)
        on = []
        for seconds in ({"a": 90, "b": 2, "c": 3}, {"a": 90, "b": 200, "c": 3}, {"a": 5, "b": 200, "c": 300}):
            await pilot.press("space")
            on += [row.name for row in [panel.selected] if row]
            backend.put(*due(**seconds))
            app.look()
            await pilot.pause()
            on += [row.name for row in [panel.selected] if row]
        assert on == ["b", "b", "c", "c", "d", "d"], "not on a or b, which came to stand below c"
        assert [row.name for row in panel.rows.marked()] == ["a", "b", "c"]
        marked = [row for row in screen_text(app) if "▌" in row]
        assert [row.split()[1] for row in marked] == ["a", "b", "c"]
        await pilot.press("g", "space", "space")
        assert [row.name for row in panel.rows.marked()] == ["c"], "and taking marks away goes on as well"


async def test_the_help_tells_every_key_that_is_bound() -> None:
    async with dashboard(HEARTBEAT) as (app, _, pilot):
        await pilot.press("question_mark")
        await pilot.pause()
        told = "\n".join(screen_text(app))
        assert "Run the task now" in told
        await pilot.press("escape", "4", "question_mark")
        await pilot.pause()
        told = "\n".join(" ".join(line.split()) for line in screen_text(app))
        assert " [ Go to the previous run" in told
        assert " pgdn ^f ^d Go down by a page." in told
        await pilot.press("escape")
        assert len(app.screen_stack) == 1


async def test_the_help_is_seen_whole_on_a_wide_terminal_and_scrolls_on_a_narrow_one() -> None:
    async with dashboard(HEARTBEAT, size=(120, 36)) as (app, _, pilot):
        await pilot.press("question_mark")
        await pilot.pause()
        told = "\n".join(screen_text(app))
        assert "Run the task now" in told
        assert "Search all commands." in told
        assert "× failed." in told
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert "Search all commands." not in "\n".join(screen_text(app))
        for _ in range(99):
            await pilot.press("j")
        await pilot.pause()
        assert "Search all commands." in "\n".join(screen_text(app))


async def test_the_help_says_what_the_signs_of_the_panels_mean() -> None:
    async with dashboard(HEARTBEAT) as (app, _, pilot):
        for panel in ("1", "4"):
            await pilot.press(panel, "question_mark")
            await pilot.pause()
            told = "\n".join(" ".join(line.split()) for line in screen_text(app))
            for words in (
                "⏎ The enter key",
                "≠ A person has changed",
                "↑ ↓ The period",
                "RUNS The last runs: █",
            ):
                assert words in told
            await pilot.press("escape")


async def test_every_binding_has_an_id_and_says_what_it_does() -> None:
    async with dashboard(HEARTBEAT) as (app, _, pilot):
        for keys in ("1", "4"):
            await pilot.press(keys)
            for active in app.screen.active_bindings.values():
                if active.binding.system or active.node.__class__.__module__.startswith("textual"):
                    continue
                assert active.binding.id, active
                assert active.binding.tooltip, active


async def test_q_asks_only_when_runs_are_active_and_names_them() -> None:
    async with dashboard(HEARTBEAT, CRAWL) as (app, _, pilot):
        await pilot.press("q")
        await pilot.pause()
        assert any("crawl" in line for line in screen_text(app))
        assert any("It is asked to stop, and has three seconds." in line for line in screen_text(app))
        await pilot.press("n")
        assert app.is_running
        await pilot.press("q", "y")
        await pilot.pause()
        assert app.return_code == 0
    async with dashboard(HEARTBEAT) as (app, _, pilot):
        await pilot.press("q")
        await pilot.pause()
        assert app.return_code == 0
        assert app._exit is not False


async def test_q_does_not_ask_when_leaving_stops_nothing() -> None:
    async with dashboard(CRAWL) as (app, backend, pilot):
        backend.leaving_stops_runs = False
        await pilot.press("q")
        await pilot.pause()
        assert app.return_code == 0


async def test_ctrl_c_leaves_without_asking() -> None:
    async with dashboard(HEARTBEAT, CRAWL) as (app, _, pilot):
        await pilot.press("q")
        await pilot.press("ctrl+c")
        await pilot.pause()
        assert app.return_code == 0
        assert app._exit


async def test_keys_typed_at_once_each_act_where_the_one_before_led() -> None:
    async with dashboard(HEARTBEAT, CRAWL, REBUILD) as (app, backend, pilot):
        for key, character in (("2", "2"), ("s", "s"), ("3", "3"), ("r", "r"), ("1", "1"), ("d", "d")):
            app.post_message(events.Key(key, character))
        for _ in range(200):
            await pilot.pause(0.02)
            if len(backend.calls) == 3:
                break
        # Requests cross from one panel's queue to the app's, so their order may differ, not their names.
        assert sorted(map(str, backend.calls)) == sorted(
            map(str, [("stop", "crawl"), ("run", "rebuild site", {}), ("disable", "heartbeat")])
        )


async def test_a_key_that_is_on_its_way_while_the_dashboard_is_left_upsets_nothing() -> None:
    async with dashboard(HEARTBEAT) as (app, _, _pilot):
        pass
    assert not app.screen_stack
    await app.on_event(events.Key("r", "r"))


async def test_a_failure_is_told_once_until_the_task_has_recovered() -> None:
    def failure(attempt: int = 1) -> RunFinished:
        outcome = Outcome(
            OutcomeKind.FAILED,
            Trigger.SCHEDULE,
            1,
            NOW,
            NOW,
            NOW,
            0.1,
            0.0,
            None,
            "ValueError: no feed",
            "…",
            attempt,
        )
        return RunFinished(NOW, "flaky", 1, outcome)

    async with dashboard(task(5, "flaky", past=FAILED, retry=RETRY)) as (app, backend, pilot):
        backend.fail(failure())
        app.look()
        await pilot.pause()
        assert toasts(app) == []
        backend.put(task(5, "flaky", past=FAILED))
        for attempt in (2, 3):
            backend.fail(failure(attempt))
            app.look()
        await pilot.pause()
        assert toasts(app) == ["ValueError: no feed"]
        backend.put(task(5, "flaky", past=past(0.1)))
        app.look()
        backend.put(task(5, "flaky", past=FAILED))
        backend.fail(failure())
        app.look()
        await pilot.pause()
        assert len(toasts(app)) == 2
        await pilot.resize_terminal(60, 20)
        backend.put(task(6, "other", past=FAILED))
        backend.fail(failure())
        app.look()
        await pilot.pause()
        assert len(toasts(app)) == 2


async def test_a_word_on_a_command_takes_the_place_of_the_last_one_and_failures_stay() -> None:
    async with dashboard(HEARTBEAT, DAILY) as (app, _, pilot):
        app.notify("no feed", severity="error")
        await pilot.press("plus", "plus", "minus", "minus", "e")
        await pilot.pause()
        assert toasts(app) == ["no feed", "heartbeat is enabled already"]
