"""The rows and their order, without a screen."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain
from random import Random
from typing import Any

import pytest
from fake_backend import FAILED, HALF, NOW, RETRY, figures, on_demand, past, row, running, task
from hypothesis import given
from hypothesis import strategies as st

from taskkit import Changes, OutcomeKind, Progress, RetrySnapshot, SkipReason, TaskSnapshot, Trigger
from taskkit_tui.keys.bindings import TO_THE_SCHEDULER as TABLE
from taskkit_tui.tones import Tone
from taskkit_tui.viewmodel import timeline
from taskkit_tui.viewmodel.filtering import RowFilter
from taskkit_tui.viewmodel.header import fitting, headline, side_notes
from taskkit_tui.viewmodel.model import LEAST_VISIBLE_SECONDS, TaskModel
from taskkit_tui.viewmodel.panel_order import Sorting
from taskkit_tui.viewmodel.panels import row_cells, running_cells
from taskkit_tui.viewmodel.panels.columns import PLANS, SCHEDULED, place_columns
from taskkit_tui.viewmodel.panels.schedule_cells import schedule_words
from taskkit_tui.viewmodel.row import Panel, TaskRow
from taskkit_tui.viewmodel.text_lines import Cell
from taskkit_tui.viewmodel.timeline import ZOOMS, axis, marks_of_selected, timeline_marks


def model_of(*tasks: TaskSnapshot, time: float = NOW) -> TaskModel:
    model = TaskModel()
    model.apply(Changes(figures(tasks, time), tasks, ()))
    return model


def change(model: TaskModel, *tasks: TaskSnapshot, gone: tuple[int, ...] = (), time: float = NOW) -> None:
    model.apply(Changes(figures(tasks, time), tasks, gone))


def names(model: TaskModel, place: Panel = Panel.SCHEDULED) -> list[str]:
    rows = model.rows_in(place)
    return [each.name for each in rows.window(0, len(rows))]


def text(cell: Cell) -> str:
    return "".join(piece.text for piece in cell)


def tones(cell: Cell) -> set[Tone]:
    return {piece.tone for piece in cell}


def test_each_task_is_in_the_panel_of_its_state() -> None:
    model = model_of(task(1), running(2), on_demand(3))
    assert [len(model.rows_in(place)) for place in Panel] == [1, 1, 1]


def test_names_that_look_the_same_are_spelled_differently_in_the_panels() -> None:
    def shown() -> list[str]:
        rows = model.rows_in(Panel.SCHEDULED)
        return [text(row_cells.name(each, NOW, 20)) for each in rows.window(0, len(rows))]

    model = model_of(task(1, "backup\u200b"))
    assert shown() == ["backup"]
    change(model, task(2, "backup"), task(3, "cafe\u0301"))
    assert sorted(shown()) == ["backup", "backup\\u200b", "cafe\u0301"]
    assert model.contents(Panel.SCHEDULED)["name"] == len("backup\\u200b")

    change(model, task(4, "backup"), gone=(2,))  # it was added again under its name
    assert sorted(shown()) == ["backup", "backup\\u200b", "cafe\u0301"]
    change(model, gone=(4,))
    assert sorted(shown()) == ["backup", "cafe\u0301"]


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("cafe\u0301 opens", "café"),
        ("café opens", "cafe\u0301"),
        ("❤\ufe0f beats", "❤ beats"),
        ("👩\u200d💻", "👩💻"),
        ("off\u202e", "off\\u202e"),
    ],
)
def test_a_filter_finds_a_name_as_it_is_shown(name: str, typed: str) -> None:
    model = model_of(task(1, name), task(2, "other"))
    model.show_only(RowFilter(typed))
    assert names(model) == [name]


def test_scheduled_tasks_are_in_the_order_of_their_due_times() -> None:
    model = model_of(
        task(1, "late", next_run=NOW + 50), task(2, "soon", next_run=NOW + 5), task(3, "off", disabled=True)
    )
    assert names(model) == ["soon", "late", "off"]

    change(model, task(2, "soon", next_run=NOW + 99))
    assert names(model) == ["late", "soon", "off"]


def test_a_row_that_runs_changes_panels_and_comes_back() -> None:
    model = model_of(task(1))
    change(model, running(1, "heartbeat"))
    assert (len(model.rows_in(Panel.SCHEDULED)), len(model.rows_in(Panel.RUNNING))) == (0, 1)
    change(model, task(1))
    assert (len(model.rows_in(Panel.SCHEDULED)), len(model.rows_in(Panel.RUNNING))) == (1, 0)


def test_a_very_short_run_does_not_move_its_row() -> None:
    model = model_of(task(1))
    change(model, running(1, "heartbeat", since=0.01))
    assert len(model.rows_in(Panel.SCHEDULED)) == 1
    assert model.has_delayed_rows

    change(model, task(1, next_run=NOW + 40))
    assert not model.has_delayed_rows
    assert model.row(1) == row(task(1, next_run=NOW + 40))


def test_a_longer_run_moves_its_row_a_moment_later() -> None:
    model = model_of(task(1))
    change(model, running(1, "heartbeat", since=0.01))
    change(model, time=NOW + LEAST_VISIBLE_SECONDS)
    assert names(model, Panel.RUNNING) == ["heartbeat"]


def test_a_run_started_by_hand_moves_its_row_at_once() -> None:
    model = model_of(task(1))
    change(model, running(1, "heartbeat", since=0.01, trigger=Trigger.DEMAND))
    assert names(model, Panel.RUNNING) == ["heartbeat"]


def test_an_unregistered_task_leaves_every_list() -> None:
    model = model_of(task(1), task(2, "other"))
    model.marked.add(1)
    change(model, gone=(1,))
    assert names(model) == ["other"]
    assert model.total(Panel.SCHEDULED) == 1
    assert model.named("heartbeat") is None
    assert not model.marked
    assert [each.name for each in model.due_until(NOW + 60)] == ["other"]


def test_a_mark_stays_with_the_name() -> None:
    model = model_of(task(1), task(2, "other"))
    model.marked.update({1, 2})
    change(model, task(3), gone=(1,))
    assert model.marked == {2, 3}
    change(model, running(3, "heartbeat", unregistered=True), task(4))
    assert model.marked == {2, 3}
    change(model, gone=(3,))
    assert model.marked == {2, 4}
    change(model, gone=(4,))
    change(model, task(5))
    assert model.marked == {2}, "it is another task"


def test_commands_act_on_the_newer_of_two_rows_of_one_name() -> None:
    model = model_of(running(1, "feed", unregistered=True), task(2, "feed", replaces_running=True))
    newest = model.named("feed")
    assert newest is not None
    assert newest.number == 2
    change(model, gone=(1,))
    assert model.named("feed") == newest


def test_a_changed_period_leaves_an_arrow() -> None:
    model = model_of(task(1, period=12.0, schedule="every 12 s"))
    change(model, task(1, period=14.0, schedule="every 14 s"))
    found = model.row(1)
    assert found is not None
    assert text(row_cells.schedule(found, NOW, 12)) == "every 14 s ↑"
    change(model, task(1, period=14.0, schedule="every 14 s", next_run=NOW + 3))
    assert model.row(1) == row(task(1, period=14.0, schedule="every 14 s", next_run=NOW + 3), 1)
    change(model, task(1, period=7.0))
    assert model.row(1) == row(task(1, period=7.0), -1)


@given(st.data())
def test_the_order_equals_that_of_sorting_everything(data: st.DataObject) -> None:
    """Single changes keep the order that a full sort would give, and positions are true."""
    model = TaskModel()
    current: dict[int, TaskSnapshot] = {}
    for _ in range(data.draw(st.integers(1, 8))):
        changed = data.draw(
            st.lists(
                st.builds(lambda n, due: task(n, next_run=NOW + due), st.integers(1, 12), st.integers(0, 9))
            )
        )
        newest = {each.number: each for each in changed}
        gone = [
            n
            for n in data.draw(st.lists(st.integers(1, 12), unique=True))
            if n in current and n not in newest
        ]
        current.update(newest)
        for number in gone:
            del current[number]
        change(model, *newest.values(), gone=tuple(gone))
        rows = model.rows_in(Panel.SCHEDULED)
        expected = sorted(current.values(), key=lambda each: (each.next_run, each.number))
        assert [each.number for each in rows.window(0, 99)] == [each.number for each in expected]
        for position, each in enumerate(expected):
            assert rows.position(each.number) == position


def test_sorting_by_another_column_and_in_reverse() -> None:
    model = model_of(task(1, "b"), task(2, "a"), task(3, "c"))
    by_name = SCHEDULED.column("name")
    model.sort(Panel.SCHEDULED, Sorting(by_name))
    assert names(model) == ["a", "b", "c"]
    model.sort(Panel.SCHEDULED, Sorting(by_name, reverse=True))
    assert names(model) == ["c", "b", "a"]
    rows = model.rows_in(Panel.SCHEDULED)
    assert [each.name for each in rows.window(1, 3)] == ["b", "a"]
    assert rows.position(3) == 0
    with pytest.raises(ValueError, match="status"):
        model.sort(Panel.SCHEDULED, Sorting(SCHEDULED.column("status")))


@pytest.mark.parametrize("place", Panel)
def test_every_sortable_column_sorts_every_kind_of_row(place: Panel) -> None:
    model = model_of(
        task(1),
        task(2, past=FAILED),
        running(3),
        running(4, started=None),
        running(5, progress=HALF),
        on_demand(6),
    )
    for column in PLANS[place].sortable():
        model.sort(place, Sorting(column))
        assert len(names(model, place)) == model.total(place)


def test_the_filter_shows_what_matches_and_counts_the_rest() -> None:
    model = model_of(task(1, "PageGenerator"), task(2, "heartbeat"), task(3, "flaky", past=FAILED))
    model.show_only(RowFilter("page"))
    assert names(model) == ["PageGenerator"]
    assert model.total(Panel.SCHEDULED) == 3

    change(model, task(4, "another page"))
    assert names(model) == ["PageGenerator", "another page"]
    change(model, task(2, "heartbeat", schedule="paged"))
    assert len(names(model)) == 3
    model.show_only(RowFilter(only_failing=True))
    assert names(model) == ["flaky"]
    change(model, task(3, "flaky"))
    assert names(model) == []


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("heart", True),
        ("HEART", True),
        ("!heart", False),
        ("^heart", True),
        ("beat$", True),
        ("every 30", True),
        ("h.*t", True),
        ("(", False),
        ("!(", True),
        ("[qz]", False),
        ("", True),
        ("!", True),
    ],
)
def test_a_filter_is_text_or_a_regular_expression(typed: str, shown: bool) -> None:
    assert RowFilter(typed).shows(row(task(1, "heartbeat"))) is shown


def test_text_that_is_not_a_regular_expression_is_searched_literally() -> None:
    assert RowFilter("a (b").shows(row(task(1, "task a (b)")))


def test_countdowns_say_what_is_imminent_due_late_and_why_there_is_none() -> None:
    def due(**fields: object) -> Cell:
        return row_cells.due_in(row(task(1, **fields)), NOW, 9)

    assert (text(due()), tones(due())) == ("0:10", {Tone.NEXT})
    assert tones(due(next_run=NOW + 2)) == {Tone.SOON}
    assert text(due(next_run=NOW - 0.5)) == "due now"
    assert text(due(next_run=NOW - 3)) == "late 3 s"
    assert text(due(disabled=True)) == "disabled"
    assert text(due(replaces_running=True)) == "waiting"
    assert text(due(next_run=None)) == "never"
    assert text(due(retry=RETRY)) == "0:08"
    assert text(due(next_run=NOW - 3000)) == "+50 min"
    assert all(len(text(due(next_run=NOW + seconds))) <= 9 for seconds in (1e5, 1e7, 3e8))


def test_what_is_alarming_is_a_word_as_well() -> None:
    def last(**fields: object) -> str:
        return text(row_cells.last_outcome(row(task(1, **fields)), NOW, 11))

    assert last(past=past(0.003)) == "✓ 3 ms"
    assert last(past=FAILED) == "✗ failed"
    assert last(past=FAILED, retry=RETRY) == "✗ retry 2/5"
    assert last(past=FAILED, retry=RetrySnapshot(12, 100, NOW)) == "✗ 12/100"
    assert last(past=past(1.0, kind=OutcomeKind.TIMED_OUT)) == "✗ timed out"
    assert last(past=past(1.0, kind=OutcomeKind.STOPPED)) == "■ stopped"
    assert last(past=past(1.0, kind=OutcomeKind.ABANDONED)) == "✗ abandoned"
    assert last(past=past(1.0, kind=OutcomeKind.INTERRUPTED)) == "⊘ cut off"
    assert last().strip() == "never"
    assert last(disabled=True, skipped={SkipReason.DISABLED: 4}) == "· skipped 4"
    assert last(past=past(1.0), skipped={SkipReason.OVERLAP: 2}) == "✓ 1.0 s"


@pytest.mark.parametrize("kind", OutcomeKind)
def test_a_task_that_counts_as_failing_looks_so_everywhere(kind: OutcomeKind) -> None:
    each = row(task(1, past=past(1.0, kind=kind)))
    bad = {Tone.BAD} if each.failing else set()
    assert tones(row_cells.status(each, NOW, 1)) & {Tone.BAD} == bad
    assert tones(row_cells.last_outcome(each, NOW, 11)) & {Tone.BAD} == bad
    assert tones(row_cells.runs(each, NOW, 1)) & {Tone.BAD} == bad
    assert tones(row_cells.last_ago(each, NOW, 12)) & {Tone.BAD} == bad
    assert RowFilter(only_failing=True).shows(each) is each.failing
    assert figures([each.task]).failing == each.failing


def test_a_task_that_fails_since_before_today_says_since_when() -> None:
    def last(days: float, width: int = 11) -> str:
        each = row(task(1, past=FAILED, failing_since=NOW - days * 86_400))
        shown = row_cells.last_outcome(each, NOW, width)
        assert tones(shown) == {Tone.BAD}
        return text(shown)

    def day(days: float) -> str:
        return f"{datetime.fromtimestamp(NOW - days * 86_400):%a}"

    assert last(0) == "✗ failed"
    assert (last(1), last(6)) == (f"✗ since {day(1)}", f"✗ since {day(6)}")
    assert day(7) not in last(7, 14)
    assert (last(10), last(999), last(1e7)) == ("✗ for 10 d", "✗ for 999 d", "✗ failed")
    assert last(10, 14).startswith("✗ since ")
    assert last(500, 14) == "✗ for 500 d"
    retried = row(task(1, past=FAILED, retry=RETRY, failing_since=NOW - 86_400))
    assert text(row_cells.last_outcome(retried, NOW, 11)) == "✗ retry 2/5"


def test_only_skips_without_a_running_program_are_called_missed() -> None:
    def last(skipped: dict[SkipReason, int], width: int = 11) -> str:
        return text(row_cells.last_outcome(row(task(1, past=past(1.0), skipped=skipped)), NOW, width))

    assert last({SkipReason.MISSED: 3}) == "· missed 3"
    assert last({SkipReason.MISSED: 3, SkipReason.OVERLAP: 9}) == "· missed 3"
    assert last({SkipReason.MISSED: 3, SkipReason.PAUSED: 2}) == "· skipped 5"
    for reason in (SkipReason.DISABLED, SkipReason.PAUSED, SkipReason.REPLACED):
        assert last({reason: 64}) == "skipped 64"
        assert last({reason: 64}, 13) == "· skipped 64"
    assert last({SkipReason.MISSED: 123_456}) == "· 123,456"


def test_the_last_runs_are_bars_and_failed_ones_crosses() -> None:
    bars = row_cells.runs(row(task(1, past=past(0.1, 0.2, 0.4) + FAILED)), NOW, 4)
    assert text(bars) == "▃▅█×"
    assert text(row_cells.runs(row(task(1, past=past(0.001))), NOW, 4)) == "   ▁"


def test_a_run_says_how_long_how_far_and_what_it_waits_for() -> None:
    def pair(width: int = 12, **fields: object) -> tuple[str, str]:
        each = row(running(1, **fields))  # type: ignore[arg-type]
        return text(running_cells.elapsed(each, NOW, 13)), text(running_cells.progress(each, NOW, width))

    assert pair() == ("0:12", "")
    assert pair(past=past(20.0)) == ("0:12 of ~0:20", "")
    assert pair(past=past(20.0, 20.0, 500.0)) == ("0:12 of ~0:20", ""), "one slow run is not the usual"
    assert pair(progress=HALF) == ("0:12", "━━━╸━━  62 %")
    assert pair(30, progress=HALF)[1].endswith("62 % page…") or "page" in pair(30, progress=HALF)[1]
    assert pair(started=None) == ("waiting", "for a thread")
    assert pair(asked_to_stop=NOW - 4) == ("0:12", "stopping 4 s")
    assert pair(again=True) == ("0:12", "again")
    assert pair(unregistered=True) == ("0:12", "then gone")
    assert pair(attempt=2) == ("0:12", "try 2")
    assert pair(20, asked_to_stop=NOW - 4, again=True)[1] == "stopping 4 s · again"


def test_a_run_says_where_it_is_unless_that_is_a_thread() -> None:
    def shown(width: int = 20, **fields: object) -> tuple[str, int]:
        each = row(running(1, **fields))  # type: ignore[arg-type]
        return text(running_cells.where(each, NOW, width)), running_cells.where_cells(each)

    assert shown() == ("", 0), "then the panel has no such column"
    assert shown(executor="loop") == ("loop", 4)
    assert shown(executor="process", where="process 4711") == ("process 4711", 12)
    assert shown(executor="cluster", where="tcp://\x1b[1m")[0].isprintable()
    assert shown(6, executor="process", where="process 4711")[0] == "4711"


def test_a_run_that_waits_names_its_executor() -> None:
    def waits(executor: str, width: int = 20) -> str:
        return text(running_cells.progress(row(running(1, started=None, executor=executor)), NOW, width))

    assert [waits(each) for each in ("thread", "loop", "process", "cluster")] == [
        "for a thread",
        "for the loop",
        "for a process",
        "for cluster",
    ]
    assert waits("thread", 10) == "for thread"


def test_an_unusually_long_run_is_highlighted_and_says_what_is_usual() -> None:
    def said(usual: float, width: int, since: float = 76.0) -> tuple[str, bool]:
        shown = running_cells.elapsed(row(running(1, since=since, past=past(usual))), NOW, width)
        assert len(text(shown)) <= width
        return text(shown), Tone.SOON in tones(shown)

    assert said(25.0, 21) == ("1:16 usually 25 s", True)
    assert said(25.0, 16) == ("1:16 of ~0:25", True)
    assert said(25.0, 10) == ("1:16 ~0:25", True)
    assert said(25.0, 9) == ("1:16 !", True)
    assert said(25.0, 4) == ("1:16", True)
    assert said(26.0, 21) == ("1:16 of ~0:26", False)
    assert said(26.0, 10) == ("1:16 ~0:26", False)
    assert said(26.0, 9) == ("1:16", False)
    assert said(0.1, 21, since=2.0) == ("0:02 of ~0:01", False), "it is not two seconds over"
    assert said(0.1, 21, since=2.2) == ("0:02 usually 100 ms", True)


def test_a_task_that_skips_most_of_its_due_times_says_so() -> None:
    def last(overlapped: int, width: int, *durations: float, period: float | None = 3.0) -> str:
        skipped = {SkipReason.OVERLAP: overlapped}
        each = row(task(1, past=past(*durations), skipped=skipped, period=period))
        return text(row_cells.last_outcome(each, NOW, width))

    assert last(2, 15, 7.0, 7.0) == "2 of 3 skipped"
    assert last(2, 11, 7.0, 7.0) == "2/3 skipped"
    assert last(86_399, 11, 7.0, 7.0) == "86399/86400"
    assert last(1, 15, 4.0, 4.0) == "✓ 4.0 s", "that is not most of them"
    assert last(2, 15, 0.1, 0.1, 7.0) == "✓ 7.0 s", "only the last run was slow"
    assert last(2, 15, 7.0, period=None) == "✓ 7.0 s"


def test_a_progress_message_is_made_harmless() -> None:
    hostile = "\x1b]0;title\x07\x1b[2J\n\r\u202e\x9b31m\ud800 half"
    for total in (None, 0, -1, 50):
        progress = Progress(31, total, hostile)
        for width in range(60):
            assert text(running_cells.progress(row(running(progress=progress)), NOW, width)).isprintable()
    assert "half" in text(running_cells.progress(row(running(progress=Progress(31, None, hostile))), NOW, 60))


def test_every_cell_fits_its_column_at_every_width() -> None:
    hostile = task(1, "漢字\x1b[2J\u202e" * 40, schedule="cron */15 9-17 * * 1-5 " * 4, past=past(*[9e5] * 8))
    rows = [
        hostile,
        running(2, "漢" * 50, past=past(9e6), progress=HALF, again=True, asked_to_stop=NOW - 1e6),
        on_demand(3, past=past(1.0, ago=1e8), again=True),
        task(4, next_run=NOW - 1e6, retry=RETRY, skipped={SkipReason.MISSED: 10**9}),
    ]
    from rich.cells import cell_len

    for plan in PLANS.values():
        for width in range(0, 140, 3):
            for column, x, room in place_columns(plan.columns, width):
                assert x + room <= width
                for each in rows:
                    shown = text(column.cell(row(each), NOW, room))
                    if room >= column.min_width:
                        assert cell_len(shown) <= room, (plan.title, column.key, room, shown)


def test_at_eighty_columns_names_have_all_the_room_that_they_need() -> None:
    def room(place: Panel, key: str) -> int:
        placed = place_columns(PLANS[place].columns, 30)  # what is left beside the scheduled tasks
        return next(each.width for each in placed if each.column.key == key)

    assert room(Panel.RUNNING, "name") == len("long haul")
    assert room(Panel.ON_DEMAND, "name") == len("rebuild site")
    assert room(Panel.RUNNING, "progress") == len("stop 4 min")


def test_at_a_hundred_and_twenty_columns_names_on_demand_come_before_longer_words_for_the_state() -> None:
    placed = place_columns(PLANS[Panel.ON_DEMAND].columns, 38)  # what is left beside the scheduled tasks
    room = {each.column.key: each.width for each in placed}
    assert room == {"status": 1, "name": 15, "state": len("waiting"), "last": len("✓ 59 min ago")}
    shown = row_cells.name(row(on_demand(1, "what is running")), NOW, room["name"])
    assert text(shown) == "what is running"


def test_the_last_run_is_written_in_the_same_form_in_all_rows() -> None:
    def said(ago: float, width: int) -> str:
        return text(row_cells.last_ago(row(on_demand(1, past=past(1.0, ago=ago))), NOW, width))

    agos = (0.1, 1, 59, 59 * 60, 23 * 3600, 99 * 86400)
    assert [said(ago, 9) for ago in agos[1:4]] == ["✓ 1s ago", "✓ 59s ago", "✓ 59m ago"]
    assert [said(ago, 12) for ago in agos[1:4]] == ["✓ 1 s ago", "✓ 59 s ago", "✓ 59 min ago"]
    assert not any("…" in said(ago, width) for ago in agos for width in (9, 10, 11, 12))


def test_a_narrow_panel_does_not_cut_the_words_of_a_run() -> None:
    def said(**fields: Any) -> str:
        return text(running_cells.progress(row(running(1, **fields)), NOW, 10))

    assert said(asked_to_stop=NOW - 4) == "stop 4 s"
    assert said(started=None) == "for thread"
    assert said(progress=HALF) == "━━╸━  62 %"
    demanded = on_demand(1, retry=RETRY)
    assert text(row_cells.demand_state(row(demanded), NOW, 5)) == "0:08"
    assert text(row_cells.demand_state(row(on_demand(1, again=True)), NOW, 5)) == "again"
    assert text(row_cells.demand_state(row(on_demand(1, disabled=True)), NOW, 5)) == "off"


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        ("every 1 h 30 min", {16: "every 1 h 30 min", 15: "1 h 30 min", 9: "1h30m", 4: "1h3…"}),
        ("daily 03:30", {11: "daily 03:30", 10: "03:30", 4: "03:…"}),
        (
            "daily 03:30 Europe/Berlin",
            {40: "daily 03:30 Berlin", 18: "daily 03:30 Berlin", 17: "03:30 Berlin", 11: "daily", 4: "dai…"},
        ),
        (
            "daily 03:30 America/Argentina/Buenos_Aires",
            {24: "daily 03:30 Buenos Aires", 18: "03:30 Buenos Aires"},
        ),
        ("daily 03:30 UTC", {15: "daily 03:30 UTC", 14: "03:30 UTC", 8: "daily"}),
        ("cron 0 6 * * 1-5 Europe/Berlin", {23: "cron 0 6 * * 1-5 Berlin", 18: "0 6 * * 1-5 Berlin"}),
        ("cron 0 0 1 JAN */2", {18: "cron 0 0 1 JAN */2", 13: "0 0 1 JAN */2", 8: "0 0 1 J…"}),
        ("once", {12: "once", 3: "on…"}),
        ("when the cows come home", {40: "when the cows come home", 12: "when the co…"}),
    ],
)
def test_a_schedule_is_shortened_before_it_is_cut(schedule: str, said: dict[int, str]) -> None:
    assert {width: schedule_words(schedule, width) for width in said} == said


def laid_out(place: Panel, width: int, **contents: int) -> dict[str, int]:
    return {each.column.key: each.width for each in place_columns(PLANS[place].columns, width, contents)}


def test_names_get_what_the_longest_needs_and_schedules_the_rest() -> None:
    room = laid_out(Panel.SCHEDULED, 74, name=9, schedule=18)
    assert (room["name"], room["schedule"]) == (9, 18)
    assert laid_out(Panel.SCHEDULED, 74, name=3, schedule=40)["name"] == len("NAME")
    room = laid_out(Panel.SCHEDULED, 74, name=30, schedule=9, last=11)
    assert room["name"] > 20
    assert room["schedule"] == 9
    assert laid_out(Panel.SCHEDULED, 126, name=30, schedule=60)["name"] == 30


def test_a_schedule_is_dropped_only_if_its_shortest_form_does_not_fit() -> None:
    assert laid_out(Panel.SCHEDULED, 42, name=9, schedule=18, last=11)["schedule"] == 8
    assert "schedule" not in laid_out(Panel.SCHEDULED, 42, name=10, schedule=18, last=11)


def test_the_column_of_places_stays_between_runs_and_goes_with_the_last_task_that_has_used_it() -> None:
    def has_it() -> bool:
        return "where" in laid_out(Panel.RUNNING, 80, **model.contents(Panel.RUNNING))

    model = model_of(running(1, "here"), running(2, "there", executor="process", where="process 4711"))
    assert has_it()
    change(model, task(2, "there", executor="process"))
    assert has_it()  # its next run needs it, and the other columns stay where they are
    change(model, task(3, "there"), gone=(2,))  # it was registered again, on a thread
    assert not has_it()


def test_runs_without_progress_leave_their_space_to_names() -> None:
    room = laid_out(Panel.RUNNING, 30, name=14, where=0, progress=0)
    assert room == {"status": 1, "name": 14, "elapsed": 13}
    assert "name" in laid_out(Panel.RUNNING, 10, **model_of(running(1, "")).contents(Panel.RUNNING))
    assert laid_out(Panel.RUNNING, 38, name=9, elapsed=21, where=0, progress=22)["elapsed"] == 13
    assert laid_out(Panel.RUNNING, 64, name=9, elapsed=21, where=0, progress=22)["elapsed"] == 21
    room = laid_out(Panel.RUNNING, 38, name=14, where=0, progress=22)
    assert (room["name"], room["progress"]) == (14, 10)


def test_a_column_grows_at_once_and_shrinks_only_when_a_task_is_unregistered() -> None:
    def widths(place: Panel = Panel.SCHEDULED) -> tuple[int, int]:
        contents = model.contents(place)
        return contents["name"], contents.get("schedule", 0)

    model = model_of(task(1, "heartbeat"), task(2, "rebuild the site"), task(3, "漢字"))
    assert widths() == (16, len("every 30 s"))
    change(model, task(1, "heartbeat", schedule="every 1 h 30 min"))
    assert widths() == (16, 16)
    change(model, task(1, "heartbeat", schedule="every 5 s"), running(2, "rebuild the site"))
    assert widths() == (16, 16)
    assert widths(Panel.RUNNING) == (16, 0)
    change(model, task(2, "rebuild the site"))
    assert widths(Panel.RUNNING) == (16, 0)
    change(model, gone=(1,))
    assert widths() == (16, len("every 30 s"))
    change(model, gone=(2,))
    assert widths() == (4, len("every 30 s"))
    change(model, gone=(3,))
    assert not any(model.contents(place) for place in Panel)


@given(st.data())
def test_the_widths_equal_those_of_measuring_everything(data: st.DataObject) -> None:
    model = TaskModel()
    been: dict[int, int] = {}
    for _ in range(data.draw(st.integers(1, 12))):
        number = data.draw(st.integers(1, 5))
        if number in been and data.draw(st.booleans()):
            change(model, gone=(number,))
            del been[number]
        else:
            width = data.draw(st.integers(1, 50))
            change(model, task(number, f"{number}", schedule="x" * width))
            been[number] = max(been.get(number, 0), min(width, SCHEDULED.column("schedule").max_width))
        assert model.contents(Panel.SCHEDULED).get("schedule") == max(been.values(), default=None)


def test_an_update_measures_only_changed_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_of(*(task(number, f"task {number}") for number in range(1, 1000)))
    measured: list[str] = []
    monkeypatch.setattr(row_cells, "words_cells", lambda schedule: measured.append(schedule) or len(schedule))
    change(model, task(7, "task 7", next_run=NOW + 3))
    assert model.contents(Panel.SCHEDULED)["name"] == len("task 999")
    assert len(measured) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"started": None},
        {"asked_to_stop": NOW - 4, "again": True},
        {"again": True},
        {"unregistered": True},
        {"attempt": 3},
        {"progress": HALF},
        {"progress": Progress(50, 50, "漢字"), "again": True},
        {"progress": Progress(5, None, "five done")},
        {"progress": Progress(5, None, "")},
    ],
)
def test_progress_says_how_many_cells_it_can_use(fields: dict[str, Any]) -> None:
    from rich.cells import cell_len

    each = row(running(1, **fields))
    cells = running_cells.progress_cells(each)
    shown = text(running_cells.progress(each, NOW, cells))
    assert shown.rstrip() == text(running_cells.progress(each, NOW, 200)).rstrip()
    assert cell_len(shown) <= cells


def test_columns_are_dropped_in_the_order_of_their_importance() -> None:
    def left(width: int) -> list[str]:
        return [placed.column.key for placed in place_columns(SCHEDULED.columns, width)]

    everything = ["status", "name", "schedule", "next", "clock", "last", "runs"]
    assert left(90) == everything
    assert left(70) == [key for key in everything if key != "runs"]
    assert left(60) == [key for key in everything if key not in {"runs", "clock"}]
    assert left(44) == ["status", "name", "next", "last"]
    assert left(30) == ["status", "name", "next", "last"]


def test_the_headline_has_fixed_words_and_drops_the_least_important_first() -> None:
    shown = figures([task(1), running(2), task(3, disabled=True), task(4, past=FAILED)])

    def line(width: int, *notes: str) -> str:
        return text(fitting(headline(shown, notes), side_notes(shown), width))

    assert line(120).startswith(" taskkit ● running  4 tasks  1 running  1 disabled  1 failing ")
    assert "4 threads · late p99 0.4 ms" in line(120)
    assert "read-only" in line(120, "read-only")
    assert "1 failing" in line(30)
    for width in range(1, 140):
        assert len(line(width)) <= max(width, 10)


def test_a_paused_scheduler_says_so() -> None:
    assert "∥ paused" in text(headline(figures(paused=True))[1].pieces)


def test_the_timeline_marks_every_due_time_in_its_column() -> None:
    marks = timeline_marks([row(task(1, "a", next_run=NOW + 10, period=20.0))], NOW, ZOOMS[0], 60)
    assert sorted(marks) == [10, 30, 50]


def test_on_the_timeline_the_rare_is_drawn_before_the_frequent_and_the_selected_before_all() -> None:
    often = row(task(1, "often", next_run=NOW + 1, period=1.0))
    rare = row(task(2, "rare", next_run=NOW + 10, period=300.0))
    marks = timeline_marks([often, rare], NOW, ZOOMS[0], 60)
    assert (marks[10].name, marks[10].thin, marks[11].thin) == ("rare", False, True)
    assert {**marks, **marks_of_selected(often, NOW, ZOOMS[0], 60, {}.get)}[10] == ("often", True, True)


def test_the_timeline_reads_no_more_rows_than_it_has_columns_for() -> None:
    """With 10,000 tasks, every key that moves the cursor would be slow otherwise."""
    often = [row(task(each, f"task {each}", next_run=NOW, period=1.0)) for each in range(50)]
    seldom = [row(task(each, f"task {each}", next_run=NOW + each % 60, period=300.0)) for each in range(120)]
    rows = chain(often, seldom)
    marks = timeline_marks(rows, NOW, ZOOMS[0], 60)
    assert sorted(marks) == list(range(60))
    assert not any(mark.thin for mark in marks.values())
    assert len(list(rows)) > 0


def test_the_timeline_follows_two_of_the_tasks_with_one_period_in_one_column(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With 10,000 tasks that are due within seconds, following each stopped the screen once a second."""
    followed = []
    columns_of = timeline._columns
    monkeypatch.setattr(
        timeline, "_columns", lambda row, *rest: followed.append(row) or columns_of(row, *rest)
    )
    rows = [row(task(each, f"task {each}", next_run=NOW + each / 100, period=50.0)) for each in range(1_000)]
    marks = timeline_marks(rows, NOW, ZOOMS[0], 60)
    assert sorted(marks) == [*range(10), *range(50, 60)]
    assert len(followed) == 20


