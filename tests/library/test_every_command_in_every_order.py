"""Every command in every order, also from inside runs, against what must hold whatever was asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from taskkit import (
    After,
    Daily,
    Every,
    Once,
    OnDemand,
    OutcomeKind,
    Schedule,
    Scheduler,
    TaskHandler,
    current_run,
)
from taskkit.events import Event, RunFinished, RunSkipped
from taskkit.snapshot import TaskSnapshot, TaskState
from taskkit.testing import InlineExecutor, ManualClock

START: Final = 1_800_000_000.0
NAMES: Final = ("a", "b", "c")
DEEPEST: Final = 4
"""Runs inside runs; deeper ones command nothing."""

Command = tuple[Any, ...]
"""What to do, and with what: plain data, so that a failure can be read."""

names = st.sampled_from(NAMES)
seconds = st.sampled_from([1, 5, 30])
schedules = st.sampled_from(
    ["every", "every", "once", "at once", "ending", "daily", "on demand", "delay", "after", "after any"]
)
WINDOW: Final = ", ".join(
    f"{hour:02}:{at:02}-{hour:02}:{at + 1:02}" for hour in (7, 8, 9) for at in range(0, 59, 2)
)
"""Open in every other minute, from an hour before the start to two hours after it."""
policies = st.sampled_from(
    [
        {},
        {},
        {"retries": 2, "retry_delay": 4},
        {"timeout": 5},
        {"max_runs": 2, "retries": 1},
        {"catch_up": False},
        {"catch_up": 4},
        {"overlap": "queue"},
        {"overlap": "queue", "retries": 1, "retry_delay": 4},
        {"overlap": "restart", "retries": 1, "retry_delay": 8},
        {"window": WINDOW},
        {"window": WINDOW, "overlap": "queue", "catch_up": False},
        {"until": 40},
        {"not_before": 20, "until": 60, "retries": 1},
    ]
)
commands = st.one_of(
    st.tuples(st.sampled_from(["run_now", "demand", "stop", "disable", "enable", "unregister"]), names),
    st.tuples(st.just("abandon"), names),
    st.tuples(st.just("add"), names, schedules, seconds, policies, st.just(())),
    st.tuples(st.sampled_from(["set_period"]), names, seconds),
    st.tuples(st.just("reschedule"), names, schedules, seconds),
    st.tuples(st.sampled_from(["pause", "resume", "stop_all"])),
    st.tuples(st.sampled_from(["advance", "stall", "sleep"]), seconds),
    st.tuples(st.just("step_wall"), st.sampled_from([-3600, 100, 3600])),
    st.tuples(st.sampled_from(["fail", "exit"])),
    st.tuples(st.sampled_from(["demand", "unregister", "stop", "disable", "enable"]), st.just("itself")),
    st.tuples(st.just("add"), st.just("itself"), schedules, seconds, policies, st.just(())),
)
plans = st.lists(commands, max_size=4).map(tuple)


@dataclass(frozen=True)
class Until(Schedule):
    """Every ten seconds until some time, and then never again."""

    follows_wall_clock: ClassVar[bool] = False
    repeats: ClassVar[bool] = True

    end: float

    def next_after(self, instant: float) -> float | None:
        due = instant // 10 * 10 + 10
        return due if due <= self.end else None


class EveryCommand(RuleBasedStateMachine):
    """A scheduler, three names, and a mirror that knows only what a watch tells."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock(START)
        self.scheduler = Scheduler(clock=self.clock, executor=InlineExecutor(), capture=False)
        self.scheduler.subscribe(self.note)
        self.scheduler.start()
        self.watch = self.scheduler.watch()
        self.mirror: dict[int, TaskSnapshot] = {}
        self.going: list[str] = []
        self.overlapped: list[str] = []
        self.stale: list[TaskHandler] = []
        self.traces: Counter[str] = Counter()
        self.grids: dict[str, tuple[TaskHandler, float, float]] = {}

    def teardown(self) -> None:
        assert self.scheduler.stop() == []

    def note(self, event: Event) -> None:
        if isinstance(event, RunSkipped):
            self.traces[event.name] += event.count
        elif isinstance(event, RunFinished) and event.outcome.trigger == "schedule":
            self.traces[event.name] += 1

    def body(self, plan: list[Command]) -> None:
        name = current_run().name
        if name in self.going:
            self.overlapped.append(name)
        self.going.append(name)
        try:
            while plan and len(self.going) < DEEPEST:  # each step once, lest a task demands itself for ever
                command = plan.pop(0)
                if command[0] == "fail":
                    raise ValueError("as planned")
                if command[0] == "exit":
                    raise SystemExit(1)
                if command[0] == "sleep":
                    current_run().sleep(command[1])
                else:
                    self.obey(*(name if each == "itself" else each for each in command))
        finally:
            if current_run().kind is not OutcomeKind.ABANDONED:
                self.going.remove(name)

    def obey(self, what: str, *arguments: Any) -> None:
        match what:
            case "add":
                self.add(*arguments)
            case "reschedule":
                self.grids.pop(arguments[0], None)
                name, kind, period = arguments
                with suppress(ValueError):  # as in `add`
                    self.scheduler.reschedule_task(name, self.schedule(kind, period, name))
            case "set_period":
                self.grids.pop(arguments[0], None)
                self.scheduler.set_period(*arguments)
            case "unregister":
                self.grids.pop(arguments[0], None)
                self.leave(arguments[0])
                self.scheduler.unregister_task(arguments[0])
            case "pause" | "resume":
                getattr(self.scheduler, what)()
            case "stop_all":
                self.scheduler.stop_all_tasks()
            case "run_now":
                self.scheduler.run_task_now(*arguments)
            case "abandon":
                if self.scheduler.abandon_task(*arguments):
                    self.going.remove(arguments[0])
            case "demand" | "stop" | "disable" | "enable":
                if arguments != ("itself",):
                    getattr(self.scheduler, f"{what}_task")(*arguments)
            case "advance" | "stall" | "step_wall":
                getattr(self.clock, what)(*arguments)

    def add(
        self, name: str, kind: str, period: int, keywords: dict[str, Any], plan: Sequence[Command]
    ) -> None:
        self.leave(name)
        steps = list(plan)
        busy = name in self.scheduler.running
        limited = keywords.keys() & {"window", "not_before", "until"}
        try:
            handle = self.scheduler.add_task(
                self.schedule(kind, period, name),
                lambda: self.body(steps),
                name,
                **self.limits(kind, keywords),
            )
        except ValueError:  # it would wait for itself, or is never due in its window
            assert kind.startswith("after") or limited
            return
        self.traces[name] = 0
        self.grids.pop(name, None)
        # Else what the old run leaves has the same name, or not every point is due.
        if kind == "every" and not busy and not limited:
            self.grids[name] = handle, self.clock.monotonic(), period

    def leave(self, name: str) -> None:
        handle = self.scheduler.handle(name)
        if handle is not None:
            self.stale.append(handle)

    def limits(self, kind: str, keywords: dict[str, Any]) -> dict[str, Any]:
        """The policies for a kind of schedule; bounds are given in seconds from now."""
        limited = {"window", "not_before", "until"}
        if kind == "on demand":
            return {key: value for key, value in keywords.items() if key not in limited}
        given = dict(keywords)
        for bound in ("not_before", "until"):
            if bound in given:
                given[bound] += self.clock.time()
        if "window" in given and kind != "daily":
            given["timezone"] = "UTC"
        return given

    def schedule(self, kind: str, period: int, name: str) -> Schedule:
        others = [each for each in NAMES if each != name]
        match kind:
            case "every":
                return Every(period)
            case "delay":
                return Every(period, fixed_delay=True)
            case "after":
                return After(others[period % 2], on="end")
            case "after any":
                return After(*others, on="success" if period == 1 else "end")
            case "once":
                return Once(self.clock.time() + period)
            case "at once":
                return Once()
            case "ending":
                return Until(self.clock.time() + 10 + period)
            case "daily":
                return Daily(9, period, "UTC")
        return OnDemand()

    @rule(name=names, kind=schedules, period=seconds, keywords=policies, plan=plans)
    def register(
        self, name: str, kind: str, period: int, keywords: dict[str, Any], plan: Sequence[Command]
    ) -> None:
        self.add(name, kind, period, keywords, plan)

    @rule(
        command=commands.filter(
            lambda each: "itself" not in each and each[0] not in ("sleep", "fail", "exit")
        )
    )
    def command(self, command: Command) -> None:
        self.obey(*command)

    @rule(step=seconds)
    def time_passes(self, step: int) -> None:
        self.clock.advance(step)

    @rule()
    def all_go_on(self) -> None:
        self.scheduler.resume()

    @invariant()
    def what_must_hold_holds(self) -> None:
        self.clock.advance(0)  # what was commanded is done at the next look
        assert not self.overlapped, "two runs of one name at once (T2, R6)"
        snapshot = self.scheduler.snapshot()
        tasks, figures, now = snapshot.tasks, snapshot.figures, self.clock.time()
        views = (self.scheduler.scheduled, self.scheduler.running, self.scheduler.on_demand)
        for task in tasks:
            assert sum(task.name in view for view in views) == 1, "one place per handle"
            waits = task.state is TaskState.SCHEDULED and not task.disabled and not figures.paused
            if waits and (not task.follows or task.next_run is not None):
                assert task.next_run is not None, task
                assert task.next_run >= now, task
            if task.state is TaskState.SCHEDULED:
                self.see_something_to_come(task.name)
        assert figures.tasks == sum(not task.unregistered for task in tasks)
        assert figures.running == sum(task.state is TaskState.RUNNING for task in tasks)
        assert figures.disabled == sum(task.disabled for task in tasks)
        assert figures.failing == sum(
            bool(task.past) and task.past[-1].kind not in ("succeeded", "stopped") for task in tasks
        )
        self.see_mirror(tasks)
        self.see_stale_handles()
        self.see_traces(tasks)

    def see_something_to_come(self, name: str) -> None:
        """Also of one that is disabled or paused, of which nothing else tells."""
        handle = self.scheduler.handle(name)
        assert handle is not None
        entry = handle._entry
        assert entry.due is not None or entry.retry is not None or entry.ended is not None, (
            f"{name} waits for nothing"
        )

    def see_mirror(self, tasks: Sequence[TaskSnapshot]) -> None:
        changes = self.watch.collect()
        self.mirror.update((task.number, task) for task in changes.changed)
        for number in changes.gone:
            self.mirror.pop(number, None)
        assert self.mirror == {task.number: task for task in tasks}

    def see_stale_handles(self) -> None:
        for handle in self.stale:
            if handle.state is TaskState.GONE:
                assert not any(
                    (handle.run_now(), handle.demand(), handle.stop(), handle.enable(), handle.disable())
                )
                assert not handle.unregister()
        self.stale.clear()

    def see_traces(self, tasks: Sequence[TaskSnapshot]) -> None:
        """O4: each grid point from the registration on was a run or is counted."""
        now = self.clock.time()  # what a run added for now starts at the next look, and is not yet a trace
        waiting = {task.name for task in tasks if not (task.retry or task.run) and task.next_run != now}
        for name, (handle, registered, period) in self.grids.items():
            if name in waiting and self.scheduler.handle(name) is handle:
                passed = 1 + (self.clock.monotonic() - registered) // period
                assert self.traces[name] == passed, (name, registered, period)


EveryCommand.TestCase.settings = settings(
    derandomize=True,
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    phases=[Phase.generate],
    database=None,
    suppress_health_check=list(HealthCheck),
)
TestEveryCommandInEveryOrder = EveryCommand.TestCase
