"""A typed sample of the public API. It is not run: `mypy --strict` reads it, and whoever wants a tour.

What stands here has to go on being accepted, and where a comment ignores an error, being refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar, assert_never, assert_type
from zoneinfo import ZoneInfo

from taskkit import (
    Changes,
    ClockJumped,
    CommandTask,
    Cron,
    Daily,
    Event,
    Every,
    Figures,
    LineAssembler,
    Once,
    OnDemand,
    Outcome,
    OutcomeKind,
    OutputLine,
    OutputWritten,
    Parameter,
    Policies,
    Run,
    RunFinished,
    ScaledClock,
    Schedule,
    Scheduler,
    Skip,
    SkipReason,
    Snapshot,
    Stream,
    Task,
    TaskDetails,
    TaskHandler,
    TaskSnapshot,
    TaskState,
    constructor_parameters,
    current_run,
    due_times,
    make_task,
    parse_parameter,
    take_output,
)
from taskkit.store import PersistentScheduler, Retention, Store, StoredRun, StoredSkip, read_history
from taskkit.testing import InlineExecutor, ManualClock

# Tasks


class Growing(Task):
    run_parameters: ClassVar[Mapping[str, object]] = {"step": 2.0}

    def run(self) -> None:
        assert_type(self.name, str)
        assert_type(self.handle, TaskHandler)
        assert_type(self.parameters, Mapping[str, object])
        if self.proceed() and self.sleep(0.5) and self.handle.period is not None:
            self.progress(1, 2, "half")
            self.handle.set_period(self.handle.period + 2)


class Fetching(Task):
    async def run(self) -> int:
        await asyncio.sleep(1)
        return 5


def plain() -> str:
    run = current_run()
    assert_type(run, Run)
    run.on_stop(lambda: None)
    run.progress(1)
    return "done" if run.proceed() else "stopped"


async def coroutine() -> None:
    await asyncio.to_thread(plain)


command = CommandTask(["make", Path("site")], cwd=Path(), env={"LANG": "C"})
line = CommandTask("make | tail -1")

# Adding

scheduler = Scheduler(max_threads=8, capture=False, on_error=lambda outcome: print(outcome.traceback))

handle = scheduler.add_periodic_task(None, 5, Growing(), "growing", timeout=60, retries=3)
assert_type(handle, TaskHandler)
scheduler.add_periodic_task(datetime.now(UTC), timedelta(minutes=5), plain, "plain")
scheduler.add_timed_task(1_800_000_000.5, coroutine, "once")
scheduler.add_daily_task(3, 30, Fetching(), "daily", tz=ZoneInfo("Europe/Berlin"))
scheduler.add_cron_task("*/15 9-17 * * 1-5", command, "cron", tz="Europe/Berlin")
scheduler.add_on_demand_task(lambda: None, "lambda", keep=False, description="does nothing")

schedules: list[Schedule] = [Every(5), Once(None), Daily(3, 30), Cron("@hourly"), OnDemand()]
for schedule in schedules:
    scheduler.add_task(schedule, line, str(schedule))
    assert_type(schedule.next_after(0), float | None)
    assert_type(due_times(schedule, 0, 3), list[float])

scheduler.add_task("every 5 s", plain, "no schedule")  # type: ignore[arg-type]
scheduler.add_on_demand_task(lambda argument: None, "needs something")  # type: ignore[arg-type]

# Commanding

commands: list[Callable[[str], bool]] = [
    scheduler.run_task_now,
    scheduler.demand_task,
    scheduler.stop_task,
    scheduler.disable_task,
    scheduler.enable_task,
    scheduler.unregister_task,
]
assert_type(scheduler.demand_task("growing", {"step": 5}), bool)
assert_type(scheduler.set_period("growing", timedelta(seconds=7)), bool)
assert_type(scheduler.reschedule_task("growing", Every(7)), bool)
assert_type(scheduler.stop_all_tasks(), int)
assert_type(scheduler.pause() and scheduler.resume(), bool)
assert_type(scheduler.stop(timeout=1), list[str])

# Looking

for mapping in (scheduler.scheduled, scheduler.running, scheduler.on_demand):
    assert_type(mapping, Mapping[str, TaskHandler])
assert_type(scheduler.handle("growing"), TaskHandler | None)
assert_type(scheduler.next_time, float | None)
assert_type(handle.policies, Policies)
assert_type(handle.state, TaskState)
assert_type(handle.last_outcome, Outcome | None)
assert_type(handle.history, tuple[Outcome | Skip, ...])
assert_type(handle.explain(), str)
handle.name = "another"  # type: ignore[misc]

snapshot = scheduler.snapshot()
assert_type(snapshot, Snapshot)
assert_type(snapshot.figures, Figures)
assert_type(snapshot.tasks, tuple[TaskSnapshot, ...])
snapshot.figures.running = 0  # type: ignore[misc]

watch = scheduler.watch()
assert_type(watch.collect(), Changes)
watch.close()

details = scheduler.describe("growing")
assert_type(details, TaskDetails | None)


# Hearing


def hear(event: Event) -> None:
    match event:
        case RunFinished(name=name, outcome=outcome):
            assert_type(name, str)
            assert_type(outcome.skipped, Mapping[SkipReason, int])
        case OutputWritten(lines=lines):
            assert_type(lines, tuple[OutputLine, ...])
        case ClockJumped():
            pass


assert_type(scheduler.subscribe(hear), Callable[[], None])
scheduler.subscribe(lambda: None)  # type: ignore[arg-type,misc]


def outside(stream: Stream, text: str) -> None:
    print(stream.value, text)


release = take_output(outside)
assert_type(release, Callable[[], None])

assembler = LineAssembler()
assert_type(assembler.feed(b"one\ntwo"), list[str])
assert_type(assembler.update(), str | None)


def in_words(kind: OutcomeKind) -> str:
    match kind:
        case OutcomeKind.SUCCEEDED | OutcomeKind.STOPPED:
            return "well"
        case OutcomeKind.FAILED | OutcomeKind.TIMED_OUT:
            return "badly"
        case OutcomeKind.ABANDONED | OutcomeKind.INTERRUPTED:
            return "nobody knows"
        case _:
            assert_never(kind)


# Stores

with PersistentScheduler("tasks.db", retention=Retention(runs_per_task=100), max_threads=4) as persistent:
    assert_type(persistent.add_on_demand_task(Growing(), "asked"), TaskHandler)
    assert_type(persistent.store.flush(1.0), bool)
    assert_type(persistent.store.trouble, str | None)

with Store.open(Path("tasks.db"), clock=ManualClock()) as store:
    store.attach(scheduler)
    assert_type(store.restore(), list[str])

for past in read_history("tasks.db", "asked", kinds=[OutcomeKind.FAILED, SkipReason.MISSED], search="no"):
    assert_type(past, StoredRun | StoredSkip)
    if isinstance(past, StoredRun):
        assert_type(past.outcome, Outcome)
    else:
        assert_type(past.skip, Skip)

# Forms

parameters = constructor_parameters(Growing)
assert_type(parameters, tuple[Parameter, ...] | None)
values = {each.name: parse_parameter(each, "text") for each in parameters or ()}
assert_type(make_task(Growing, values), Task)

# Testing

clock = ManualClock(start=1_800_000_000)
with Scheduler(clock=clock, executor=InlineExecutor()) as manual:
    assert_type(manual, Scheduler)
    clock.advance(60)
    clock.stall(60)
    clock.step_wall(-3600)

fast = ScaledClock(60)
assert_type(fast.speed, float)
assert_type(Scheduler(clock=ScaledClock(0.5, clock)), Scheduler)
