"""Every command in every order while runs wait for a thread, go on, and are asked to stop.

Its counterpart with runs on the calling thread is `test_every_command_in_every_order`. Here each run has
a thread of its own, which moves only when the state machine lets it and only while that waits for it, so
the same steps are the same history each time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event as Flag
from threading import Thread
from typing import Any, Final

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from taskkit import (
    Daily,
    Every,
    Once,
    OnDemand,
    Overlap,
    Run,
    RunFinished,
    RunSkipped,
    RunStarted,
    Schedule,
    Scheduler,
    TaskHandler,
    TaskRegistered,
    TaskUnregistered,
    Trigger,
    current_run,
)
from taskkit.engine.threads import Job, Threads
from taskkit.engine.timers import NO_TICKET
from taskkit.events import Event
from taskkit.snapshot import Snapshot, TaskSnapshot, TaskState
from taskkit.testing import InlineExecutor, ManualClock

START: Final = 1_800_000_000.0
PATIENCE: Final = 60.0
"""Seconds after which a thread that does not come counts as lost."""

names = st.sampled_from(["a", "b"])
seconds = st.sampled_from([1, 5, 30])
kinds = st.sampled_from(["every", "every", "once", "daily", "on demand"])
policies = st.sampled_from(
    [
        {},
        {},
        {"retries": 2, "retry_delay": 4},
        {"timeout": 5},
        {"timeout": 5, "retries": 1, "retry_delay": 1},
        {"max_runs": 2, "retries": 1},
        {"catch_up": False},
        {"catch_up": 4},
        {"overlap": "queue"},
        {"overlap": "queue", "retries": 1, "retry_delay": 4},
        {"overlap": "restart", "retries": 1, "retry_delay": 8},
    ]
)
to_one = st.sampled_from(["run_now", "demand", "stop", "disable", "enable", "unregister"])
to_all = st.sampled_from(["pause", "resume", "stop_all"])
orders = st.one_of(
    st.tuples(to_one, names),
    st.tuples(to_one, st.just("itself")),
    st.tuples(st.just("set_period"), names, seconds),
    st.tuples(st.just("reschedule"), names, kinds, seconds),
    st.tuples(to_all),
    st.tuples(st.just("abandon"), names),
)
plans = st.tuples(st.lists(orders, max_size=2).map(tuple), st.sampled_from(["end", "end", "fail", "exit"]))

Plan = tuple[tuple[tuple[Any, ...], ...], str]
"""What a run commands when it is let go, and how it ends."""


@dataclass
class Going:
    """A run on its thread, held in the body of its task."""

    run: Run
    let_go: Flag = field(default_factory=Flag)


class HeldExecutor:
    """Keeps each run until a thread is sent for it."""

    def __init__(self) -> None:
        self.waiting: list[Job] = []
        self.triggers: dict[TaskHandler, Counter[Trigger]] = {}
        """What made the runs of each handle start."""
        self.count = 0

    def submit(self, jobs: Sequence[Job]) -> None:
        self.waiting += jobs
        for run in map(run_of, jobs):
            self.triggers.setdefault(run.handle, Counter())[run.trigger] += 1

    def for_events(self) -> Threads:
        return InlineExecutor().for_events()


def run_of(job: Job) -> Run:
    """The run that a scheduler wants done."""
    run = job[1].args[0]  # type: ignore[attr-defined]
    assert isinstance(run, Run)
    return run


@dataclass
class Registration:
    """What is known of one registration from outside."""

    at: float
    """By the steady clock."""
    schedule: Schedule | None
    """`None` once it was changed."""
    handle: TaskHandler | None = None
    skipped: int = 0
    """How many due times were told to be skipped."""


class CommandsWhileRunsGoOn(RuleBasedStateMachine):
    """A scheduler, two names, and threads that move when told."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock(START)
        self.executor = HeldExecutor()
        self.scheduler = Scheduler(clock=self.clock, threads=self.executor, capture=False)
        self.scheduler.subscribe(self.note)
        self.scheduler.start()
        self.watch = self.scheduler.watch()
        self.mirror: dict[int, TaskSnapshot] = {}
        self.going: list[Going] = []
        self.moved = Flag()
        self.ended: dict[int, Thread] = {}
        self.broken: list[str] = []
        self.handles: list[TaskHandler] = []
        self.adding: Registration | None = None
        self.registered: dict[str, Registration] = {}
        self.begun: dict[str, int] = {}
        self.finished: Counter[int] = Counter()
        self.abandoned: set[int] = set()

    def teardown(self) -> None:
        inside = sorted(going.run.name for going in self.present())
        assert sorted(self.scheduler.stop(timeout=0)) == inside, "those are abandoned (O5)"
        assert not self.scheduler.running
        while self.executor.waiting:
            self.send_a_thread(0)
        while self.going:
            self.let_go(0)
        assert not self.broken, self.broken[0]
        assert set(self.finished.values()) <= {1}, "each run ends once"

    # What is told

    def note(self, event: Event) -> None:
        """Keep what follows from events alone; they come in the order of truth."""
        match event:
            case TaskRegistered():
                assert self.adding is not None
                self.registered[event.name] = self.adding
            case TaskUnregistered(why=why):
                gone = self.registered.pop(event.name)
                endless = gone.handle is None or gone.handle.policies.max_runs is None
                if why == "done" and endless and isinstance(gone.schedule, Once) and self.traces(gone) != 1:
                    self.broken.append(f"{event.name} is done without a trace of its due time (O4)")
            case RunStarted():
                if event.name in self.begun:
                    self.broken.append(f"two runs of {event.name} are told")
                self.begun[event.name] = event.run
            case RunFinished():
                self.finished[event.run] += 1
                if event.outcome.kind == "abandoned":
                    self.abandoned.add(event.run)
                self.begun.pop(event.name, None)
            case RunSkipped():
                self.registered[event.name].skipped += event.count

    def traces(self, registration: Registration) -> int:
        """How many due times were skipped, or made a run start, also one that never got its thread."""
        triggers = self.executor.triggers.get(registration.handle) if registration.handle else None
        return registration.skipped + (0 if triggers is None else triggers[Trigger.SCHEDULE])

    def present(self) -> list[Going]:
        """The bodies that go on and were not abandoned."""
        return [going for going in self.going if going.run.number not in self.abandoned]

    # The body of every task

    def body(self, plan: Plan) -> None:
        run = current_run()
        if any(going.run.name == run.name for going in self.present()):
            self.broken.append(f"two runs of {run.name} at once (T2, R6)")
        going = Going(run)
        self.going.append(going)
        self.moved.set()
        if not going.let_go.wait(PATIENCE):
            self.broken.append("a run was forgotten")
        self.going.remove(going)
        commands, end = plan
        for command in commands:
            self.obey(*(run.name if each == "itself" else each for each in command))
        if end == "fail":
            raise ValueError("as planned")
        if end == "exit":
            raise SystemExit(1)

    def move(self, act: Callable[[], object]) -> None:
        """Do something that lets a thread go on, and wait until it has come to rest again."""
        self.moved.clear()
        act()
        assert self.moved.wait(PATIENCE), "a thread was lost"

    def obey(self, what: str, *arguments: Any) -> None:
        scheduler = self.scheduler
        match what:
            case "reschedule":
                name, kind, period = arguments
                if scheduler.reschedule_task(name, self.schedule(kind, period)):
                    self.registered[name].schedule = None
            case "set_period":
                if scheduler.set_period(*arguments):
                    self.registered[arguments[0]].schedule = None
            case "run_now":
                scheduler.run_task_now(*arguments)
            case "pause" | "resume":
                getattr(scheduler, what)()
            case "stop_all":
                scheduler.stop_all_tasks()
            case _:
                getattr(scheduler, f"{what}_task")(*arguments)

    def schedule(self, kind: str, period: int) -> Schedule:
        match kind:
            case "every":
                return Every(period)
            case "once":
                return Once(self.clock.time() + period)
            case "daily":
                return Daily(9, period, "UTC")
        return OnDemand()

    # What may happen

    @initialize(
        both=st.tuples(kinds, kinds),
        period=seconds,
        keywords=policies,
        plan=plans,
        demand=st.booleans(),
        threads=st.integers(0, 2),
    )
    def begin(
        self,
        both: tuple[str, str],
        period: int,
        keywords: dict[str, Any],
        plan: Plan,
        demand: bool,
        threads: int,
    ) -> None:
        """Most of what can go wrong goes wrong while something runs."""
        for name, kind in zip("ab", both, strict=True):
            self.add(name, kind, period, keywords, plan)
            if demand:
                self.scheduler.demand_task(name)
        self.clock.advance(0)
        for _ in range(min(threads, len(self.executor.waiting))):
            self.send_a_thread(0)

    @rule(name=names, kind=kinds, period=seconds, keywords=policies, plan=plans)
    def add(self, name: str, kind: str, period: int, keywords: dict[str, Any], plan: Plan) -> None:
        schedule = self.schedule(kind, period)
        self.adding = Registration(self.clock.monotonic(), schedule)
        handle = self.scheduler.add_task(schedule, lambda: self.body(plan), name, **keywords)
        self.adding.handle = handle
        self.handles.append(handle)

    @rule(
        order=st.one_of(
            st.tuples(to_one, names),
            st.tuples(st.just("set_period"), names, seconds),
            st.tuples(st.just("reschedule"), names, kinds, seconds),
            st.tuples(to_all),
            st.tuples(st.just("abandon"), names),
        )
    )
    def command(self, order: tuple[Any, ...]) -> None:
        self.obey(*order)

    @precondition(lambda self: self.handles)
    @rule(which=st.integers(0, 5), what=to_one)
    def command_a_handle(self, which: int, what: str) -> None:
        handle = self.handles[which % len(self.handles)]
        successor = self.scheduler.handle(handle.name)
        stale = successor is not handle
        runs = handle.state is TaskState.RUNNING
        before = self.scheduler.snapshot().tasks
        answer = getattr(handle, what)()
        if stale:
            assert answer is (what == "stop" and runs), "a handle never commands its successor (R6)"
            if not runs:
                assert self.scheduler.snapshot().tasks == before

    @rule(step=seconds)
    def time_passes(self, step: int) -> None:
        self.clock.advance(step)

    @rule(step=seconds)
    def the_machine_sleeps(self, step: int) -> None:
        self.clock.stall(step)

    @rule(by=st.sampled_from([-3600, 100, 3600]))
    def somebody_sets_the_clock(self, by: int) -> None:
        self.clock.step_wall(by)

    @precondition(lambda self: self.executor.waiting)
    @rule(which=st.integers(0, 5))
    def send_a_thread(self, which: int) -> None:
        job = self.executor.waiting.pop(which % len(self.executor.waiting))
        number = run_of(job).number

        def work() -> None:
            try:
                job[1]()
            except BaseException as error:  # noqa: BLE001 - the test has to see it
                self.broken.append(f"outside its run: {error!r}")
            self.moved.set()

        thread = self.ended[number] = Thread(target=work, name=job[0], daemon=True)
        self.move(thread.start)

    @precondition(lambda self: self.going)
    @rule(which=st.integers(0, 5))
    def let_go(self, which: int) -> None:
        going = self.going[which % len(self.going)]
        self.move(going.let_go.set)
        self.ended.pop(going.run.number).join(PATIENCE)

    # What must hold

    @invariant()
    def what_must_hold_holds(self) -> None:
        self.clock.advance(0)
        assert not self.broken, self.broken[0]
        snapshot = self.scheduler.snapshot()
        self.see_places(snapshot)
        self.see_runs(snapshot)
        self.see_figures(snapshot)
        self.see_agendas()
        self.see_traces(snapshot)
        self.see_mirror(snapshot)

    def see_places(self, snapshot: Snapshot) -> None:
        scheduler, now = self.scheduler, self.clock.time()
        views = (scheduler.scheduled, scheduler.running, scheduler.on_demand)
        for handle in self.handles:
            places = [view for view in views if view.get(handle.name) is handle]
            assert len(places) == (handle.state is not TaskState.GONE), "one place per handle"
        for task in snapshot.tasks:
            idle = task.run is None and not task.disabled and not task.replaces_running
            if idle and task.state is TaskState.SCHEDULED and not snapshot.figures.paused:
                assert task.next_run is not None, task
                assert task.next_run >= now, task

    def see_runs(self, snapshot: Snapshot) -> None:
        """`running` ⇔ a body is executing or its run waits for a thread."""
        inside = {going.run.number: going.run.name for going in self.present()}
        left = Counter(going.run.name for going in self.going if going.run.number in self.abandoned)
        assert all(task.abandoned == left[task.name] for task in snapshot.tasks)
        tasks = [task for task in snapshot.tasks if task.run is not None]
        runs = {task.run.number: task for task in tasks if task.run is not None}
        assert all(task.state is TaskState.RUNNING for task in tasks)
        for task in tasks:
            if task.run is not None and task.run.started is None:
                assert not task.unregistered, "one that is gone never begins"
                assert task.run.asked_to_stop is None, "one that was stopped never begins"
        assert {number for number, task in runs.items() if task.run and task.run.started} == set(inside)
        assert {task.name: number for number, task in runs.items() if number in inside} == self.begun
        waiting = {run_of(job).number for job in self.executor.waiting}
        assert set(runs) - set(inside) <= waiting
        assert len({task.name for task in runs.values()}) == len(runs), "never two runs of one name"

    def see_figures(self, snapshot: Snapshot) -> None:
        tasks, figures = snapshot.tasks, snapshot.figures
        assert figures.tasks == sum(not task.unregistered for task in tasks)
        assert figures.running == sum(task.state is TaskState.RUNNING for task in tasks)
        assert figures.disabled == sum(task.disabled and not task.unregistered for task in tasks)
        assert figures.failing == sum(
            bool(task.past) and task.past[-1].kind not in ("succeeded", "stopped")
            for task in tasks
            if not task.unregistered
        )
        if not figures.paused:
            comes = [task.next_run for task in tasks if task.next_run is not None]
            assert figures.next_time == min(comes, default=None)

    def see_agendas(self) -> None:
        """Whoever holds a ticket is on one queue, once; and nobody who could fall due is on none."""
        ledger = self.scheduler._core.ledger
        queues = (ledger._steady, ledger._wall, ledger._asleep_steady, ledger._asleep_wall)
        places: Counter[int] = Counter()
        for queue in queues:
            live = [entry for _, ticket, entry in queue._heap if entry.ticket == ticket]
            assert len(live) == len(queue)
            places.update(entry.number for entry in live)
        assert set(places.values()) <= {1}
        for entry in ledger.all_entries():
            assert (entry.ticket != NO_TICKET) == (entry.number in places)
            if entry.run is not None or not entry.registered:
                heeds = entry.registered and entry.policies.overlap is not Overlap.SKIP
                assert entry.ticket == NO_TICKET or heeds
                continue
            if not (entry.retry or entry.again or isinstance(entry.schedule, OnDemand)):
                assert entry.due is not None, "with nothing to come it would be gone"
            if (entry.due is not None and entry.schedule.repeats) and not ledger.paused:
                assert entry.ticket != NO_TICKET, entry

    def see_traces(self, snapshot: Snapshot) -> None:
        """O4: each due time from the registration on was a run, or is counted."""
        by_name = {task.name: task for task in snapshot.tasks if not task.unregistered}
        for name, task in by_name.items():
            registration = self.registered[name]
            schedule = registration.schedule
            if isinstance(schedule, Every) and not (task.run or task.retry or task.replaces_running):
                passed = 1 + (self.clock.monotonic() - registration.at) // schedule.period
                assert self.traces(registration) == passed, task

    def see_mirror(self, snapshot: Snapshot) -> None:
        changes = self.watch.collect()
        self.mirror.update((task.number, task) for task in changes.changed)
        for number in changes.gone:
            self.mirror.pop(number, None)
        assert self.mirror == {task.number: task for task in snapshot.tasks}


CommandsWhileRunsGoOn.TestCase.settings = settings(
    derandomize=True,
    max_examples=200,
    stateful_step_count=30,
    deadline=None,
    database=None,
    phases=[Phase.generate, Phase.shrink],  # not to explain, which traces every thread
    suppress_health_check=list(HealthCheck),
)
TestCommandsWhileRunsGoOn = CommandsWhileRunsGoOn.TestCase
