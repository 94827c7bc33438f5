"""Whatever the scheduler's loop comes upon, it goes on; and if it cannot, that is said."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from io import StringIO

import pytest
from patience import eventually

from taskkit import Event, Scheduler, SchedulerStopped
from taskkit.clock import Instant, SystemClock
from taskkit.engine.threads import Job, ThreadPool, Threads

ANY_ERROR = pytest.mark.parametrize("error", [RuntimeError, SystemExit, KeyboardInterrupt])


class FaultyClock(SystemClock):
    """The clock of the machine, which raises as long as it is told to."""

    raises: type[BaseException] | None = None

    def now(self) -> Instant:
        if self.raises is not None and sys._getframe(1).f_code.co_name.startswith("_look"):
            raise self.raises("no time")
        return super().now()


@pytest.fixture
def broken_logging() -> Iterator[None]:
    def refuse(_: logging.LogRecord) -> bool:
        raise SystemExit

    logger = logging.getLogger("taskkit")
    logger.addFilter(refuse)
    yield
    logger.removeFilter(refuse)


@pytest.fixture
def stderr(monkeypatch: pytest.MonkeyPatch) -> StringIO:
    stream = StringIO()
    monkeypatch.setattr(sys, "__stderr__", stream)
    return stream


@ANY_ERROR
def test_a_clock_that_raises_for_a_while_stops_the_loop_for_that_while_only(
    error: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    clock = FaultyClock()
    runs: list[int] = []
    with Scheduler(clock=clock) as scheduler:
        handle = scheduler.add_periodic_task(None, 0.01, lambda: runs.append(1), "it")
        eventually(lambda: runs)
        FaultyClock.raises = error
        try:
            eventually(lambda: not scheduler.is_running)
            assert not scheduler.snapshot().figures.is_running
            explained = f"it does not run, as the scheduler's loop failed: {error.__name__}: no time."
            eventually(lambda: handle.explain() == explained)
        finally:
            FaultyClock.raises = None
        eventually(lambda: scheduler.is_running)
        seen = len(runs)
        eventually(lambda: len(runs) > seen)
    cries = [each for each in caplog.records if each.levelno == logging.CRITICAL]
    assert len(cries) == 1
    eventually(lambda: "the scheduler's loop works again" in caplog.text)


def test_a_failing_loop_can_be_stopped() -> None:
    clock = FaultyClock()
    with Scheduler(clock=clock) as scheduler:
        scheduler.add_periodic_task(None, 0.01, lambda: None, "it")
        FaultyClock.raises = RuntimeError
        try:
            eventually(lambda: not scheduler.is_running)
            assert scheduler.stop() == []
        finally:
            FaultyClock.raises = None


def test_if_the_log_is_broken_standard_error_says_it(broken_logging: None, stderr: StringIO) -> None:
    clock = FaultyClock()
    with Scheduler(clock=clock) as scheduler:
        scheduler.add_periodic_task(None, 0.01, lambda: None, "it")
        FaultyClock.raises = RuntimeError
        try:
            eventually(lambda: "the scheduler's loop failed" in stderr.getvalue())
        finally:
            FaultyClock.raises = None


@ANY_ERROR
def test_a_thread_that_dies_all_the_same_is_no_running_scheduler(
    error: type[BaseException], caplog: pytest.LogCaptureFixture, stderr: StringIO
) -> None:
    def die() -> object:
        raise error("shot")

    with Scheduler() as scheduler:
        handle = scheduler.add_periodic_task(None, 0.01, lambda: None, "it")
        eventually(lambda: handle.run_count)
        scheduler._core._alarm._ring = die  # type: ignore[attr-defined]
        eventually(lambda: not scheduler.is_running)

        assert f"the scheduler's loop failed: {error.__name__}: shot" in handle.explain()
        eventually(lambda: "nothing starts any more" in stderr.getvalue())  # which is said last
        assert "nothing starts any more" in caplog.text
        assert scheduler.stop() == []


class FaultyExecutor:
    """An executor of one's own that raises every second time."""

    def __init__(self) -> None:
        self._executor = ThreadPool()
        self._asked = 0

    @property
    def count(self) -> int:
        return self._executor.count

    def for_events(self) -> Threads:
        return self._executor.for_events()

    def submit(self, jobs: Sequence[Job]) -> bool:
        self._asked += 1
        accepted = self._executor.submit(jobs)
        if self._asked % 2:
            raise OSError("no room")
        return accepted


def test_an_executor_that_raises_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    runs: list[int] = []
    with Scheduler(threads=FaultyExecutor()) as scheduler:
        scheduler.add_periodic_task(None, 0.01, lambda: runs.append(1), "it")
        eventually(lambda: len(runs) > 3)
        assert scheduler.is_running
    assert "a thread could not be started" in caplog.text


class FaultyAlarm:
    """An alarm of one's own clock that raises when it is closed."""

    def __init__(self, alarm: object, error: BaseException) -> None:
        self._alarm = alarm
        self._error = error

    def __getattr__(self, name: str) -> Callable[[], None]:
        return getattr(self._alarm, name)  # type: ignore[no-any-return]

    def close(self) -> None:
        self._alarm.close()  # type: ignore[attr-defined]
        raise self._error


def test_an_alarm_that_raises_keeps_nothing_from_stopping(monkeypatch: pytest.MonkeyPatch) -> None:
    alarm, stuck = SystemClock.alarm, RuntimeError("stuck")
    monkeypatch.setattr(
        SystemClock, "alarm", lambda self, ring, name: FaultyAlarm(alarm(self, ring, name), stuck)
    )
    with Scheduler() as scheduler:
        scheduler.add_periodic_task(None, 0.01, lambda: None, "it")
        assert scheduler.stop() == []


def test_ctrl_c_while_stop_waits_for_the_alarm_reaches_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    alarm, ctrl_c = SystemClock.alarm, KeyboardInterrupt()
    monkeypatch.setattr(
        SystemClock, "alarm", lambda self, ring, name: FaultyAlarm(alarm(self, ring, name), ctrl_c)
    )
    scheduler = Scheduler()
    scheduler.start()
    stopped: list[Event] = []
    scheduler.subscribe(stopped.append, (SchedulerStopped,))

    with pytest.raises(KeyboardInterrupt):
        scheduler.stop()

    assert scheduler.stop() == []
    assert len(stopped) == 1
