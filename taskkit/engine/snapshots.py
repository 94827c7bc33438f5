"""Snapshots of the ledger as plain data. Call these under the scheduler's lock."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from taskkit._helpers.frozen_dict import FrozenDict
from taskkit.engine.explain import explain
from taskkit.engine.summaries import callable_in_words
from taskkit.policies import NO_LIMITS, Policies
from taskkit.schedules import After
from taskkit.schedules.queries import schedule_words, schedule_zone
from taskkit.snapshot import (
    NO_TOTALS,
    Figures,
    Parameter,
    PastRun,
    RetrySnapshot,
    RunSnapshot,
    SchedulerState,
    Snapshot,
    TaskDetails,
    TaskSnapshot,
)
from taskkit.words.times import full_time

if TYPE_CHECKING:
    from taskkit.clock import Instant
    from taskkit.engine.ledger import Ledger
    from taskkit.engine.registration import Registration

PAST_RUNS: Final = 8
"""The number of past runs in a row of the snapshot."""


def snapshot_of(
    ledger: Ledger, is_running: bool, state: SchedulerState, threads: int, now: Instant
) -> Snapshot:
    """Return everything, consistently."""
    tasks = tuple(task_snapshot(entry, ledger, now) for entry in ledger.all_entries())
    return Snapshot(figures_of(ledger, is_running, state, threads, now), tasks)


def figures_of(
    ledger: Ledger, is_running: bool, state: SchedulerState, threads: int, now: Instant
) -> Figures:
    """Return the whole scheduler in a few numbers; costs the same for any number of handles."""
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
        forked_from=ledger.forked_from,
        state=state,
    )


def task_snapshot(entry: Registration, ledger: Ledger, now: Instant) -> TaskSnapshot:
    """Return the present state of one handle."""
    run, declared = entry.run, ledger.declarations.overridden(entry)
    past = () if entry.history is None else entry.history.last_runs(PAST_RUNS)
    return TaskSnapshot(
        number=entry.number,
        name=entry.name,
        state=entry.state,
        disabled=entry.disabled,
        schedule=schedule_words(entry.schedule),
        overrides=None if declared is None else schedule_words(declared),
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
            None if run.place is None else run.place.where,
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
        fixed_delay=entry.counts_from_end,
        limits=NO_LIMITS if entry.limited is None else entry.policies.limits_as_texts,
        totals=NO_TOTALS if entry.history is None else entry.history.totals.snapshot(),
        follows=() if entry.ended is None else _followed(entry),
        waits_for=() if entry.ended is None else _not_ended(entry),
        abandoned=len(ledger.abandoned_of(entry.name)),
        disabled_until=entry.disabled_until,
        max_runs=entry.policies.max_runs,
        executor=entry.placement.name,
    )


def details_of(
    entry: Registration,
    body: str,
    policies: Mapping[str, str],
    parameters: tuple[Parameter, ...],
    ledger: Ledger,
    due_count: int,
    now: Instant,
) -> TaskDetails:
    """Return all details of one handle; the words of its task and its policies are passed in."""
    return TaskDetails(
        task=task_snapshot(entry, ledger, now),
        explanation=explain(entry, ledger, now),
        policies=policies,
        zone=schedule_zone(entry.schedule) or entry.policies.timezone,
        due_times=() if ledger.closed else tuple(entry.next_runs(due_count, now)),
        history=() if entry.history is None else entry.history.entries(),
        output=_last_output(entry),
        parameters=parameters,
        body=body,
        chain=ledger.chains.stages(entry, ledger.entries) if ledger.chains.followers_of else (),
    )


def _followed(entry: Registration) -> tuple[str, ...]:
    return entry.schedule.names if isinstance(entry.schedule, After) else ()


def _not_ended(entry: Registration) -> tuple[str, ...]:
    """Return the tasks that it follows and that have not ended yet."""
    ended = entry.ended or ()
    return tuple(name for name in _followed(entry) if name not in ended)


def _last_output(entry: Registration) -> tuple[str, ...]:
    if entry.run is not None:
        return () if entry.run.output is None else entry.run.output.remembered()
    last = None if entry.history is None else entry.history.last_outcome()
    return () if last is None else last.output


def policies_in_words(policies: Policies) -> Mapping[str, str]:
    """Return the policies that differ from the default. Call it without the lock: `on_error` is foreign."""
    words = {}
    for name, value in policies.given().items():
        if name == "on_error":
            words[name] = callable_in_words(value)
        elif name in ("not_before", "until") and isinstance(value, float | int):
            words[name] = full_time(value)
        elif name == "not_on":
            words[name] = ", ".join(policies.not_on)
        elif name not in ("description", "timezone"):  # the zone is a fact of its own
            words[name] = str(value)
    return FrozenDict(words)
