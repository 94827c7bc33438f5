"""The heap of what falls due when: tickets, lazy deletion, and pruning (section 10)."""

from __future__ import annotations

from random import Random

import pytest

from taskkit.engine.timers import NO_TICKET, TimerQueue


class Item:
    """Something that waits."""

    def __init__(self, number: int = 0) -> None:
        self.number = number
        self.ticket = NO_TICKET


@pytest.fixture
def queue() -> TimerQueue[Item]:
    return TimerQueue()


def all_due(queue: TimerQueue[Item], now: float) -> list[Item]:
    items = []
    while (taken := queue.pop_due(now)) is not None:
        items.append(taken[0])
    return items


def test_an_empty_one_has_no_next_time(queue: TimerQueue[Item]) -> None:
    assert len(queue) == 0
    assert queue.next_due() is None
    assert queue.pop_due(1e300) is None


def test_items_come_in_the_order_of_their_due_times(queue: TimerQueue[Item]) -> None:
    late, early = Item(), Item()
    queue.put(late, 20.0)
    queue.put(early, 10.0)

    assert queue.next_due() == 10.0
    assert all_due(queue, 20.0) == [early, late]


def test_of_one_instant_they_come_in_the_order_of_arrival(queue: TimerQueue[Item]) -> None:
    items = [Item() for _ in range(100)]
    for item in items:
        queue.put(item, 5.0)

    assert all_due(queue, 5.0) == items


def test_nothing_comes_before_its_time(queue: TimerQueue[Item]) -> None:
    queue.put(Item(), 10.0)

    assert queue.pop_due(9.999) is None
    assert len(queue) == 1


def test_an_item_taken_holds_no_ticket_and_its_due_time_is_returned(queue: TimerQueue[Item]) -> None:
    item = Item()
    queue.put(item, 10.0)
    assert item.ticket != NO_TICKET

    assert queue.pop_due(25.0) == (item, 10.0)
    assert item.ticket == NO_TICKET
    assert len(queue) == 0


def test_who_was_taken_off_never_comes(queue: TimerQueue[Item]) -> None:
    gone, stays = Item(), Item()
    queue.put(gone, 10.0)
    queue.put(stays, 20.0)
    queue.discard(gone)

    assert len(queue) == 1
    assert queue.next_due() == 20.0
    assert all_due(queue, 30.0) == [stays]


def test_taking_off_twice_counts_once(queue: TimerQueue[Item]) -> None:
    item = Item()
    queue.put(item, 10.0)
    queue.discard(item)
    queue.discard(item)

    assert len(queue) == 0


def test_who_comes_back_waits_for_its_new_time_only(queue: TimerQueue[Item]) -> None:
    item = Item()
    queue.put(item, 10.0)
    queue.discard(item)
    queue.put(item, 30.0)

    assert queue.pop_due(10.0) is None
    assert queue.next_due() == 30.0
    assert all_due(queue, 30.0) == [item]


@pytest.mark.parametrize("later", [True, False], ids=["ever later", "ever sooner"])
def test_changing_ones_mind_for_ever_costs_no_memory(queue: TimerQueue[Item], later: bool) -> None:
    """Two hundred thousand changes among a hundred items: the heap is never much larger than those."""
    items = [Item(number) for number in range(100)]
    for item in items:
        queue.put(item, 0.0)
    largest = 0

    for change in range(200_000):
        item = items[change % len(items)]
        queue.discard(item)
        queue.put(item, float(change if later else -change))
        largest = max(largest, len(queue._heap))

    assert len(queue) == len(items)
    assert largest <= 2 * len(items) + 64


def test_when_most_are_taken_off_the_heap_shrinks_and_keeps_its_order(queue: TimerQueue[Item]) -> None:
    items = [Item(number) for number in range(10_000)]
    for item in items:
        queue.put(item, float(item.number % 97))
    for item in items[100:]:
        queue.discard(item)

    assert len(queue) == 100
    assert len(queue._heap) <= 200
    assert all_due(queue, 100.0) == sorted(items[:100], key=lambda item: item.number % 97)


def test_random_changes_agree_with_a_sorted_list() -> None:
    random = Random(7)
    queue: TimerQueue[Item] = TimerQueue()
    items = [Item(number) for number in range(200)]
    expected: dict[Item, tuple[float, int]] = {}
    now = 0.0
    for step in range(20_000):
        item = random.choice(items)
        match random.randrange(3):
            case 0:
                queue.discard(item)
                expected.pop(item, None)
            case 1 if item not in expected:
                due = now + random.randrange(50)
                queue.put(item, due)
                expected[item] = (due, step)
            case 2:
                now += random.randrange(3)
                due_now = [each for each, (due, _) in expected.items() if due <= now]
                due_now.sort(key=expected.__getitem__)
                assert all_due(queue, now) == due_now
                for each in due_now:
                    del expected[each]
        assert len(queue) == len(expected)
        assert queue.next_due() == min((due for due, _ in expected.values()), default=None)


def test_an_item_with_jitter_comes_later_than_its_due_time(queue: TimerQueue[Item]) -> None:
    put_off, other = Item(), Item()
    queue.put(put_off, 10.0, 15.0)
    queue.put(other, 20.0)

    assert (queue.next_due_without_jitter(), queue.next_due()) == (10.0, 20.0)
    assert all_due(queue, 24.0) == [other]
    assert (queue.next_due_without_jitter(), queue.next_due()) == (10.0, 25.0)
    queue.discard(put_off)
    assert (queue.next_due_without_jitter(), queue.next_due()) == (None, None)


def test_jitter_is_forgotten_even_if_the_due_time_is_never_asked_for(queue: TimerQueue[Item]) -> None:
    for due in range(10_000):
        queue.put(Item(), due, 1.0)
        queue.pop_due(due + 1)

    assert len(queue._unjittered) < 200
