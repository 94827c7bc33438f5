"""Events as lines and as JSON objects, and the thread that writes them."""

from __future__ import annotations

import dataclasses
import errno
import io
import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event as Flag

import pytest
from patience import PATIENCE, eventually

import taskkit.events
from taskkit import (
    ChangeKind,
    ClockJumped,
    Event,
    Outcome,
    OutcomeKind,
    OutputLine,
    OutputWritten,
    Progress,
    RunFinished,
    RunProgressed,
    RunSkipped,
    RunStarted,
    SchedulerPaused,
    SchedulerResumed,
    SchedulerStarted,
    SchedulerStopped,
    SkipReason,
    Stream,
    TaskChanged,
    TaskRegistered,
    TaskUnregistered,
    Trigger,
    UnregisterReason,
)
from taskkit.cli.console import Console
from taskkit.cli.event_lines import Detail, EventLines
from taskkit.cli.json_output import event_objects, json_line
from taskkit.cli.output_writer import OutputWriter

AT = 1_800_000_000.0

OUTCOME = Outcome(
    kind=OutcomeKind.SUCCEEDED,
    trigger=Trigger.SCHEDULE,
    run=7,
    due=AT,
    started=AT,
    finished=AT + 1,
    duration=0.003,
    lateness=0.0,
    result=42,
)
FAILED = dataclasses.replace(
    OUTCOME,
    kind=OutcomeKind.FAILED,
    result=None,
    exception="ValueError: no\x1bluck",
    traceback="Traceback:\n  no luck\n",
)


def output(*texts: str, dropped: int = 0) -> OutputWritten:
    return OutputWritten(
        AT, "feed", 7, tuple(OutputLine(AT + 0.25, Stream.STDOUT, text, 20) for text in texts), dropped
    )


EVENTS: list[tuple[Event, Detail, list[str]]] = [
    (output("one", "two\r", "three"), Detail.QUIET, ["one", "three"]),
    (output("x", dropped=12), Detail.QUIET, ["… 12 lines lost: written faster than they were read", "x"]),
    (RunStarted(AT, "feed", 7, Trigger.SCHEDULE, AT, 1), Detail.NORMAL, ["▶ started"]),
    (RunStarted(AT + 90, "feed", 7, Trigger.SCHEDULE, AT, 1), Detail.NORMAL, ["▶ started, 1 min 30 s late"]),
    (RunStarted(AT, "feed", 7, Trigger.DEMAND, AT, 1), Detail.NORMAL, ["▶ started on demand"]),
    (RunStarted(AT, "feed", 7, Trigger.RETRY, AT, 2), Detail.NORMAL, ["▶ started, try 2"]),
    (RunProgressed(AT, "feed", 7, Progress(2, 5, "pages")), Detail.VERBOSE, ["… 2 of 5 pages"]),
    (RunFinished(AT, "feed", 7, OUTCOME), Detail.NORMAL, ["✓ succeeded after 3 ms → 42"]),
    (
        RunFinished(AT, "feed", 7, FAILED),
        Detail.QUIET,
        ["✗ failed after 3 ms: ValueError: no\x1bluck", "  Traceback:", "    no luck"],
    ),
    (
        RunFinished(AT, "feed", 7, dataclasses.replace(OUTCOME, kind=OutcomeKind.STOPPED, result=None)),
        Detail.NORMAL,
        ["■ stopped after 3 ms"],
    ),
    (
        RunFinished(AT, "feed", 7, dataclasses.replace(OUTCOME, kind=OutcomeKind.TIMED_OUT, result=None)),
        Detail.QUIET,
        ["✗ timed out after 3 ms"],
    ),
    (
        RunSkipped(AT, "feed", SkipReason.OVERLAP, 1, AT, AT),
        Detail.NORMAL,
        ["· skipped 1 due time: overlap, TIME"],
    ),
    (
        RunSkipped(AT, "feed", SkipReason.MISSED, 3, AT, AT + 20),
        Detail.NORMAL,
        ["· skipped 3 due times: missed, from TIME to TIME"],
    ),
    (TaskRegistered(AT, "feed", "every 1 h", AT), Detail.NORMAL, ["+ registered, every 1 h, next TIME"]),
    (TaskUnregistered(AT, "feed", UnregisterReason.DONE, 3), Detail.NORMAL, ["- done: it had its 3 runs"]),
    (TaskUnregistered(AT, "feed", UnregisterReason.DONE, 1), Detail.NORMAL, ["- done: it had its only run"]),
    (
        TaskUnregistered(AT, "feed", UnregisterReason.DONE),
        Detail.NORMAL,
        ["- gone: its time passed without a run"],
    ),
    (TaskUnregistered(AT, "feed", UnregisterReason.UNREGISTERED), Detail.NORMAL, ["- unregistered"]),
    (TaskUnregistered(AT, "feed", UnregisterReason.REPLACED), Detail.VERBOSE, ["- replaced"]),
    (TaskChanged(AT, "feed", ChangeKind.DISABLED, False, True), Detail.NORMAL, ["∥ disabled"]),
    (TaskChanged(AT, "feed", ChangeKind.DISABLED, True, False), Detail.NORMAL, ["∥ enabled"]),
    (TaskChanged(AT, "feed", ChangeKind.STOPPING, False, True), Detail.NORMAL, ["■ asked to stop"]),
    (TaskChanged(AT, "feed", ChangeKind.AGAIN, False, True), Detail.VERBOSE, ["▶ demanded again"]),
    (
        TaskChanged(AT, "feed", ChangeKind.PERIOD, 5.0, 90.0),
        Detail.NORMAL,
        ["~ period: 1 min 30 s, was 5 s"],
    ),
    (
        TaskChanged(AT, "feed", ChangeKind.SCHEDULE, "on demand", "once"),
        Detail.NORMAL,
        ["~ schedule: once, was on demand"],
    ),
    (SchedulerStarted(AT), Detail.NORMAL, ["started"]),
    (SchedulerPaused(AT), Detail.NORMAL, ["paused: no task falls due until it is resumed"]),
    (SchedulerResumed(AT), Detail.NORMAL, ["resumed"]),
    (ClockJumped(AT, -3600), Detail.NORMAL, ["the clock was set back by 1 h"]),
    (SchedulerStopped(AT, (), 0), Detail.NORMAL, ["stopped"]),
    (
        SchedulerStopped(AT, ("feed",), 2),
        Detail.QUIET,
        ["stopped; 1 run abandoned; 2 pending runs never started"],
    ),
]


