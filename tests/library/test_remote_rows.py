"""Rows: whatever a scheduler can tell survives the way to another process and back."""

from __future__ import annotations

from contextlib import suppress
from math import inf, isnan, nan
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskkit import (
    Every,
    Figures,
    Outcome,
    OutcomeKind,
    Parameter,
    Scheduler,
    Skip,
    SkipReason,
    TaskDetails,
    TaskSnapshot,
    TaskState,
    Trigger,
)
from taskkit._helpers.frozen_dict import FrozenDict
from taskkit.remote.errors import ProtocolError
from taskkit.remote.protocol import decode, encode
from taskkit.remote.rows import RowReader, check_columns, own_columns, read_chunk, read_time, to_row
from taskkit.testing import ManualClock

TIMES = st.floats(allow_nan=False, allow_infinity=False)
OUTCOMES = st.builds(
    Outcome,
    kind=st.sampled_from(OutcomeKind),
    trigger=st.sampled_from(Trigger),
    run=st.integers(),
    due=TIMES,
    started=st.none() | TIMES,
    finished=TIMES,
    duration=TIMES,
    lateness=TIMES,
    result=st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters()),
    exception=st.none() | st.text(st.characters()),
    traceback=st.none() | st.text(st.characters()),
    skipped=st.dictionaries(st.sampled_from(SkipReason), st.integers()).map(FrozenDict),
    output=st.lists(st.text(st.characters())).map(tuple),
    task=st.text(st.characters()),
)
SKIPS = st.builds(Skip, st.sampled_from(SkipReason), st.integers(), TIMES, TIMES)


def there_and_back(value: object) -> object:
    sent = decode(encode({"row": to_row(value)})[:-1])
    return RowReader(own_columns()).read(type(value), sent["row"])


@given(OUTCOMES)
def test_an_outcome_arrives_as_it_was(outcome: Outcome) -> None:
    assert there_and_back(outcome) == outcome


@pytest.mark.parametrize("result", [inf, -inf, 10**199, True, "\ud800\x1b[31m", "~"])
def test_odd_results_arrive_as_they_were(result: object) -> None:
    outcome = Outcome(OutcomeKind.SUCCEEDED, Trigger.DEMAND, 1, 0.0, 0.0, 1.0, 1.0, 0.0, result=result)

    assert there_and_back(outcome) == outcome


def test_a_result_that_is_no_number_arrives_as_such() -> None:
    outcome = Outcome(OutcomeKind.SUCCEEDED, Trigger.DEMAND, 1, 0.0, 0.0, 1.0, 1.0, 0.0, result=nan)
    arrived = there_and_back(outcome)

    assert isinstance(arrived, Outcome)
    assert isinstance(arrived.result, float)
    assert isnan(arrived.result)


def test_a_default_that_no_json_writer_takes_arrives_in_words() -> None:
    arrived = there_and_back(Parameter("seed", "int", default=1 << 20_000))

    assert arrived == Parameter("seed", "int", default="a number of 20,001 bits")


def test_whatever_a_scheduler_tells_of_its_tasks_arrives(scheduler: Scheduler, clock: ManualClock) -> None:
    class Fails:
        run_parameters: ClassVar = {"where": "here", "often": 3}

        def __call__(self) -> None:
            raise ConnectionError("gone\0")

    scheduler.add_periodic_task(None, 10, Fails(), "fails \u200d", retries=3, description="\x1b[1m")
    scheduler.add_daily_task(3, 30, lambda: 7, "daily", tz="Europe/Berlin")
    scheduler.add_on_demand_task(lambda: None, "on demand")
    scheduler.disable_task("daily")
    clock.advance(25)
    clock.stall(100)
    scheduler.set_period("fails \u200d", 20, override=True)
    snapshot = scheduler.snapshot()

    assert there_and_back(snapshot.figures) == snapshot.figures
    for task in snapshot.tasks:
        assert there_and_back(task) == task
        details = scheduler.describe(task.name)
        assert isinstance(details, TaskDetails)
        assert there_and_back(details) == details


