"""Explanations for a person: why a task is not running now, when it will, and what went wrong."""

from __future__ import annotations

from math import ceil, inf
from typing import TYPE_CHECKING

from taskkit.engine.registration import QUEUED
from taskkit.engine.summaries import one_line
from taskkit.jitter import fixed_share
from taskkit.outcome import OutcomeKind, SkipReason
from taskkit.policies import Overlap
from taskkit.schedules import After, OnDemand
from taskkit.snapshot import TaskState
from taskkit.words.durations import in_words
from taskkit.words.outcomes import ended_words, skip_counts
from taskkit.words.times import local_time, short_time

if TYPE_CHECKING:
    from taskkit.clock import Instant
    from taskkit.engine.ledger import Ledger
    from taskkit.engine.registration import Registration
    from taskkit.run import Run


def explain(entry: Registration, ledger: Ledger, now: Instant) -> str:
    """Return a sentence or two about the state of `entry`."""
    sentence = _explain(entry, ledger, now) + _still_abandoned(entry, ledger, now)
    if ledger.forked_from is None:
        return sentence
    return (
        f"{entry.name} does not run here: this process was forked from process {ledger.forked_from}, "
        f"which runs it. At the fork: {sentence}"
    )


def _explain(entry: Registration, ledger: Ledger, now: Instant) -> str:
    run = entry.run
    if run is not None:
        if run.started is None:
            return f"{entry.name} waits for {_what_it_waits_for(run, entry, ledger)}."
        where = "" if run.place is None else f" ({run.place.where or entry.placement.name})"
        since = f"{entry.name} has been running for {in_words(round(now.wall - run.started))}{where}"
        if run.asked_to_stop is not None:
            since += f", and was asked to stop {in_words(round(now.wall - run.asked_to_stop))} ago"
        if run.place is not None and run.place.trouble is not None:
            since += f"; {run.place.trouble}"
        if not entry.registered:
            return since + "; it is no longer registered and will be gone when this run ends."
        return f"{since}{_runs_again(entry)}.{_is_restarted(entry)}{_counts_from_end(entry)}"
    if entry.state is TaskState.GONE and ledger.done.get(entry.name) is entry:
        assert entry.limited is not None
        until = _date(entry.limited.limits.until, now)
        return f"{entry.name} is done: nothing more is due up to its until, {until}."
    if entry.state is TaskState.GONE:
        return f"{entry.name} is gone: it was unregistered or replaced, or had its last run."
    if ledger.closed:
        return f"{entry.name} will not run: the scheduler was stopped."
    if ledger.standby:
        return (
            f"{entry.name} does not run here: this process is on standby while another one has the state; "
            "it takes over when that one ends."
        )
    waits_in_line = ledger.running.get(entry.name, entry) is not entry
    if waits_in_line and (entry.again is not None or not entry.disabled):
        return f"{entry.name} waits until the run of the task that it replaced ends."
    if entry.fault is not None and entry.retry is None:
        raised = f"{entry.name} is no longer due: its schedule raised {one_line(entry.fault)}"
        return f"{raised}; it runs by hand, or after it is given another schedule."
    if (entry.disabled or ledger.paused) and _has_missed_its_only_time(entry, now):
        why, when = (
            ("it is disabled", "enabled") if entry.disabled else ("the scheduler is paused", "resumed")
        )
        if entry.disabled and entry.disabled_until is not None:
            when = f"enabled {_at(entry.disabled_until, now)}"
        return f"{entry.name} was due while {why}; once {when}, it counts as missed and is gone."
    failed = _failed(entry, now)
    if entry.retry is not None:
        attempt = f"retry {entry.retry.attempt - 1} of {entry.policies.retries}"
        due = _at(now.in_epoch(entry.retry.at), now)
        paused = ", but the scheduler is paused" if ledger.paused else ""
        failed = failed or f"{entry.name} failed"  # before a restart; no more is known of it
        return f"{failed}; {attempt} is due {due}{paused}."
    if ledger.loop_fault is not None and entry.due is not None:
        return f"{entry.name} does not run, as the scheduler's loop failed: {one_line(ledger.loop_fault)}."
    subject = f"{failed}; it" if failed else entry.name
    return f"{subject} {_waits(entry, ledger, now)}.{_unseen(entry, now)}{_executor_trouble(entry)}"


def _still_abandoned(entry: Registration, ledger: Ledger, now: Instant) -> str:
    """Return a sentence about the abandoned runs that have not ended; empty if there are none."""
    runs = ledger.abandoned_of(entry.name)
    if not runs:
        return ""
    if len(runs) > 1:
        return f" {len(runs)} of its runs were abandoned and have not ended."
    since = "" if runs[0].finished is None else f" {in_words(round(now.wall - runs[0].finished))} ago"
    return f" Its run {runs[0].number} was abandoned{since} and has not ended."


