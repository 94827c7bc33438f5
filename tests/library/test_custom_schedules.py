"""T8: a custom schedule that raises, or gives an impossible answer, harms its own task only."""

from __future__ import annotations

import logging
from collections.abc import Callable
from math import inf, nan
from typing import Any

import pytest
from doing import Doing
from recorder import Events

from taskkit import Every, Schedule, Scheduler, SkipReason, TaskRegistered, TaskState
from taskkit.testing import ManualClock


class Answers(Schedule):
    """Answers five seconds later so many times, and then as it is told."""

    follows_wall_clock = True
    repeats = True

    def __init__(self, good: int, then: Callable[[float], Any]) -> None:
        self.good = good
        self.asked = 0
        self.then = then

    def next_after(self, instant: float) -> float | None:
        self.asked += 1
        return instant + 5 if self.asked <= self.good else self.then(instant)

    def __str__(self) -> str:
        return "as it is told"


def raises(_: float) -> float:
    raise RuntimeError("no idea")


def exits(_: float) -> float:
    raise SystemExit("no idea")


def is_interrupted(_: float) -> float:
    raise KeyboardInterrupt("no idea")


RAISE = (raises, exits, is_interrupted)

BAD = {
    "raises": raises,
    "exits": exits,
    "is interrupted": is_interrupted,
    "the same instant": lambda instant: instant,
    "an earlier one": lambda instant: instant - 1,
    "infinity": lambda _: inf,
    "no number": lambda _: nan,
    "a text": str,
    "a truth": lambda _: True,
}
bad = pytest.mark.parametrize("then", BAD.values(), ids=BAD)