@given(st.lists(SKIPS | OUTCOMES, max_size=5))
def test_a_history_of_runs_and_skips_arrives_in_its_order(history: list[Outcome | Skip]) -> None:
    with Scheduler(clock=ManualClock(), capture=False) as scheduler:
        scheduler.add_task(Every(10), print, "task")
        task = scheduler.snapshot().tasks[0]
    details = TaskDetails(task, "", FrozenDict(), None, (), tuple(history), (), ())

    assert there_and_back(details) == details


def test_a_column_that_is_not_known_is_ignored_and_a_missing_one_has_its_default() -> None:
    columns = {name: list(names) for name, names in own_columns().items()}
    row: list[object] = [*to_row(Skip(SkipReason.OVERLAP, 3, 1.0, 2.0)), "new"]
    columns["skip"].append("weather")
    del columns["skip"][2], row[2]

    assert RowReader(columns).read(Skip, row) == Skip(SkipReason.OVERLAP, 3, 0.0, 2.0)


def test_a_whole_kind_without_columns_has_all_its_defaults() -> None:
    read = RowReader({}).read(TaskSnapshot, [])

    assert (read.name, read.state, read.run, read.skipped) == ("", TaskState.SCHEDULED, None, {})


def test_a_member_that_a_newer_service_knows_becomes_the_fallback() -> None:
    row = to_row(Skip(SkipReason.OVERLAP, 3, 1.0, 2.0))
    row[0] = "holiday"

    assert RowReader(own_columns()).read(Skip, row).reason is SkipReason.MISSED


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=20) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)


@given(JUNK, st.sampled_from([Figures, TaskSnapshot, TaskDetails, Outcome, Skip]))
def test_whatever_is_no_row_is_refused(junk: object, kind: type) -> None:
    with pytest.raises(ProtocolError):
        RowReader(own_columns()).read(kind, junk)


@given(st.data())
def test_a_value_of_a_wrong_type_in_any_column_is_refused_or_read(data: st.DataObject) -> None:
    row = to_row(Outcome(OutcomeKind.FAILED, Trigger.SCHEDULE, 1, 0.0, 0.0, 1.0, 1.0, 0.0))
    row[data.draw(st.integers(0, len(row) - 1))] = data.draw(JUNK)

    with suppress(ProtocolError):
        assert isinstance(RowReader(own_columns()).read(Outcome, row), Outcome)


@pytest.mark.parametrize("columns", [None, [], {"task": "name"}, {"task": [1]}])
def test_columns_are_lists_of_names(columns: object) -> None:
    with pytest.raises(ProtocolError):
        check_columns(columns)


@pytest.mark.parametrize("value", [nan, inf, -inf, 10**400, "1", None, True])
def test_a_time_that_is_no_finite_number_is_refused(value: object) -> None:
    skip = Skip(SkipReason.OVERLAP, 1, 0.0, 0.0)
    row = to_row(skip)
    row[2] = value
    with pytest.raises(ProtocolError):
        RowReader(own_columns()).read(Skip, row)
    with pytest.raises(ProtocolError):
        read_time(value)


@pytest.mark.parametrize("time", [-1.0, 253_402_300_799.0, 1e300])
def test_a_time_without_a_date_is_refused_where_it_is_written_as_one(time: float) -> None:
    with pytest.raises(ProtocolError, match="not a time"):
        read_time(time)


def test_lines_of_a_run_arrive_and_an_unknown_stream_is_standard_output() -> None:
    lines = [[1.5, "stderr", 30, "x"], [2, "holograms", 20, "y", "of a newer version"]]
    event = read_chunk({"name": "task", "run": 7, "dropped": 3, "lines": lines}, 9.0)

    assert (event.at, event.name, event.run, event.dropped) == (9.0, "task", 7, 3)
    assert [(line.time, str(line.stream), line.level, line.text) for line in event.lines] == [
        (1.5, "stderr", 30, "x"),
        (2.0, "stdout", 20, "y"),
    ]


@given(JUNK | st.fixed_dictionaries({"name": st.text(), "run": st.integers(), "lines": st.lists(JUNK)}))
def test_what_are_no_lines_of_a_run_is_refused(junk: object) -> None:
    with suppress(ProtocolError):
        read_chunk(junk, 0.0)
