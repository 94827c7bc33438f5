"""Events (section 7): one at a time, in the order of truth, the same for all, and felt by nobody else."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator
from random import Random
from time import monotonic

import pytest
from patience import PATIENCE, eventually

from taskkit import (
    Event,
    Every,
    OutputWritten,
    RunFinished,
    RunProgressed,
    RunStarted,
    Scheduler,
    SchedulerPaused,
    SchedulerStopped,
    Task,
    TaskChanged,
    TaskEvent,
    TaskRegistered,
    TaskUnregistered,
    current_run,
)
from taskkit.engine import event_bus
from taskkit.engine.event_bus import (
    IDLE_WATCH_SECONDS,
    LINGER_SECONDS,
    QUIET_SECONDS,
    SUBSCRIBER_SECONDS,
    WATCH_SECONDS,
    EventBus,
)
from taskkit.engine.threads import Job, Threads
from taskkit.testing import InlineExecutor, ManualClock


@pytest.fixture
def real() -> Iterator[Scheduler]:
    """A scheduler with threads of its own."""
    with Scheduler(capture=False) as scheduler:
        yield scheduler


def nothing() -> None:
    pass


def nothing_of(_: Event) -> None:
    pass


class TestOrder:
    def test_two_subscribers_get_the_same_events_while_many_threads_command(self, real: Scheduler) -> None:
        first: list[Event] = []
        second: list[Event] = []
        real.subscribe(first.append)
        real.subscribe(second.append)

        def command(seed: int) -> None:
            random = Random(seed)
            for _ in range(300):
                name = f"task {random.randrange(5)}"
                match random.randrange(8):
                    case 0:
                        real.add_on_demand_task(nothing, name)
                    case 1:
                        real.unregister_task(name)
                    case 2:
                        real.disable_task(name)
                    case 3:
                        real.enable_task(name)
                    case 4:
                        real.add_task(Every(0.01), nothing, name)
                    case _:
                        real.demand_task(name)

        threads = [threading.Thread(target=command, args=(seed,)) for seed in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        for number in range(5):
            real.unregister_task(f"task {number}")
        eventually(lambda: not real.running)
        real.stop()

        eventually(lambda: len(second) == len(first) and isinstance(second[-1], SchedulerStopped))
        assert len(first) > 1_000
        assert first == second
        assert_true(first)

    def test_an_instant_never_goes_back(self, real: Scheduler) -> None:
        told: list[Event] = []
        real.subscribe(told.append)
        for number in range(200):
            real.add_timed_task(None, nothing, f"task {number}")
        eventually(lambda: sum(isinstance(event, RunFinished) for event in told) == 200)

        assert [event.at for event in told] == sorted(event.at for event in told)

    def test_never_two_at_a_time(self, real: Scheduler) -> None:
        inside = threading.Lock()
        overlapped: list[Event] = []
        told: list[Event] = []

        def hear(event: Event) -> None:
            if not inside.acquire(blocking=False):
                overlapped.append(event)
                return
            told.append(event)
            inside.release()

        real.subscribe(hear)
        real.subscribe(hear)
        for number in range(100):
            real.add_timed_task(None, nothing, f"task {number}")
        eventually(lambda: sum(isinstance(event, TaskUnregistered) for event in told) == 200)
        assert not overlapped

    def test_a_subscriber_gets_only_events_from_now_on(self, scheduler: Scheduler) -> None:
        scheduler.add_on_demand_task(nothing, "before")
        told: list[Event] = []
        scheduler.subscribe(told.append)
        scheduler.add_on_demand_task(nothing, "after")

        assert [event.name for event in told if isinstance(event, TaskEvent)] == ["after"]


def assert_true(told: list[Event]) -> None:
    """The events make sense as a history: that is what "the order of truth" means."""
    registered: set[str] = set()
    running: dict[str, int] = {}
    disabled: dict[str, bool] = {}
    for event in told:
        match event:
            case TaskRegistered():
                assert event.name not in registered, f"{event} without the end of its predecessor"
                registered.add(event.name)
                disabled[event.name] = False
            case TaskUnregistered():
                registered.remove(event.name)
            case TaskChanged(what="disabled"):
                assert event.before is disabled[event.name]
                disabled[event.name] = bool(event.after)
            case RunStarted():
                assert event.name not in running, f"{event} while {running[event.name]} runs"
                assert event.name in registered
                running[event.name] = event.run
            case RunFinished() if event.outcome.started is not None:
                assert running.pop(event.name) == event.run
    assert not running


class TestSubscribers:
    def test_one_that_raises_is_logged_and_never_felt(
        self, scheduler: Scheduler, caplog: pytest.LogCaptureFixture
    ) -> None:
        def broken(_: Event) -> None:
            raise SystemExit("a broken subscriber")

        told: list[Event] = []
        scheduler.subscribe(broken)
        scheduler.subscribe(told.append)
        scheduler.add_on_demand_task(nothing, "task")
        scheduler.demand_task("task")

        assert [type(event) for event in told] == [TaskRegistered, RunStarted, RunFinished]
        assert caplog.text.count("a subscriber raised at TaskRegistered") == 1
        assert "a broken subscriber" in caplog.text

    def test_one_that_raises_is_not_felt_where_logging_raises_too(self, scheduler: Scheduler) -> None:
        def broken(_: Event) -> None:
            raise ValueError("a broken subscriber")

        def refuse(_: logging.LogRecord) -> bool:
            raise RuntimeError("a broken filter")

        told: list[Event] = []
        scheduler.subscribe(broken)
        scheduler.subscribe(told.append)
        logger = logging.getLogger("taskkit")
        logger.addFilter(refuse)
        try:
            scheduler.add_on_demand_task(nothing, "task")
            scheduler.demand_task("task")
        finally:
            logger.removeFilter(refuse)

        assert [type(event) for event in told] == [TaskRegistered, RunStarted, RunFinished]

    def test_a_subscriber_may_call_the_scheduler_and_gets_those_events_afterwards(
        self, scheduler: Scheduler
    ) -> None:
        told: list[str] = []

        def hear(event: Event) -> None:
            told.append(f"{type(event).__name__} begins")
            if isinstance(event, TaskRegistered):
                scheduler.disable_task(event.name)
                scheduler.demand_task(event.name)
            told.append(f"{type(event).__name__} ends")

        scheduler.subscribe(hear)
        scheduler.add_on_demand_task(nothing, "task")

        kinds = ["TaskRegistered", "TaskChanged", "RunStarted", "RunFinished"]
        assert told == [f"{kind} {what}" for kind in kinds for what in ("begins", "ends")]

    def test_calling_back_from_a_thread_of_the_scheduler_blocks_nothing(self, real: Scheduler) -> None:
        seen: list[int] = []

        def hear(event: Event) -> None:
            if isinstance(event, RunFinished):
                seen.append(len(real.snapshot().tasks))
                if len(seen) < 50:
                    real.demand_task(event.name)

        real.subscribe(hear)
        real.add_on_demand_task(nothing, "task")
        real.demand_task("task")
        eventually(lambda: len(seen) == 50)

    def test_a_subscriber_that_unsubscribes_in_its_callback_gets_no_more(self, scheduler: Scheduler) -> None:
        told: list[Event] = []
        others: list[Event] = []

        def once(event: Event) -> None:
            told.append(event)
            unsubscribe()

        unsubscribe = scheduler.subscribe(once)
        scheduler.subscribe(others.append)
        scheduler.add_on_demand_task(nothing, "a")
        scheduler.add_on_demand_task(nothing, "b")

        assert len(told) == 1
        assert len(others) == 2

    def test_a_subscriber_unsubscribed_by_another_does_not_get_the_present_event(
        self, scheduler: Scheduler
    ) -> None:
        told: list[Event] = []
        ends: list[Callable[[], None]] = []
        scheduler.subscribe(lambda _: ends[0]())
        ends.append(scheduler.subscribe(told.append))
        scheduler.add_on_demand_task(nothing, "task")

        assert told == []

    def test_a_subscription_made_in_a_callback_begins_with_the_next_event(self, scheduler: Scheduler) -> None:
        told: list[Event] = []

        def hear(event: Event) -> None:
            if isinstance(event, TaskRegistered) and event.name == "a":
                scheduler.subscribe(told.append)

        scheduler.subscribe(hear)
        scheduler.add_on_demand_task(nothing, "a")
        scheduler.add_on_demand_task(nothing, "b")

        assert [event.name for event in told if isinstance(event, TaskEvent)] == ["b"]

    def test_one_callback_can_subscribe_twice_and_each_ends_by_itself(self, scheduler: Scheduler) -> None:
        told: list[Event] = []
        end = scheduler.subscribe(told.append)
        scheduler.subscribe(told.append)
        scheduler.pause()
        end()
        end()
        scheduler.resume()

        assert [type(event).__name__ for event in told] == ["SchedulerPaused"] * 2 + ["SchedulerResumed"]

    def test_something_that_cannot_be_called_is_refused(self, scheduler: Scheduler) -> None:
        with pytest.raises(TypeError, match="callback must be callable, not 'nobody'"):
            scheduler.subscribe("nobody")  # type: ignore[arg-type]

    def test_a_slow_one_delays_no_run_and_no_command(self, real: Scheduler) -> None:
        """It stands still for as long as it takes to run a hundred tasks and to give as many commands."""
        reached, go_on = threading.Event(), threading.Event()
        runs: list[int] = []

        def slow(_: Event) -> None:
            reached.set()
            assert go_on.wait(PATIENCE)

        real.subscribe(slow)
        real.add_on_demand_task(nothing, "first")
        assert reached.wait(PATIENCE)
        for number in range(100):
            real.add_on_demand_task(lambda number=number: runs.append(number), f"task {number}")
            assert real.demand_task(f"task {number}")
            assert real.disable_task(f"task {number}")
        real.add_task(Every(0.001), lambda: runs.append(-1), "periodic")
        eventually(lambda: len([run for run in runs if run >= 0]) == 100 and runs.count(-1) >= 10)
        assert not go_on.is_set()
        go_on.set()

    def test_one_that_never_comes_back_holds_up_stop_for_a_bounded_time(self) -> None:
        go_on = threading.Event()
        scheduler = Scheduler(capture=False)
        scheduler.start()
        scheduler.subscribe(lambda _: go_on.wait(PATIENCE))
        scheduler.add_on_demand_task(nothing, "task")
        began = monotonic()
        scheduler.stop()
        took = monotonic() - began
        go_on.set()
        assert took < PATIENCE / 4


class TestFloods:
    """What is written and reported again and again comes in one event, however slow the listener is."""

    def test_progress_is_reported_at_its_latest(self, real: Scheduler) -> None:
        reported = threading.Event()
        told: deque[Event] = deque()

        def hear(event: Event) -> None:
            if isinstance(event, RunStarted):
                assert reported.wait(PATIENCE)
            told.append(event)

        def work() -> None:
            for done in range(10_001):
                current_run().progress(done, 10_000)
            reported.set()

        real.subscribe(hear)
        real.add_on_demand_task(work, "works")
        real.demand_task("works")
        eventually(lambda: isinstance(told[-1], RunFinished) if told else False)

        progress = [event.progress.done for event in told if isinstance(event, RunProgressed)]
        assert progress == [10_000]

    def test_progress_is_reported_before_the_end_and_never_goes_back(self, real: Scheduler) -> None:
        told: list[Event] = []
        real.subscribe(told.append)

        def work() -> None:
            for done in range(2_000):
                current_run().progress(done)

        real.add_on_demand_task(work, "works")
        real.demand_task("works")
        eventually(lambda: told and isinstance(told[-1], RunFinished))

        done = [event.progress.done for event in told if isinstance(event, RunProgressed)]
        assert done == sorted(set(done))
        assert done[-1] == 1_999

    def test_output_is_delivered_in_batches_and_complete(self) -> None:
        written = threading.Event()
        told: deque[Event] = deque()

        class Writes(Task):
            def run(self) -> None:
                for number in range(300):
                    print("line", number)
                written.set()

        def hear(event: Event) -> None:
            if isinstance(event, RunStarted):
                assert written.wait(PATIENCE)
            told.append(event)

        with Scheduler() as scheduler:
            scheduler.subscribe(hear)
            scheduler.add_on_demand_task(Writes(), "writes")
            scheduler.demand_task("writes")
            eventually(lambda: isinstance(told[-1], RunFinished) if told else False)

        batches = [event for event in told if isinstance(event, OutputWritten)]
        lines = [line.text for event in batches for line in event.lines]
        assert len(batches) == 1
        assert sum(event.dropped for event in batches) + len(lines) == 300
        assert lines == [f"line {number}" for number in range(300 - len(lines), 300)]


class Stepwise:
    """An executor that keeps the delivery until a test does it."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.count = 0

    def submit(self, jobs: object) -> None:
        self.jobs += jobs  # type: ignore[operator]

    def for_events(self) -> Threads:
        return self


