"""Waiting for what happens: nothing is missed, whichever thread it comes on."""

from __future__ import annotations

import os
import signal
from threading import Thread, Timer, get_ident

import pytest
from patience import PATIENCE

from taskkit.cli import signals
from taskkit.cli.news import News
from taskkit.cli.signals import Signals


def test_what_is_put_is_got_in_order() -> None:
    news: News[int] = News()
    for number in range(100_000):  # more than the pipe holds
        news.put(number)
    assert [news.get(PATIENCE) for _ in range(100_000)] == list(range(100_000))
    assert news.get(0) is None


def test_the_reader_wakes_for_what_another_thread_puts() -> None:
    news: News[str] = News()
    thread = Thread(target=lambda: news.put("here"))
    thread.start()
    assert news.get(PATIENCE) == "here"
    thread.join(PATIENCE)


def test_a_signal_wakes_the_reader_though_another_thread_gets_it() -> None:
    news: News[int] = News()
    with Signals([signal.SIGUSR1], news.put, news.descriptor):
        # Delivered to this very thread, it interrupts no wait of the main thread, which has begun by then.
        thread = Timer(0.05, lambda: signal.pthread_kill(get_ident(), signal.SIGUSR1))
        thread.start()
        assert news.get(PATIENCE) == signal.SIGUSR1
        thread.join(PATIENCE)


def test_two_signals_at_once_are_both_heard() -> None:
    news: News[int] = News()
    with Signals([signal.SIGUSR1, signal.SIGUSR2], news.put, news.descriptor):
        for _ in range(200):
            for number in (signal.SIGUSR1, signal.SIGUSR2):
                os.kill(os.getpid(), number)
            assert {news.get(PATIENCE), news.get(PATIENCE)} == {signal.SIGUSR1, signal.SIGUSR2}


def heard_of(*numbers: signal.Signals) -> list[int]:
    heard: list[int] = []
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with Signals(set(numbers), heard.append, writing):
        for number in numbers:
            signal.raise_signal(number)
    os.close(reading)
    os.close(writing)
    return heard


def test_a_signal_that_is_sent_to_a_process_and_to_its_group_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signals, "ECHO", 3600.0)
    assert heard_of(signal.SIGTERM, signal.SIGTERM) == [signal.SIGTERM]
    assert heard_of(signal.SIGINT, signal.SIGTERM) == [signal.SIGINT, signal.SIGTERM]
    assert heard_of(signal.SIGHUP, signal.SIGHUP) == [signal.SIGHUP, signal.SIGHUP]

    monkeypatch.setattr(signals, "ECHO", 0.0)
    assert heard_of(signal.SIGTERM, signal.SIGTERM) == [signal.SIGTERM, signal.SIGTERM]


def test_handlers_are_put_back_and_ignored_ones_stay_ignored() -> None:
    news: News[int] = News()
    before = signal.getsignal(signal.SIGUSR1)
    ignored = signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    try:
        with Signals([signal.SIGUSR1, signal.SIGUSR2], news.put, news.descriptor, [signal.SIGUSR2]):
            assert signal.getsignal(signal.SIGUSR1) != before
            assert signal.getsignal(signal.SIGUSR2) == signal.SIG_IGN
        assert signal.getsignal(signal.SIGUSR1) == before
        assert signal.set_wakeup_fd(-1) == -1
    finally:
        signal.signal(signal.SIGUSR2, ignored)


def test_a_forked_child_dies_of_a_signal_at_once() -> None:
    news: News[int] = News()
    with Signals([signal.SIGTERM], news.put, news.descriptor):
        for _ in range(50):
            child = os.fork()
            if child == 0:
                signal.alarm(int(PATIENCE))
                signal.pause()
                os._exit(1)
            os.kill(child, signal.SIGTERM)
            _, status = os.waitpid(child, 0)
            assert os.WTERMSIG(status) == signal.SIGTERM
    assert news.get(0) is None
