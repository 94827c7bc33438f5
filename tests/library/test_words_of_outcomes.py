"""Outcomes, triggers and skips have one form of words, and “soon” and “late” one threshold."""

from __future__ import annotations

import pytest

from taskkit import OutcomeKind, SkipReason, Trigger
from taskkit.outcome import FAILURES
from taskkit.words.outcomes import ended_words, outcome_mark, skip_counts, skip_words, trigger_words
from taskkit.words.task_colours import colour_of_task
from taskkit.words.urgency import is_imminent, is_late, is_near, is_unusually_long


def test_a_failure_has_another_mark_than_a_success_or_a_stop() -> None:
    marks = {kind: outcome_mark(kind) for kind in OutcomeKind}

    assert marks[OutcomeKind.SUCCEEDED] == "✓"
    assert marks[OutcomeKind.STOPPED] == "■"
    assert {marks[kind] for kind in FAILURES} == {"✗", "⊘"}


def test_an_end_reads_as_a_verb() -> None:
    assert ended_words(OutcomeKind.TIMED_OUT) == "timed out"
    assert ended_words(OutcomeKind.ABANDONED) == "was abandoned"


@pytest.mark.parametrize(
    ("trigger", "attempt", "words"),
    [
        (Trigger.SCHEDULE, 1, "schedule"),
        (Trigger.DEMAND, 1, "on demand"),
        (Trigger.RUN_NOW, 1, "by hand"),
        (Trigger.RETRY, 3, "try 3"),
        (Trigger.RUN_NOW, 2, "try 2"),
    ],
)
def test_a_retry_is_told_by_its_number(trigger: Trigger, attempt: int, words: str) -> None:
    assert trigger_words(trigger, attempt) == words


def test_every_reason_of_a_skip_is_explained() -> None:
    assert all(skip_words(reason) for reason in SkipReason)
    assert skip_counts({SkipReason.OVERLAP: 1_200, SkipReason.MISSED: 1}) == "1,200 overlap, 1 missed"


def test_soon_and_late_have_one_threshold_each() -> None:
    assert [is_imminent(100 + left, 100) for left in (-1, 3, 3.1)] == [True, True, False]
    assert [is_near(100 + left, 100) for left in (-1, 59, 60)] == [True, True, False]
    assert [is_late(seconds) for seconds in (0.9, 1.0)] == [False, True]
    assert [is_unusually_long(spent, 1.0) for spent in (2.9, 3.0, 3.1)] == [False, False, True]
    assert not is_unusually_long(0.5, 0.01)


def test_a_task_keeps_its_colour() -> None:
    colours = range(8)

    assert colour_of_task("heartbeat", colours) == colour_of_task("heartbeat", colours)
    assert {colour_of_task(f"task {number}", colours) for number in range(200)} == set(colours)
    assert colour_of_task("\udc80", colours) in colours
