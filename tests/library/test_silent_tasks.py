"""What a task, or `on_error`, says of itself is its own code: one that does not answer holds up nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Event
from time import monotonic

import pytest
from patience import PATIENCE, eventually

from taskkit import Outcome, Scheduler, Task
from taskkit.engine import foreign_calls

answers = Event()


@pytest.fixture
def scheduler() -> Iterator[Scheduler]:
    answers.clear()
    with Scheduler() as scheduler:
        yield scheduler
        answers.set()


class NoParameters(Task):
    """Its parameters are long in coming."""

    @property
    def run_parameters(self) -> dict[str, object]:  # type: ignore[override]
        answers.wait(PATIENCE)
        return {"pages": 3}

    def run(self) -> None:
        pass


class NoWords(Task):
    """Its words are long in coming."""

    def run(self) -> None:
        pass

    def __str__(self) -> str:
        answers.wait(PATIENCE)
        return "at last"


class SilentHandler:
    """An `on_error` whose words are long in coming."""

    def __call__(self, outcome: Outcome) -> None:
        pass

    def __str__(self) -> str:
        answers.wait(PATIENCE)
        return "at last"


def add_handler(scheduler: Scheduler) -> None:
    scheduler.add_on_demand_task(nothing, "it", on_error=SilentHandler())


def nothing() -> None:
    pass


@pytest.mark.parametrize(
    "add",
    [
        lambda scheduler: scheduler.add_on_demand_task(NoParameters(), "it"),
        lambda scheduler: scheduler.add_on_demand_task(NoWords(), "it"),
        add_handler,
    ],
    ids=["parameters", "words", "on_error"],
)
def test_the_rest_is_shown_without_it(scheduler: Scheduler, add: Callable[[Scheduler], object]) -> None:
    add(scheduler)
    scheduler.add_on_demand_task(NoWords(), "another")
    began = monotonic()
    for _ in range(50):  # as a dashboard asks, again and again
        details = scheduler.describe("it")
        assert details is not None
        assert details.explanation.startswith("it runs only on demand")
        assert details.parameters == ()
    assert monotonic() - began < 25 * foreign_calls.ANSWER_SECONDS
    assert scheduler.demand_task("it")

    answers.set()
    eventually(lambda: "at last" in str(scheduler.describe("it")) or "pages" in str(scheduler.describe("it")))


def test_a_description_is_kept_as_plain_text(scheduler: Scheduler) -> None:
    class Odd(str):
        __slots__ = ()

        def __str__(self) -> str:
            raise SystemExit

        def __iter__(self) -> Iterator[str]:
            raise SystemExit

    scheduler.add_on_demand_task(nothing, "it", description=Odd("a sentence"))
    (task,) = scheduler.snapshot().tasks
    assert task.description == "a sentence"
    assert type(task.description) is str