def said(event: Event, detail: Detail) -> list[str]:
    lines = EventLines(Console(io.StringIO()), detail, ["feed"]).of(event)
    return [
        re.sub(r"\d\d:\d\d:\d\d$|(?<=from )\d\d:\d\d:\d\d", "TIME", line.split(" │ ", 1)[1]) for line in lines
    ]


@pytest.mark.parametrize(("event", "least", "words"), EVENTS)
def test_each_event_is_shown_from_its_level_of_detail_on(
    event: Event, least: Detail, words: list[str]
) -> None:
    for detail in Detail:
        assert said(event, detail) == (words if detail >= least else [])


def test_every_kind_of_event_has_a_line_and_an_object() -> None:
    kinds = {
        each
        for each in vars(taskkit.events).values()
        if isinstance(each, type) and issubclass(each, Event) and each.__name__ not in {"Event", "TaskEvent"}
    }
    assert {type(event) for event, _, _ in EVENTS} == kinds
    assert all(list(event_objects(event)) for event, _, _ in EVENTS)


@pytest.mark.parametrize(("event", "least", "words"), EVENTS)
def test_each_object_has_its_kind_and_time(event: Event, least: Detail, words: list[str]) -> None:
    for values in event_objects(event):
        shown = json.loads(json_line(values))
        assert re.fullmatch("[a-z_]+", shown["event"])
        assert shown["time"] >= AT
        assert ("task" in shown) == hasattr(event, "name")


def test_each_event_has_the_keys_that_the_manual_lists() -> None:
    manual = (Path(__file__).parents[2] / "docs/command.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \|([^|]*)\|", manual, re.MULTILINE))
    for event, _, _ in EVENTS:
        for values in event_objects(event):
            promised = set(re.findall(r"`(\w+)`", rows[str(values["event"])]))
            assert set(values) - {"event", "time", "task"} == promised


def test_an_object_is_one_line_of_ascii_whatever_a_task_writes() -> None:
    values = {"text": "Grüße\n\x1b\udcff", "result": float("nan"), "list": [float("inf")], "map": {1: object}}
    line = json_line(values)
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line)["result"] == "nan"