class TestBus:
    def test_an_event_posted_just_as_the_delivery_ends_is_delivered(self) -> None:
        """Whoever posts looks without the lock whether a delivery is under way, so its end is the risk."""

        class Tricky(deque[Event | Callable[[], Event | None]]):
            """Somebody posts in the very moment in which it was seen to be empty."""

            def __bool__(self) -> bool:
                was_empty = len(self) == 0
                if was_empty and late:
                    posting.start()
                    posting.join(0.2)  # it has passed by, or waits for the end of the delivery
                return not was_empty

        def post() -> None:
            bus.post(late.pop())
            bus.flush()

        executor = Stepwise()
        bus = EventBus(executor)
        told: list[Event] = []
        bus.subscribe(told.append)
        late: list[Event] = []
        bus._queue = Tricky()
        posting = threading.Thread(target=post)
        first, second = SchedulerPaused(1.0), SchedulerPaused(2.0)
        bus.post(first)
        bus.flush()
        late.append(second)
        executor.jobs.pop()[1]()
        posting.join(PATIENCE)
        while executor.jobs:
            executor.jobs.pop()[1]()

        assert told == [first, second]

    def test_a_subscriber_does_not_wait_for_the_whole_delivery(self) -> None:
        """A subscriber may stop the scheduler, which waits for the last events."""
        bus = EventBus(InlineExecutor())
        answers: list[bool] = []
        bus.subscribe(lambda _: answers.append(bus.wait_delivered(PATIENCE)))
        began = monotonic()
        bus.post(SchedulerPaused(1.0))
        bus.flush()
        assert answers == [False]
        assert bus.wait_delivered(PATIENCE)
        assert monotonic() - began < PATIENCE / 2

    def test_a_subscriber_gets_nothing_that_was_queued_before(self) -> None:
        """Another is slow, so that much is queued; still, everybody hears what happens from now on."""
        executor = Stepwise()
        bus = EventBus(executor)
        first: list[Event] = []
        second: list[Event] = []
        third: list[Event] = []
        bus.subscribe(first.append)
        bus.post(SchedulerPaused(1.0))
        bus.flush()
        bus.subscribe(second.append)
        unsubscribe = bus.subscribe(third.append)
        bus.post(SchedulerPaused(2.0))
        unsubscribe()
        bus.post(SchedulerPaused(3.0))
        executor.jobs.pop()[1]()

        assert [event.at for event in first] == [1.0, 2.0, 3.0]
        assert [event.at for event in second] == [2.0, 3.0]
        assert third == []

    def test_a_new_subscriber_gets_late_made_events_at_once(self) -> None:
        """Lines are queued once: whoever comes later would miss those written after it came."""
        executor = Stepwise()
        bus = EventBus(executor)
        told: list[Event] = []
        bus.subscribe(nothing_of)
        bus.post(lambda: SchedulerPaused(2.0))
        bus.flush()
        bus.subscribe(told.append)
        executor.jobs.pop()[1]()

        assert told == [SchedulerPaused(2.0)]

    def test_who_comes_and_goes_while_nothing_happens_leaves_nothing(self) -> None:
        executor = Stepwise()
        bus = EventBus(executor)
        for _ in range(100):
            bus.subscribe(nothing_of)()
        bus.flush()
        assert executor.jobs == []
        assert not bus.wanted

    def test_without_a_subscriber_nothing_is_delivered(self) -> None:
        executor = Stepwise()
        scheduler = Scheduler(clock=ManualClock(), executor=InlineExecutor(), capture=False)
        scheduler._core.bus._threads = executor
        scheduler.add_on_demand_task(nothing, "task")
        scheduler.demand_task("task")
        assert executor.jobs == []

    def test_a_demand_wakes_the_delivery_before_the_task_begins(self) -> None:
        """The thread of the run would wake it otherwise, while the caller waits for the task."""
        runs, deliveries = Stepwise(), Stepwise()
        scheduler = Scheduler(clock=ManualClock(), threads=runs, capture=False)
        scheduler._core.bus._threads = deliveries
        told: list[Event] = []
        scheduler.add_on_demand_task(nothing, "task")
        scheduler.subscribe(told.append)
        scheduler.demand_task("task")
        assert len(deliveries.jobs) == 1
        runs.jobs.pop()[1]()
        assert len(deliveries.jobs) == 1
        deliveries.jobs.pop()[1]()
        assert [type(event) for event in told] == [RunStarted, RunFinished]

    @pytest.mark.parametrize("kind", [RunFinished, TaskChanged])
    def test_a_demand_wakes_no_delivery_for_subscribers_of_other_events(self, kind: type[Event]) -> None:
        runs, deliveries = Stepwise(), Stepwise()
        scheduler = Scheduler(clock=ManualClock(), threads=runs, capture=False)
        scheduler._core.bus._threads = deliveries
        scheduler.add_on_demand_task(nothing, "task")
        scheduler.subscribe(nothing_of, kinds=[kind])
        scheduler.demand_task("task")
        assert deliveries.jobs == []


