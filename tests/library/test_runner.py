"""Whatever a task raises or returns, its run ends, is told in bounded words, and lets go of it (O2, O3)."""

from __future__ import annotations

import gc
import logging
import sys
import weakref
from collections import UserDict
from collections.abc import Callable, Iterator
from decimal import Decimal
from enum import IntEnum, StrEnum
from math import isnan

import pytest
from recorder import Events

from taskkit import Outcome, OutcomeKind, Scheduler, Task, current_run
from taskkit.testing import InlineExecutor, ManualClock


@pytest.fixture
def scheduler(clock: ManualClock) -> Iterator[Scheduler]:
    """As that of the other tests, but a task may assert what is wrong: it is expected to fail."""
    with Scheduler(clock=clock, executor=InlineExecutor(), capture=False) as scheduler:
        yield scheduler


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """`caplog` keeps records, and with them what was raised."""
    with caplog.at_level(logging.CRITICAL + 1, "taskkit"):
        yield


def outcome_of(scheduler: Scheduler, task: Callable[[], object] | Task) -> Outcome:
    """How a run of it ends. The handle is idle then, and may run again."""
    handle = scheduler.add_on_demand_task(task, "it")
    assert handle.run_now()
    assert "it" in scheduler.on_demand
    outcome = handle.last_outcome
    assert outcome is not None
    return outcome


def raising(error: BaseException) -> Callable[[], None]:
    def task() -> None:
        raise error

    return task


class UnprintableError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no str")

    __repr__ = __str__


class ExitingError(Exception):
    def __str__(self) -> str:
        raise SystemExit

    __repr__ = __str__


class NameSpoiler(type):
    @property
    def __name__(cls) -> str:  # type: ignore[override]
        raise RuntimeError("no name")


class NamelessError(Exception, metaclass=NameSpoiler):
    pass


class Odd(BaseException):
    pass


