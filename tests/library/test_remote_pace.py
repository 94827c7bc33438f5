"""How often a server looks at its scheduler: the more a look costs, the less often."""

from __future__ import annotations

import pytest

from taskkit.remote.pace import LONGEST_SECONDS, LOOK_SECONDS, MOST_OF_A_CORE, SOON_SECONDS, Pace


def test_the_first_look_is_due_at_once() -> None:
    assert Pace().due < 0


def test_cheap_looks_are_made_ten_times_a_second() -> None:
    pace = Pace()
    pace.looked(100.0, 0.0001)
    assert pace.due == 100.0 + LOOK_SECONDS


def test_costly_looks_take_a_small_share_of_a_core_together() -> None:
    pace, now = Pace(), 100.0
    for _ in range(50):
        pace.looked(now, 0.005)
        now = pace.due
    assert 0.9 * MOST_OF_A_CORE <= 0.005 / (pace.due - pace._looked) <= MOST_OF_A_CORE * 1.1


def test_a_screen_is_never_older_than_half_a_second_however_much_a_look_costs() -> None:
    pace = Pace()
    for _ in range(50):
        pace.looked(100.0, 10.0)
    assert pace.due == 100.0 + LONGEST_SECONDS


def test_after_a_command_a_look_is_due_soon_and_a_flood_of_commands_makes_no_flood_of_looks() -> None:
    pace = Pace()
    pace.looked(100.0, 10.0)
    for _ in range(3):
        pace.look_soon()
    assert pace.due == 100.0 + SOON_SECONDS
    pace.looked(pace.due, 10.0)
    pace.look_soon()
    assert pace.due == pytest.approx(100.0 + 2 * SOON_SECONDS)


def test_what_is_left_over_is_taken_in_at_once() -> None:
    pace = Pace()
    pace.looked(100.0, 10.0)
    pace.look_at_once()
    assert pace.due < 100.0
