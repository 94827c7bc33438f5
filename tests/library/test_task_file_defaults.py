"""The table `[defaults]` of a task file."""

from __future__ import annotations

from pathlib import Path

import pytest
from task_files import problem_lines, write

from taskkit import Cron, Daily, Policies, TaskSpec
from taskkit.taskfile import read_task_file

pytestmark = pytest.mark.usefixtures("own_folder")

COMMAND = 'command = "true"\non_demand = true\n'


def specs(defaults: str, *tasks: str) -> list[TaskSpec]:
    """Read a file with these defaults and tasks."""
    tables = (f"[tasks.t{number}]\n{task}\n" for number, task in enumerate(tasks))
    return list(read_task_file(write(f"[defaults]\n{defaults}\n" + "\n".join(tables))).specs)


def test_a_task_has_the_policies_that_it_does_not_name() -> None:
    first, second = specs(
        'timeout = "10m"\nretries = 2\ncatch_up = false',
        COMMAND,
        COMMAND + 'retries = 5\ntimeout = "1m"\ncatch_up = true',
    )
    assert first.policies == Policies(timeout=600, retries=2, catch_up=False)
    assert second.policies == Policies(timeout=60, retries=5)


def test_false_switches_a_default_off() -> None:
    (spec,) = specs(
        'timeout = "10m"\nretries = 2\ncwd = "x"\nwindow = "mon 09:00-10:00"',
        """
        command = "true"
        every = "1h"
        timeout = false
        retries = false
        window = false
        cwd = false
    """,
    )
    assert spec.policies == Policies()
    assert spec.recipe.arguments == {"command": "true", "cwd": str(Path.cwd())}


def test_false_without_a_default_is_refused_as_ever() -> None:
    path = write(f"[defaults]\nretries = 1\n[tasks.it]\n{COMMAND}timeout = false")
    (line,) = problem_lines(path)
    assert line.startswith("tasks.toml:6: tasks.it.timeout = false: must be a number of seconds, or a text")


def test_env_is_joined_name_by_name_and_other_keys_of_a_command_are_replaced() -> None:
    first, second = specs(
        'env = { A = "a", B = "b" }\ncwd = "x"\nnice = 5', COMMAND, COMMAND + 'env = { B = "own" }\ncwd = "y"'
    )
    assert first.recipe.arguments["env"] == {"A": "a", "B": "b"}
    assert second.recipe.arguments["env"] == {"A": "a", "B": "own"}
    assert second.recipe.arguments["cwd"] == str(Path("y").absolute())
    assert second.recipe.arguments["nice"] == 5


def test_a_default_that_means_nothing_for_a_task_is_passed_over() -> None:
    defaults = (
        'cwd = "x"\nenv = { A = "a" }\nshell = "bash -c"\nwindow = "mon-fri 09:00-17:00"\njitter = "1h"\n'
        'timezone = "Asia/Tokyo"'
    )
    function, listed, often, daily = specs(
        defaults,
        'run = "jobs:run"\non_demand = true',
        'command = ["true"]\non_demand = true',
        'run = "jobs:run"\nevery = "5m"',
        'run = "jobs:run"\ndaily = "09:30"',
    )
    assert dict(function.recipe.arguments) == {}
    assert function.policies == Policies(jitter=3600)
    assert "shell" not in listed.recipe.arguments
    assert (often.policies.jitter, often.policies.window) == (0.0, "mon-fri 09:00-17:00")
    assert often.policies.timezone == "Asia/Tokyo"
    assert daily.schedule == Daily(9, 30, "Asia/Tokyo")


def test_the_zone_of_a_task_counts_more_than_the_default() -> None:
    (spec,) = specs(
        'timezone = "Asia/Tokyo"', 'command = "true"\ncron = "0 9 * * *"\ntimezone = "Europe/Berlin"'
    )
    assert spec.schedule == Cron("0 9 * * *", "Europe/Berlin")


def test_what_is_wrong_is_reported_once_and_where_it_is() -> None:
    path = write(f"""
        timezone = "UTC"

        [defaults]
        timeuot = 3
        timeout = "soon"
        nice = 99
        env = {{ A = 1 }}
        timezone = "UTC"

        [tasks.one]
        {COMMAND.replace(chr(10), chr(10) + " " * 8)}
        [tasks.two]
        {COMMAND.replace(chr(10), chr(10) + " " * 8)}
        """)
    assert [line.partition(": ")[2] for line in problem_lines(path)] == [
        "defaults.timeuot: a table of defaults has no such key; did you mean timeout?",
        'defaults.timeout = "soon": '
        + problem_lines(write(f'[tasks.it]\n{COMMAND}timeout = "soon"'))[0].partition('"soon": ')[2],
        "defaults.nice = 99: must be from -20 to 19",
        "defaults.env.A = 1: must be a text, in quotes",
        "defaults.timezone: is given for the whole file already, above the first table",
    ]


def test_it_is_checked_even_if_no_task_has_it() -> None:
    path = write(
        '[defaults]\ncwd = 3\nretries = -1\n[tasks.it]\nrun = "jobs:run"\non_demand = true\nretries = 1'
    )
    assert len(problem_lines(path)) == 2


@pytest.mark.parametrize("key", ["enabled = false", 'description = "x"', 'every = "1h"', 'command = "true"'])
def test_what_belongs_to_one_task_is_no_default(key: str) -> None:
    (line,) = problem_lines(write(f"[defaults]\n{key}\n[tasks.it]\n{COMMAND}"))
    assert "a table of defaults has no such key" in line