def test_no_column_is_lost_by_following_only_some_tasks() -> None:
    chance = Random(7)
    for _ in range(20):
        rows = [
            row(
                task(
                    each,
                    f"task {each}",
                    next_run=NOW + due,
                    period=chance.choice([0.2, 1.7, 7.0, 33.3, None]),
                )
            )
            for each, due in enumerate(sorted(chance.uniform(-1, 60) for _ in range(100)))
        ]
        each_by_itself = [timeline_marks([each], NOW, ZOOMS[0], 103) for each in rows]
        marks = timeline_marks(rows, NOW, ZOOMS[0], 103)
        assert marks.keys() == {column for alone in each_by_itself for column in alone}
        assert {column for column, mark in marks.items() if not mark.thin} == {
            column for alone in each_by_itself for column, mark in alone.items() if not mark.thin
        }


def test_the_timeline_is_quick_for_a_task_that_runs_a_thousand_times_a_second() -> None:
    marks = timeline_marks([row(task(1, next_run=NOW, period=0.001))], NOW, ZOOMS[3], 100)
    assert len(marks) == 100


@pytest.mark.parametrize("zoom", ZOOMS)
@pytest.mark.parametrize("width", [0, 1, 5, 20, 100])
def test_the_axis_is_as_wide_as_asked(zoom: object, width: int) -> None:
    assert len(text(axis(zoom, width))) == width  # type: ignore[arg-type]


