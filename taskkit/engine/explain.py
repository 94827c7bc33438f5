"""Why a task is not running now, when it will, and what went wrong: a sentence or two for a person."""

from __future__ import annotations

from math import ceil, inf
from typing import TYPE_CHECKING

from taskkit.durations import in_words
from taskkit.engine.summary import one_line
from taskkit.local_times import local_time
from taskkit.outcome import OutcomeKind, SkipReason
from taskkit.schedules import OnDemand
from taskkit.snapshot import TaskState
from taskkit.words import full_time, kind_words

if TYPE_CHECKING:
    from taskkit.clock import Instant
    from taskkit.engine.entry import Entry
    from taskkit.engine.ledger import Ledger


def explain(entry: Entry, ledger: Ledger, now: Instant) -> str:
    """Why `entry` is where it is."""
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
    if (entry.disabled or ledger.paused) and _has_missed_its_only_time(entry, now):
        why, when = (
            ("it is disabled", "enabled") if entry.disabled else ("the scheduler is paused", "resumed")
        )
        return f"{entry.name} was due while {why}; once {when}, it is counted as missed and gone."
    failed = _failed(entry, now)
    if entry.retry is not None:
        attempt = f"retry {entry.retry.attempt - 1} of {entry.policies.retries}"
        due = _at(now.in_epoch(entry.retry.at), now)
        hindrance = ", but the scheduler is paused" if ledger.paused else ""
        failed = failed or f"{entry.name} failed"  # before a restart, of which no more is known
        return f"{failed}; {attempt} is due {due}{hindrance}."
    subject = f"{failed}; it" if failed else entry.name
    return f"{subject} {_waits(entry, ledger, now)}.{_unseen(entry, now)}"


def _waits(entry: Entry, ledger: Ledger, now: Instant) -> str:
    """What it waits for, after its name."""
    passed = _passed(entry)
    if isinstance(entry.schedule, OnDemand):
        disabled = "is disabled, and " if entry.disabled else ""
        return f"{disabled}runs only on demand{_last_demanded(entry, now)}"
    if entry.disabled:
        return f"is disabled{passed}; it runs again when it is enabled, or by hand"
    if ledger.paused:
        return f"waits because the scheduler is paused{passed}"
    if (left := _left_of_jitter(entry, ledger, now)) > 0:
        return f"is due, and starts within the next {in_words(left)} (jitter){passed}"
    next_run = entry.next_run(now)
    return "has nothing to come" if next_run is None else f"is next due {_at(next_run, now)}{passed}"


def _last_demanded(entry: Entry, now: Instant) -> str:
    last = None if entry.history is None else entry.history.last_outcome()
    if last is None:
        return "; nobody has demanded it" if entry.disabled else ", and nobody has demanded it"
    if entry.failing:
        return ""  # which was said before
    return f"; its last run {_ended(last.kind)} {_at_time(last.finished, now)}"


def _left_of_jitter(entry: Entry, ledger: Ledger, now: Instant) -> int:
    """Seconds within which it starts, if it is due and only its jitter puts that off; else 0."""
    jitter, due, time = entry.policies.jitter, entry.due, entry.clock_time(now)
    if not jitter or due is None or due > time or ledger.started_at == -inf:
        return 0
    return max(0, ceil(due + jitter - time))


def _failed(entry: Entry, now: Instant) -> str:
    """That its last run failed, and since when they all do; nothing if it did not."""
    history = entry.history
    if history is None or history.failing_since is None:
        return ""
    last = history.last_outcome()
    assert last is not None
    why = "" if last.exception is None else f": {last.exception.rstrip('.')}"
    if history.failed_tries == 1:
        return f"{entry.name} {_ended(last.kind)} {_at_time(last.finished, now)}{why}"
    since = _time(history.failing_since, now)
    if history.failed_before:
        since, tries = f"{since} or before", f"{history.failed_tries} tries or more"
    else:
        tries = f"{history.failed_tries} tries"
    if not why and last.kind is not OutcomeKind.FAILED:
        why = f": the last time it {_ended(last.kind)}"
    return f"{entry.name} has failed each time since {since} ({tries}){why}"


def _ended(kind: OutcomeKind) -> str:
    was = "was " if kind in (OutcomeKind.STOPPED, OutcomeKind.ABANDONED, OutcomeKind.INTERRUPTED) else ""
    return was + kind_words(kind)


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
    """How many due times passed, by reason; but for those of `_unseen`."""
    reasons = [
        f"{count} {reason}"
        for reason, count in entry.skipped.items()
        if reason is not SkipReason.MISSED or entry.policies.catch_up
    ]
    return f" (due times without a run since the last one: {', '.join(reasons)})" if reasons else ""


def _unseen(entry: Entry, now: Instant) -> str:
    """A sentence about the due times that nobody was there for, and that were not made up for."""
    count = entry.skipped.get(SkipReason.MISSED, 0)
    if entry.policies.catch_up or not count or entry.history is None:
        return ""
    skips = [each for each in entry.history.skips_since_the_last_run() if each.reason is SkipReason.MISSED]
    when = ""
    if count > 1:
        when = f" at {count} due times"
        if skips:
            when += f", from {_time(skips[-1].first_due, now)} to {_time(skips[0].last_due, now)}"
    elif skips:
        when = f" {_at_time(skips[0].last_due, now)}"
    return f" It did not run{when}: the machine slept or the program did not run, and catch_up is off."


def _at(instant: float, now: Instant) -> str:
    seconds = max(0, ceil(instant - now.wall))
    if local_time(instant) is None:
        return f"in {in_words(seconds)}"
    return f"{_at_time(instant, now)}, in {in_words(seconds)}"


def _at_time(instant: float, now: Instant) -> str:
    return f"at {_time(instant, now)}"


def _time(instant: float, now: Instant) -> str:
    """The time of day, with the date where that is not today's."""
    when, today = local_time(instant), local_time(now.wall)
    if when is not None and today is not None and when.date() == today.date():
        return f"{when:%H:%M:%S}"
    return full_time(instant)
