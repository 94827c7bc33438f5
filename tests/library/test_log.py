"""What the scheduler itself logs is never in the way of what follows, whatever filters and handlers do."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator

import pytest
from patience import PATIENCE, eventually, no_thread_left

from taskkit import Outcome, Scheduler
from taskkit.engine import scheduler_log
from taskkit.engine import threads as threads_module
from taskkit.engine.threads import ThreadPool
from taskkit.testing import InlineExecutor, ManualClock


class Broken(logging.Handler):
    """It raises at each record, and counts them."""

    seen = 0

    def handle(self, record: logging.LogRecord) -> bool:
        self.seen += 1
        raise SystemExit("a broken handler")


@pytest.fixture
def broken() -> Iterator[Broken]:
    handler = Broken()
    logger = logging.getLogger("taskkit")
    logger.addHandler(handler)
    yield handler
    logger.removeHandler(handler)


def test_a_record_says_where_it_was_made_and_what_was_raised(caplog: pytest.LogCaptureFixture) -> None:
    error = ValueError("no such feed")
    with caplog.at_level(logging.WARNING, "taskkit"):
        scheduler_log.warning("%d left", 3)
        scheduler_log.error("%s failed", "it", raised=error, extra={"run": 5})
    warned, complained = caplog.records
    assert (warned.name, warned.levelname, warned.getMessage()) == ("taskkit", "WARNING", "3 left")
    assert (complained.levelname, complained.getMessage(), vars(complained)["run"]) == (
        "ERROR",
        "it failed",
        5,
    )
    assert complained.exc_info is not None
    assert complained.exc_info[1] is error
    here = test_a_record_says_where_it_was_made_and_what_was_raised.__name__
    assert warned.funcName == complained.funcName == here


def test_a_handler_that_raises_is_not_felt(broken: Broken) -> None:
    scheduler_log.warning("something")
    scheduler_log.error("something worse")
    assert broken.seen == 2


class TestWithAHandlerThatRaises:
    def test_on_error_is_called_for_each_run_and_may_raise_too(
        self, broken: Broken, clock: ManualClock
    ) -> None:
        heard: list[Outcome] = []

        def hear(outcome: Outcome) -> None:
            heard.append(outcome)
            raise ValueError("on_error itself")

        with Scheduler(clock=clock, executor=InlineExecutor(), on_error=hear) as scheduler:
            handle = scheduler.add_periodic_task(None, 10, lambda: 1 / 0, "it")
            clock.advance(20)
        assert [each.exception for each in heard] == ["ZeroDivisionError: division by zero"] * 3
        assert broken.seen == 6
        assert handle.run_count == 3

    def test_a_subscriber_that_raises_does_not_affect_the_others(
        self, broken: Broken, clock: ManualClock
    ) -> None:
        def raises(_: object) -> None:
            raise ValueError("a subscriber")

        heard: list[object] = []
        with Scheduler(clock=clock, executor=InlineExecutor()) as scheduler:
            scheduler.subscribe(raises)
            scheduler.subscribe(heard.append)
            scheduler.add_on_demand_task(print, "it")
        assert broken.seen == len(heard) == 2

    def test_a_thread_whose_job_raised_goes_on_with_the_next(self, broken: Broken) -> None:
        with no_thread_left():
            pool = ThreadPool(max_threads=1, idle_seconds=0.05)
            done = threading.Event()
            pool.submit([("broken", lambda: 1 / 0), ("next", done.set)])
            assert done.wait(PATIENCE)
            eventually(lambda: pool.count == 0)
        assert broken.seen == 1

    def test_who_starts_a_run_does_not_feel_that_there_was_no_thread_for_it(
        self, broken: Broken, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(_: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        pool = ThreadPool(idle_seconds=0.05)
        with monkeypatch.context() as patch:
            patch.setattr(threads_module._PoolThread, "start", refuse)
            pool.submit([("it", int)])
        assert broken.seen == 1