def test_a_command_that_does_not_apply_says_why() -> None:
    daily = row(task(1, "nightly", period=None, schedule="daily 03:30"))
    assert TABLE["task.slower"].why_not([daily]) == "nightly has no period: it runs daily 03:30"
    assert TABLE["task.stop"].why_not([daily]) == "nightly is not running"
    assert TABLE["task.enable"].why_not([daily]) == "nightly is enabled already"
    assert TABLE["task.disable"].why_not([row(task(2, disabled=True))]) == "heartbeat is disabled already"
    assert TABLE["task.run"].why_not([]) == "no task is selected"
    assert (
        TABLE["task.run"].why_not([daily], read_only=True)
        == "read-only: the tasks run, and no key changes them"
    )
    assert TABLE["task.details"].why_not([daily], read_only=True) is None


def test_a_command_goes_to_those_of_the_marked_that_it_applies_to() -> None:
    rows = [row(task(1)), row(task(2, disabled=True))]
    assert TABLE["task.disable"].why_not(rows) is None
    assert TABLE["task.disable"].applicable(rows) == (rows[0],)
    assert "none of the 2" in (TABLE["task.stop"].why_not(rows) or "")


def test_a_task_that_follows_others_says_so_in_place_of_a_countdown() -> None:
    load = row(task(name="load", next_run=None, follows=("extract", "fetch")))

    assert text(row_cells.due_in(load, NOW, 9)) == "after"
    assert text(row_cells.due_at(load, NOW, 9)) == "extract"
    waits = row(replace(load.task, waits_for=("fetch",)))
    assert text(row_cells.due_at(waits, NOW, 9)) == "fetch"
    assert text(row_cells.due_in(row(replace(load.task, disabled=True)), NOW, 9)) == "disabled"


