"""The rows and their order, without a screen."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from fake_backend import FAILED, HALF, NOW, RETRY, figures, on_demand, past, row, running, task
from hypothesis import given
from hypothesis import strategies as st

from taskkit import Changes, OutcomeKind, Progress, RetrySnapshot, SkipReason, TaskSnapshot, Trigger
from taskkit_tui.viewmodel import row_cells, running_cells
from taskkit_tui.viewmodel.applicability import applicable, why_not
from taskkit_tui.viewmodel.columns import PLANS, SCHEDULED, place_columns
from taskkit_tui.viewmodel.filtering import RowFilter
from taskkit_tui.viewmodel.header import fitting, headline, side_notes
from taskkit_tui.viewmodel.model import GLIMPSE, Sorting, TaskModel
from taskkit_tui.viewmodel.pieces import Cell, Tone
from taskkit_tui.viewmodel.row import Place
from taskkit_tui.viewmodel.schedule_words import schedule_words
from taskkit_tui.viewmodel.timeline import ZOOMS, axis, timeline_marks


def model_of(*tasks: TaskSnapshot, time: float = NOW) -> TaskModel:
    model = TaskModel()
    model.apply(Changes(figures(tasks, time), tasks, ()))
    return model


def change(model: TaskModel, *tasks: TaskSnapshot, gone: tuple[int, ...] = (), time: float = NOW) -> None:
    model.apply(Changes(figures(tasks, time), tasks, gone))


def names(model: TaskModel, place: Place = Place.SCHEDULED) -> list[str]:
    rows = model.panel(place)
    return [each.name for each in rows.window(0, len(rows))]


def text(cell: Cell) -> str:
    return "".join(piece.text for piece in cell)


def tones(cell: Cell) -> set[Tone]:
    return {piece.tone for piece in cell}


def test_each_task_is_in_the_panel_of_its_state() -> None:
    model = model_of(task(1), running(2), on_demand(3))
    assert [len(model.panel(place)) for place in Place] == [1, 1, 1]


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
    assert (len(model.panel(Place.SCHEDULED)), len(model.panel(Place.RUNNING))) == (0, 1)
    change(model, task(1))
    assert (len(model.panel(Place.SCHEDULED)), len(model.panel(Place.RUNNING))) == (1, 0)


def test_a_run_that_is_over_in_a_glimpse_does_not_move_its_row() -> None:
    model = model_of(task(1))
    change(model, running(1, "heartbeat", since=0.01))
    assert len(model.panel(Place.SCHEDULED)) == 1
    assert model.holds_back

    change(model, task(1, next_run=NOW + 40))
    assert not model.holds_back
    assert model.row(1) == row(task(1, next_run=NOW + 40))


def test_a_run_that_goes_on_moves_its_row_a_moment_later() -> None:
    model = model_of(task(1))
    change(model, running(1, "heartbeat", since=0.01))
    change(model, time=NOW + GLIMPSE)
    assert names(model, Place.RUNNING) == ["heartbeat"]


def test_a_run_that_somebody_asked_for_moves_its_row_at_once() -> None:
    model = model_of(task(1))
    change(model, running(1, "heartbeat", since=0.01, trigger=Trigger.DEMAND))
    assert names(model, Place.RUNNING) == ["heartbeat"]


def test_a_task_that_is_gone_leaves_every_list() -> None:
    model = model_of(task(1), task(2, "other"))
    model.marked.add(1)
    change(model, gone=(1,))
    assert names(model) == ["other"]
    assert model.total(Place.SCHEDULED) == 1
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


def test_of_two_rows_of_one_name_commands_mean_the_newer() -> None:
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
def test_the_order_is_that_of_sorting_everything_anew(data: st.DataObject) -> None:
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
        rows = model.panel(Place.SCHEDULED)
        expected = sorted(current.values(), key=lambda each: (each.next_run, each.number))
        assert [each.number for each in rows.window(0, 99)] == [each.number for each in expected]
        for position, each in enumerate(expected):
            assert rows.position(each.number) == position


def test_sorting_by_another_column_and_turning_it_round() -> None:
    model = model_of(task(1, "b"), task(2, "a"), task(3, "c"))
    by_name = SCHEDULED.column("name")
    model.sort(Place.SCHEDULED, Sorting(by_name))
    assert names(model) == ["a", "b", "c"]
    model.sort(Place.SCHEDULED, Sorting(by_name, reverse=True))
    assert names(model) == ["c", "b", "a"]
    rows = model.panel(Place.SCHEDULED)
    assert [each.name for each in rows.window(1, 3)] == ["b", "a"]
    assert rows.position(3) == 0
    with pytest.raises(ValueError, match="status"):
        model.sort(Place.SCHEDULED, Sorting(SCHEDULED.column("status")))


@pytest.mark.parametrize("place", Place)
def test_every_sortable_column_sorts_every_kind_of_row(place: Place) -> None:
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
    assert model.total(Place.SCHEDULED) == 3

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


def test_text_that_is_no_regular_expression_is_looked_for_as_it_stands() -> None:
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


def test_missed_is_only_what_nobody_was_there_to_start() -> None:
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


def test_a_run_that_takes_far_longer_than_usual_stands_out_and_says_what_is_usual() -> None:
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


def test_no_terminal_obeys_what_a_run_says_of_its_progress() -> None:
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
                    shown = text(column.paint(row(each), NOW, room))
                    if room >= column.least:
                        assert cell_len(shown) <= room, (plan.title, column.key, room, shown)


def test_at_eighty_columns_names_have_all_the_room_that_they_need() -> None:
    def room(place: Place, key: str) -> int:
        placed = place_columns(PLANS[place].columns, 30)  # what is left beside the scheduled tasks
        return next(each.width for each in placed if each.column.key == key)

    assert room(Place.RUNNING, "name") == len("long haul")
    assert room(Place.ON_DEMAND, "name") == len("rebuild site")
    assert room(Place.RUNNING, "progress") == len("stop 4 min")


def test_at_a_hundred_and_twenty_columns_names_on_demand_come_before_longer_words_for_the_state() -> None:
    placed = place_columns(PLANS[Place.ON_DEMAND].columns, 38)  # what is left beside the scheduled tasks
    room = {each.column.key: each.width for each in placed}
    assert room == {"status": 1, "name": 15, "state": len("waiting"), "last": len("✓ 59 min ago")}
    shown = row_cells.name(row(on_demand(1, "what is running")), NOW, room["name"])
    assert text(shown) == "what is running"


def test_when_it_last_ran_is_said_in_the_same_way_in_all_rows() -> None:
    def said(ago: float, width: int) -> str:
        return text(row_cells.last_ago(row(on_demand(1, past=past(1.0, ago=ago))), NOW, width))

    agos = (0.1, 1, 59, 59 * 60, 23 * 3600, 99 * 86400)
    assert [said(ago, 9) for ago in agos[1:4]] == ["✓ 1s ago", "✓ 59s ago", "✓ 59m ago"]
    assert [said(ago, 12) for ago in agos[1:4]] == ["✓ 1 s ago", "✓ 59 s ago", "✓ 59 min ago"]
    assert not any("…" in said(ago, width) for ago in agos for width in (9, 10, 11, 12))


def test_what_a_narrow_panel_says_of_a_run_is_whole() -> None:
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
def test_a_schedule_is_said_in_fewer_words_before_it_is_cut(schedule: str, said: dict[int, str]) -> None:
    assert {width: schedule_words(schedule, width) for width in said} == said


def laid_out(place: Place, width: int, **contents: int) -> dict[str, int]:
    return {each.column.key: each.width for each in place_columns(PLANS[place].columns, width, contents)}


def test_names_get_what_the_longest_needs_and_schedules_the_rest() -> None:
    room = laid_out(Place.SCHEDULED, 74, name=9, schedule=18)
    assert (room["name"], room["schedule"]) == (9, 18)
    assert laid_out(Place.SCHEDULED, 74, name=3, schedule=40)["name"] == len("NAME")
    room = laid_out(Place.SCHEDULED, 74, name=30, schedule=9, last=11)
    assert room["name"] > 20
    assert room["schedule"] == 9
    assert laid_out(Place.SCHEDULED, 126, name=30, schedule=60)["name"] == 30


def test_a_schedule_leaves_only_where_its_shortest_words_find_no_room() -> None:
    assert laid_out(Place.SCHEDULED, 42, name=9, schedule=18, last=11)["schedule"] == 8
    assert "schedule" not in laid_out(Place.SCHEDULED, 42, name=10, schedule=18, last=11)


def test_what_runs_without_telling_how_far_it_has_come_leaves_the_room_to_names() -> None:
    room = laid_out(Place.RUNNING, 30, name=14, progress=0)
    assert room == {"status": 1, "name": 14, "elapsed": 13}
    assert "name" in laid_out(Place.RUNNING, 10, **model_of(running(1, "")).contents(Place.RUNNING))
    assert laid_out(Place.RUNNING, 38, name=9, elapsed=21, progress=22)["elapsed"] == 13
    assert laid_out(Place.RUNNING, 64, name=9, elapsed=21, progress=22)["elapsed"] == 21
    room = laid_out(Place.RUNNING, 38, name=14, progress=22)
    assert (room["name"], room["progress"]) == (14, 10)


def test_a_column_grows_at_once_and_shrinks_only_when_a_task_is_gone() -> None:
    def widths(place: Place = Place.SCHEDULED) -> tuple[int, int]:
        contents = model.contents(place)
        return contents["name"], contents.get("schedule", 0)

    model = model_of(task(1, "heartbeat"), task(2, "rebuild the site"), task(3, "漢字"))
    assert widths() == (16, len("every 30 s"))
    change(model, task(1, "heartbeat", schedule="every 1 h 30 min"))
    assert widths() == (16, 16)
    change(model, task(1, "heartbeat", schedule="every 5 s"), running(2, "rebuild the site"))
    assert widths() == (16, 16)
    assert widths(Place.RUNNING) == (16, 0)
    change(model, task(2, "rebuild the site"))
    assert widths(Place.RUNNING) == (16, 0)
    change(model, gone=(1,))
    assert widths() == (16, len("every 30 s"))
    change(model, gone=(2,))
    assert widths() == (4, len("every 30 s"))
    change(model, gone=(3,))
    assert not any(model.contents(place) for place in Place)


@given(st.data())
def test_the_widths_are_those_of_measuring_everything_anew(data: st.DataObject) -> None:
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
            been[number] = max(been.get(number, 0), min(width, SCHEDULED.column("schedule").most))
        assert model.contents(Place.SCHEDULED).get("schedule") == max(been.values(), default=None)


def test_a_look_measures_only_what_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_of(*(task(number, f"task {number}") for number in range(1, 1000)))
    measured: list[str] = []
    monkeypatch.setattr(row_cells, "words_cells", lambda schedule: measured.append(schedule) or len(schedule))
    change(model, task(7, "task 7", next_run=NOW + 3))
    assert model.contents(Place.SCHEDULED)["name"] == len("task 999")
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


def test_columns_leave_in_the_order_of_their_importance() -> None:
    def left(width: int) -> list[str]:
        return [placed.column.key for placed in place_columns(SCHEDULED.columns, width)]

    everything = ["status", "name", "schedule", "next", "clock", "last", "runs"]
    assert left(90) == everything
    assert left(70) == [key for key in everything if key != "runs"]
    assert left(60) == [key for key in everything if key not in {"runs", "clock"}]
    assert left(44) == ["status", "name", "next", "last"]
    assert left(30) == ["status", "name", "next", "last"]


def test_the_headline_has_its_fixed_words_and_gives_way_from_the_least() -> None:
    shown = figures([task(1), running(2), task(3, disabled=True), task(4, past=FAILED)])

    def line(width: int, *notes: str) -> str:
        return text(fitting(headline(shown, notes), side_notes(shown), width))

    assert line(120).startswith(" taskkit ● running  4 tasks  1 running  1 disabled  1 failing ")
    assert "4 threads · late p99 0.4 ms" in line(120)
    assert "read-only" in line(120, "read-only")
    assert "1 failing" in line(30)
    for width in range(1, 140):
        assert len(line(width)) <= max(width, 10)


def test_what_is_paused_says_so() -> None:
    assert "∥ paused" in text(headline(figures(paused=True))[1].pieces)


def test_the_timeline_marks_every_due_time_in_its_column() -> None:
    marks = timeline_marks([row(task(1, "a", next_run=NOW + 10, period=20.0))], NOW, ZOOMS[0], 60)
    assert sorted(marks) == [10, 30, 50]


def test_on_the_timeline_the_rare_is_drawn_before_the_frequent_and_the_selected_before_all() -> None:
    often = row(task(1, "often", next_run=NOW + 1, period=1.0))
    rare = row(task(2, "rare", next_run=NOW + 10, period=300.0))
    marks = timeline_marks([often, rare], NOW, ZOOMS[0], 60)
    assert (marks[10].name, marks[10].thin, marks[11].thin) == ("rare", False, True)
    assert timeline_marks([often, rare], NOW, ZOOMS[0], 60, selected=1)[10].name == "often"


def test_the_timeline_is_quick_for_a_task_that_runs_a_thousand_times_a_second() -> None:
    marks = timeline_marks([row(task(1, next_run=NOW, period=0.001))], NOW, ZOOMS[3], 100)
    assert len(marks) == 100


@pytest.mark.parametrize("zoom", ZOOMS)
@pytest.mark.parametrize("width", [0, 1, 5, 20, 100])
def test_the_axis_is_as_wide_as_asked(zoom: object, width: int) -> None:
    assert len(text(axis(zoom, width))) == width  # type: ignore[arg-type]


def test_a_command_that_does_not_apply_says_why() -> None:
    daily = row(task(1, "nightly", period=None, schedule="daily 03:30"))
    assert why_not("slower", [daily]) == "nightly has no period: it runs daily 03:30"
    assert why_not("stop", [daily]) == "nightly is not running"
    assert why_not("enable", [daily]) == "nightly is enabled already"
    assert why_not("disable", [row(task(2, disabled=True))]) == "heartbeat is disabled already"
    assert why_not("run_now", []) == "no task is selected"
    assert why_not("run_now", [daily], read_only=True) == "read-only: this dashboard only looks"
    assert why_not("details", [daily], read_only=True) is None


def test_a_command_goes_to_those_of_the_marked_that_it_applies_to() -> None:
    rows = [row(task(1)), row(task(2, disabled=True))]
    assert why_not("disable", rows) is None
    assert applicable("disable", rows) == (rows[0],)
    assert "none of the 2" in (why_not("stop", rows) or "")
