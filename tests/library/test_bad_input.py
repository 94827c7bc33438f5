"""Section 9 of the contract: bad input is refused in words, and changes nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields
from datetime import timedelta
from enum import IntEnum
from fractions import Fraction
from math import inf, nan
from pathlib import Path
from typing import Any

import pytest
from doing import Doing
from recorder import Events

from taskkit import (
    Every,
    Once,
    OnDemand,
    Policies,
    Progress,
    ScaledClock,
    Schedule,
    Scheduler,
    Task,
    current_run,
)
from taskkit.engine.threads import ThreadPool
from taskkit.policies import PolicyKeywords
from taskkit.testing import InlineExecutor, ManualClock

Add = Callable[[Scheduler, Any], object]


class Sweep(Task):
    def run(self) -> None:
        pass


BAD: dict[str, tuple[Add, list[tuple[object, type[Exception]]]]] = {
    "period": (
        lambda scheduler, value: scheduler.add_periodic_task(None, value, Sweep(), "it"),
        [
            *((value, ValueError) for value in (0, 0.0, -5, nan, inf, -inf)),
            *((value, ValueError) for value in (timedelta(0), timedelta(seconds=-1))),
            *((value, TypeError) for value in ("10", None, True, [10], 10j)),
        ],
    ),
    "start": (
        lambda scheduler, value: scheduler.add_periodic_task(value, 10, Sweep(), "it"),
        [
            *((value, ValueError) for value in (nan, inf, -inf)),
            *((value, TypeError) for value in ("tomorrow", True, timedelta(5))),
        ],
    ),
    "at": (
        lambda scheduler, value: scheduler.add_timed_task(value, Sweep(), "it"),
        [
            *((value, ValueError) for value in (nan, inf, -inf)),
            *((value, TypeError) for value in ("tomorrow", True, timedelta(5))),
        ],
    ),
    "name": (
        lambda scheduler, value: scheduler.add_periodic_task(None, 10, Sweep(), value),
        [
            *((value, ValueError) for value in ("", "a\nb", "a\tb", "\x1b[2J", "nul\0", "\x9b31m")),
            *((value, TypeError) for value in (None, 7, b"it", ["it"])),
        ],
    ),
    "task": (
        lambda scheduler, value: scheduler.add_periodic_task(None, 10, value, "it"),
        [(value, TypeError) for value in (None, 7, "print", object(), [print])],
    ),
    "schedule": (
        lambda scheduler, value: scheduler.add_task(value, Sweep(), "it"),
        [(value, TypeError) for value in (None, 10, "every 10 s", Every)],
    ),
    "hour": (
        lambda scheduler, value: scheduler.add_daily_task(value, 0, Sweep(), "it"),
        [
            *((value, ValueError) for value in (24, -1)),
            *((value, TypeError) for value in (3.5, "3", None, True)),
        ],
    ),
    "minute": (
        lambda scheduler, value: scheduler.add_daily_task(3, value, Sweep(), "it"),
        [(60, ValueError), (-1, ValueError), (0.5, TypeError), ("0", TypeError)],
    ),
    "tz": (
        lambda scheduler, value: scheduler.add_daily_task(3, 0, Sweep(), "it", tz=value),
        [("Europe/Atlantis", ValueError), ("", ValueError), ("../x", ValueError), (5, TypeError)],
    ),
    "expression": (
        lambda scheduler, value: scheduler.add_cron_task(value, Sweep(), "it"),
        [
            *(
                (value, ValueError)
                for value in ("", "* * *", "61 * * * *", "0 0 30 2 *", "@never", "a b c d e")
            ),
            *((value, TypeError) for value in (None, 5)),
        ],
    ),
    "timeout": (
        lambda scheduler, value: scheduler.add_on_demand_task(Sweep(), "it", timeout=value),
        [*((value, ValueError) for value in (0, -1, nan, inf)), ("5", TypeError), (True, TypeError)],
    ),
    "retries": (
        lambda scheduler, value: scheduler.add_on_demand_task(Sweep(), "it", retries=value),
        [(-1, ValueError), *((value, TypeError) for value in (1.5, "1", True, None))],
    ),
    "retry_delay": (
        lambda scheduler, value: scheduler.add_on_demand_task(Sweep(), "it", retry_delay=value),
        [*((value, ValueError) for value in (-1, nan, inf)), ("1", TypeError)],
    ),
    "jitter": (
        lambda scheduler, value: scheduler.add_on_demand_task(Sweep(), "it", jitter=value),
        [*((value, ValueError) for value in (-1, nan, inf)), (None, TypeError)],
    ),
    "catch_up": (
        lambda scheduler, value: scheduler.add_on_demand_task(Sweep(), "it", catch_up=value),
        [
            *((value, TypeError) for value in ("yes", None)),
            *((value, ValueError) for value in (0, 0.0, -1, nan, -inf)),
        ],
    ),
    "max_runs": (
        lambda scheduler, value: scheduler.add_on_demand_task(Sweep(), "it", max_runs=value),
        [(0, ValueError), (-1, ValueError), (2.0, TypeError), (True, TypeError)],
    ),
    "on_error": (
        lambda scheduler, value: scheduler.add_on_demand_task(Sweep(), "it", on_error=value),
        [(7, TypeError), ("print", TypeError)],
    ),
    "description": (
        lambda scheduler, value: scheduler.add_on_demand_task(Sweep(), "it", description=value),
        [(None, TypeError), (7, TypeError)],
    ),
    "keep": (
        lambda scheduler, value: scheduler.add_on_demand_task(Sweep(), "it", keep=value),
        [(value, TypeError) for value in (0, "no", None)],
    ),
}
"""Argument → a call that takes it, and the values that it must refuse."""


@pytest.mark.parametrize(
    ("argument", "value", "error", "add"),
    [
        pytest.param(
            argument,
            value,
            error,
            add,
            id=f"{argument}={'object' if type(value) is object else ascii(value)}"[:40],
        )
        for argument, (add, values) in BAD.items()
        for value, error in values
    ],
)
class TestAdding:
    def test_the_message_names_the_argument_and_the_value(
        self,
        scheduler: Scheduler,
        argument: str,
        value: object,
        error: type[Exception],
        add: Add,
    ) -> None:
        with pytest.raises(error) as caught:
            add(scheduler, value)

        message = str(caught.value)
        assert type(caught.value) is error
        assert re.search(rf"\b{argument}\b", message)
        assert value in ("", ["it"]) or repr(value).strip("'") in message or str(value) in message

    def test_nothing_is_registered(
        self,
        scheduler: Scheduler,
        events: Events,
        argument: str,
        value: object,
        error: type[Exception],
        add: Add,
    ) -> None:
        with pytest.raises(error):
            add(scheduler, value)

        assert scheduler.snapshot().tasks == ()
        assert events.all == []

    def test_what_is_there_stays_as_it_is(
        self,
        scheduler: Scheduler,
        clock: ManualClock,
        argument: str,
        value: object,
        error: type[Exception],
        add: Add,
    ) -> None:
        task = Doing()
        handle = scheduler.add_periodic_task(None, 10, task, "it")
        before = scheduler.snapshot()
        with pytest.raises(error):
            add(scheduler, value)

        assert scheduler.snapshot() == before
        assert scheduler.handle("it") is handle
        clock.advance(10)
        assert task.runs == 2


@pytest.mark.parametrize("keyword", ["timeout", "retry_delay", "jitter"])
def test_a_number_of_seconds_that_floats_do_not_reach_is_infinite(keyword: str) -> None:
    with pytest.raises(ValueError, match=f"^{keyword} must be .* seconds and finite, not inf$"):
        Policies(**{keyword: 10**5000})  # type: ignore[arg-type]


class TestTasks:
    def test_a_class_where_an_instance_belongs_is_told_so(self, scheduler: Scheduler) -> None:
        with pytest.raises(TypeError, match=r"must be an instance, not the class Sweep; write Sweep\("):
            scheduler.add_on_demand_task(Sweep, "it")
        assert scheduler.handle("it") is None

    @pytest.mark.parametrize(
        "add",
        [
            lambda scheduler, **policies: scheduler.add_periodic_task(None, 5, Sweep(), "it", **policies),
            lambda scheduler, **policies: scheduler.add_on_demand_task(Sweep(), "it", **policies),
        ],
        ids=["periodic", "on demand"],
    )
    def test_a_misspelt_policy_is_told_with_what_was_perhaps_meant(
        self, scheduler: Scheduler, add: Callable[..., object]
    ) -> None:
        with pytest.raises(TypeError, match=r"^add_… got an unknown .* 'timout'; did you mean 'timeout'\?$"):
            add(scheduler, timout=3)
        with pytest.raises(TypeError, match=r"got an unknown policy 'colour'; there are timeout, retries, "):
            add(scheduler, colour="red")
        assert scheduler.handle("it") is None

    def test_the_keywords_of_an_add_are_the_fields_of_policies(self) -> None:
        assert [*PolicyKeywords.__annotations__, "keep"] == [field.name for field in fields(Policies)]

    @pytest.mark.parametrize(
        "add",
        [
            lambda scheduler: scheduler.add_periodic_task(None, 5, Sweep(), "it", keep=False),
            lambda scheduler: scheduler.add_timed_task(None, Sweep(), "it", keep=True),
            lambda scheduler: scheduler.add_daily_task(3, 30, Sweep(), "it", keep=False),
        ],
        ids=["periodic", "timed", "daily"],
    )
    def test_only_what_runs_on_demand_can_be_kept_or_not(
        self, scheduler: Scheduler, add: Callable[[Scheduler], object]
    ) -> None:
        with pytest.raises(TypeError, match="keep is an argument of add_on_demand_task alone"):
            add(scheduler)
        assert scheduler.handle("it") is None

    def test_a_schedule_that_never_falls_due_is_refused(self, scheduler: Scheduler) -> None:
        class Never(Schedule):
            follows_wall_clock = True
            repeats = True

            def next_after(self, instant: float) -> float | None:
                return None

        handle = scheduler.add_periodic_task(None, 10, Doing(), "it")
        before = scheduler.snapshot()
        with pytest.raises(ValueError, match="Never"):
            scheduler.add_task(Never(), Doing(), "it")
        with pytest.raises(ValueError, match="Never"):
            scheduler.reschedule_task("it", Never())

        assert scheduler.snapshot() == before
        assert scheduler.handle("it") is handle


class TestCommands:
    @pytest.mark.parametrize("period", [0, -5, nan, inf, timedelta(0)], ids=str)
    def test_a_bad_period_is_not_stored(self, scheduler: Scheduler, period: float) -> None:
        handle = scheduler.add_periodic_task(None, 10, Doing(), "it")
        before = scheduler.snapshot()
        with pytest.raises(ValueError, match="period"):
            scheduler.set_period("it", period)
        with pytest.raises(ValueError, match="period"):
            handle.set_period(period)

        assert handle.period == 10
        assert scheduler.snapshot() == before

    @pytest.mark.parametrize("period", ["10", None, True, [1]], ids=str)
    def test_nor_is_what_is_no_period_at_all(self, scheduler: Scheduler, period: Any) -> None:
        handle = scheduler.add_periodic_task(None, 10, Doing(), "it")
        with pytest.raises(TypeError, match="period"):
            scheduler.set_period("it", period)
        with pytest.raises(TypeError, match="period"):
            handle.set_period(period)

        assert handle.period == 10

    @pytest.mark.parametrize("schedule", [None, 10, Every, "daily"], ids=str)
    def test_nor_is_what_is_no_schedule(self, scheduler: Scheduler, schedule: Any) -> None:
        handle = scheduler.add_periodic_task(None, 10, Doing(), "it")
        with pytest.raises(TypeError, match="schedule"):
            scheduler.reschedule_task("it", schedule)

        assert handle.schedule == Every(10)

    @pytest.mark.parametrize("parameters", [[], "a=1", 7, [("a", 1)]], ids=str)
    @pytest.mark.parametrize("command", ["run_task_now", "demand_task"])
    def test_parameters_must_be_a_mapping(
        self, scheduler: Scheduler, command: str, parameters: object
    ) -> None:
        task = Doing()
        scheduler.add_on_demand_task(task, "it")
        with pytest.raises(TypeError, match="parameters"):
            getattr(scheduler, command)("it", parameters)

        assert task.runs == 0

    def test_a_subscriber_must_be_callable(self, scheduler: Scheduler) -> None:
        with pytest.raises(TypeError, match="callback"):
            scheduler.subscribe("print")  # type: ignore[arg-type]

    @pytest.mark.parametrize("timeout", [-1, nan, "3", None, True], ids=str)
    def test_a_bad_timeout_does_not_stop_the_scheduler(self, scheduler: Scheduler, timeout: Any) -> None:
        with pytest.raises((TypeError, ValueError), match="timeout"):
            scheduler.stop(timeout)

        assert scheduler.is_running


class TestProgress:
    @pytest.mark.parametrize(
        ("argument", "value", "error"),
        [
            *(("done", value, ValueError) for value in (nan, inf, -inf, 10**5000)),
            *(("done", value, TypeError) for value in ("3", None, True, 3j, Path("3"))),
            *(("total", value, ValueError) for value in (nan, inf, 10**5000)),
            *(("total", value, TypeError) for value in ("3", False, [3])),
            *(("message", value, TypeError) for value in (None, 3, b"half", Path("/srv/a"))),
        ],
        ids=lambda value: "a large number" if value == 10**5000 else str(value),
    )
    def test_what_is_refused_leaves_what_was_said_before(
        self, scheduler: Scheduler, events: Events, argument: str, value: object, error: type[Exception]
    ) -> None:
        told: list[object] = []

        def body() -> None:
            run = current_run()
            run.progress(1, 3, "one")
            with pytest.raises(error, match=rf"^{argument} must be ") as caught:
                run.progress(**{"done": 2, "total": 3, argument: value})  # type: ignore[arg-type]
            assert ("inf" if value == 10**5000 else repr(value)) in str(caught.value)
            told.append(run.progress_made)

        scheduler.add_on_demand_task(body, "it")
        scheduler.run_task_now("it")

        assert told == [Progress(1, 3, "one")]

    def test_the_numbers_of_other_libraries_are_told_as_plain_ones(self, scheduler: Scheduler) -> None:
        class Share(float): ...

        class Step(IntEnum):
            LAST = 4

        told: list[Progress | None] = []

        def body() -> None:
            for done, total in ((Fraction(1, 2), Share(2.5)), (Step.LAST, Fraction(4))):
                current_run().progress(done, total)  # type: ignore[arg-type]
                told.append(current_run().progress_made)

        scheduler.add_on_demand_task(body, "it")
        scheduler.run_task_now("it")

        assert told == [Progress(0.5, 2.5, ""), Progress(4, 4.0, "")]
        assert [(type(each.done), type(each.total)) for each in told if each] == [
            (float, float),
            (int, float),
        ]

    def test_of_a_long_message_the_beginning_is_kept(self, scheduler: Scheduler) -> None:
        told: list[Progress | None] = []

        def body() -> None:
            for length in (200, 201, 10**6):
                current_run().progress(1, message="x" * length)
                told.append(current_run().progress_made)

        scheduler.add_on_demand_task(body, "it")
        scheduler.run_task_now("it")

        short = "x" * 199 + "…"
        assert [each.message for each in told if each] == ["x" * 200, short, short]


class TestLooking:
    @pytest.mark.parametrize(("count", "error"), [("3", TypeError), (2.0, TypeError), (True, TypeError)])
    def test_how_many_due_times_must_be_a_whole_number(
        self, scheduler: Scheduler, count: Any, error: type[Exception]
    ) -> None:
        scheduler.add_periodic_task(None, 10, Doing(), "it")

        for name in ("it", "unknown"):
            with pytest.raises(error, match=f"^due_times must be a whole number, not {count!r}$"):
                scheduler.describe(name, count)
            with pytest.raises(error, match=f"^count must be a whole number, not {count!r}$"):
                scheduler.due_times_with(name, 5, count)
        with pytest.raises(ValueError, match=r"^due_times must be 0 or more, not -1$"):
            scheduler.describe("it", -1)
        details = scheduler.describe("it", 0)
        assert details is not None
        assert details.due_times == ()


class TestMakingAScheduler:
    @pytest.mark.parametrize(
        ("max_threads", "error"),
        [(0, ValueError), (-1, ValueError), (1.5, TypeError), ("2", TypeError), (True, TypeError)],
        ids=str,
    )
    def test_max_threads(self, max_threads: Any, error: type[Exception]) -> None:
        with pytest.raises(error, match="max_threads"):
            Scheduler(max_threads=max_threads)

    def test_max_threads_has_no_meaning_for_threads_of_ones_own(self) -> None:
        with pytest.raises(ValueError, match="max_threads"):
            Scheduler(max_threads=2, executor=InlineExecutor())

    @pytest.mark.parametrize("clock", [3, "clock", ManualClock, pytest.param(object(), id="object")], ids=str)
    def test_clock(self, clock: Any) -> None:
        with pytest.raises(
            TypeError, match=r"^clock must be a clock, with time, monotonic, now, gate, alarm, not "
        ):
            Scheduler(clock=clock)
        with pytest.raises(
            TypeError, match=r"^clock must be a clock, with time, monotonic, now, gate, alarm, not "
        ):
            ScaledClock(1, clock=clock)

    @pytest.mark.parametrize("executor", [3, InlineExecutor, pytest.param(object(), id="object")], ids=str)
    def test_executor(self, executor: Any) -> None:
        with pytest.raises(TypeError, match=r"^executor must be a name or a taskkit.Executor, not "):
            Scheduler(executor=executor)

    @pytest.mark.parametrize("threads", [3, ThreadPool, pytest.param(object(), id="object")], ids=str)
    def test_threads(self, threads: Any) -> None:
        with pytest.raises(TypeError, match=r"^threads must be threads, with submit, for_events, not "):
            Scheduler(threads=threads)

    def test_threads_that_are_passed_as_an_executor(self) -> None:
        with pytest.raises(TypeError, match=r"threads of your own are passed as threads=$"):
            Scheduler(executor=ThreadPool())  # type: ignore[arg-type]

    @pytest.mark.parametrize("capture", ["no", 0, None], ids=str)
    def test_capture(self, capture: Any) -> None:
        with pytest.raises(TypeError, match=f"^capture must be True or False, not {capture!r}$"):
            Scheduler(capture=capture)

    def test_on_error(self) -> None:
        with pytest.raises(TypeError, match="on_error"):
            Scheduler(on_error="print")  # type: ignore[arg-type]


class TestGoodInput:
    @pytest.mark.parametrize(
        "name",
        [
            "a",
            " ",
            "PageGenerator for static1.html",
            "日本語",
            "🙂",
            "[bold]not markup[/]",
            "\u202eabc",
            "x" * 5000,
        ],
        ids=lambda name: ascii(name)[:20],
    )
    def test_any_other_text_is_a_good_name(self, scheduler: Scheduler, name: str) -> None:
        task = Doing()
        scheduler.add_on_demand_task(task, name)

        assert scheduler.demand_task(name) is True
        assert task.runs == 1

    @pytest.mark.parametrize("alias", ["@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly"])
    def test_cron_aliases(self, scheduler: Scheduler, alias: str) -> None:
        handle = scheduler.add_cron_task(alias, Doing(), "it", tz="UTC")

        assert handle.next_run is not None

    @pytest.mark.parametrize("period", [1e-3, 1, 1.5, 10**9, 1e300, timedelta(days=1)], ids=str)
    def test_periods_of_all_sizes(self, scheduler: Scheduler, clock: ManualClock, period: float) -> None:
        handle = scheduler.add_periodic_task(None, period, Doing(), "it")
        clock.advance(0)

        assert handle.run_count == 1

    @pytest.mark.parametrize("schedule", [Every(10), Once(), OnDemand()], ids=str)
    @pytest.mark.parametrize(
        "task", [Sweep(), Sweep().run, lambda: None, Doing()], ids=["Task", "method", "lambda", "object"]
    )
    def test_every_kind_of_callable(self, scheduler: Scheduler, schedule: Schedule, task: Any) -> None:
        scheduler.add_task(schedule, task, "it")

        assert scheduler.run_task_now("it") is True