def _runs_again(entry: Registration) -> str:
    """Return that one more run follows the present one, and why; empty if none does."""
    if entry.again is None:
        return ""
    if entry.again is not QUEUED:
        return "; it was demanded once more"
    if entry.policies.overlap is Overlap.RESTART:
        return "; it is due again, and starts again when this run has ended (overlap is restart)"
    return "; it is due again, and runs once more after this run (overlap is queue)"


def _is_restarted(entry: Registration) -> str:
    """Return a warning where `overlap="restart"` has cut off the run before; empty elsewhere."""
    last = None if entry.history is None else entry.history.last_outcome()
    if entry.policies.overlap is not Overlap.RESTART or last is None or last.kind is not OutcomeKind.STOPPED:
        return ""
    return (
        " The run before was stopped. A run that takes longer than the time between two due times never "
        "finishes, as overlap is restart."
    )


def _waits(entry: Registration, ledger: Ledger, now: Instant) -> str:
    """Return what it waits for, to follow its name."""
    passed = _passed(entry)
    if isinstance(entry.schedule, OnDemand):
        disabled = f"is disabled{_until(entry, now)}, and " if entry.disabled else ""
        return f"{disabled}runs only on demand{_last_demanded(entry, now)}"
    if entry.disabled:
        if entry.disabled_until is not None:
            return f"is disabled{_until(entry, now)}{passed}; until then it runs only by hand"
        return f"is disabled{passed}; it runs again when it is enabled, or by hand"
    if ledger.paused:
        return f"waits because the scheduler is paused{passed}"
    if (left := _left_of_jitter(entry, ledger, now)) > 0:
        if entry.policies.jitter_is_fixed:
            return f"is due, and starts in {in_words(left)} (fixed jitter){passed}"
        return f"is due, and starts within the next {in_words(left)} (jitter){passed}"
    next_run = entry.next_run(now)
    if next_run is None and isinstance(entry.schedule, After):
        return f"{_follows(entry, entry.schedule, ledger)}{passed}"
    if next_run is None:
        return f"has no further due time{passed}"
    return f"is next due {_at(next_run, now)}{_limits(entry, now)}{passed}"


def _counts_from_end(entry: Registration) -> str:
    """Return a sentence about when a fixed delay is due after the present run; empty for other schedules."""
    if not entry.counts_from_end or entry.period is None or entry.again is not None or entry.had_all_runs:
        return ""
    return f" It is due {in_words(entry.period)} after the end of this run."


def _follows(entry: Registration, schedule: After, ledger: Ledger) -> str:
    """Return which ends a task that follows others waits for, to follow its name."""
    ended = entry.ended or set()
    open_names = [name for name in schedule.names if name not in ended]
    verb = {"success": "succeeded", "failure": "failed", "end": "ended"}[schedule.on]
    has = "has" if len(open_names) == 1 else "have"
    words = f"waits until {_listed(open_names)} {has} {verb}"
    if ended:
        words += f", as {_listed([name for name in schedule.names if name in ended])} did"
    unknown = [name for name in open_names if name not in ledger.entries]
    if unknown:
        words += f"; {_listed(unknown)} {'is' if len(unknown) == 1 else 'are'} not registered"
    return words


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _limits(entry: Registration, now: Instant) -> str:
    """Return which limit of its due times it waits for; empty if for none."""
    if entry.limited is None:
        return ""
    limits, policies = entry.limited.limits, entry.policies
    if now.wall < limits.not_before:
        return f", as it does not run before {_date(limits.not_before, now)}"
    if limits.is_open(now.wall):
        return ""
    if policies.window is None:
        return ", as it does not run today"
    except_on = f" except on {', '.join(policies.not_on)}" if policies.not_on else ""
    return f", as it runs only {policies.window}{except_on}"


def _date(instant: float, now: Instant) -> str:
    return short_time(instant, now.wall)


def _until(entry: Registration, now: Instant) -> str:
    """Return until when it is disabled, to follow “is disabled”; empty if that has no end."""
    until = entry.disabled_until
    return "" if until is None else f" until {short_time(until, now.wall)}"


def _last_demanded(entry: Registration, now: Instant) -> str:
    last = None if entry.history is None else entry.history.last_outcome()
    if last is None:
        return "; it has not run yet" if entry.disabled else ", and has not run yet"
    if entry.failing:
        return ""  # said already
    return f"; its last run {ended_words(last.kind)} {_at_time(last.finished, now)}"


