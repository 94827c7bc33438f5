"""Any commands, and restarts between them: what stands is as it was, what happened is stored once."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from restarted_program import Program

from taskkit import (
    Daily,
    Event,
    Every,
    Once,
    OnDemand,
    OutcomeKind,
    Policies,
    Recipe,
    RunFinished,
    RunSkipped,
    Schedule,
    Scheduler,
    TaskSpec,
    current_run,
)
from taskkit.store import StoredRun, StoredSkip
from taskkit.testing import ManualClock

START: Final = 1_800_000_000.0
PROGRAM: Final = {"minute": Every(60), "fixed": Every(7, START - 3), "daily": Daily(8, 1, "UTC")}
"""The tasks that the program registers each time."""
NAMES: Final = (*PROGRAM, "a", "b")

names = st.sampled_from(NAMES)
seconds = st.sampled_from([0, 1, 5, 30, 200])


def work() -> None:
    """Fails at some times, and not at others."""
    if current_run().due % 3 == 0:
        raise ValueError("a multiple of three")


class EveryRestart(RuleBasedStateMachine):
    """A program with a store, whose program come one after the other."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.clock = ManualClock(START)
        self.program = Program(self.folder / "tasks.db", self.clock)
        self.ended: list[tuple[str, OutcomeKind, float, float]] = []
        self.skipped: dict[str, int] = {}

    @initialize()
    def begin(self) -> None:
        self.program.start(self.register)

    def teardown(self) -> None:
        self.program.stop()
        shutil.rmtree(self.folder)

    def register(self, scheduler: Scheduler) -> None:
        self.hear_no_more = scheduler.subscribe(self.note)
        for name, schedule in PROGRAM.items():
            scheduler.add_task(schedule, work, name, retries=1, retry_delay=3)

    def note(self, event: Event) -> None:
        if isinstance(event, RunFinished):
            outcome = event.outcome
            self.ended.append((event.name, outcome.kind, outcome.due, outcome.finished))
        elif isinstance(event, RunSkipped):
            self.skipped[event.name] = self.skipped.get(event.name, 0) + event.count

    @property
    def scheduler(self) -> Scheduler:
        assert self.program.scheduler is not None
        return self.program.scheduler

    # What a person does

    @rule(
        name=st.sampled_from(["a", "b"]),
        schedule=st.sampled_from(["every", "once", "on demand"]),
        period=seconds,
        policies=st.sampled_from(
            [{}, {"max_runs": 2}, {"retries": 2, "retry_delay": 4}, {"catch_up": False}, {"overlap": "queue"}]
        ),
    )
    def add(self, name: str, schedule: str, period: int, policies: Mapping[str, Any]) -> None:
        made: Schedule
        match schedule:
            case "every":
                made = Every(period + 1)
            case "once":
                made = Once(self.clock.time() + period)
            case _:
                made = OnDemand()
        spec = TaskSpec(name, made, Recipe(f"{__name__}:work"), Policies(**policies))
        self.scheduler.add_spec(spec, persist=True)

    @rule(name=names, what=st.sampled_from(["demand", "run_now", "disable", "enable", "unregister"]))
    def command(self, name: str, what: str) -> None:
        command = "run_task_now" if what == "run_now" else f"{what}_task"
        if what != "unregister" or name not in PROGRAM:
            getattr(self.scheduler, command)(name)

    @rule(name=names, period=st.sampled_from([2, 20, 300]))
    def set_period(self, name: str, period: int) -> None:
        self.scheduler.set_period(name, period, override=True)

    @rule(name=names, schedule=st.sampled_from([Every(9), Daily(9, 0, "UTC"), OnDemand()]))
    def reschedule(self, name: str, schedule: Schedule) -> None:
        self.scheduler.reschedule_task(name, schedule, override=True)

    @rule(name=names)
    def drop_override(self, name: str) -> None:
        self.scheduler.drop_override(name)

    @rule(paused=st.booleans())
    def pause(self, paused: bool) -> None:
        (self.scheduler.pause if paused else self.scheduler.resume)()

    @rule(seconds=seconds, how=st.sampled_from(["advance", "stall"]))
    def let_time_pass(self, seconds: int, how: str) -> None:
        getattr(self.clock, how)(seconds)

    # And the machine

    @rule(killed=st.booleans())
    def restart(self, killed: bool) -> None:
        self.clock.advance(0)
        before = self.standing()
        self.begin_again(killed)
        assert self.standing() == before

    @precondition(lambda self: self.program.scheduler is not None)
    @rule(killed=st.booleans(), seconds=seconds)
    def restart_later(self, killed: bool, seconds: int) -> None:
        decisions = [told[:4] for told in self.standing().values() if told[0] in PROGRAM]
        self.begin_again(killed, seconds)
        assert [told[:4] for told in self.standing().values() if told[0] in PROGRAM] == decisions

    def begin_again(self, killed: bool, after: float = 0.0) -> None:
        if killed:  # what the old life tells at its end is told to nobody
            self.program.flush()
            self.hear_no_more()
        self.program.restart(self.register, killed=killed, after=after)

    def standing(self) -> dict[str, tuple[Any, ...]]:
        snapshot = self.scheduler.snapshot()
        told = {
            each.name: (
                each.name,
                each.schedule,
                each.overrides,
                each.disabled,
                each.run_count,
                each.next_run,
                None if each.retry is None else (each.retry.number, each.retry.at),
                snapshot.figures.paused,
            )
            for each in snapshot.tasks
        }
        return dict(sorted(told.items()))

    @invariant()
    def what_happened_is_stored_once_and_in_order(self) -> None:
        if self.program.scheduler is None:
            return
        self.program.flush()
        stored = self.program.scheduler.store.history(limit=100_000)[::-1]
        runs = [
            (run.name, run.outcome.kind, run.outcome.due, run.outcome.finished)
            for run in stored
            if isinstance(run, StoredRun)
        ]
        assert runs == self.ended
        skipped: dict[str, int] = {}
        for each in stored:
            if isinstance(each, StoredSkip):
                skipped[each.name] = skipped.get(each.name, 0) + each.skip.count
        assert skipped == self.skipped


EveryRestart.TestCase.settings = settings(
    derandomize=True,
    max_examples=20,
    stateful_step_count=25,
    deadline=None,
    phases=[Phase.generate],
    database=None,
    suppress_health_check=list(HealthCheck),
)
TestEveryRestart = EveryRestart.TestCase
