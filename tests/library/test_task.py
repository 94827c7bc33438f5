"""`Task` and what a subclass may have beside it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from taskkit import NoCurrentRunError, Outcome, Scheduler, Task, current_run


def outcome_of(task: Task, scheduler: Scheduler) -> Outcome:
    handle = scheduler.add_on_demand_task(task, "it")
    scheduler.demand_task("it", {"pages": 3})
    assert handle.last_outcome is not None
    return handle.last_outcome


class TestWhatBelongsToTheRun:
    def test_is_read_from_the_task(self, scheduler: Scheduler) -> None:
        class Tells(Task):
            def run(self) -> str:
                return f"{self.name} {self.handle.name} {dict(self.parameters)}"

        assert outcome_of(Tells(), scheduler).result == "it it {'pages': 3}"

    def test_outside_any_run_is_hardly_anything(self) -> None:
        task = Task()
        assert (task.name, task.parameters) == ("Task", {})
        with pytest.raises(NoCurrentRunError):
            _ = task.handle

    def test_is_covered_by_what_the_task_has_of_that_name_and_found_on_the_run(
        self, scheduler: Scheduler
    ) -> None:
        class Own(Task):
            def __init__(self, name: str) -> None:
                self.name = name
                self.parameters = {"own": 1}

            def run(self) -> str:
                run = current_run()
                return f"{self.name} {self.parameters} {run.name} {dict(run.parameters)}"

        task = Own("a page")
        assert outcome_of(task, scheduler).result == "a page {'own': 1} it {'pages': 3}"
        assert task.name == "a page"

    def test_may_be_a_field_of_a_dataclass(self, scheduler: Scheduler) -> None:
        @dataclass
        class Own(Task):
            name: str

            def run(self) -> str:
                return self.name

        assert outcome_of(Own("a page"), scheduler).result == "a page"

    def test_is_documented_on_the_class(self) -> None:
        assert str(Task.name.__doc__).startswith("The name that the task is registered under")
