"""Tasks as plain data, to register them from a file, or again after a restart.

A `Recipe` says how to make the task; a `TaskSpec` adds the name, the schedule and the policies. Both can be
written as JSON and read back. No object is ever pickled: the import path is looked up each time.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from taskkit._helpers.frozen_dict import FrozenDict
from taskkit.jitter import Jitter
from taskkit.parameters import make_task
from taskkit.policies import DEFAULT_POLICIES, Policies
from taskkit.schedules import After, AnyOf, Cron, Daily, Every, Once, OnDemand, Schedule
from taskkit.schedules.zones import zone_from_json, zone_to_json
from taskkit.task import Task, TaskLike

_NOTHING: Final[Mapping[str, object]] = FrozenDict()


@dataclass(frozen=True, slots=True)
class Recipe:
    """The way to make a task: an import path, and arguments.

    Args:
        path: `package.module:attribute`, where the attribute is a `Task` class, a `Task`, or anything else
            that can be called.
        arguments: Keyword arguments for the class, or for each call of the function. Paths and choices are
            texts here; `make` reads the constructor's type hints.

    Raises:
        TypeError: `arguments` is not a mapping.
        ValueError: `path` is not of that form.
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
        """Return the recipe for a task class, with values as `parse_parameter` returns them."""
        return cls(f"{made.__module__}:{made.__qualname__}", arguments or _NOTHING)

    def find(self) -> object:
        """Import the object that the path names.

        Raises:
            ImportError: The module cannot be imported, or has no such attribute.
            Exception: Anything that importing it raises.
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
        """Make the task.

        Raises:
            ImportError: There is no such module or attribute.
            TypeError: The object cannot be called, or takes no such arguments.
            Exception: Anything that importing or making it raises.
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
    """All that `Scheduler.add_spec` needs to register a task."""

    name: str
    schedule: Schedule
    recipe: Recipe
    policies: Policies = DEFAULT_POLICIES
    enabled: bool = True
    """False to register it disabled."""
    executor: str | None = None
    """The name of the executor that it runs on; `None` for the scheduler's choice."""


def spec_to_json(spec: TaskSpec) -> dict[str, Any]:
    """Return a spec as values for `json`. `on_error` is left out, as a function has no such form.

    Raises:
        ValueError: The schedule is a custom one, which has no such form.
    """
    policies = {
        name: str(value) if isinstance(value, Jitter) else value
        for name, value in spec.policies.given().items()
        if name != "on_error"
    }
    return {
        "name": spec.name,
        "schedule": schedule_to_json(spec.schedule),
        "run": spec.recipe.path,
        "arguments": dict(spec.recipe.arguments),
        "policies": policies,
        "enabled": spec.enabled,
        **({} if spec.executor is None else {"executor": spec.executor}),
    }


def spec_from_json(data: Mapping[str, Any]) -> TaskSpec:
    """Return the spec that `spec_to_json` wrote.

    Raises:
        KeyError: A value is missing.
        TypeError: A value is of another type.
        ValueError: A value is out of range.
    """
    return TaskSpec(
        data["name"],
        schedule_from_json(data["schedule"]),
        Recipe(data["run"], data["arguments"]),
        Policies(**data["policies"]),
        data["enabled"],
        data.get("executor"),
    )


def schedule_to_json(schedule: Schedule) -> dict[str, Any]:
    """Return a schedule as values for `json`.

    Raises:
        ValueError: It is a custom one, which has no such form.
        Exception: Its time zone is a foreign `tzinfo`, and raises.
    """
    match schedule:
        case Every():
            every = {"kind": "every", "period": schedule.period, "start": schedule.start}
            return {**every, "fixed_delay": True} if schedule.fixed_delay else every
        case Once():
            return {"kind": "once", "at": schedule.at}
        case Daily():
            zone = zone_to_json(schedule.tz)
            if len(schedule.times) > 1:
                return {"kind": "daily", "times": [*schedule.times], "tz": zone}
            return {"kind": "daily", "hour": schedule.hour, "minute": schedule.minute, "tz": zone}
        case Cron():
            return {"kind": "cron", "expression": schedule.expression, "tz": zone_to_json(schedule.tz)}
        case AnyOf():
            return {"kind": "any of", "schedules": [schedule_to_json(each) for each in schedule.schedules]}
        case After():
            return {"kind": "after", "names": [*schedule.names], "on": schedule.on}
        case OnDemand():
            return {"kind": "on demand"}
        case _:
            raise ValueError(f"schedule must be one of taskkit's own to be written down, not {schedule!r}")


def schedule_from_json(data: Mapping[str, Any]) -> Schedule:
    """Return the schedule that `schedule_to_json` wrote.

    Raises:
        KeyError: A value is missing.
        TypeError: A value is of another type.
        ValueError: A value is out of range, or the kind is unknown.
    """
    match data["kind"]:
        case "every":
            return Every(data["period"], data["start"], fixed_delay=data.get("fixed_delay", False))
        case "once":
            return Once(data["at"])
        case "daily" if "times" in data:
            return Daily(data["times"], tz=zone_from_json(data["tz"]))
        case "daily":
            return Daily(data["hour"], data["minute"], zone_from_json(data["tz"]))
        case "cron":
            return Cron(data["expression"], zone_from_json(data["tz"]))
        case "any of":
            return AnyOf(*map(schedule_from_json, data["schedules"]))
        case "after":
            return After(*data["names"], on=data["on"])
        case "on demand":
            return OnDemand()
        case kind:
            raise ValueError(f"kind must be a known kind of schedule, not {kind!r}")
