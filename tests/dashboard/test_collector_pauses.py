"""The full runs of the garbage collector while the dashboard is on the screen."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from taskkit_tui.terminal.collector_pauses import MOST_SPACING, SPACING, CollectorPauses

TOOK = 0.25


@pytest.fixture(autouse=True)
def _no_other_runs() -> Iterator[None]:
    """Keep the collector from running by itself: only the tests tell of its runs."""
    threshold = gc.get_threshold()
    gc.disable()
    yield
    gc.set_threshold(*threshold)
    gc.enable()


class Pauses:
    """The pauses of a collector that a test runs, on a clock that it moves."""

    def __init__(self) -> None:
        self.now = 100.0
        self.quiet = True
        self.pauses = CollectorPauses(lambda: self.quiet, lambda: self.now)

    def run(self, generation: int, took: float = 0.0) -> None:
        self.pauses.notice("start", {"generation": generation})
        self.now += took
        self.pauses.notice("stop", {"generation": generation})

    def allows_full_run_after(self, seconds: float) -> bool:
        self.now += seconds
        self.run(0)
        return gc.get_threshold()[2] < 1_000


def test_a_full_run_is_not_allowed_until_so_many_times_its_duration_have_passed() -> None:
    pauses = Pauses()
    with pauses.pauses:
        pauses.run(2, TOOK)
        assert not pauses.allows_full_run_after(SPACING * TOOK - 1)
        assert pauses.allows_full_run_after(1)


def test_while_somebody_types_it_waits_longer_but_not_for_ever() -> None:
    pauses = Pauses()
    pauses.quiet = False
    with pauses.pauses:
        pauses.run(2, TOOK)
        assert not pauses.allows_full_run_after(SPACING * TOOK)
        assert not pauses.allows_full_run_after((MOST_SPACING - SPACING) * TOOK - 1)
        assert pauses.allows_full_run_after(1)


def test_a_threshold_that_a_task_sets_is_kept() -> None:
    pauses = Pauses()
    with pauses.pauses:
        gc.set_threshold(500, 7, 5)
        pauses.run(2, TOOK)
        assert not pauses.allows_full_run_after(1)
        assert pauses.allows_full_run_after(SPACING * TOOK)
        assert gc.get_threshold() == (500, 7, 5)


def test_what_was_is_restored_at_the_end() -> None:
    threshold, callbacks = gc.get_threshold(), list(gc.callbacks)
    pauses = Pauses()
    with pauses.pauses:
        pauses.run(2, TOOK)
        assert gc.get_threshold() != threshold
        assert gc.callbacks != callbacks
    assert gc.get_threshold() == threshold
    assert gc.callbacks == callbacks


def test_python_tells_of_its_runs() -> None:
    pauses = Pauses()
    with pauses.pauses:
        gc.set_threshold(700, 10, 1 << 30)
        pauses.now += 1
        gc.collect(0)
        assert gc.get_threshold() != (700, 10, 1 << 30)
