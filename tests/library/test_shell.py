"""What runs a line for the shell: a pipeline ends as its last part does, or with `pipefail` as any."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from task_files import problem_lines, write

from taskkit import CommandTask, Once, OutcomeKind, Scheduler
from taskkit.cli import main
from taskkit.targets.target import load_target
from taskkit.taskfile import check_recipes, find_hints, read_task_file
from taskkit.testing import InlineExecutor, ManualClock

pytestmark = [
    pytest.mark.usefixtures("own_folder"),
    pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed"),
]

PIPEFAIL = "bash -o pipefail -c"


def ended(task: CommandTask) -> tuple[OutcomeKind, tuple[str, ...]]:
    clock = ManualClock()
    with Scheduler(clock=clock, executor=InlineExecutor(), on_error=lambda outcome: None) as scheduler:
        handle = scheduler.add_task(Once(), task, "it", max_runs=2)
        clock.advance(1)
    assert handle.last_outcome is not None
    return handle.last_outcome.kind, handle.last_outcome.output


@pytest.mark.parametrize("shell", [PIPEFAIL, PIPEFAIL.split(), ("bash", "-o", "pipefail", "-c")])
def test_a_pipeline_can_fail_with_its_first_part(shell: str | list[str]) -> None:
    assert ended(CommandTask("false | cat")) == (OutcomeKind.SUCCEEDED, ())
    assert ended(CommandTask("false | cat", shell=shell))[0] is OutcomeKind.FAILED
    assert ended(CommandTask("echo 'a  b' | cat", shell=shell)) == (OutcomeKind.SUCCEEDED, ("a  b",))


def test_the_line_is_one_argument_whatever_is_in_it() -> None:
    line = """echo "$0" '$HOME' \\"; echo 'x y'"""
    assert ended(CommandTask(line, shell=["bash", "-c"]))[1] == ('bash $HOME "', "x y")
    program = CommandTask("print(1 + 1)", shell=[shutil.which("python3") or "python3", "-c"])
    assert ended(program)[1] == ("2",)


@pytest.mark.parametrize(
    ("shell", "error", "words"),
    [
        ("", ValueError, "shell must not be empty"),
        ([], ValueError, "shell must not be empty"),
        ("bash 'c", ValueError, "shell must be a program and its arguments"),
        ("bash\0", ValueError, "shell must hold no NUL"),
        (b"bash", TypeError, "shell must be a string or a sequence of strings"),
        (3, TypeError, "shell must be a string or a sequence of strings"),
        (["bash", 3], TypeError, "shell must be made of strings"),
    ],
)
def test_a_shell_that_is_none_is_refused(shell: object, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        CommandTask("true", shell=shell)  # type: ignore[arg-type]


def test_a_shell_beside_a_command_that_no_shell_sees_is_refused() -> None:
    with pytest.raises(ValueError, match="shell must be left out"):
        CommandTask(["true"], shell=PIPEFAIL)


COMMAND, LIST, RUN = 'command = "false | cat"', 'command = ["true"]', 'run = "a:b"'
TASK = f"[tasks.it]\non_demand = true\n{COMMAND}\n"


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (TASK, 0),
        (f'{TASK}shell = "{PIPEFAIL}"\n', 1),
        (f'shell = "{PIPEFAIL}"\n{TASK}', 1),
        (f'shell = "{PIPEFAIL}"\n{TASK}shell = "sh -c"\n', 0),
        (f'shell = "{PIPEFAIL}"\n' + TASK.replace('"false | cat"', '["true"]'), 0),
    ],
)
def test_a_file_names_the_shell_for_one_task_or_for_all(
    text: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(Path.cwd()))
    write(text)
    assert main(["trigger", "tasks.toml", "it", "-q"]) == status
    assert load_target("tasks.toml").scheduler.handle("it") is not None


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (f'{TASK}shell = "bash -o pipefail"', "must end with -c, which the line follows; did you mean"),
        (f'shell = "/bin/sh"\n{TASK}', 'shell = "/bin/sh": must end with -c'),
        (f"{TASK}shell = 3", 'must be a program and its arguments, such as "bash -o pipefail -c", in quotes'),
        (f'{TASK}shell = ""', "must not be empty"),
        (f'{TASK}shell = "bash \'"', "must be a program and its arguments"),
        (f'{TASK.replace(COMMAND, RUN)}shell = "sh -c"', "has no meaning with run"),
        (f'{TASK.replace(COMMAND, LIST)}shell = "sh -c"', "has no meaning with a command that is a list"),
        (f'{TASK}shel = "sh -c"', "did you mean shell?"),
    ],
)
def test_a_shell_that_is_wrong_is_told_with_its_line(lines: str, words: str) -> None:
    (problem,) = problem_lines(write(lines))
    assert words in problem
    assert problem.startswith("tasks.toml:")


def test_a_shell_that_is_not_installed_is_found_by_a_check() -> None:
    (problem,) = check_recipes(read_task_file(write(f'{TASK}shell = "no-such-shell -c"')))
    assert str(problem) == 'tasks.toml:4: tasks.it.shell = "no-such-shell": there is no such program'


@pytest.mark.parametrize(
    ("command", "hinted"),
    [
        ("pg_dump shop | gzip > shop.gz", True),
        ("a|b", True),
        ("make 2>&1 |& tee log", True),
        ("a | (b; c)", True),
        ("false || true", False),
        ("echo 'a | b'", False),
        ('echo "a | b"', False),
        ("echo a \\| b", False),
        ("set -o pipefail; a | b", False),
        ("true # a | b", False),
        ("echo a#b | c", True),
        ("echo '|' b", False),
        ('echo "a \\" | b"', False),
        ("date >| now", False),
        ("if a; then b; fi | c", True),
        ("echo 'not closed | a", False),
    ],
)
def test_a_check_hints_at_pipelines_of_which_only_the_last_part_counts(command: str, hinted: bool) -> None:
    line = f"[tasks.it]\non_demand = true\ncommand = {json.dumps(command)}\n"
    assert bool(find_hints(read_task_file(write(line)))) is hinted
    for shell in (PIPEFAIL, "no-shell-at-all -c"):
        assert find_hints(read_task_file(write(f'{line}shell = "{shell}"'))) == ()


def test_a_hint_is_no_fault(capsys: pytest.CaptureFixture[str]) -> None:
    write(TASK)
    assert main(["check", "tasks.toml"]) == 0
    shown = capsys.readouterr()
    assert shown.out == "tasks.toml: 1 task, no problems\n"
    assert shown.err == (
        "taskkit: hint: tasks.toml:3: tasks.it.command: a pipeline fails only if its last part does; "
        'with shell = "bash -o pipefail -c" it fails if any does\n'
    )
    assert main(["check", "tasks.toml", "--json"]) == 0
    assert capsys.readouterr() == ("", "")


def test_a_check_hints_at_names_that_look_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    write("""
        [tasks."café"]
        command = "true"
        on_demand = true
        [tasks."cafe\u0301"]
        command = "true"
        on_demand = true
        """)
    assert main(["check", "tasks.toml"]) == 0
    assert capsys.readouterr().err.endswith(": another name looks the same; this one is cafe\\u0301\n")