def test_times_and_names_are_aligned() -> None:
    lines = EventLines(Console(io.StringIO()), Detail.NORMAL, ["a", "longer name"])
    shown = [
        *lines.of(TaskUnregistered(AT, "a", UnregisterReason.UNREGISTERED)),
        *lines.of(TaskUnregistered(AT, "漢字", UnregisterReason.DONE, 1)),
    ]

    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.000 a           │ - unregistered", shown[0])
    assert shown[1].endswith(" 漢字        │ - done: it had its only run")


# The thread that writes


class Pipe:
    """A pipe for an `OutputWriter`."""

    def __init__(self) -> None:
        self.reading, self.writing = os.pipe()
        self.open = {self.reading, self.writing}

    def close(self, descriptor: int) -> None:
        self.open.discard(descriptor)
        os.close(descriptor)


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    pipe = Pipe()
    yield pipe
    for descriptor in tuple(pipe.open):
        pipe.close(descriptor)


def output_writer(
    descriptor: int,
    *,
    encoding: str = "utf-8",
    render: Callable[[str], list[str]] = lambda text: [text],
    on_closed: Callable[[], object] = lambda: None,
    on_error: Callable[[OSError], object] = lambda error: None,
    max_bytes: int = 1_000_000,
) -> OutputWriter[str]:
    return OutputWriter(
        descriptor, encoding, render, lambda count: f"{count} lost", on_closed, on_error, max_bytes
    )


def test_items_are_written_in_order(pipe: Pipe) -> None:
    writer = output_writer(pipe.writing)
    writer.start()
    for number in range(100):
        writer.put(str(number))
    assert writer.close(PATIENCE)
    assert os.read(pipe.reading, 10_000).decode().split() == [str(number) for number in range(100)]


def test_characters_that_the_encoding_lacks_are_written_as_escapes(pipe: Pipe) -> None:
    writer = output_writer(pipe.writing, encoding="ascii")
    writer.start()
    writer.put("│ \udcff")
    assert writer.close(PATIENCE)
    assert os.read(pipe.reading, 100) == b"\\u2502 \\udcff\n"


def test_a_slow_reader_gets_the_number_of_lost_items(pipe: Pipe) -> None:
    gate, begun = Flag(), Flag()

    def render(text: str) -> list[str]:
        begun.set()
        assert gate.wait(PATIENCE)
        return [text]

    writer = output_writer(pipe.writing, render=render, max_bytes=1000)
    writer.start()
    writer.put("first")
    assert begun.wait(PATIENCE)
    for number in range(10):
        writer.put(str(number))
    gate.set()
    eventually(lambda: (writer.put("later"), b"lost" in os.read(pipe.reading, 10_000))[1])
    assert writer.close(PATIENCE)


def test_a_reader_that_goes_away_is_reported_once_and_the_writer_drops_the_rest(pipe: Pipe) -> None:
    closed: list[None] = []
    writer = output_writer(pipe.writing, on_closed=lambda: closed.append(None))
    pipe.close(pipe.reading)
    writer.start()
    for _ in range(100):
        writer.put("x")
    assert writer.close(PATIENCE)
    assert closed == [None]


def test_a_full_disk_is_reported_and_does_not_end_the_writer() -> None:
    troubles: list[OSError] = []
    full = os.open("/dev/full", os.O_WRONLY)
    writer = output_writer(full, on_error=troubles.append)
    writer.start()
    writer.put("x")
    eventually(lambda: troubles)
    writer.put("x")
    assert writer.close(PATIENCE)
    os.close(full)
    assert [error.errno for error in troubles] == [errno.ENOSPC]


def test_a_descriptor_that_does_not_block_is_waited_for(pipe: Pipe) -> None:
    os.set_blocking(pipe.writing, False)
    writer = output_writer(pipe.writing)
    writer.start()
    writer.put("x" * 200_000)
    read = 0
    while read < 200_001:
        read += len(os.read(pipe.reading, 10_000))
    assert writer.close(PATIENCE)


def test_an_item_that_cannot_be_rendered_is_logged_and_the_next_is_written(
    pipe: Pipe, caplog: pytest.LogCaptureFixture
) -> None:
    writer = output_writer(pipe.writing, render=lambda text: [text[5]])
    writer.start()
    writer.put("short")
    writer.put("long enough")
    assert writer.close(PATIENCE)
    assert os.read(pipe.reading, 100) == b"e\n"
    assert "str could not be written" in caplog.text
