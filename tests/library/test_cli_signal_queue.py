"""Waiting for signals and messages: none is missed, whichever thread it comes on."""

from __future__ import annotations

import os
import signal
from threading import Thread, Timer, get_ident

import pytest
from patience import PATIENCE

from taskkit.cli import signals
from taskkit.cli.signal_queue import SignalQueue
from taskkit.cli.signals import SignalHandlers


def test_items_are_returned_in_order() -> None:
    queue: SignalQueue[int] = SignalQueue()
    for number in range(100_000):  # more than the pipe holds
        queue.put(number)
    assert [queue.get(PATIENCE) for _ in range(100_000)] == list(range(100_000))
    assert queue.get(0) is None


def test_the_reader_wakes_for_an_item_of_another_thread() -> None:
    queue: SignalQueue[str] = SignalQueue()
    thread = Thread(target=lambda: queue.put("here"))
    thread.start()
    assert queue.get(PATIENCE) == "here"
    thread.join(PATIENCE)


def test_a_signal_wakes_the_reader_though_another_thread_gets_it() -> None:
    queue: SignalQueue[int] = SignalQueue()
    with SignalHandlers([signal.SIGUSR1], queue.put, queue.descriptor):
        # Delivered to this very thread, it interrupts no wait of the main thread, which has begun by then.
        thread = Timer(0.05, lambda: signal.pthread_kill(get_ident(), signal.SIGUSR1))
        thread.start()
        assert queue.get(PATIENCE) == signal.SIGUSR1
        thread.join(PATIENCE)


def test_two_signals_at_once_are_both_reported() -> None:
    queue: SignalQueue[int] = SignalQueue()
    with SignalHandlers([signal.SIGUSR1, signal.SIGUSR2], queue.put, queue.descriptor):
        for _ in range(200):
            for number in (signal.SIGUSR1, signal.SIGUSR2):
                os.kill(os.getpid(), number)
            assert {queue.get(PATIENCE), queue.get(PATIENCE)} == {signal.SIGUSR1, signal.SIGUSR2}


def signals_received(*numbers: signal.Signals) -> list[int]:
    received: list[int] = []
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with SignalHandlers(set(numbers), received.append, writing):
        for number in numbers:
            signal.raise_signal(number)
    os.close(reading)
    os.close(writing)
    return received


def test_a_signal_sent_to_a_process_and_to_its_group_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signals, "REPEAT_SECONDS", 3600.0)
    assert signals_received(signal.SIGTERM, signal.SIGTERM) == [signal.SIGTERM]
    assert signals_received(signal.SIGINT, signal.SIGTERM) == [signal.SIGINT, signal.SIGTERM]
    assert signals_received(signal.SIGHUP, signal.SIGHUP) == [signal.SIGHUP, signal.SIGHUP]

    monkeypatch.setattr(signals, "REPEAT_SECONDS", 0.0)
    assert signals_received(signal.SIGTERM, signal.SIGTERM) == [signal.SIGTERM, signal.SIGTERM]


def test_handlers_are_restored_and_ignored_signals_stay_ignored() -> None:
    queue: SignalQueue[int] = SignalQueue()
    before = signal.getsignal(signal.SIGUSR1)
    ignored = signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    try:
        with SignalHandlers([signal.SIGUSR1, signal.SIGUSR2], queue.put, queue.descriptor, [signal.SIGUSR2]):
            assert signal.getsignal(signal.SIGUSR1) != before
            assert signal.getsignal(signal.SIGUSR2) == signal.SIG_IGN
        assert signal.getsignal(signal.SIGUSR1) == before
        assert signal.set_wakeup_fd(-1) == -1
    finally:
        signal.signal(signal.SIGUSR2, ignored)


def test_a_forked_child_dies_of_a_signal_at_once() -> None:
    queue: SignalQueue[int] = SignalQueue()
    with SignalHandlers([signal.SIGTERM], queue.put, queue.descriptor):
        for _ in range(50):
            child = os.fork()
            if child == 0:
                signal.alarm(int(PATIENCE))
                signal.pause()
                os._exit(1)
            os.kill(child, signal.SIGTERM)
            _, status = os.waitpid(child, 0)
            assert os.WTERMSIG(status) == signal.SIGTERM
    assert queue.get(0) is None
