"""A task written down: what it is made of, and that it reads back as it was."""

from __future__ import annotations

import json
from datetime import UTC
from enum import Enum
from pathlib import Path

import pytest

from taskkit import Cron, Daily, Every, Once, OnDemand, Policies, Schedule, Task, current_run
from taskkit.spec import Recipe, TaskSpec, schedule_from_json, schedule_to_json, spec_from_json, spec_to_json

HERE = __name__


class Colour(Enum):
    RED = 1
    BLUE = 2


class Painter(Task):
    def __init__(self, where: Path, colour: Colour = Colour.RED, coats: int = 1) -> None:
        self.where = where
        self.colour = colour
        self.coats = coats

    def run(self) -> None:
        pass


PAINTER = Painter(Path("wall"))
NOT_CALLABLE = 42


def add(first: int, second: int) -> int:
    return first + second


SCHEDULES = [
    Every(90),
    Every(0.25, 1_700_000_000.5),
    Once(1_700_000_000),
    Once(None),
    Daily(3, 30),
    Daily(3, 30, "Europe/Berlin"),
    Cron("*/15 * * * *", "Australia/Lord_Howe"),
    OnDemand(),
]


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
def test_a_schedule_reads_back_as_it_was(schedule: Schedule) -> None:
    assert schedule_from_json(json.loads(json.dumps(schedule_to_json(schedule)))) == schedule


def test_a_schedule_of_ones_own_cannot_be_written_down() -> None:
    class Never(Schedule):
        follows_wall_clock = False
        repeats = False

    with pytest.raises(ValueError, match="schedule must be one of taskkit's own"):
        schedule_to_json(Never())


def test_a_zone_that_is_none_of_the_database_can_be_written_down_too() -> None:
    assert schedule_to_json(Daily(3, 30, UTC))["tz"] == "UTC"


def test_an_unknown_kind_of_schedule_is_refused() -> None:
    with pytest.raises(ValueError, match="'lunar'"):
        schedule_from_json({"kind": "lunar"})


def test_a_spec_reads_back_as_it_was() -> None:
    spec = TaskSpec(
        "paint",
        Every(60),
        Recipe("paint.shop:Painter", {"coats": 2}),
        Policies(timeout=5, retries=2, description="The wall"),
        enabled=False,
    )
    assert spec_from_json(json.loads(json.dumps(spec_to_json(spec)))) == spec


def test_only_policies_that_differ_are_written_down() -> None:
    spec = TaskSpec("paint", Every(60), Recipe("a:b"), Policies(retries=2))
    assert spec_to_json(spec)["policies"] == {"retries": 2}


def test_a_class_is_made_with_what_its_type_hints_say() -> None:
    painter = Recipe(f"{HERE}:Painter", {"where": "fence", "colour": "BLUE", "coats": 3}).make()
    assert isinstance(painter, Painter)
    assert (painter.where, painter.colour, painter.coats) == (Path("fence"), Colour.BLUE, 3)


def test_the_recipe_of_a_class_finds_it_again() -> None:
    assert Recipe.of(Painter, {"where": "fence"}).find() is Painter


def test_a_task_that_exists_is_taken_as_it_is() -> None:
    assert Recipe(f"{HERE}:PAINTER").make() is PAINTER
    with pytest.raises(TypeError, match="takes no arguments"):
        Recipe(f"{HERE}:PAINTER", {"coats": 2}).make()


def test_a_function_gets_its_arguments_with_each_call() -> None:
    made = Recipe(f"{HERE}:add", {"first": 1, "second": 2}).make()
    assert callable(made)
    assert made() == 3
    assert Recipe("taskkit:current_run").make() is current_run


@pytest.mark.parametrize("path", ["", "module", "module:", ":name", "a..b:c", "a:b.", "module.name"])
def test_a_path_that_names_nothing_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match=r"path must be package\.module:attribute"):
        Recipe(path)


def test_what_is_not_there_is_an_import_error_that_names_it() -> None:
    with pytest.raises(ImportError, match="no_such_module"):
        Recipe("no_such_module:it").make()
    with pytest.raises(ImportError, match="has no attribute 'Roller'"):
        Recipe(f"{HERE}:Roller").make()


def test_what_cannot_be_called_is_refused() -> None:
    with pytest.raises(TypeError, match="is a int, not a Task"):
        Recipe(f"{HERE}:NOT_CALLABLE").make()
