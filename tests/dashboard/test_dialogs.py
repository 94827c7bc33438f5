"""The dialogs: what they say while one types, and what they answer."""

from __future__ import annotations

import asyncio

import pytest
from fake_backend import NOW, dashboard, screen_text, task, toasts
from idle import eventually

from taskkit import Every
from taskkit.operations import Offer
from taskkit.words.times import near_time
from taskkit_tui.log.log_line import LogLine
from taskkit_tui.messages import CommandAsked
from taskkit_tui.screens.confirm_dialog import listed_names


async def test_the_period_dialog_previews_as_one_types_and_applies_at_once() -> None:
    async with dashboard(task(1, next_run=NOW + 10, run_count=2)) as (app, backend, pilot):
        await pilot.press("p")
        await pilot.pause()
        told = "\n".join(screen_text(app))
        assert "Period of heartbeat" in told
        assert told.count("in ") >= 3
        assert "0:30" in told
        await pilot.press("ctrl+u", *"1m")
        await pilot.pause()
        assert "1:00" in "\n".join(screen_text(app))
        await pilot.press("enter")
        await pilot.pause()
        assert backend.calls == [("set_period", "heartbeat", 60.0)]
        assert len(app.screen_stack) == 1


async def test_the_period_dialog_promises_nothing_of_a_task_that_is_disabled_or_gone() -> None:
    async with dashboard(task(1, disabled=True, next_run=None)) as (app, backend, pilot):
        await pilot.press("p", "ctrl+u", *"1m")
        await pilot.pause()
        assert "It is disabled, and not due before it is enabled" in "\n".join(screen_text(app))
        backend.remove(1)
        await pilot.press("ctrl+u", *"2m")
        await pilot.pause()
        assert "It no longer has a period" in "\n".join(screen_text(app))


async def test_the_period_dialog_refuses_nonsense_in_words_and_stays() -> None:
    async with dashboard(task(1)) as (app, backend, pilot):
        await pilot.press("p")
        for typed, words in (
            ("soon", "is not a period"),
            ("0.0009", "0.001 seconds"),
            ("3m1h", "in the order"),
        ):
            await pilot.press("ctrl+u", *typed, "enter")
            await pilot.pause()
            assert words in "\n".join(screen_text(app))
        await pilot.press("escape")
        assert backend.calls == []
        assert len(app.screen_stack) == 1


async def test_an_empty_period_is_no_fault_until_it_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("taskkit_tui.screens.period_dialog.TICK_SECONDS", 0.05)
    async with dashboard(task(1)) as (app, backend, pilot):
        await pilot.press("p", "ctrl+u")
        await pilot.pause()
        assert "✗" not in "\n".join(screen_text(app))
        await pilot.press("enter")
        for several_looks in (0, 0.1):
            await pilot.pause(several_looks)
            assert "✗ type seconds, as in 90" in "\n".join(screen_text(app))
        await pilot.press("9", "backspace")
        await pilot.pause()
        assert "✗" not in "\n".join(screen_text(app))
        assert backend.calls == []


async def test_a_name_that_looks_like_markup_is_shown_as_it_is_above_the_period() -> None:
    async with dashboard(task(1, "bad [/]")) as (app, _, pilot):
        await pilot.press("p")
        await pilot.pause()
        assert "Period of bad [/]" in "\n".join(screen_text(app))


async def test_the_period_of_all_the_marked_is_changed_at_once() -> None:
    async with dashboard(task(1, "a"), task(2, "b"), task(3, "c", period=None)) as (app, backend, pilot):
        await pilot.press("asterisk", "p")
        await pilot.pause()
        assert "Period of 2 tasks" in "\n".join(screen_text(app))
        await pilot.press("ctrl+u", "9", "enter")
        await pilot.pause()
        assert backend.calls == [("set_period", "a", 9.0), ("set_period", "b", 9.0)]


NIGHTLY = {"schedule": "daily 03:30", "period": None}


