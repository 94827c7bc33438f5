"""Why a task is not running now, and when it will: one sentence for a person."""

from __future__ import annotations

from datetime import datetime
from math import ceil
from typing import TYPE_CHECKING

from taskkit.durations import in_words
from taskkit.engine.summary import one_line
from taskkit.schedules import OnDemand
from taskkit.snapshot import TaskState

if TYPE_CHECKING:
    from taskkit.clock import Instant
    from taskkit.engine.entry import Entry
    from taskkit.engine.ledger import Ledger


def explain(entry: Entry, ledger: Ledger, now: Instant) -> str:
    """One sentence on why `entry` is where it is."""
    run = entry.run
    if run is not None:
        if run.started is None:
            return f"{entry.name} waits for a thread{_why_there_is_none(ledger)}."
        since = f"{entry.name} has been running for {in_words(round(now.wall - run.started))}"
        if run.asked_to_stop is not None:
            since += f", and was asked to stop {in_words(round(now.wall - run.asked_to_stop))} ago"
        if not entry.registered:
            return since + "; it is no longer registered and will be gone when this run ends."
        return since + ("; it was demanded once more." if entry.again is not None else ".")
    if entry.state is TaskState.GONE:
        return f"{entry.name} is gone: it was unregistered, replaced, or is done with its last run."
    if ledger.closed:
        return f"{entry.name} will not run: the scheduler was stopped."
    waits_in_line = ledger.running.get(entry.name, entry) is not entry
    if waits_in_line and (entry.again is not None or not entry.disabled):
        return f"{entry.name} waits for a run of the registration that it replaced to end."
    if entry.fault is not None and entry.retry is None:
        raised = f"{entry.name} falls due no more, as its schedule raised {one_line(entry.fault)}"
        return f"{raised}; it runs by hand, or once it is given another schedule."
    passed = _passed(entry)
    if (entry.disabled or ledger.paused) and _has_missed_its_only_time(entry, now):
        why, when = (
            ("it is disabled", "enabled") if entry.disabled else ("the scheduler is paused", "resumed")
        )
        return f"{entry.name} was due while {why}; once {when}, it is counted as missed and gone."
    if entry.disabled and isinstance(entry.schedule, OnDemand):
        return f"{entry.name} is disabled, and runs only on demand; nobody has demanded it."
    if entry.disabled:
        return f"{entry.name} is disabled{passed}; it runs again when it is enabled, or by hand."
    next_run = entry.next_run(now)
    if entry.retry is not None:
        attempt = f"retry {entry.retry.attempt - 1} of {entry.policies.retries}"
        hindrance = ", but the scheduler is paused" if ledger.paused else ""
        return f"{entry.name} failed; {attempt} is due {_at(now.in_epoch(entry.retry.at), now)}{hindrance}."
    if ledger.paused:
        return f"{entry.name} waits because the scheduler is paused{passed}."
    if next_run is None:
        return f"{entry.name} runs only on demand, and nobody has demanded it."
    return f"{entry.name} is next due {_at(next_run, now)}{passed}."


def _why_there_is_none(ledger: Ledger) -> str:
    if ledger.lacks_threads:
        return ": the system gives no more at present, and is asked for one again and again"
    runs = [entry.run for entry in ledger.running.values()]
    going = sum(1 for run in runs if run is not None and run.started is not None)
    if not going:
        return ", which is on its way"
    return f": {going} {'run goes' if going == 1 else 'runs go'} on, and none is free for it"


def _has_missed_its_only_time(entry: Entry, now: Instant) -> bool:
    return not entry.schedule.repeats and entry.due is not None and entry.due <= entry.clock_time(now)


def _passed(entry: Entry) -> str:
    if not entry.skipped:
        return ""
    reasons = ", ".join(f"{count} {reason}" for reason, count in entry.skipped.items())
    return f" (due times without a run since the last one: {reasons})"


def _at(instant: float, now: Instant) -> str:
    seconds = max(0, ceil(instant - now.wall))
    try:
        local = datetime.fromtimestamp(instant)
    except (OverflowError, ValueError, OSError):
        return f"in {in_words(seconds)}"
    words = f"{local:%H:%M:%S}" if seconds < 43_200 else f"{local:%a %Y-%m-%d %H:%M:%S}"
    return f"at {words}, in {in_words(seconds)}"