class Paced:
    """A bus whose clock is moved by hand. Its deliveries are executed here, and its threads wait here."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        self.executor = Stepwise()
        self.executor.count = 1  # it has a thread: without one, nothing ever waits
        self.bus = EventBus(self.executor, sets_aside=False)
        self.waits: list[float] = []
        """The waits of the delivery and of the watch thread, in seconds."""
        self.meanwhile: deque[Callable[[], object]] = deque()
        """Called one after the other, one in each wait."""
        self.bus._check_soon = self  # type: ignore[assignment]  # the gate at which the watch thread waits
        monkeypatch.setattr(event_bus, "monotonic", lambda: self.now)
        monkeypatch.setattr(event_bus, "sleep", self.wait)

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds
        if self.meanwhile:
            self.meanwhile.popleft()()

    def open(self) -> None:
        self.waits.append(0.0)

    def post(self) -> None:
        self.bus.post(SchedulerPaused(self.now))
        self.bus.flush()

    def deliver(self) -> None:
        self.executor.jobs.pop()[1]()


@pytest.fixture
def paced(monkeypatch: pytest.MonkeyPatch) -> Paced:
    return Paced(monkeypatch)


class TestWaitsOfTheBus:
    """Each wait wakes a thread once more, which is a good part of the work of a scheduler at rest."""

    def waits_after(self, seconds: float, paced: Paced) -> list[float]:
        paced.now += seconds
        paced.waits.clear()
        paced.post()
        paced.deliver()
        return list(paced.waits)

    def test_the_delivery_waits_for_more_only_if_it_had_to_begin_again_at_once(self, paced: Paced) -> None:
        paced.bus.subscribe(nothing_of)
        assert self.waits_after(0.0, paced) == []
        assert self.waits_after(0.1, paced) == []
        assert self.waits_after(LINGER_SECONDS / 2, paced) == [LINGER_SECONDS]
        assert self.waits_after(0.1, paced) == []

    def test_it_waits_on_as_long_as_more_comes(self, paced: Paced) -> None:
        told: list[Event] = []
        paced.bus.subscribe(told.append)
        self.waits_after(0.0, paced)
        paced.meanwhile.extend([paced.post] * 3)
        assert self.waits_after(0.0, paced) == [LINGER_SECONDS] * 4
        assert len(told) == 5
        assert paced.executor.jobs == []

    def test_one_that_was_woken_beforehand_waits_for_the_first_event(self, paced: Paced) -> None:
        told: list[Event] = []
        paced.bus.subscribe(told.append)
        paced.bus.prepare()
        paced.meanwhile.append(paced.post)
        paced.deliver()
        assert len(told) == 1
        assert paced.executor.jobs == []

    def test_the_watch_thread_lives_on_while_there_are_events_now_and_then(self, paced: Paced) -> None:
        """Starting it for each of them would cost more than its few checks."""

        def run() -> None:
            paced.post()
            paced.deliver()

        paced.bus.subscribe(nothing_of)
        paced.meanwhile.extend([run] * 50)
        paced.bus._watch()
        assert paced.waits[:50] == [IDLE_WATCH_SECONDS] * 50
        assert QUIET_SECONDS <= sum(paced.waits[50:]) <= QUIET_SECONDS + IDLE_WATCH_SECONDS

    def test_the_watch_looks_at_once_and_often_while_somebody_waits_for_all(self, paced: Paced) -> None:
        paced.bus.subscribe(nothing_of)
        paced.meanwhile.extend([paced.post, lambda: paced.bus.wait_delivered(0.0), nothing, paced.deliver])
        paced.bus._watch()
        assert paced.waits[:5] == [IDLE_WATCH_SECONDS, IDLE_WATCH_SECONDS, 0.0, WATCH_SECONDS, WATCH_SECONDS]
        assert paced.waits[5] == IDLE_WATCH_SECONDS

    def test_one_look_is_enough_to_set_a_subscriber_aside(self, paced: Paced) -> None:
        """However long ago the last look was: the time of the call counts."""
        order: list[str] = []

        def hang(_: Event) -> None:
            order.append("called")
            for seconds in (SUBSCRIBER_SECONDS, 0.001):
                paced.now += seconds
                paced.bus._check_subscriber()
                while paced.executor.jobs:
                    paced.deliver()
                order.append("looked")

        paced.bus.subscribe(hang)
        paced.bus.subscribe(lambda _: order.append("the other"))
        paced.now = 100.0
        paced.post()
        paced.deliver()
        assert order == ["called", "looked", "the other", "looked"]