async def test_a_task_without_a_period_is_given_another_schedule_by_the_same_key() -> None:
    async with dashboard(task(1, "[b]ackup", **NIGHTLY)) as (app, backend, pilot):
        await pilot.press("p")
        await pilot.pause()
        told = "\n".join(screen_text(app))
        assert "Schedule of [b]ackup" in told
        assert "daily 03:30" in told
        await pilot.press("ctrl+u", *"soon", "enter")
        await pilot.pause()
        assert "soon is not a schedule" in "\n".join(screen_text(app))
        await pilot.press("ctrl+u", *"6h")
        await pilot.pause()
        told = "\n".join(screen_text(app))
        assert "every 6 h" in told
        assert "in 6:00:00" in told
        assert "at once" not in told
        await pilot.press("enter")
        await pilot.pause()
        assert backend.calls == [("reschedule", "[b]ackup", Every(21600))]
        assert toasts(app) == ["Every 6 h: [b]ackup"]
        await pilot.press("u")
        await pilot.pause()
        assert toasts(app)[-1] == "[b]ackup: daily 03:30 again"


async def test_an_empty_schedule_is_no_fault_until_it_is_sent() -> None:
    async with dashboard(task(1, **NIGHTLY)) as (app, backend, pilot):
        await pilot.press("p", "ctrl+u")
        await pilot.pause()
        assert "✗" not in "\n".join(screen_text(app))
        await pilot.press("enter")
        await pilot.pause()
        assert "✗ say when it runs" in "\n".join(screen_text(app))
        await pilot.press("escape")
        assert backend.calls == []


async def test_a_disabled_task_is_promised_no_due_time_of_another_schedule() -> None:
    async with dashboard(task(1, disabled=True, next_run=None, **NIGHTLY)) as (app, _, pilot):
        await pilot.press("p")
        await pilot.pause()
        assert "Not due before it is enabled" in "\n".join(screen_text(app))


async def test_a_question_names_what_it_is_about() -> None:
    async with dashboard(task(1, "[b]a\x1b[2J")) as (app, _, pilot):
        await pilot.press("D")
        await pilot.pause()
        assert "[b]a␛[2J" in "\n".join(screen_text(app))


def test_a_long_list_of_names_stays_short() -> None:
    told = listed_names([f"task {number}" for number in range(1000)])
    assert len(told) == 7
    assert "994 more" in told[-1]


async def test_the_traceback_of_a_failure_opens_from_the_log_and_is_copied() -> None:
    text = (
        'Traceback (most recent call last):\n  File "feed.py", line 3, in run\nValueError: [b]no\x1b[2J feed'
    )
    async with dashboard(task(1)) as (app, backend, pilot):
        backend.write(LogLine(NOW, "fl[/]aky", 1, "log", 40, "ValueError: no feed", text))
        app.look()
        await pilot.press("4", "enter")
        await pilot.pause()
        told = "\n".join(screen_text(app))
        assert "fl[/]aky" in told
        assert 'File "feed.py", line 3' in told
        assert "[b]no␛[2J feed" in told
        await pilot.press("y")
        assert app.clipboard == text
        await pilot.press("escape")
        assert len(app.screen_stack) == 1


async def test_details_open_for_the_selected_task_and_say_when_it_is_gone() -> None:
    async with dashboard(task(1)) as (app, _, pilot):
        await pilot.press("enter")
        await pilot.pause()
        assert toasts(app) == ["heartbeat is gone"]


@pytest.mark.parametrize("keys", ["p", "down p", "D", "question_mark", "P", "n", "R"])
async def test_no_dialog_raises_at_any_size(keys: str) -> None:
    async with dashboard(task(1), task(2, "nightly", **NIGHTLY)) as (app, _, pilot):
        await pilot.press(*keys.split())
        for size in [(80, 24), (60, 20), (40, 10), (10, 3), (1, 1)]:
            await pilot.resize_terminal(*size)
            assert len(screen_text(app)) == size[1]


