"""Executors in a task file: `[executors.NAME]`, and `executor` of a task."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from own_executor import Elsewhere
from task_files import HERE, problem_lines, read_one, write

from taskkit import Recipe, Scheduler, TaskSpec, TaskState
from taskkit.executors import ProcessExecutor
from taskkit.schedules import Every
from taskkit.store import PersistentScheduler
from taskkit.targets.target import load_target
from taskkit.taskfile import TaskFileError, TaskFileFollower, read_task_file
from taskkit.taskfile.executor_keys import EXECUTOR_KEYS, ExecutorSpec
from taskkit.testing import InlineExecutor, ManualClock

pytestmark = pytest.mark.usefixtures("own_folder")

RUN = f'run = "{HERE}:Note"\nevery = "1h"'
DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "tasks-file.md").read_text(encoding="utf-8")
EXECUTORS_PAGE = (DOCS / "executors.md").read_text(encoding="utf-8")


def executors(lines: str) -> dict[str, ExecutorSpec]:
    return dict(read_task_file(write(f"{lines}\n[tasks.it]\n{RUN}")).executors)


def faults(lines: str) -> list[str]:
    return [line.partition(": ")[2] for line in problem_lines(write(f"{lines}\n[tasks.it]\n{RUN}"))]


def test_they_are_read_as_data() -> None:
    found = executors(
        """
        [executors.heavy]
        processes = 3
        kill_after = "2s"
        [executors.process]
        kill_after = 1
        [executors.cluster]
        dask = "tls://scheduler:8786"
        tls_ca = "ca.pem"
        """
    )
    here = Path.cwd()
    assert found == {
        "heavy": ExecutorSpec(3, 2.0),
        "process": ExecutorSpec(None, 1.0),
        "cluster": ExecutorSpec(dask="tls://scheduler:8786", tls_ca=str(here / "ca.pem")),
    }


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ("[executors.thread]\nprocesses = 2", "executors.thread: is built in, and has nothing to set"),
        ("[executors.loop]\nprocesses = 2", "executors.loop: is built in"),
        ("[executors.a]", "executors.a: needs processes, their number, or dask"),
        ("[executors.a]\nkill_after = 3", "executors.a: needs processes"),
        (
            "[executors.a]\nproceses = 2",
            "executors.a.proceses: an executor has no such key",
        ),
        ("[executors.a]\nprocesses = 0", "executors.a.processes = 0: must be a whole number, 1 or more"),
        ('[executors.a]\nprocesses = 1\nkill_after = "x"', 'executors.a.kill_after = "x": '),
        ('[executors.a]\ndask = "host:1"', 'executors.a.dask = "host:1": must be an address'),
        (
            '[executors.a]\ndask = "tcp://h:1"\nprocesses = 2',
            "executors.a.processes: has no meaning with",
        ),
        ('[executors.a]\nprocesses = 2\ntls_ca = "x"', "executors.a.tls_ca: has no meaning without dask"),
        (
            '[executors.process]\ndask = "tcp://h:1"',
            "executors.process.dask: has no meaning for",
        ),
        ("[executors]\na = 3", "executors.a = 3: must be a table"),
        ('[executors."a\\nb"]\nprocesses = 1', "the name of an executor must be of printable characters"),
    ],
)
def test_what_is_wrong_with_one_is_said_with_its_line(lines: str, problem: str) -> None:
    (found,) = faults(lines)
    assert problem in found


def test_a_task_names_one() -> None:
    assert read_one(f'{RUN}\nexecutor = "process"').executor == "process"
    assert read_one(RUN).executor is None


def test_an_unknown_one_is_refused_with_those_that_there_are() -> None:
    (line,) = problem_lines(write(f'[executors.heavy]\nprocesses = 1\n[tasks.it]\n{RUN}\nexecutor = "heavi"'))
    assert "there are heavy, loop, process, thread, and [executors.NAME] adds others" in line
    assert line.endswith('did you mean "heavy"?')


def test_a_command_has_none() -> None:
    (line,) = problem_lines(write('[tasks.it]\ncommand = "true"\nevery = 1\nexecutor = "process"'))
    assert "has no meaning with command, which runs in a process of its own anyway" in line


def test_those_of_the_program_are_known_to_the_follower() -> None:
    write(f'[tasks.it]\n{RUN}\nexecutor = "far"')
    far = Elsewhere()
    with Scheduler(clock=ManualClock(), threads=InlineExecutor(), executors={"far": far}) as scheduler:
        TaskFileFollower(scheduler, "tasks.toml").load()
        scheduler.run_pending()

        assert [body.run.name for body in far.bodies] == ["it"]


def test_a_task_that_cannot_run_there_is_a_problem_of_the_file() -> None:
    write(f'[tasks.it]\n{RUN}\nexecutor = "loop"')
    scheduler = Scheduler()
    with pytest.raises(TaskFileError, match=r"tasks.it.executor: executor 'loop' runs async tasks only"):
        TaskFileFollower(scheduler, "tasks.toml").load()
    assert scheduler.handle("it") is None


def test_an_edit_adds_and_replaces_executors_for_the_next_runs() -> None:
    write(f"[tasks.it]\n{RUN}")
    scheduler = Scheduler()
    follower = TaskFileFollower(scheduler, "tasks.toml")
    follower.load()

    write(f'[executors.heavy]\nprocesses = 1\n[tasks.it]\n{RUN}\nexecutor = "heavy"')
    assert follower.reload().changed == ("it",)
    handle = scheduler.handle("it")
    assert handle is not None
    assert handle.executor == "heavy"
    first = handle._entry.executor
    assert isinstance(first, ProcessExecutor)

    write(f'[executors.heavy]\nprocesses = 2\n[tasks.it]\n{RUN}\nexecutor = "heavy"')
    assert follower.reload().unchanged == ("it",)
    assert handle._entry.executor is not first
    assert scheduler.handle("it") is handle

    write(f'[executors.heavy]\nprocesses = 3\n[tasks.it]\n{RUN}\nexecutor = "hevy"')
    second = handle._entry.executor
    assert follower.reload().problems
    assert handle._entry.executor is second


def test_a_target_whose_tasks_need_a_loop_says_so_before_it_starts() -> None:
    write('[tasks.it]\nrun = "asyncio:sleep"\nargs = { delay = 0 }\nevery = 1\nexecutor = "loop"')
    target = load_target("tasks.toml")

    with pytest.raises(ValueError, match="executor 'loop' of 'it' has no event loop"):
        target.scheduler.check_start()


def test_an_edit_that_needs_a_loop_changes_nothing_where_there_is_none() -> None:
    asyncs = '[tasks.it]\nrun = "asyncio:sleep"\nargs = { delay = 0 }\nevery = "1h"\n'
    write(asyncs)
    with Scheduler(clock=ManualClock(), executor=InlineExecutor()) as scheduler:
        follower = TaskFileFollower(scheduler, "tasks.toml")
        follower.load()
        write(f'[tasks.other]\n{RUN}\n{asyncs}executor = "loop"')
        (problem,) = follower.reload().problems
        assert scheduler.handle("other") is None
    assert "tasks.it.executor: executor 'loop' has no event loop: enter the scheduler by" in str(problem)
    assert "without executor=, an async task has a loop of its own" in str(problem)


def test_the_page_has_each_key() -> None:
    section = PAGE.partition("## Where it runs")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)`", section, re.MULTILINE)) == {*EXECUTOR_KEYS}
    examples = re.findall(r"^```toml\n(.*?)^```$", EXECUTORS_PAGE, re.DOTALL | re.MULTILINE)
    assert examples
    assert all(read_task_file(write(each)).specs[0].executor for each in examples)


class TestAStoredTask:
    """A person registered it; after a restart the program does not have its executor any more."""

    def test_is_there_does_not_run_and_says_why(self, clock: ManualClock) -> None:
        far = Elsewhere()
        spec = TaskSpec("train", Every(60), Recipe(f"{HERE}:Note"), executor="far")
        with PersistentScheduler(
            "state.db", clock=clock, threads=InlineExecutor(), executors={"far": far}
        ) as scheduler:
            scheduler.add_spec(spec, persist=True)

        with PersistentScheduler("state.db", clock=clock, threads=InlineExecutor()) as scheduler:
            handle = scheduler.handle("train")
            assert handle is not None
            assert handle.executor == "far"
            (notice,) = scheduler.store.notices
            assert notice == "'train' does not run: this program does not have its executor 'far'"
            clock.advance(60)
            assert handle.state is TaskState.RUNNING
            assert handle.explain() == (
                "train waits for the executor 'far', which this program does not have."
            )
            assert handle.run_count == 0
            assert scheduler.stop() == []

        with PersistentScheduler(
            "state.db", clock=clock, threads=InlineExecutor(), executors={"far": far}
        ) as scheduler:
            scheduler.run_pending()
            assert scheduler.store.notices == ()
            assert [body.run.name for body in far.bodies][-1] == "train"

    def test_says_so_before_it_is_due(self, clock: ManualClock) -> None:
        spec = TaskSpec("train", Every(60), Recipe(f"{HERE}:Note"), executor="far")
        with Scheduler(clock=clock, threads=InlineExecutor()) as scheduler:
            handle = scheduler.add_spec(
                TaskSpec("train", Every(60, clock.time() + 30), spec.recipe, executor="far"), restored=True
            )
            assert handle.explain().endswith(
                " Its runs wait for the executor 'far', which this program does not have."
            )
            far = Elsewhere()
            scheduler.set_executor("far", far)
            clock.advance(30)
            assert [body.run.name for body in far.bodies] == ["train"]

    def test_that_needs_a_loop_keeps_no_program_from_starting(self, clock: ManualClock) -> None:
        spec = TaskSpec("nap", Every(60), Recipe("asyncio:sleep", {"delay": 0}), executor="loop")
        scheduler = Scheduler(clock=clock, threads=InlineExecutor())
        scheduler.add_spec(spec, restored=True)
        with scheduler:
            handle = scheduler.handle("nap")
            assert handle is not None
            assert "wait for the executor 'loop', which this program does not have" in handle.explain()

    def test_of_a_person_who_adds_it_now_is_refused(self, clock: ManualClock) -> None:
        spec = TaskSpec("train", Every(60), Recipe(f"{HERE}:Note"), executor="far")
        with Scheduler(clock=clock) as scheduler:
            with pytest.raises(ValueError, match="executor 'far' is unknown"):
                scheduler.add_spec(spec, persist=True)
            assert scheduler.handle("train") is None


class TestSetExecutor:
    def test_refuses_what_a_task_cannot_use_and_changes_nothing(self, clock: ManualClock) -> None:
        class Picky(Elsewhere):
            def check(self, task: object) -> None:
                raise TypeError("not here")

        far = Elsewhere()
        with Scheduler(clock=clock, threads=InlineExecutor(), executors={"far": far}) as scheduler:
            handle = scheduler.add_on_demand_task(print, "it", executor="far")
            with pytest.raises(TypeError, match="not here"):
                scheduler.set_executor("far", Picky())
            handle.run_now()
            scheduler.add_on_demand_task(print, "other", executor="far").run_now()
            assert len(far.bodies) == 2

    @pytest.mark.parametrize("name", ["", "thread", "a\nb"])
    def test_refuses_bad_names(self, name: str) -> None:
        with pytest.raises(ValueError, match="executors must"):
            Scheduler().set_executor(name, Elsewhere())


def test_the_defaults_of_the_file_may_name_one_for_what_is_no_command() -> None:
    specs = read_task_file(
        write(
            f"""
            [defaults]
            executor = "process"
            [tasks.it]
            run = "{HERE}:Note"
            every = "1h"
            [tasks.here]
            run = "{HERE}:Note"
            every = "1h"
            executor = "thread"
            [tasks.command]
            command = "true"
            every = "1h"
            """
        )
    ).specs

    assert [spec.executor for spec in specs] == ["process", "thread", None]
    (line,) = problem_lines(write(f'[defaults]\nexecutor = "proces"\n[tasks.it]\n{RUN}'))
    assert line.startswith('tasks.toml:2: defaults.executor = "proces": is not an executor')
