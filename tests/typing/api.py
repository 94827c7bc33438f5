"""A typed sample of the public API. It is not run: `mypy --strict` checks it, and it is a tour for readers.

What stands here has to go on being accepted, and where a comment ignores an error, being refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar, Literal, assert_never, assert_type
from zoneinfo import ZoneInfo

from taskkit import (
    After,
    AnyOf,
    Body,
    BodyResult,
    ChangeKind,
    Changes,
    Clock,
    ClockJumped,
    CommandTask,
    Cron,
    Daily,
    Event,
    Every,
    Executor,
    Figures,
    Jitter,
    LineAssembler,
    Once,
    OnDemand,
    Outcome,
    OutcomeKind,
    OutputLine,
    OutputWritten,
    Overlap,
    Parameter,
    ParameterType,
    Policies,
    Run,
    RunFinished,
    ScaledClock,
    Schedule,
    Scheduler,
    SchedulerState,
    Skip,
    SkipReason,
    Snapshot,
    Stream,
    Task,
    TaskChanged,
    TaskDetails,
    TaskHandler,
    TaskSnapshot,
    TaskState,
    TaskTotals,
    TaskUnregistered,
    Threads,
    UnregisterReason,
    constructor_parameters,
    current_run,
    due_times,
    make_task,
    parse_parameter,
    take_output,
)
from taskkit.executors import DaskExecutor, LoopExecutor, ProcessExecutor
from taskkit.metrics import openmetrics
from taskkit.remote import Server, serve
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
limited: Policies = Policies(until=datetime(2030, 1, 1), not_before="2029-01-01 00:00", window="mon-fri 9-17")
schedules += [After("extract"), After("extract", "load", on="failure")]
After("extract", on="always")  # type: ignore[arg-type]
schedules += [
    Every(60, fixed_delay=True),
    Daily("09:00"),
    Daily(["09:00", "17:00"], tz="UTC"),
    AnyOf(Daily(9, 0), Cron("0 12 * * 6")),
]
Daily(["09:00"], 30)  # type: ignore[call-overload]
for schedule in schedules:
    scheduler.add_task(schedule, line, str(schedule))
    assert_type(schedule.next_after(0), float | None)
    assert_type(due_times(schedule, 0, 3), list[float])

scheduler.add_task(
    Every(60), plain, "within ten minutes", catch_up=600, overlap="queue", jitter=Jitter(20, fixed=True)
)
assert_type(Policies(overlap="restart").overlap, Overlap | Literal["skip", "queue", "restart"])
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
assert_type(scheduler.disable_task("growing", datetime(2030, 1, 1)), bool)
assert_type(scheduler.disable_task("growing", until="friday"), bool)
scheduler.disable_task("growing", timedelta(hours=2))  # type: ignore[arg-type]
assert_type(scheduler.stop_all_tasks(), int)
assert_type(scheduler.pause() and scheduler.resume(), bool)
assert_type(scheduler.stop(timeout=1), list[str])
assert_type(scheduler.stop(1, drain=60), list[str])
assert_type(scheduler.join(5), bool)
PersistentScheduler("tasks.db", standby=True).start(wait=True)
assert_type(scheduler.abandon_task("plain"), bool)
assert_type(scheduler.state, SchedulerState)

# Looking

for mapping in (scheduler.scheduled, scheduler.running, scheduler.on_demand):
    assert_type(mapping, Mapping[str, TaskHandler])
assert_type(scheduler.handle("growing"), TaskHandler | None)
assert_type(scheduler.next_time, float | None)
assert_type(handle.policies, Policies)
assert_type(handle.state, TaskState)
assert_type(handle.disabled_until, float | None)
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
            return "unknown"
        case _:
            assert_never(kind)


def on_change(event: Event) -> None:
    if isinstance(event, TaskChanged):
        assert_type(event.what, ChangeKind)
    if isinstance(event, TaskUnregistered):
        assert_type(event.why, UnregisterReason)


scheduler.subscribe(on_change, kinds=(TaskChanged, TaskUnregistered))


def made_of(clock: Clock, executor: Executor, threads: Threads) -> Scheduler:
    return Scheduler(clock=clock, executor="far", executors={"far": executor}, threads=threads)


class Far(Executor):
    def check(self, task: object) -> None:
        assert_type(self.waits_for, str)

    def start(self, body: Body) -> None:
        assert_type(body.begin("process 4711"), bool)
        assert_type(body.run.parameters, Mapping[str, object])
        body.end(BodyResult(OutcomeKind.FAILED, exception="it was killed"))


async def on_a_loop(loop: asyncio.AbstractEventLoop) -> None:
    async with Scheduler(executors={"app": LoopExecutor(loop)}) as entered:
        assert_type(entered, Scheduler)
        assert_type(entered.executor_names, tuple[str, ...])
        entered.set_executor("far", Far())
        entered.check_executor("app", Growing())


assert_type(scheduler.add_periodic_task(None, 60, Growing(), "far", executor=Far()).executor, str)
workers = ProcessExecutor(4, kill_after=10, preload=["json"], start_method="spawn")
cluster = DaskExecutor("tcp://scheduler:8786", tls_ca="ca.pem", tls_cert=Path("cert.pem"), tls_key="key.pem")
assert_type(Scheduler(executor=workers, executors={"cluster": cluster}), Scheduler)
assert_type(scheduler.add_daily_task(3, 0, Growing(), "thread", executor="thread", retries=2), TaskHandler)


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
assert_type([each.type for each in parameters or ()], list[ParameterType])

# Metrics

assert_type(openmetrics(scheduler.snapshot(), {"service": "shop"}), str)
assert_type(scheduler.snapshot().tasks[0].totals, TaskTotals)
assert_type(scheduler.interrupted, tuple[Outcome, ...])

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

# Other processes

with Scheduler() as served, serve(served, "shop", task_classes=[Growing], access="view") as server:
    assert_type(server, Server)
    assert_type(server.path, Path | None)
