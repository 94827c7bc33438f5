"""A file of tasks: what it may hold."""

from __future__ import annotations

import json
import os
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from task_files import problem_lines, read_one, write

from taskkit import Cron, Daily, Every, Once, OnDemand, Policies, Recipe, Schedule, TaskSpec
from taskkit.spec import spec_from_json, spec_to_json
from taskkit.taskfile import TaskFile, example_text, read_task_file

pytestmark = pytest.mark.usefixtures("own_folder")


def test_every_task_becomes_a_spec_in_the_order_of_the_file() -> None:
    file = read_task_file(
        write("""
            timezone = "Europe/Berlin"

            [tasks.zebra]
            run = "jobs.clean:Clean"
            args = { keep = 3, where = "old" }
            every = "1h30m"
            timeout = "5m"
            retries = 2
            retry_delay = "10s"
            jitter = 1.5
            max_runs = 10
            catch_up = false
            enabled = false
            description = "Sweeps"

            [tasks."a b"]
            command = ["ls", "-l"]
            cwd = "sub"
            env = { LC_ALL = "C" }
            daily = "03:30"
        """)
    )

    here = Path.cwd()
    assert file == TaskFile(
        here / "tasks.toml",
        (
            TaskSpec(
                "zebra",
                Every(5400),
                Recipe("jobs.clean:Clean", {"keep": 3, "where": "old"}),
                Policies(
                    timeout=300,
                    retries=2,
                    retry_delay=10,
                    jitter=1.5,
                    max_runs=10,
                    catch_up=False,
                    description="Sweeps",
                ),
                enabled=False,
            ),
            TaskSpec(
                "a b",
                Daily(3, 30, "Europe/Berlin"),
                Recipe(
                    "taskkit:CommandTask",
                    {"command": ["ls", "-l"], "cwd": str(here / "sub"), "env": {"LC_ALL": "C"}},
                ),
            ),
        ),
        file.source,
    )
    assert file.folder == here


@pytest.mark.parametrize(
    ("line", "schedule"),
    [
        ('every = "90s"', Every(90)),
        ('every = "1h30m"', Every(5400)),
        ('every = "5 min"', Every(300)),
        ('every = "0.25"', Every(0.25)),
        ("every = 90", Every(90)),
        ("every = 0.5", Every(0.5)),
        ('daily = "3:30"', Daily(3, 30)),
        ('daily = "03:30:00"', Daily(3, 30)),
        ("daily = 03:30:00", Daily(3, 30)),
        ('daily = "03:30"\ntimezone = "Asia/Tokyo"', Daily(3, 30, "Asia/Tokyo")),
        ('cron = "*/15 9-17 * * 1-5"', Cron("*/15 9-17 * * 1-5")),
        ('cron = "@hourly"\ntimezone = "Asia/Tokyo"', Cron("@hourly", "Asia/Tokyo")),
        ("on_demand = true", OnDemand()),
    ],
)
def test_a_schedule_is_one_of_five_keys(line: str, schedule: Schedule) -> None:
    assert read_one(f'command = "true"\n{line}').schedule == schedule


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2030-12-24 18:00:00", datetime(2030, 12, 24, 18)),
        ('"2030-12-24 18:00"', datetime(2030, 12, 24, 18)),
        ('"2030-12-24T18:00:30"', datetime(2030, 12, 24, 18, 0, 30)),
        ("2030-12-24 18:00:00Z", datetime(2030, 12, 24, 18, tzinfo=UTC)),
        ('"2030-12-24 18:00 +00:00"', datetime(2030, 12, 24, 18, tzinfo=UTC)),
        ('"2030-12-24 18:00Z"', datetime(2030, 12, 24, 18, tzinfo=UTC)),
        (
            '"2030-12-24 18:00"\ntimezone = "Asia/Tokyo"',
            datetime(2030, 12, 24, 18, tzinfo=ZoneInfo("Asia/Tokyo")),
        ),
        # A time that does not exist is reached when the gap ends; one that exists twice, the first time.
        ('"2030-03-31 02:30"\ntimezone = "Europe/Berlin"', datetime(2030, 3, 31, 1, tzinfo=UTC)),
        ('"2030-10-27 02:30"\ntimezone = "Europe/Berlin"', datetime(2030, 10, 27, 0, 30, tzinfo=UTC)),
    ],
)
def test_a_single_time_may_have_a_zone_or_none(value: str, moment: datetime) -> None:
    assert read_one(f'command = "true"\nat = {value}').schedule == Once(moment)


