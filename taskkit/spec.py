"""A task written down as plain data, so that it can be registered again: from a file, or after a restart.

A `Recipe` says how its body is made, a `TaskSpec` adds the name, the schedule and the policies. Both can be
written as JSON and read back. No object is ever pickled: what is made is what the import path names today.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import partial
from typing import Any, Final, cast

from taskkit.engine.parameters import make_task
from taskkit.frozen_dict import FrozenDict
from taskkit.policies import DEFAULT_POLICIES, Policies
from taskkit.schedules import Cron, Daily, Every, Once, OnDemand, Schedule
from taskkit.task import Task, TaskLike

_NOTHING: Final[Mapping[str, object]] = FrozenDict()


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a task's body is made: what to import, and what to give it.

    Args:
        path: `package.module:attribute`, where the attribute is a `Task` class, a `Task`, or anything else
            that can be called.
        arguments: Keyword arguments for the class, or for each call of what is called. Paths and choices are
            texts here; `make` reads the constructor's type hints.

    Raises:
        TypeError: The arguments are no mapping.
        ValueError: The path is not of that form.
    """

    path: str
    arguments: Mapping[str, object] = _NOTHING

    def __post_init__(self) -> None:
        module, colon, attribute = self.path.partition(":")
        if not (module and colon and attribute) or any(part == "" for part in self.path.split(".")):
            raise ValueError(f"path must be package.module:attribute, not {self.path!r}")
        if not isinstance(self.arguments, Mapping):
            raise TypeError(f"arguments must be a mapping of names to values, not {self.arguments!r}")
        object.__setattr__(self, "arguments", FrozenDict(self.arguments))

    @classmethod
    def of(cls, made: type[Task], arguments: Mapping[str, object] | None = None) -> Recipe:
        """The recipe for a task class, with values as `parse_parameter` gives them."""
        return cls(f"{made.__module__}:{made.__qualname__}", arguments or _NOTHING)

    def find(self) -> object:
        """What the path names, imported now.

        Raises:
            ImportError: The module cannot be imported, or has no such attribute.
            Exception: Whatever importing it raises.
        """
        module_name, _, attribute = self.path.partition(":")
        found: object = importlib.import_module(module_name)
        for part in attribute.split("."):
            try:
                found = getattr(found, part)
            except AttributeError:
                raise ImportError(f"{module_name} has no attribute {attribute!r}", name=module_name) from None
        return found

    def make(self) -> TaskLike:
        """The body of the task.

        Raises:
            ImportError: There is no such module or attribute.
            TypeError: What the path names cannot be called, or takes no such arguments.
            Exception: Whatever importing or making it raises.
        """
        found = self.find()
        if isinstance(found, type) and issubclass(found, Task):
            return make_task(found, self.arguments)
        if isinstance(found, Task):
            if self.arguments:
                raise TypeError(f"{self.path} is a task already, and takes no arguments")
            return found
        if not callable(found):
            raise TypeError(f"{self.path} is a {type(found).__name__}, not a Task or something to call")
        return partial(found, **self.arguments) if self.arguments else found


@dataclass(frozen=True, slots=True)
class TaskSpec:
    """Everything to register a task: `Scheduler.add_spec` does."""

    name: str
    schedule: Schedule
    recipe: Recipe
    policies: Policies = DEFAULT_POLICIES
    enabled: bool = True
    """Whether it falls due from the beginning."""


def spec_to_json(spec: TaskSpec) -> dict[str, Any]:
    """As what `json` can write. `on_error` is left out, as a function has no such form.

    Raises:
        ValueError: Its schedule is of a kind that has no such form.
    """
    policies = {
        each.name: value
        for each in fields(Policies)
        if each.name != "on_error"
        and (value := getattr(spec.policies, each.name)) != getattr(DEFAULT_POLICIES, each.name)
    }
    return {
        "name": spec.name,
        "schedule": schedule_to_json(spec.schedule),
        "run": spec.recipe.path,
        "arguments": dict(spec.recipe.arguments),
        "policies": policies,
        "enabled": spec.enabled,
    }


def spec_from_json(data: Mapping[str, Any]) -> TaskSpec:
    """The reverse of `spec_to_json`.

    Raises:
        KeyError: Something is missing.
        TypeError: Something is of another type.
        ValueError: Something is out of its range.
    """
    return TaskSpec(
        data["name"],
        schedule_from_json(data["schedule"]),
        Recipe(data["run"], data["arguments"]),
        Policies(**data["policies"]),
        data["enabled"],
    )


def schedule_to_json(schedule: Schedule) -> dict[str, Any]:
    """As what `json` can write.

    Raises:
        ValueError: It is of a kind, or in a time zone, that has no such form.
    """
    match schedule:
        case Every():
            return {"kind": "every", "period": schedule.period, "start": schedule.start}
        case Once():
            return {"kind": "once", "at": schedule.at}
        case Daily():
            return {"kind": "daily", "hour": schedule.hour, "minute": schedule.minute, "tz": _zone(schedule)}
        case Cron():
            return {"kind": "cron", "expression": schedule.expression, "tz": _zone(schedule)}
        case OnDemand():
            return {"kind": "on demand"}
        case _:
            raise ValueError(f"schedule must be one of taskkit's own to be written down, not {schedule!r}")


def schedule_from_json(data: Mapping[str, Any]) -> Schedule:
    """The reverse of `schedule_to_json`.

    Raises:
        KeyError: Something is missing.
        TypeError: Something is of another type.
        ValueError: Something is out of its range, or of a kind that is not known here.
    """
    match data["kind"]:
        case "every":
            return Every(data["period"], data["start"])
        case "once":
            return Once(data["at"])
        case "daily":
            return Daily(data["hour"], data["minute"], data["tz"])
        case "cron":
            return Cron(data["expression"], data["tz"])
        case "on demand":
            return OnDemand()
        case kind:
            raise ValueError(f"kind must be a known kind of schedule, not {kind!r}")


def _zone(schedule: Daily | Cron) -> str | None:
    if schedule.tz is None:
        return None
    key = getattr(schedule.tz, "key", None)
    if key is None:
        raise ValueError(f"tz must be a zone with a name to be written down, not {schedule.tz!r}")
    return cast(str, key)