class TestWhatIsRaised:
    @pytest.mark.parametrize(
        ("error", "words"),
        [
            (ValueError("no such feed"), "ValueError: no such feed"),
            (ValueError(), "ValueError"),
            (ValueError("two\n  lines"), "ValueError: two lines"),
            (SystemExit(3), "SystemExit: 3"),
            (KeyboardInterrupt(), "KeyboardInterrupt"),
            (MemoryError(), "MemoryError"),
            (GeneratorExit(), "GeneratorExit"),
            (StopIteration(5), "StopIteration: 5"),
            (Odd("odd"), "Odd: odd"),
            (KeyError("a"), "KeyError: 'a'"),
            (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"), "UnicodeDecodeError: 'utf-8' codec can't"),
            (
                ExceptionGroup("two", [ValueError("a"), KeyError("b")]),
                "ExceptionGroup: two (2 sub-exceptions)",
            ),
            (BaseExceptionGroup("x", [SystemExit()]), "BaseExceptionGroup: x (1 sub-exception)"),
            (UnprintableError(), "<UnprintableError>"),
            (ExitingError(), "<ExitingError>"),
            (NamelessError("it"), "<NamelessError>"),
            (ValueError("a\ud800b"), "ValueError: a\ud800b"),
        ],
    )
    def test_it_ends_the_run_as_failed_with_one_line_of_words(
        self, scheduler: Scheduler, error: BaseException, words: str
    ) -> None:
        """O2."""
        outcome = outcome_of(scheduler, raising(error))
        assert outcome.kind is OutcomeKind.FAILED
        assert outcome.exception is not None
        assert outcome.exception.startswith(words)
        assert outcome.traceback

    def test_a_note_is_in_the_traceback_only(self, scheduler: Scheduler) -> None:
        error = ValueError("no such feed")
        error.add_note("it was there yesterday")
        outcome = outcome_of(scheduler, raising(error))
        assert outcome.exception == "ValueError: no such feed"
        assert "it was there yesterday" in str(outcome.traceback)

    @pytest.mark.parametrize(
        "message",
        ["x" * 10_000_000, "x\n" * 1_000_000, " " * 1_000_000 + "x"],
        ids=["long", "lines", "white"],
    )
    def test_a_huge_message_is_bounded(self, scheduler: Scheduler, message: str) -> None:
        outcome = outcome_of(scheduler, raising(ValueError(message)))
        assert str(outcome.exception).startswith("ValueError")
        assert len(str(outcome.exception)) <= 200
        assert len(str(outcome.traceback)) < 40_000
        assert "in task" in str(outcome.traceback)
        assert "characters left out" in str(outcome.traceback)

    def test_a_deep_recursion_keeps_its_begin_and_its_end(self, scheduler: Scheduler) -> None:
        def down(depth: int) -> int:
            return up(depth + 1) + 1

        def up(depth: int) -> int:
            return down(depth + 1) + 1

        outcome = outcome_of(scheduler, lambda: down(0))
        assert str(outcome.exception).startswith("RecursionError: maximum recursion depth exceeded")
        assert len(str(outcome.traceback)) < 40_000
        assert "lambda: down(0)" in str(outcome.traceback)
        assert str(outcome.traceback).rstrip().splitlines()[-1].startswith("RecursionError")

    def test_a_circle_of_causes_has_an_end(self, scheduler: Scheduler) -> None:
        one, other = ValueError("one"), ValueError("other")
        one.__cause__, other.__context__ = other, one
        outcome = outcome_of(scheduler, raising(one))
        assert "direct cause" in str(outcome.traceback)

    def test_an_error_that_was_raised_before_is_reported_again(self, scheduler: Scheduler) -> None:
        task = raising(ValueError("always the same"))
        for _ in range(3):
            outcome = outcome_of(scheduler, task)
        assert outcome.exception == "ValueError: always the same"

    def test_the_traceback_begins_in_the_task(self, scheduler: Scheduler) -> None:
        outcome = outcome_of(scheduler, raising(ValueError("no such feed")))
        head, first, *_, last = str(outcome.traceback).splitlines()
        assert head == "Traceback (most recent call last):"
        assert first.endswith("in task")
        assert __file__ in first
        assert last == "ValueError: no such feed"

    def test_so_does_that_of_a_coroutine(self, scheduler: Scheduler) -> None:
        async def task() -> None:
            raise ValueError("no such feed")

        _, first, *_ = str(outcome_of(scheduler, task).traceback).splitlines()
        assert first.endswith("in task")

    def test_a_task_whose_run_is_not_overridden_says_so(self, scheduler: Scheduler) -> None:
        outcome = outcome_of(scheduler, Task())
        assert outcome.exception == "NotImplementedError: Task must override run()"

    def test_one_that_cannot_be_called_without_arguments_fails(self, scheduler: Scheduler) -> None:
        outcome = outcome_of(scheduler, lambda needed: None)  # type: ignore[arg-type,misc]
        assert outcome.kind is OutcomeKind.FAILED
        assert "missing 1 required positional argument: 'needed'" in str(outcome.exception)

    def test_what_it_raises_after_it_was_asked_to_stop_is_no_failure(self, scheduler: Scheduler) -> None:
        """O3."""

        def task() -> None:
            current_run().handle.stop()
            raise ValueError("interrupted")

        outcome = outcome_of(scheduler, task)
        assert (outcome.kind, outcome.exception) == (OutcomeKind.STOPPED, "ValueError: interrupted")

    def test_a_filter_of_logging_that_raises_keeps_no_run_from_ending(self, scheduler: Scheduler) -> None:
        def refuse(record: logging.LogRecord) -> bool:
            raise SystemExit

        logger = logging.getLogger("taskkit")
        logger.setLevel(logging.ERROR)
        logger.addFilter(refuse)
        try:
            outcome = outcome_of(scheduler, raising(ValueError("no such feed")))
        finally:
            logger.removeFilter(refuse)
        assert outcome.kind is OutcomeKind.FAILED


class TestWhoIsTold:
    def test_on_error_finds_the_exception_as_if_it_had_caught_it(self, clock: ManualClock) -> None:
        """O2."""
        error = ValueError("no such feed")
        found: list[object] = []

        def on_error(outcome: Outcome) -> None:
            found.extend((outcome.exception, sys.exc_info()[1]))

        with Scheduler(clock=clock, executor=InlineExecutor(), on_error=on_error) as scheduler:
            outcome_of(scheduler, raising(error))
        assert found == ["ValueError: no such feed", error]

    def test_so_does_it_for_a_coroutine(self, clock: ManualClock) -> None:
        found: list[object] = []

        async def task() -> None:
            raise ValueError("no such feed")

        with Scheduler(
            clock=clock, executor=InlineExecutor(), on_error=lambda _: found.append(sys.exc_info()[0])
        ) as scheduler:
            outcome_of(scheduler, task)
        assert found == [ValueError]

    def test_it_is_logged_once_with_the_traceback_of_the_task(
        self, scheduler: Scheduler, caplog: pytest.LogCaptureFixture
    ) -> None:
        """O2."""
        with caplog.at_level(logging.ERROR, "taskkit"):
            outcome_of(scheduler, raising(ValueError("no such feed")))
        (record,) = caplog.records
        assert record.getMessage() == "it failed: ValueError: no such feed"
        assert record.exc_info is not None
        frames = record.exc_info[2]
        assert frames is not None
        assert frames.tb_frame.f_code.co_name == "task"


def kind_of(value: object) -> str:
    """For the names of tests; some of the values have no decent words of their own."""
    return type(value).__name__


class Colour(IntEnum):
    RED = 1


class Word(StrEnum):
    YES = "yes"


class Text(str):
    __slots__ = ()

    def __str__(self) -> str:
        raise RuntimeError("no str")

    __repr__ = __str__


class BadRepr:
    def __init__(self, error: type[BaseException]) -> None:
        self.error = error

    def __repr__(self) -> str:
        raise self.error


class LongRepr:
    def __repr__(self) -> str:
        return "x" * 1_000_000


class TestWhatIsReturned:
    @pytest.mark.parametrize(
        "result",
        [None, True, 0, -5, 10**99, 0.5, float("inf"), "", "x", "two\nlines", "x" * 200],
        ids=kind_of,
    )
    def test_a_number_or_a_short_string_is_kept_as_it_is(self, scheduler: Scheduler, result: object) -> None:
        """O3."""
        kept = outcome_of(scheduler, lambda: result).result
        assert (kept, type(kept)) == (result, type(result))

    def test_nan_is_a_number_too(self, scheduler: Scheduler) -> None:
        kept = outcome_of(scheduler, lambda: float("nan")).result
        assert isinstance(kept, float)
        assert isnan(kept)

    @pytest.mark.parametrize(
        ("result", "kept"),
        [
            ("x" * 201, "x" * 199 + "…"),
            (b"abc", "b'abc'"),
            ((1, 2), "(1, 2)"),
            ({"a": [1]}, "{'a': [1]}"),
            (Decimal("1.5"), "Decimal('1.5')"),
            (Colour.RED, "<Colour.RED: 1>"),
            (Word.YES, "yes"),
            (Text("text"), "text"),
            (10**10_000, "<int>"),
        ],
        ids=kind_of,
    )
    def test_anything_else_becomes_words(self, scheduler: Scheduler, result: object, kept: str) -> None:
        outcome = outcome_of(scheduler, lambda: result)
        assert (outcome.kind, outcome.result) == (OutcomeKind.SUCCEEDED, kept)
        assert type(outcome.result) is str

    @pytest.mark.parametrize(
        "result",
        [
            "x" * 10_000_000,
            b"x" * 10_000_000,
            bytearray(10_000_000),
            list(range(1_000_000)),
            {n: n for n in range(100_000)},
            UserDict({n: n for n in range(10_000)}),
            LongRepr(),
            [["x" * 1_000_000] * 10] * 10,
            10**4_000,
        ],
        ids=kind_of,
    )
    def test_whatever_it_is_the_words_are_few(self, scheduler: Scheduler, result: object) -> None:
        assert 0 < len(str(outcome_of(scheduler, lambda: result).result)) <= 200

    @pytest.mark.parametrize("error", [RuntimeError, SystemExit, RecursionError])
    def test_a_broken_repr_is_not_felt(self, scheduler: Scheduler, error: type[BaseException]) -> None:
        outcome = outcome_of(scheduler, lambda: BadRepr(error))
        assert outcome.kind is OutcomeKind.SUCCEEDED
        assert str(outcome.result).startswith("<BadRepr")

    def test_one_that_holds_itself_has_an_end(self, scheduler: Scheduler) -> None:
        result: list[object] = []
        result.append(result)
        assert "..." in str(outcome_of(scheduler, lambda: result).result)

    def test_a_generator_of_which_nothing_would_run_is_a_failure(self, scheduler: Scheduler) -> None:
        def task() -> Iterator[int]:
            yield 1

        outcome = outcome_of(scheduler, task)
        assert outcome.kind is OutcomeKind.FAILED
        assert "has a yield in it, so that nothing of it would ever run" in str(outcome.exception)


class Held:
    """Something that a task holds in a local variable."""


class TestWhatIsLetGo:
    def test_nothing_that_a_failed_task_held_is_kept_alive(self, scheduler: Scheduler) -> None:
        held: list[weakref.ref[Held]] = []

        def task() -> None:
            local = Held()
            held.append(weakref.ref(local))
            current_run().on_stop(lambda: print(local))
            raise ValueError(local)

        gc.collect()
        gc.disable()
        try:
            outcome_of(scheduler, task)
            assert held[0]() is None
        finally:
            gc.enable()

    def test_nor_what_one_returned(self, scheduler: Scheduler) -> None:
        held: list[weakref.ref[Held]] = []

        def task() -> list[Held]:
            local = Held()
            held.append(weakref.ref(local))
            return [local]

        outcome_of(scheduler, task)
        assert held[0]() is None

    @pytest.mark.parametrize("fails", [False, True])
    def test_nor_what_a_coroutine_held(self, scheduler: Scheduler, fails: bool) -> None:
        held: list[weakref.ref[Held]] = []

        async def task() -> None:
            local = Held()
            held.append(weakref.ref(local))
            if fails:
                raise ValueError(local)

        outcome_of(scheduler, task)
        gc.collect()  # asyncio itself leaves circles
        assert held[0]() is None

    def test_the_run_that_was_current_is_current_again(self, scheduler: Scheduler) -> None:
        inner: list[str] = []

        def task() -> str:
            scheduler.add_on_demand_task(lambda: inner.append(current_run().name), "inner").run_now()
            return current_run().name

        assert outcome_of(scheduler, task).result == "it"
        assert inner == ["inner"]


def test_a_stop_after_the_end_of_the_task_has_no_effect(scheduler: Scheduler, events: Events) -> None:
    """Who was to be told of a stop is forgotten with the run."""
    told: list[str] = []
    runs = []

    def task() -> None:
        runs.append(current_run())
        current_run().on_stop(lambda: told.append("stop"))

    outcome_of(scheduler, task)
    runs[0].notify_stop()
    assert told == []


class UnreadableTask(Task):
    @property
    def run(self) -> Callable[[], object]:  # type: ignore[override]
        raise RuntimeError("not ready yet")


class UnreadableAttributes(Task):
    def __getattribute__(self, name: str) -> object:
        if name == "run":
            raise SystemExit("nothing to see here")
        return super().__getattribute__(name)

    def run(self) -> None:
        pass


@pytest.mark.parametrize("kind", [UnreadableTask, UnreadableAttributes])
def test_a_task_whose_run_cannot_be_read_has_failed(scheduler: Scheduler, kind: type[Task]) -> None:
    outcome = outcome_of(scheduler, kind())

    assert outcome.kind is OutcomeKind.FAILED
    assert outcome.exception is not None
    assert outcome.exception.startswith(("RuntimeError: not ready yet", "SystemExit: nothing to see here"))
    assert "core.py" not in (outcome.traceback or "")


def test_on_error_is_called_also_where_logging_raises(clock: ManualClock) -> None:
    def refuse(_: logging.LogRecord) -> bool:
        raise RuntimeError("a broken filter")

    told: list[Outcome] = []
    logger = logging.getLogger("taskkit")
    logger.addFilter(refuse)
    logger.setLevel(logging.ERROR)
    try:
        with Scheduler(clock=clock, executor=InlineExecutor(), on_error=told.append) as scheduler:
            outcome = outcome_of(scheduler, raising(ValueError("no")))
    finally:
        logger.removeFilter(refuse)

    assert told == [outcome]
