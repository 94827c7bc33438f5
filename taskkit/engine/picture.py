"""How things stand, drawn from the ledger as plain data. Call it under the scheduler's lock."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import fields
from enum import Enum
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, get_type_hints

from taskkit.engine.explain import explain
from taskkit.policies import DEFAULT_POLICIES, Policies
from taskkit.run import NOTHING_SKIPPED
from taskkit.schedules import due_times
from taskkit.snapshot import (
    Figures,
    Parameter,
    PastRun,
    RetrySnapshot,
    RunSnapshot,
    Snapshot,
    TaskDetails,
    TaskSnapshot,
)

if TYPE_CHECKING:
    from taskkit.clock import Instant
    from taskkit.engine.entry import Entry
    from taskkit.engine.ledger import Ledger

PAST_RUNS: Final = 8
"""How many of its last runs a row tells."""


def snapshot_of(ledger: Ledger, is_running: bool, threads: int, now: Instant) -> Snapshot:
    """Everything, consistently."""
    tasks = tuple(task_snapshot(entry, ledger, now) for entry in ledger.all_entries())
    return Snapshot(figures_of(ledger, is_running, threads, now), tasks)


def figures_of(ledger: Ledger, is_running: bool, threads: int, now: Instant) -> Figures:
    """The whole in a few numbers; costs the same for any number of handles."""
    latenesses = sorted(ledger.latenesses)
    return Figures(
        time=now.wall,
        is_running=is_running,
        paused=ledger.paused,
        tasks=len(ledger.entries),
        running=len(ledger.running),
        disabled=ledger.disabled_count,
        failing=ledger.failing_count,
        threads=threads,
        lateness_p99=latenesses[len(latenesses) * 99 // 100] if latenesses else None,
        next_time=ledger.next_time(now),
    )


def task_snapshot(entry: Entry, ledger: Ledger, now: Instant) -> TaskSnapshot:
    """One handle as it stands."""
    run = entry.run
    past = () if entry.history is None else entry.history.runs()[-PAST_RUNS:]
    return TaskSnapshot(
        number=entry.number,
        name=entry.name,
        state=entry.state,
        disabled=entry.disabled,
        schedule=str(entry.schedule),
        period=entry.period,
        next_run=entry.next_run(now),
        description=entry.policies.description,
        replaces_running=ledger.running.get(entry.name, entry) is not entry,
        again=entry.again is not None,
        run=None
        if run is None
        else RunSnapshot(
            run.number,
            run.trigger,
            run.due,
            run.started,
            run.attempt,
            run.asked_to_stop,
            run.progress_made,
        ),
        retry=None
        if entry.retry is None
        else RetrySnapshot(entry.retry[0] - 1, entry.policies.retries, entry.retry[1] + now.offset),
        past=tuple(
            PastRun(each.kind, each.finished, each.duration, each.exception)
            for each in past
            if each.kind is not None and each.finished is not None
        ),
        run_count=entry.run_count,
        skipped=MappingProxyType(dict(entry.skipped)) if entry.skipped else NOTHING_SKIPPED,
        unregistered=not entry.registered,
    )


def details_of(entry: Entry, ledger: Ledger, due_count: int, now: Instant) -> TaskDetails:
    """Everything there is to tell of one handle."""
    next_run = entry.next_run(now)
    upcoming: list[float] = []
    if next_run is not None and due_count > 0:
        upcoming = [next_run]
        if entry.schedule.repeats and entry.retry is None:
            if entry.period is not None:
                upcoming += [next_run + k * entry.period for k in range(1, due_count)]
            else:
                upcoming += due_times(entry.schedule, next_run, due_count - 1)
    last = entry.run or (None if entry.history is None else entry.history.last_run())
    return TaskDetails(
        task=task_snapshot(entry, ledger, now),
        explanation=explain(entry, ledger, now),
        policies=_policies_in_words(entry.policies),
        zone=entry.schedule.zone,
        due_times=tuple(upcoming),
        history=() if entry.history is None else entry.history.told(),
        output=() if last is None or last.output is None else last.output.remembered(),
        parameters=parameters_of(entry.task),
    )


def _policies_in_words(policies: Policies) -> Mapping[str, str]:
    words = {}
    for field in fields(policies):
        value = getattr(policies, field.name)
        if field.name != "description" and value != getattr(DEFAULT_POLICIES, field.name):
            words[field.name] = getattr(value, "__name__", str(value))
    return words


def parameters_of(task: object) -> tuple[Parameter, ...]:
    """What a run of `task` can be given: its `run_parameters`, else what its constructor takes."""
    declared = getattr(task, "run_parameters", None)
    if isinstance(declared, Mapping) and declared:
        return tuple(_declared(str(name), value) for name, value in declared.items())
    if inspect.isroutine(task) or not hasattr(type(task), "run"):
        return ()
    return constructor_parameters(type(task), task)


def constructor_parameters(task_class: type, instance: object = None) -> tuple[Parameter, ...]:
    """What the constructor of a task class takes; prefilled from the attributes of an instance."""
    try:
        signature = inspect.signature(task_class)
        hints = get_type_hints(vars(task_class).get("__init__", task_class))
    except (TypeError, ValueError, NameError):
        return ()
    return tuple(
        _of_signature(parameter, hints.get(parameter.name), instance)
        for parameter in signature.parameters.values()
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    )


def _of_signature(parameter: inspect.Parameter, hint: object, instance: object) -> Parameter:
    required = parameter.default is parameter.empty
    default = None if required else parameter.default
    value = getattr(instance, parameter.name, default)
    kind, choices = _kind_of(hint if hint is not None else type(value))
    return Parameter(parameter.name, kind, choices, _plain(value), required)


def _declared(name: str, value: object) -> Parameter:
    is_type = isinstance(value, type) or hasattr(value, "__args__")
    kind, choices = _kind_of(value if is_type else type(value))
    return Parameter(name, kind, choices, None if is_type else _plain(value), required=is_type)


def _kind_of(hint: object) -> tuple[str, tuple[str, ...]]:
    literal = getattr(hint, "__args__", ())
    if isinstance(hint, type) and issubclass(hint, Enum):
        return "choice", tuple(member.name for member in hint)
    if str(hint).startswith("typing.Literal"):
        return "choice", tuple(str(choice) for choice in literal)
    candidates = [each for each in literal if each is not type(None)] if literal else [hint]
    for kind, types in (("bool", bool), ("int", int), ("float", float), ("path", Path)):
        if any(isinstance(each, type) and issubclass(each, types) for each in candidates):
            return kind, ()
    return "str", ()


def _plain(value: object) -> object:
    if isinstance(value, Enum):
        return value.name
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