class TestNextAfter:
    @bad
    def test_its_task_falls_due_no_more_and_the_others_go_on(
        self,
        scheduler: Scheduler,
        clock: ManualClock,
        events: Events,
        start: float,
        caplog: pytest.LogCaptureFixture,
        then: Callable[[float], Any],
    ) -> None:
        handle = scheduler.add_task(Answers(2, then), Doing(), "it")
        other = scheduler.add_periodic_task(None, 10, Doing(), "other")
        clock.advance(60)

        assert events.dues("it") == [start + 5, start + 10]
        assert (handle.state, handle.next_run, other.run_count) == (TaskState.SCHEDULED, None, 7)
        (record,) = caplog.records
        assert record.getMessage().startswith("it is no longer due: a schedule raised ")
        assert record.exc_info is not None
        assert ("next_after" in str(record.exc_info[1])) == (then not in RAISE)

    def test_the_reason_is_explained_and_no_due_time_is_left(
        self, scheduler: Scheduler, clock: ManualClock, events: Events
    ) -> None:
        scheduler.add_task(Answers(1, raises), Doing(), "it")
        clock.advance(60)

        details = scheduler.describe("it")
        assert details is not None
        assert details.explanation == (
            "it is no longer due: its schedule raised RuntimeError: no idea;"
            " it runs by hand, or after it is given another schedule."
        )
        assert (details.due_times, details.task.next_run, details.task.run_count) == ((), None, 1)
        assert scheduler.next_time is None

    def test_its_task_still_does_what_it_is_commanded(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        handle = scheduler.add_task(Answers(1, raises), Doing(), "it")
        clock.advance(60)

        assert handle.run_now()
        assert handle.disable()
        assert scheduler.pause()
        assert scheduler.resume()
        assert handle.enable()
        assert handle.run_count == 2
        assert handle.state is TaskState.SCHEDULED
        assert handle.reschedule(Every(10))
        assert handle.next_run == start + 70
        assert handle.explain().startswith("it is next due")
        clock.advance(10)
        assert handle.run_count == 3
        assert handle.unregister()

    @bad
    def test_it_may_happen_at_the_end_of_a_long_run(
        self,
        scheduler: Scheduler,
        clock: ManualClock,
        events: Events,
        caplog: pytest.LogCaptureFixture,
        then: Callable[[float], Any],
    ) -> None:
        looks: list[object] = []

        def look() -> None:
            clock.advance(12)
            looks.extend((handle.next_run, handle.explain(), scheduler.describe("it")))

        handle = scheduler.add_task(Answers(2, then), Doing(look), "it")
        clock.advance(30)

        assert (looks[0], handle.state, handle.next_run) == (None, TaskState.SCHEDULED, None)
        assert events.skips("it") == {SkipReason.OVERLAP: 1}
        assert "it is no longer due" in caplog.text
        assert scheduler.stop() == []

    @pytest.mark.parametrize("hinder", ["disable", "pause", "stall"])
    @bad
    def test_it_may_happen_while_due_times_pass_it_by(
        self,
        scheduler: Scheduler,
        clock: ManualClock,
        events: Events,
        caplog: pytest.LogCaptureFixture,
        then: Callable[[float], Any],
        hinder: str,
    ) -> None:
        handle = scheduler.add_task(Answers(1, then), Doing(), "it", catch_up=False)
        if hinder == "stall":
            clock.stall(60)
        else:
            scheduler.disable_task("it") if hinder == "disable" else scheduler.pause()
            clock.advance(60)
        scheduler.snapshot()
        scheduler.enable_task("it")
        scheduler.resume()

        assert sum(events.skips("it").values()) == 1
        assert (handle.state, handle.next_run) == (TaskState.SCHEDULED, None)
        assert caplog.text.count("it is no longer due") == 1

    def test_one_that_cannot_look_far_ahead_is_foreseen_as_far_as_it_can(
        self, scheduler: Scheduler, clock: ManualClock, start: float
    ) -> None:
        class Short(Answers):
            def next_after(self, instant: float) -> float | None:
                return instant + 5 if instant < clock.time() + 12 else raises(instant)

        scheduler.add_task(Short(0, raises), Doing(), "it")
        details = scheduler.describe("it")
        assert details is not None
        assert details.due_times == (start + 5, start + 10, start + 15)
        clock.advance(60)
        details = scheduler.describe("it")
        assert details is not None
        assert details.task.run_count == 12
        assert details.explanation.startswith("it is next due")

    @pytest.mark.parametrize(("spoils", "counted"), [("the count", 1), ("the last one", 12)])
    def test_what_has_passed_is_counted_as_far_as_it_can_be(
        self,
        scheduler: Scheduler,
        clock: ManualClock,
        events: Events,
        start: float,
        spoils: str,
        counted: int,
    ) -> None:
        """To count what was missed, a schedule is asked for more than to start the next run."""

        class Capricious(Answers):
            def next_after(self, instant: float) -> float | None:
                is_due = (instant - start) % 5 == 0
                answers = instant == clock.time() or (is_due and spoils == "the last one")
                return instant + 5 if answers else raises(instant)

        handle = scheduler.add_task(Capricious(0, raises), Doing(), "it")
        scheduler.disable_task("it")
        clock.advance(60)
        scheduler.enable_task("it")

        assert events.skips("it") == {SkipReason.DISABLED: counted}
        assert handle.next_run == start + 65

    @bad
    def test_one_that_does_so_from_the_beginning_is_refused(
        self, scheduler: Scheduler, events: Events, then: Callable[[float], Any]
    ) -> None:
        handle = scheduler.add_periodic_task(None, 10, Doing(), "it")
        before, heard = scheduler.snapshot(), list(events.all)

        with pytest.raises(
            (RuntimeError, SystemExit, KeyboardInterrupt, TypeError, ValueError),
            match=r"no idea|Answers\.next_after\(.* must",
        ):
            scheduler.add_task(Answers(0, then), Doing(), "it")
        with pytest.raises(
            (RuntimeError, SystemExit, KeyboardInterrupt, TypeError, ValueError),
            match=r"no idea|Answers\.next_after\(.* must",
        ):
            handle.reschedule(Answers(0, then))

        assert (scheduler.snapshot(), events.all) == (before, heard)
        assert scheduler.handle("it") is handle

    def test_a_filter_of_logging_that_raises_does_no_harm(
        self, scheduler: Scheduler, clock: ManualClock, events: Events
    ) -> None:
        def refuse(record: logging.LogRecord) -> bool:
            raise RuntimeError(record.name)

        logger = logging.getLogger("taskkit")
        logger.addFilter(refuse)
        try:
            scheduler.add_task(Answers(1, raises), Doing(), "it")
            clock.advance(60)
            assert events.dues("it") != []
        finally:
            logger.removeFilter(refuse)


class TestTheRest:
    @pytest.mark.parametrize("error", [RuntimeError, SystemExit, KeyboardInterrupt])
    def test_one_that_cannot_be_shown_or_compared_is_named_by_its_type(
        self, scheduler: Scheduler, clock: ManualClock, events: Events, error: type[BaseException]
    ) -> None:
        class Mute(Answers):
            @property
            def zone(self) -> str | None:
                raise error("no zone")

            def __str__(self) -> str:
                raise error("no words")

            def __eq__(self, other: object) -> bool:
                raise error("no comparison")

            __hash__ = None  # type: ignore[assignment]

        handle = scheduler.add_task(Mute(99, raises), Doing(), "it")
        details = scheduler.describe("it")
        assert details is not None
        assert (details.task.schedule, details.zone) == ("<Mute>", None)
        assert [event.schedule for event in events.of(TaskRegistered)] == ["<Mute>"]

        assert scheduler.reschedule_task("it", Every(60), override=True)
        assert scheduler.reschedule_task("it", Mute(99, raises), override=True)
        clock.advance(11)
        assert handle.run_count == 2
        assert scheduler.snapshot().tasks[0].overrides == "<Mute>"

    @pytest.mark.parametrize("fact", ["follows_wall_clock", "repeats"])
    def test_one_that_lacks_a_fact_is_refused(self, scheduler: Scheduler, fact: str) -> None:
        class Vague(Schedule):
            def next_after(self, instant: float) -> float | None:
                return instant + 1

        for each in {"follows_wall_clock", "repeats"} - {fact}:
            setattr(Vague, each, True)
        before = scheduler.snapshot()

        with pytest.raises(TypeError, match=f"schedule must say {fact}, which the class Vague lacks"):
            scheduler.add_task(Vague(), Doing(), "it")
        assert scheduler.snapshot() == before