async def test_two_quick_clicks_leave_one_screen() -> None:
    async with dashboard(task(1)) as (app, backend, pilot):
        for key in ("D", "ctrl+p"):
            await pilot.press(key)
            screen = app.screen
            screen.dismiss(True)
            screen.dismiss(True)
            await pilot.pause()
            assert app.screen_stack == [app.main]
        assert backend.calls == [("unregister", "heartbeat")]


@pytest.mark.parametrize("width", [40, 60])
async def test_what_a_key_does_is_told_beside_it_at_every_width(width: int) -> None:
    async with dashboard(task(1), size=(width, 36)) as (app, _, pilot):
        await pilot.press("question_mark")
        await pilot.pause()
        await pilot.pause()
        rows = [row.partition("│")[2] for row in screen_text(app)]
        inside = [row for row in rows if row.startswith("    ")]
        assert any(row.startswith(" " * 16) and row.strip(" │") for row in inside)
        titles = ("On a task", "In a list", "Navigation", "View", "Timeline", "Global", "Signs")
        assert all(row[2:].startswith(titles) for row in rows if row.startswith("  ") and row[2:3].strip())


async def test_how_one_leaves_a_dialog_is_said_on_the_smallest_terminal() -> None:
    async with dashboard(task(1), size=(40, 10)) as (app, backend, pilot):
        backend.offered = (Offer("demo:Tick", "Tick", "Ticks.", ()),)
        for key in ("n", "p", "D", "question_mark"):
            await pilot.press(key)
            await pilot.pause()
            last = [row for row in screen_text(app) if "╰" in row][-1 if key in "np" else 0]
            assert "esc" in last or "n no" in last, key
            assert "…" not in last, key
            await pilot.press("escape")


async def test_nothing_is_asked_of_tasks_that_are_gone_meanwhile() -> None:
    async with dashboard(task(1)) as (app, backend, pilot):
        for command in ("task.period", "task.unregister"):
            app.main.post_message(CommandAsked(command, ("nobody",)))
            await pilot.pause()
            assert toasts(app) == ["nobody: it no longer applies"]
            assert len(app.screen_stack) == 1
        assert backend.calls == []


async def test_the_until_dialog_goes_to_all_marked_tasks_and_the_rows_say_until_when() -> None:
    async with dashboard(task(1, "a"), task(2, "b", disabled=True)) as (app, backend, pilot):
        await pilot.press("asterisk", "U")
        await eventually(pilot, lambda: "Disable 2 tasks until" in "\n".join(screen_text(app)))
        await pilot.press("enter")
        await eventually(pilot, lambda: "✗ “” is not a time" in "\n".join(screen_text(app)))
        await pilot.press(*"2h", "enter")
        await eventually(pilot, lambda: len(backend.calls) == 2)
        until = NOW + 7200
        assert backend.calls == [("disable_until", "a", until), ("disable_until", "b", until)]
        assert toasts(app)[-1] == f"Disabled until {near_time(until, NOW)}: 2 tasks"
        rows = [line for line in screen_text(app) if "disabled" in line]
        assert all(f"to {near_time(until, NOW, brief=True)}" in row for row in rows[-2:])


async def test_what_is_missing_in_a_sent_field_stays_said_until_one_types(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("taskkit_tui.screens.preview_dialog.TICK_SECONDS", 0.05)
    async with dashboard(task(1)) as (app, _, pilot):
        await pilot.press("U")
        await pilot.press("enter")
        await eventually(pilot, lambda: "✗ “” is not a time" in "\n".join(screen_text(app)))
        await asyncio.sleep(0.12)  # some ticks later
        assert "✗ “” is not a time" in "\n".join(screen_text(app))
        await pilot.press("2", "backspace")
        await eventually(pilot, lambda: "✗" not in "\n".join(screen_text(app)))