def test_the_zone_of_the_file_holds_for_each_task_that_names_none() -> None:
    file = read_task_file(
        write("""
            timezone = "Asia/Tokyo"
            [tasks]
            one = { command = "true", daily = "03:30" }
            two = { command = "true", daily = "03:30", timezone = "Europe/Berlin" }
            three = { command = "true", every = 5 }
            four = { command = "true", at = 2030-01-01 00:00:00 }
            five = { command = "true", at = 2030-01-01 00:00:00Z }
        """)
    )
    tokyo = ZoneInfo("Asia/Tokyo")
    assert [spec.schedule for spec in file.specs] == [
        Daily(3, 30, "Asia/Tokyo"),
        Daily(3, 30, "Europe/Berlin"),
        Every(5),
        Once(datetime(2030, 1, 1, tzinfo=tokyo)),
        Once(datetime(2030, 1, 1, tzinfo=UTC)),
    ]


@pytest.mark.parametrize(
    ("line", "cwd"),
    [
        ("", ""),
        ('cwd = "."', ""),
        ('cwd = "a/b"', "a/b"),
        ('cwd = "/somewhere"', "/somewhere"),
        ('cwd = "~"', os.path.expanduser("~")),  # noqa: PTH111
        ('cwd = "~nobody-of-this-name/x"', "~nobody-of-this-name/x"),
    ],
)
def test_a_command_runs_in_the_folder_of_its_file_or_counted_from_there(line: str, cwd: str) -> None:
    recipe = read_one(f'command = "true"\non_demand = true\n{line}').recipe
    assert recipe.arguments == {"command": "true", "cwd": str(Path.cwd() / cwd)}


def test_a_file_may_be_read_from_anywhere(tmp_path: Path) -> None:
    write('[tasks.it]\ncommand = "true"\nevery = 1')
    os.chdir("/")
    file = read_task_file(str(tmp_path / "tasks.toml"))
    assert file.path == tmp_path / "tasks.toml"
    assert file.specs[0].recipe.arguments["cwd"] == str(tmp_path)


def test_it_may_begin_with_a_byte_order_mark_and_end_its_lines_as_windows_does() -> None:
    text = '[tasks.it]\r\ncommand = "true"\r\nevery = 1\r\nevry = 2\r\n'
    assert problem_lines(write(b"\xef\xbb\xbf" + text.encode()))[0].startswith("tasks.toml:4: tasks.it.evry:")


def test_an_empty_table_of_tasks_is_what_it_says() -> None:
    assert read_task_file(write("[tasks]")).specs == ()


def test_the_example_can_be_read() -> None:
    specs = read_task_file(write(example_text())).specs
    assert {type(spec.schedule) for spec in specs} == {Every, Daily, OnDemand, Once}
    assert {spec.recipe.path for spec in specs} == {
        "taskkit:CommandTask",
        "demo_tasks.long_haul:LongHaul",
    }


def test_what_the_example_has_in_comments_can_be_read_too() -> None:
    commented = re.compile(r"^# (?=\[tasks\.[a-z]+\]|[a-z]+ = )", re.MULTILINE)
    specs = read_task_file(write(commented.sub("", example_text()))).specs
    assert any(isinstance(spec.schedule, Cron) for spec in specs)
    assert Daily(3, 30, "Europe/Berlin") in [spec.schedule for spec in specs]


def test_nothing_is_imported() -> None:
    write('[tasks.it]\nrun = "odd_module_that_says_no:it"\nevery = 1')
    Path("odd_module_that_says_no.py").write_text("raise SystemExit")
    before = list(sys.path)
    read_task_file("tasks.toml")
    assert "odd_module_that_says_no" not in sys.modules
    assert sys.path == before


TRUE = 'command = "true"\n'
NOW = "on_demand = true\n"


def test_what_a_policy_may_be_at_the_least_is_good() -> None:
    spec = read_one(TRUE + NOW + 'retries = 0\nretry_delay = "0s"\njitter = 0\nmax_runs = 1\nenabled = true')
    assert spec.policies == Policies(retry_delay=0, max_runs=1)
    assert spec.enabled


def test_the_keys_of_a_command_become_its_arguments() -> None:
    specs = read_task_file(
        write("""
            [tasks.plain]
            command = "echo ${HOME}"
            on_demand = true

            [tasks.full]
            command = ["echo", "${WORD:-x}"]
            cwd = "${DATA}"
            env_file = "secrets.env"
            tty = true
            nice = 10
            umask = "027"
            user = "www-data"
            on_demand = true
            """)
    ).specs
    here = str(Path.cwd())
    assert [spec.recipe.arguments for spec in specs] == [
        {"command": "echo ${HOME}", "cwd": here},  # a line is left to the shell
        {
            "command": ["echo", "${WORD:-x}"],
            "cwd": "${DATA}",
            "folder": here,
            "env_file": str(Path(here, "secrets.env")),
            "terminal": True,
            "nice": 10,
            "umask": "027",
            "user": "www-data",
            "expand_variables": True,
        },
    ]
    assert [spec_from_json(json.loads(json.dumps(spec_to_json(spec)))) for spec in specs] == list(specs)
