"""The heap of what falls due when: tickets, lazy deletion, and pruning (section 10)."""

from __future__ import annotations

from random import Random

import pytest

from taskkit.engine.agenda import NO_TICKET, Agenda


class Item:
    """Something that waits."""

    def __init__(self, number: int = 0) -> None:
        self.number = number
        self.ticket = NO_TICKET


@pytest.fixture
def agenda() -> Agenda[Item]:
    return Agenda()


def all_due(agenda: Agenda[Item], now: float) -> list[Item]:
    items = []
    while (taken := agenda.pop_due(now)) is not None:
        items.append(taken[0])
    return items


def test_an_empty_one_has_nothing_to_tell(agenda: Agenda[Item]) -> None:
    assert len(agenda) == 0
    assert agenda.next_due() is None
    assert agenda.pop_due(1e300) is None


def test_items_come_in_the_order_of_their_due_times(agenda: Agenda[Item]) -> None:
    late, early = Item(), Item()
    agenda.put(late, 20.0)
    agenda.put(early, 10.0)

    assert agenda.next_due() == 10.0
    assert all_due(agenda, 20.0) == [early, late]


def test_of_one_instant_they_come_in_the_order_of_arrival(agenda: Agenda[Item]) -> None:
    items = [Item() for _ in range(100)]
    for item in items:
        agenda.put(item, 5.0)

    assert all_due(agenda, 5.0) == items


def test_nothing_comes_before_its_time(agenda: Agenda[Item]) -> None:
    agenda.put(Item(), 10.0)

    assert agenda.pop_due(9.999) is None
    assert len(agenda) == 1


def test_who_is_taken_holds_no_ticket_and_is_told_when_it_was_due(agenda: Agenda[Item]) -> None:
    item = Item()
    agenda.put(item, 10.0)
    assert item.ticket != NO_TICKET

    assert agenda.pop_due(25.0) == (item, 10.0)
    assert item.ticket == NO_TICKET
    assert len(agenda) == 0


def test_who_was_taken_off_never_comes(agenda: Agenda[Item]) -> None:
    gone, stays = Item(), Item()
    agenda.put(gone, 10.0)
    agenda.put(stays, 20.0)
    agenda.discard(gone)

    assert len(agenda) == 1
    assert agenda.next_due() == 20.0
    assert all_due(agenda, 30.0) == [stays]


def test_taking_off_twice_counts_once(agenda: Agenda[Item]) -> None:
    item = Item()
    agenda.put(item, 10.0)
    agenda.discard(item)
    agenda.discard(item)

    assert len(agenda) == 0


def test_who_comes_back_waits_for_its_new_time_only(agenda: Agenda[Item]) -> None:
    item = Item()
    agenda.put(item, 10.0)
    agenda.discard(item)
    agenda.put(item, 30.0)

    assert agenda.pop_due(10.0) is None
    assert agenda.next_due() == 30.0
    assert all_due(agenda, 30.0) == [item]


@pytest.mark.parametrize("later", [True, False], ids=["ever later", "ever sooner"])
def test_changing_ones_mind_for_ever_costs_no_memory(agenda: Agenda[Item], later: bool) -> None:
    """Two hundred thousand changes among a hundred items: the heap is never much larger than those."""
    items = [Item(number) for number in range(100)]
    for item in items:
        agenda.put(item, 0.0)
    largest = 0

    for change in range(200_000):
        item = items[change % len(items)]
        agenda.discard(item)
        agenda.put(item, float(change if later else -change))
        largest = max(largest, len(agenda._heap))

    assert len(agenda) == len(items)
    assert largest <= 2 * len(items) + 64


def test_when_most_are_taken_off_the_heap_shrinks_and_keeps_its_order(agenda: Agenda[Item]) -> None:
    items = [Item(number) for number in range(10_000)]
    for item in items:
        agenda.put(item, float(item.number % 97))
    for item in items[100:]:
        agenda.discard(item)

    assert len(agenda) == 100
    assert len(agenda._heap) <= 200
    assert all_due(agenda, 100.0) == sorted(items[:100], key=lambda item: item.number % 97)


def test_random_changes_agree_with_a_sorted_list() -> None:
    random = Random(7)
    agenda: Agenda[Item] = Agenda()
    items = [Item(number) for number in range(200)]
    expected: dict[Item, tuple[float, int]] = {}
    now = 0.0
    for step in range(20_000):
        item = random.choice(items)
        match random.randrange(3):
            case 0:
                agenda.discard(item)
                expected.pop(item, None)
            case 1 if item not in expected:
                due = now + random.randrange(50)
                agenda.put(item, due)
                expected[item] = (due, step)
            case 2:
                now += random.randrange(3)
                due_now = [each for each, (due, _) in expected.items() if due <= now]
                due_now.sort(key=expected.__getitem__)
                assert all_due(agenda, now) == due_now
                for each in due_now:
                    del expected[each]
        assert len(agenda) == len(expected)
        assert agenda.next_due() == min((due for due, _ in expected.values()), default=None)


def test_what_is_put_off_comes_later_than_it_is_told(agenda: Agenda[Item]) -> None:
    put_off, other = Item(), Item()
    agenda.put(put_off, 10.0, 15.0)
    agenda.put(other, 20.0)

    assert (agenda.next_told(), agenda.next_due()) == (10.0, 20.0)
    assert all_due(agenda, 24.0) == [other]
    assert (agenda.next_told(), agenda.next_due()) == (10.0, 25.0)
    agenda.discard(put_off)
    assert (agenda.next_told(), agenda.next_due()) == (None, None)


def test_what_was_put_off_is_forgotten_also_where_nobody_asks_what_is_told(agenda: Agenda[Item]) -> None:
    for due in range(10_000):
        agenda.put(Item(), due, 1.0)
        agenda.pop_due(due + 1)

    assert len(agenda._put_off) < 200
