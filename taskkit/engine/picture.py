"""How things stand, drawn from the ledger as plain data; to be called under the scheduler's lock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Final

from taskkit.engine.explain import explain
from taskkit.engine.summary import callable_in_words, in_words
from taskkit.frozen_dict import FrozenDict
from taskkit.policies import DEFAULT_POLICIES, Policies
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
    from taskkit.schedules import Schedule

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
        schedule=in_words(entry.schedule),
        overrides=None if (declared := ledger.declarations.overridden(entry)) is None else in_words(declared),
        period=entry.period,
        next_run=ledger.next_run(entry, now),
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
        if entry.retry is None or ledger.closed
        else RetrySnapshot(entry.retry.attempt - 1, entry.policies.retries, now.in_epoch(entry.retry.at)),
        past=tuple(
            PastRun(each.kind, each.finished, each.duration, each.exception)
            for each in past
            if each.kind is not None and each.finished is not None
        ),
        failing=entry.failing and entry.registered,
        failing_since=entry.failing_since if entry.registered else None,
        run_count=entry.run_count,
        skipped=entry.skipped,
        unregistered=not entry.registered,
    )


def details_of(
    entry: Entry,
    body: str,
    policies: Mapping[str, str],
    parameters: tuple[Parameter, ...],
    ledger: Ledger,
    due_count: int,
    now: Instant,
) -> TaskDetails:
    """Everything there is to tell of one handle; what its task and policies say of themselves is given."""
    return TaskDetails(
        task=task_snapshot(entry, ledger, now),
        explanation=explain(entry, ledger, now),
        policies=policies,
        zone=_zone_of(entry.schedule),
        due_times=() if ledger.closed else tuple(entry.next_runs(due_count, now)),
        history=() if entry.history is None else entry.history.told(),
        output=_last_output(entry),
        parameters=parameters,
        body=body,
    )


def _zone_of(schedule: Schedule) -> str | None:
    try:
        return schedule.zone
    except Exception:  # noqa: BLE001 - somebody's own schedule or zone, which must not keep the rest from being told
        return None


def _last_output(entry: Entry) -> tuple[str, ...]:
    if entry.run is not None:
        return () if entry.run.output is None else entry.run.output.remembered()
    last = None if entry.history is None else entry.history.last_outcome()
    return () if last is None else last.output


def policies_in_words(policies: Policies) -> Mapping[str, str]:
    """What differs from the default. Unlike the rest not under the lock: `on_error` may say what it likes."""
    words = {}
    for field in fields(policies):
        value, default = getattr(policies, field.name), getattr(DEFAULT_POLICIES, field.name)
        if field.name == "on_error":
            if value is not None:
                words[field.name] = callable_in_words(value)
        elif field.name != "description" and value != default:
            words[field.name] = str(value)
    return FrozenDict(words)