def test_the_strip_shows_the_chain_of_a_selected_task_that_follows_others() -> None:
    first = row(task(name="extract", next_run=NOW + 30, period=None))
    load = row(task(name="load", next_run=None, follows=("extract", "unknown")))
    report = row(task(name="report", next_run=None, follows=("load",)))
    rows = {each.name: each for each in (first, load, report)}

    marks = marks_of_selected(report, NOW, ZOOMS[0], 60, rows.get)

    assert {(mark.name, mark.selected) for mark in marks.values()} == {("extract", True)}


def test_the_strip_shows_a_period_within_its_window_only() -> None:
    window = {"window": f"{at(NOW + 120):%H:%M}-{at(NOW + 300):%H:%M}", "timezone": "UTC"}
    limited = row(task(name="it", next_run=NOW + 120, period=60.0, limits=window))
    delayed = row(task(name="it", next_run=NOW + 120, period=60.0, fixed_delay=True))

    def minutes(shown: TaskRow) -> list[int]:
        return sorted(marks_of_selected(shown, NOW, ZOOMS[1], 10, {}.get))

    assert minutes(limited) == [2, 3, 4]
    assert minutes(delayed) == [2]
    assert minutes(row(task(name="it", next_run=NOW + 120, period=60.0))) == list(range(2, 10))


def at(instant: float) -> datetime:
    return datetime.fromtimestamp(instant, UTC)