def _left_of_jitter(entry: Registration, ledger: Ledger, now: Instant) -> int:
    """Return the seconds within which it starts, if only its jitter delays it; else 0."""
    jitter, due, time = entry.jitter, entry.due, entry.clock_time(now)
    if not jitter or due is None or due > time or ledger.started_at == -inf:
        return 0
    if entry.policies.jitter_is_fixed:
        jitter *= fixed_share(entry.name)
    return max(0, ceil(due + jitter - time))


def _failed(entry: Registration, now: Instant) -> str:
    """Return that its last run failed, and since when all do; empty if it did not fail."""
    history = entry.history
    if history is None or history.failing_since is None:
        return ""
    last = history.last_outcome()
    assert last is not None
    why = "" if last.exception is None else f": {last.exception.rstrip('.')}"
    if history.failed_tries == 1:
        return f"{entry.name} {ended_words(last.kind)} {_at_time(last.finished, now)}{why}"
    since = short_time(history.failing_since, now.wall)
    if history.failed_before:
        since, tries = f"{since} or before", f"{history.failed_tries} tries or more"
    else:
        tries = f"{history.failed_tries} tries"
    if not why and last.kind is not OutcomeKind.FAILED:
        why = f": the last time it {ended_words(last.kind)}"
    return f"{entry.name} has failed each time since {since} ({tries}){why}"


def _what_it_waits_for(run: Run, entry: Registration, ledger: Ledger) -> str:
    if run.place is None:
        return f"a thread{_why_there_is_none(ledger)}"
    trouble = None if entry.executor is None else entry.executor.trouble
    return run.place.waits_for + ("" if trouble is None else f", {trouble}")


def _why_there_is_none(ledger: Ledger) -> str:
    if ledger.lacks_threads:
        return ": the system refuses to start more, which is tried again twice a second"
    runs = [entry.run for entry in ledger.running.values()]
    going = sum(1 for run in runs if run is not None and run.started is not None)
    abandoned = sum(run.place is None for run in ledger.abandoned)
    if not going and not abandoned:
        return ", which is starting"
    of_those = f", {abandoned} of them abandoned," if abandoned else ""
    total = going + abandoned
    return (
        f": {total} {'run' if total == 1 else 'runs'}{of_those} {'uses' if total == 1 else 'use'} all threads"
    )


def _has_missed_its_only_time(entry: Registration, now: Instant) -> bool:
    return not entry.schedule.repeats and entry.due is not None and entry.due <= entry.clock_time(now)


def _passed(entry: Registration) -> str:
    """Return the counts of passed due times by reason, without those of `_unseen`."""
    passed = {
        reason: count
        for reason, count in entry.skipped.items()
        if reason is not SkipReason.MISSED or entry.policies.catch_up is True
    }
    return f" (skipped since its last run: {skip_counts(passed)})" if passed else ""


def _unseen(entry: Registration, now: Instant) -> str:
    """Return a sentence about the missed due times that a limit on lateness leaves without a run."""
    count, catch_up = entry.skipped.get(SkipReason.MISSED, 0), entry.policies.catch_up
    if catch_up is True or not count or entry.history is None:
        return ""
    skips = [each for each in entry.history.skips_since_the_last_run() if each.reason is SkipReason.MISSED]
    when = ""
    if count > 1:
        when = f" at {count} due times"
        if skips:
            first, last = skips[-1].first_due, skips[0].last_due
            when += f", from {short_time(first, now.wall)} to {short_time(last, now.wall)}"
    elif skips:
        when = f" {_at_time(skips[0].last_due, now)}"
    why = "catch_up is off" if catch_up is False else f"catch_up allows {in_words(catch_up)}"
    if catch_up is not False and skips and (late := skips[0].late_by) is not None:
        why = f"a run would have been {in_words(round(late))} late, but {why}"
    return f" It did not run{when}: the machine slept or the program did not run, and {why}."


def _executor_trouble(entry: Registration) -> str:
    """Return a sentence about what keeps the runs of its executor waiting; empty if nothing does."""
    executor = entry.executor
    if executor is None or executor.trouble is None:
        return ""
    return f" Its runs wait for {executor.waits_for}, {executor.trouble}."


def _at(instant: float, now: Instant) -> str:
    seconds = max(0, ceil(instant - now.wall))
    if local_time(instant) is None:
        return f"in {in_words(seconds)}"
    return f"{_at_time(instant, now)}, in {in_words(seconds)}"


def _at_time(instant: float, now: Instant) -> str:
    return f"at {short_time(instant, now.wall)}"
