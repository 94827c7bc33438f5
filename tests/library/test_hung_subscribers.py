"""A subscriber that does not return, or hardly keeps up, is felt by nobody else (section 7)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from random import Random
from time import sleep

import pytest
from patience import PATIENCE, eventually, no_thread_left

from taskkit import Event, RunFinished, Scheduler, SchedulerStopped, TaskEvent, TaskRegistered
from taskkit.engine import event_bus
from taskkit.engine.threads import ThreadPool


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_bus, "SUBSCRIBER_SECONDS", 0.1)
    monkeypatch.setattr(event_bus, "SUBSCRIBER_SECONDS_AT_STOP", 0.1)
    monkeypatch.setattr(event_bus, "WATCH_SECONDS", 0.02)
    monkeypatch.setattr(event_bus, "IDLE_WATCH_SECONDS", 0.02)
    monkeypatch.setattr(event_bus, "QUIET_SECONDS", 0.1)


@pytest.fixture
def scheduler() -> Iterator[Scheduler]:
    """Started, with threads."""
    with Scheduler(capture=False) as scheduler:
        yield scheduler


class Hanging:
    """A subscriber that waits in its first call, until it is let go."""

    def __init__(self) -> None:
        self.told: list[Event] = []
        self.inside = threading.Event()
        self.go_on = threading.Event()

    def __call__(self, event: Event) -> None:
        self.told.append(event)
        if not self.inside.is_set():
            self.inside.set()
            assert self.go_on.wait(PATIENCE)


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    hanging = Hanging()
    yield hanging
    hanging.go_on.set()


def run_some(scheduler: Scheduler, count: int, name: str = "it") -> None:
    done: list[int] = []
    scheduler.add_on_demand_task(lambda: done.append(1), name)
    for number in range(1, count + 1):
        scheduler.demand_task(name)
        eventually(lambda number=number: len(done) == number and not scheduler.running)


def finished(told: list[Event]) -> int:
    return sum(isinstance(event, RunFinished) for event in told)


def test_the_others_get_events_though_nothing_more_happens(scheduler: Scheduler, hanging: Hanging) -> None:
    told: list[Event] = []
    scheduler.subscribe(hanging)
    scheduler.subscribe(told.append)
    scheduler.add_on_demand_task(lambda: None, "it")
    eventually(lambda: [type(event) for event in told] == [TaskRegistered])


def test_the_others_get_all_events_in_order(scheduler: Scheduler, hanging: Hanging) -> None:
    before: list[Event] = []
    after: list[Event] = []
    scheduler.subscribe(before.append)
    scheduler.subscribe(hanging)
    scheduler.subscribe(after.append)
    run_some(scheduler, 30)
    eventually(lambda: finished(before) == finished(after) == 30)
    assert before == after
    assert len(hanging.told) == 1


def test_one_that_returns_gets_what_it_missed_in_order(scheduler: Scheduler, hanging: Hanging) -> None:
    told: list[Event] = []
    scheduler.subscribe(hanging)
    scheduler.subscribe(told.append)
    run_some(scheduler, 20)
    eventually(lambda: finished(told) == 20)
    hanging.go_on.set()
    eventually(lambda: finished(hanging.told) == 20)
    run_some(scheduler, 20, "again")
    eventually(lambda: finished(hanging.told) == 40)
    assert hanging.told == told


def test_it_is_one_of_all_again_once_it_has_caught_up(scheduler: Scheduler, hanging: Hanging) -> None:
    scheduler.subscribe(hanging)
    run_some(scheduler, 3)
    hanging.go_on.set()
    eventually(lambda: finished(hanging.told) == 3)
    eventually(lambda: not scheduler._core.bus._aside)
    run_some(scheduler, 3, "again")
    eventually(lambda: finished(hanging.told) == 6)


def test_two_may_hang(scheduler: Scheduler, hanging: Hanging) -> None:
    other = Hanging()
    told: list[Event] = []
    for each in (hanging, other, told.append):
        scheduler.subscribe(each)
    run_some(scheduler, 3)
    eventually(lambda: finished(told) == 3)
    hanging.go_on.set()
    other.go_on.set()
    eventually(lambda: hanging.told == told == other.told)


def test_it_is_named_in_the_log_once_and_again_when_it_returns(
    scheduler: Scheduler, hanging: Hanging, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def stuck_sender(event: Event) -> None:
        hanging(event)

    monkeypatch.setattr(event_bus, "WARN_SECONDS", 0.2)
    scheduler.subscribe(stuck_sender)
    run_some(scheduler, 3)
    eventually(lambda: "has not returned for 0." in caplog.text)
    assert "stuck_sender" in caplog.text
    hanging.go_on.set()
    eventually(lambda: "gets events again after" in caplog.text)
    assert "it lost 0 events" in caplog.text
    assert len(caplog.records) == 2


def test_where_too_much_waits_for_it_the_oldest_is_lost_to_it_alone_and_counted(
    scheduler: Scheduler, hanging: Hanging, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("taskkit.engine.subscription.MOST_BYTES", 10_000)
    told: list[Event] = []
    scheduler.subscribe(hanging)
    scheduler.subscribe(told.append)
    run_some(scheduler, 50)
    eventually(lambda: finished(told) == 50)
    eventually(lambda: "has not returned" in caplog.text)
    hanging.go_on.set()
    eventually(lambda: finished(told[-1:]) and hanging.told[-1] == told[-1])
    eventually(lambda: "gets events again" in caplog.text)

    kept = hanging.told[1:]
    assert 0 < len(kept) < len(told) - 1
    assert kept == told[-len(kept) :]
    assert f"; it lost {len(told) - 1 - len(kept)} events" in caplog.text


def test_what_waits_for_one_that_never_returns_is_bounded(
    scheduler: Scheduler, hanging: Hanging, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("taskkit.engine.subscription.MOST_BYTES", 20_000)
    scheduler.subscribe(hanging)
    run_some(scheduler, 5)
    eventually(lambda: scheduler._core.bus._aside)
    (subscription,) = scheduler._core.bus._aside
    run_some(scheduler, 200, "many")
    eventually(lambda: not scheduler._core.bus._queue)
    assert len(subscription.behind) <= 40
    assert subscription.lost > 100


def test_one_that_returns_too_slowly_is_set_aside_too(
    scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_bus, "SUBSCRIBER_SECONDS", PATIENCE)
    monkeypatch.setattr(event_bus, "MOST_QUEUED", 20)
    told: list[Event] = []
    slowly: list[Event] = []
    hurry = threading.Event()

    def slow(event: Event) -> None:
        hurry.wait(0.03)
        slowly.append(event)

    scheduler.subscribe(slow)
    scheduler.subscribe(told.append)
    run_some(scheduler, 100)
    eventually(lambda: finished(told) == 100)
    assert finished(slowly) < 100
    hurry.set()
    eventually(lambda: slowly == told)


def test_a_subscriber_unsubscribed_while_it_hangs_gets_no_more(
    scheduler: Scheduler, hanging: Hanging
) -> None:
    told: list[Event] = []
    end = scheduler.subscribe(hanging)
    scheduler.subscribe(told.append)
    run_some(scheduler, 3)
    eventually(lambda: finished(told) == 3)
    end()
    hanging.go_on.set()
    run_some(scheduler, 3, "again")
    eventually(lambda: finished(told) == 6)
    assert len(hanging.told) == 1


def test_one_that_hangs_during_stop_delays_no_other_subscriber() -> None:
    hanging = Hanging()
    told: list[Event] = []
    scheduler = Scheduler(capture=False)
    with scheduler:
        scheduler.subscribe(hanging)
        scheduler.subscribe(told.append)
        scheduler.add_on_demand_task(lambda: None, "it")
    assert isinstance(told[-1], SchedulerStopped)
    hanging.go_on.set()


def test_one_that_hangs_is_named_when_everything_stops(
    hanging: Hanging, caplog: pytest.LogCaptureFixture
) -> None:
    with Scheduler(capture=False) as scheduler:
        scheduler.subscribe(hanging)
        scheduler.add_on_demand_task(lambda: None, "it")
    assert "Hanging" in caplog.text
    assert "has not returned" in caplog.text


def test_nothing_is_left_of_one_that_has_returned(hanging: Hanging) -> None:
    with no_thread_left(), Scheduler(threads=ThreadPool(idle_seconds=0.05)) as scheduler:
        scheduler.subscribe(hanging)
        run_some(scheduler, 3)
        hanging.go_on.set()
        eventually(lambda: finished(hanging.told) == 3)


@pytest.mark.parametrize("subscribers", [1, 4])
def test_many_threads_and_short_hangs_lose_nothing_and_change_no_order(
    scheduler: Scheduler, subscribers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are set aside and taken back all the time."""
    monkeypatch.setattr(event_bus, "SUBSCRIBER_SECONDS", 0.002)
    monkeypatch.setattr(event_bus, "SUBSCRIBER_SECONDS_AT_STOP", 0.002)
    monkeypatch.setattr(event_bus, "WATCH_SECONDS", 0.0005)
    monkeypatch.setattr(event_bus, "IDLE_WATCH_SECONDS", 0.0005)
    told: list[list[Event]] = [[] for _ in range(subscribers + 1)]

    def naps(own: list[Event], seed: int) -> Callable[[Event], None]:
        random = Random(seed)

        def hear(event: Event) -> None:
            if random.random() < 0.05:
                sleep(random.random() * 0.006)
            own.append(event)

        return hear

    for seed, own in enumerate(told[1:]):
        scheduler.subscribe(naps(own, seed))
    scheduler.subscribe(told[0].append)

    def command(number: int) -> None:
        for turn in range(60):
            scheduler.add_on_demand_task(lambda: None, f"task {number}")
            scheduler.demand_task(f"task {number}")
            if turn % 3 == 0:
                scheduler.unregister_task(f"task {number}")

    threads = [threading.Thread(target=command, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    eventually(lambda: not scheduler.running)
    scheduler.add_on_demand_task(lambda: None, "last")
    for own in told:
        eventually(lambda own=own: own and isinstance(own[-1], TaskEvent) and own[-1].name == "last")
    assert all(own == told[0] for own in told)
