"""When the app looks at the scheduler."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from taskkit_tui.look_timer import (
    NEWS_SECONDS,
    PAUSE_SECONDS,
    REST_SECONDS,
    TYPING_SECONDS,
    LookTimer,
)


class Timers:
    """The timers of an app, which a test lets go off."""

    def __init__(self) -> None:
        self.quiet = True
        self.intervals: list[float] = []
        self.delays: list[float] = []
        self.tick: Callable[[], None] = lambda: None
        self.end: Callable[[], None] = lambda: None

    def set_interval(self, interval: float, callback: Callable[[], None]) -> None:
        self.intervals.append(interval)
        self.tick = callback

    def set_timer(self, delay: float, callback: Callable[[], None]) -> None:
        self.delays.append(delay)
        self.end = callback

    def is_quiet(self) -> bool:
        return self.quiet


class Looks:
    """A look timer, and the number of its looks."""

    def __init__(self) -> None:
        self.count = 0
        self.timers = Timers()
        self.timer = LookTimer(self.timers, self.look)
        self.timer.start()

    def look(self) -> None:
        self.count += 1

    def plan(self, took: float = 0.0, *, has_more: bool = False, has_news: bool = False) -> list[float]:
        """Plan the next look. Return the delays of all planned ones."""
        self.timer.plan(took=took, has_more=has_more, has_news=has_news)
        return self.timers.delays


@pytest.fixture
def looks() -> Looks:
    return Looks()


def test_at_rest_only_the_interval_counts(looks: Looks) -> None:
    assert looks.timers.intervals == [REST_SECONDS]
    assert looks.plan() == []
    looks.timers.tick()
    assert looks.count == 1


def test_after_news_the_next_look_comes_sooner(looks: Looks) -> None:
    assert looks.plan(has_news=True) == [NEWS_SECONDS]
    looks.timers.end()
    assert looks.count == 1


def test_what_could_not_be_read_is_read_at_once(looks: Looks) -> None:
    assert looks.plan(0.02, has_more=True, has_news=True) == [PAUSE_SECONDS]


@pytest.mark.parametrize(("took", "delay"), [(0.0, PAUSE_SECONDS), (0.02, 0.02), (5.0, TYPING_SECONDS)])
def test_while_a_person_types_keys_have_as_much_time_as_a_look(
    took: float, delay: float, looks: Looks
) -> None:
    looks.timers.quiet = False
    assert looks.plan(took, has_more=True) == [delay]


def test_one_look_is_planned_at_a_time_and_the_interval_adds_none(looks: Looks) -> None:
    looks.plan(has_more=True)
    assert len(looks.plan(has_more=True)) == 1
    looks.timers.tick()
    assert looks.count == 0
    looks.timers.end()
    looks.timers.tick()
    assert looks.count == 2
    assert len(looks.plan(has_news=True)) == 2
