"""The problems of a task file: all at once, with their lines and with suggestions."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from task_files import problem_lines, write, wrong

from taskkit.taskfile import Problem, TaskFileError, read_task_file

pytestmark = pytest.mark.usefixtures("own_folder")


def test_all_problems_are_reported_at_once_in_the_order_of_the_file() -> None:
    assert problem_lines(
        write("""\
            timezone = "Berlin"
            [tasks.backup]
            run = "jobs.Backup"
            every = "90 parsecs"
            retires = 3
            [tasks."my job"]
            command = ["tar", 5]
            daily = "24:00"
            [tasks.empty]
            """)
    ) == [
        'tasks.toml:1: timezone = "Berlin": is not a time zone that is known here; '
        'did you mean "Europe/Berlin"?',
        'tasks.toml:3: tasks.backup.run = "jobs.Backup": must be package.module:Class; '
        'did you mean "jobs:Backup"?',
        'tasks.toml:4: tasks.backup.every = "90 parsecs": is not a span of time; did you mean "90s"?',
        "tasks.toml:5: tasks.backup.retires: a task has no such key; did you mean retries?",
        'tasks.toml:7: tasks."my job".command = […]: must be made of strings or paths, not 5',
        'tasks.toml:8: tasks."my job".daily = "24:00": must be a time of day from 00:00 to 23:59, '
        "to the minute",
        "tasks.toml:9: tasks.empty: needs one of every, daily, cron, at, after or on_demand, "
        "which say when it runs",
        "tasks.toml:9: tasks.empty: needs run or command, which say what it does",
    ]


def test_a_problem_is_plain_data_too() -> None:
    with pytest.raises(TaskFileError) as refusal:
        read_task_file(write('[tasks.it]\ncommand = "true"\nevery = "1 huor"'))
    assert refusal.value.problems == (
        Problem("tasks.toml", 3, "tasks.it.every", '"1 huor"', "is not a span of time", '"1h"'),
    )


def test_for_a_missing_file_one_with_nearly_its_name_is_suggested() -> None:
    write("[tasks]")
    assert problem_lines("task.toml") == ["task.toml: there is no such file; did you mean tasks.toml?"]
    here = Path.cwd()
    assert problem_lines(here / "task.toml")[0].endswith(f"did you mean {here / 'tasks.toml'}?")
    assert problem_lines("other") == ["other: there is no such file"]
    assert problem_lines("nowhere/tasks.toml") == ["nowhere/tasks.toml: there is no such file"]


def test_a_link_that_leads_nowhere_is_not_suggested_for_itself() -> None:
    Path("link.toml").symlink_to("nowhere.toml")
    assert problem_lines("link.toml") == ["link.toml: there is no such file"]


def test_what_is_no_file_is_refused() -> None:
    write("[tasks]")
    os.mkfifo("pipe.toml")
    assert problem_lines(".") == [".: is a folder, not a file"]
    assert problem_lines("pipe.toml") == ["pipe.toml: is not a regular file"]
    assert problem_lines("tasks.toml/x") == ["tasks.toml/x: cannot be read: Not a directory"]
    assert "null" in problem_lines("a\0b")[0]
    with pytest.raises(TypeError, match="path must be a text or a path"):
        read_task_file(b"tasks.toml")  # type: ignore[arg-type]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_refused() -> None:
    write("[tasks]").chmod(0)
    assert problem_lines("tasks.toml") == ["tasks.toml: cannot be read: Permission denied"]


def test_a_huge_file_is_refused() -> None:
    assert "larger than 1024 kB" in problem_lines(write(b"#" * (1024 * 1024 + 1)))[0]
    assert read_task_file(write(b"[tasks]\n" + b"#" * (1024 * 1024 - 8))).specs == ()


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le"])
def test_a_file_in_utf_16_is_recognised(encoding: str) -> None:
    assert problem_lines(write('[tasks.a]\ncommand = "date"\nevery = 5\n'.encode(encoding))) == [
        "tasks.toml: is not text in UTF-8: it has NUL bytes, as one in UTF-16 has"
    ]


def test_bytes_that_are_no_utf_8_are_reported_with_their_line() -> None:
    assert problem_lines(write(b"# one\n# t\xfcr\n")) == ["tasks.toml:2: is not UTF-8: it has the byte 0xfc"]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("[tasks.a]\n[tasks.b]\n[tasks.a]", 3, "defined twice"),
        ("[tasks.a]\nevery = 1\nevery = 2\n", 3, "defined twice"),
        ("[tasks.a]\nevery = \n", 2, "is not valid TOML: Invalid value"),
        ("[tasks.a]\nevery = [1,\n\n", 2, "is not valid TOML"),
        ("[tasks.a", 1, "is not valid TOML"),
        ("a = 1\n\x01", 2, "is not valid TOML"),
    ],
)
def test_what_is_no_toml_is_reported_with_its_line(text: str, line: int, words: str) -> None:
    (only,) = problem_lines(write(text))
    assert only.startswith(f"tasks.toml:{line}: ")
    assert words in only


def test_numbers_and_nests_without_end_are_refused() -> None:
    assert "is not valid TOML" in problem_lines(write("a = " + "9" * 5000))[0]
    assert problem_lines(write("a = " + "[" * 50_000)) == ["tasks.toml: is nested too deeply"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "has no tasks: write [tasks.NAME], and below it what it does and when"),
        ("# nothing\n", "has no tasks"),
        ("tasks = 5", "1: tasks = 5: must be a table"),
        ("[[tasks]]", "1: tasks = […]: must be a table"),
        ("[tasks]\nit = 1", "2: tasks.it = 1: must be a table"),
        ("[task.backup]", "1: task: a file of tasks has no such key; did you mean tasks?"),
        ("[tasks]\n[options]", "2: options: a file of tasks has no such key"),
        ("timezone = 5\n[tasks]", "1: timezone = 5: must be the name of a time zone"),
    ],
)
def test_a_file_of_tasks_has_tables_of_tasks(text: str, words: str) -> None:
    (only,) = problem_lines(write(text))
    assert words in only


TRUE = 'command = "true"\n'
NOW = "on_demand = true\n"


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        # what it does
        (NOW, "tasks.it: needs run or command"),
        (NOW + 'rum = "a:b"', "tasks.it.rum: a task has no such key; did you mean run?"),
        (NOW + 'run = "a:b"\n' + TRUE, "command: cannot be used with run"),
        (NOW + 'run = 5', "run = 5: must be what to import, such as"),
        (NOW + 'run = ""', 'run = "": must be package.module:Class'),
        (NOW + 'run = "a.b.C"', 'did you mean "a.b:C"?'),
        (NOW + 'run = "a b:c"', "must be package.module:Class"),
        (NOW + 'run = "a:b"\nargs = 5', "args = 5: must be a table"),
        (NOW + 'run = "a:b"\nargs = { when = 2030-01-01 }', "args.when = 2030-01-01: must not hold dates"),
        (NOW + 'run = "a:b"\nargs = { a = [ { b = 10:00:00 } ] }', "args.a = 10:00:00: must not hold dates"),
        (NOW + 'run = "a:b"\nargs.big = 99999999999999999999', "more than 64 bits"),
        (NOW + f'run = "a:b"\nargs.deep = {"[" * 30}{"]" * 30}', "nested more than 20 deep"),
        (NOW + 'run = "a:b"\ncwd = "."', "cwd: has no meaning with run"),
        (NOW + 'run = "a:b"\nenv = {}', "env: has no meaning with run"),
        (NOW + TRUE + "args = {}", "args: has no meaning with command"),
        (NOW + 'command = ""', 'command = "": must not be empty'),
        (NOW + "command = []", "command = []: must not be empty"),
        (NOW + 'command = ["", "a"]', "command = […]: must not be empty"),
        (NOW + "command = 5", "command = 5: must be a string or a sequence of strings"),
        (NOW + 'command = "a\\u0000b"', "must hold no NUL"),
        (NOW + TRUE + "cwd = 5", "cwd = 5: must be a folder, in quotes"),
        (NOW + TRUE + 'cwd = ""', "cwd = \"\": must not be empty"),
        (NOW + TRUE + 'cwd = "a\\u0000"', "must hold no NUL"),
        (NOW + TRUE + 'env = "A=b"', 'env = "A=b": must be a table'),
        (NOW + TRUE + "env.PORT = 8080", "env.PORT = 8080: must be a text, in quotes"),
        (NOW + TRUE + 'env."A=B" = "c"', 'env."A=B" = "c": must have names without'),
        (NOW + TRUE + 'env.A = "\\u0000"', "must hold no NUL"),
        # when
        (TRUE, "tasks.it: needs one of every, daily, cron, at, after or on_demand"),
        (TRUE + "evry = 5", "tasks.it.evry: a task has no such key; did you mean every?"),
        (TRUE + NOW + "every = 5", "on_demand: cannot be used with every"),
        (TRUE + 'daily = "03:30"\nevery = 5', "daily: cannot be used with every"),
        (TRUE + 'every = "90 parsecs"', 'did you mean "90s"?'),
        (TRUE + 'every = "1.5 hours"', 'did you mean "1h30m"?'),
        (TRUE + 'every = "30m 1h"', 'did you mean "1h30m"?'),
        (TRUE + 'every = "2 weeks"', 'did you mean "14d"?'),
        (TRUE + 'every = "5 minuts"', 'did you mean "5m"?'),
        (TRUE + 'every = "3 months"', "is not a span: type seconds, as in 90, or a span as in 1h30m"),
        (TRUE + 'every = "1h30"', "the last number of 1h30 has no unit"),
        (TRUE + 'every = "0s"', "must be more than 0 seconds"),
        (TRUE + 'every = ""', "type seconds"),
        (TRUE + 'every = "-5"', "cannot be negative"),
        (TRUE + "every = 0", "every = 0: must be more than 0 seconds"),
        (TRUE + "every = -5", "every = -5: must be more than 0"),
        (TRUE + "every = nan", "every = nan: must be more than 0"),
        (TRUE + "every = inf", "every = inf: must be more than 0"),
        (TRUE + "every = 1e300", "at most ten years"),
        (TRUE + f"every = 0x{'f' * 5000}", "every = a very long number: must be more than 0"),
        (TRUE + "every = true", "every = true: must be a number of seconds"),
        (TRUE + "every = [5]", "every = […]: must be a number of seconds"),
        (TRUE + 'every = 5\ntimezone = "Asia/Tokyo"', "timezone: has no meaning with every"),
        (TRUE + NOW + 'timezone = "Asia/Tokyo"', "timezone: has no meaning with on_demand"),
        (TRUE + "on_demand = false", "on_demand = false: must be true, or left out"),
        (TRUE + "on_demand = 1", "on_demand = 1: must be true or false, without quotes; did you mean true?"),
        (TRUE + "daily = 330", 'daily = 330: must be a time of day such as "03:30", in quotes'),
        (TRUE + 'daily = "3.30"', "must be a time of day from 00:00 to 23:59"),
        (TRUE + 'daily = "03:60"', "must be a time of day from 00:00 to 23:59"),
        (TRUE + "daily = 03:30:15", "daily = 03:30:15: must be a time of day from 00:00 to 23:59"),
        (TRUE + 'daily = "03:30"\ntimezone = "Europe/Berln"', 'did you mean "Europe/Berlin"?'),
        (TRUE + 'daily = "03:30"\ntimezone = "new york"', 'did you mean "America/New_York"?'),
        (TRUE + 'daily = "03:30"\ntimezone = "Europe"', "is not a time zone that is known here"),
        (TRUE + 'daily = "03:30"\ntimezone = "../etc"', "is not a time zone that is known here"),
        (TRUE + 'daily = "03:30"\ntimezone = ""', "is not a time zone that is known here"),
        (TRUE + "daily = \"03:30\"\ntimezone = 1", "timezone = 1: must be the name of a time zone"),
        (TRUE + "cron = 5", "cron = 5: must be a cron expression such as"),
        (TRUE + 'cron = "99 * * * *"', 'cron = "99 * * * *": must be a cron expression: Bad minute'),
        (TRUE + 'cron = "0 0 31 2 *"', "must be a cron expression: Bad day-of-month"),
        (TRUE + 'cron = "0 0 */30 * MON#3"', "must be a cron expression: it never matches"),
        (TRUE + 'cron = "² * * * *"', "must be a cron expression"),
        (TRUE + "at = 2030-12-24", "at = 2030-12-24: needs a time of day after the date"),
        (TRUE + 'at = "tomorrow"', 'at = "tomorrow": must be a date with a time of day'),
        (TRUE + 'at = "2030-02-31 10:00"', "must be a date with a time of day"),
        (TRUE + "at = 10:00:00", "at = 10:00:00: must be a date with a time of day"),
        (TRUE + "at = 1000", "at = 1000: must be a date with a time of day"),
        (TRUE + "at = 0001-01-01 00:00:00", "must be in a year from 1970 to 9998"),
        (TRUE + "at = 9999-12-31 23:59:59", "must be in a year from 1970 to 9998"),
        (
            TRUE + 'at = 2030-01-01 00:00:00Z\ntimezone = "Asia/Tokyo"',
            "timezone: has no meaning with an at that says its own offset",
        ),
        # how
        (TRUE + NOW + "timeout = 0", "timeout = 0: must be more than 0 seconds"),
        (TRUE + NOW + 'timeout = "1 minuet"', 'did you mean "1m"?'),
        (TRUE + NOW + "retries = -1", "retries = -1: must be a whole number, 0 or more"),
        (TRUE + NOW + "retries = 1.5", "retries = 1.5: must be a whole number"),
        (TRUE + NOW + "retries = true", "retries = true: must be a whole number"),
        (TRUE + NOW + 'retries = "3"', 'retries = "3": must be a whole number, 0 or more; did you mean 3?'),
        (TRUE + NOW + f"retries = 0x{'f' * 5000}", "retries = a very long number"),
        (TRUE + NOW + "retry_delay = -1", "retry_delay = -1: must be 0 or more seconds"),
        (TRUE + NOW + 'jitter = "soon"', "soon is not a span"),
        (TRUE + NOW + "max_runs = 0", "max_runs = 0: must be a whole number, 1 or more"),
        (TRUE + NOW + 'catch_up = "no"', 'catch_up = "no": must be true or false'),
        (TRUE + NOW + "catch_up = 0", "catch_up = 0: must be more than 0 seconds"),
        (TRUE + NOW + 'catch_up = "10 minuets"', 'did you mean "10m"?'),
        (TRUE + NOW + "catch_up = []", 'catch_up = []: must be true, false, a number of seconds, or a text'),
        (TRUE + NOW + "enabled = 0", "enabled = 0: must be true or false, without quotes; did you mean f"),
        (TRUE + NOW + 'enabled = "perhaps"', 'enabled = "perhaps": must be true or false, without quotes'),
        (TRUE + NOW + "description = 5", "description = 5: must be a text, in quotes"),
        (TRUE + NOW + "Description = 'x'", "did you mean description?"),
        (TRUE + NOW + "on_error = 'x'", "tasks.it.on_error: a task has no such key"),
    ],
)  # fmt: skip
def test_a_problem_of_a_task_is_reported_with_its_line(lines: str, words: str) -> None:
    line = wrong(lines)

    assert words in line
    key = line.split(": ")[1].partition(" ")[0]
    number = int(line.split(": ")[0].rpartition(":")[2])
    text = f"[tasks.it]\n{lines}".split("\n")[number - 1]
    assert text.startswith(("[tasks.it]", key.split(".")[-1], key.split(".")[2] if "." in key[9:] else "\0"))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ('""', 'tasks."": the name of a task must not be empty'),
        ('"a\\tb"', 'tasks."a\\tb": the name of a task must not have control characters'),
        ('"\\u0085"', "must not have control characters"),
    ],
)
def test_a_name_that_no_task_can_have_is_refused(name: str, words: str) -> None:
    (line,) = problem_lines(write(f"[tasks.{name}]\n{TRUE}{NOW}"))
    assert words in line


def test_a_long_or_foreign_value_is_shortened_and_harmless() -> None:
    line = wrong(TRUE + f'every = "{"x" * 1000}"')
    assert len(line) < 200
    assert "\\u202e" in wrong(TRUE + 'every = "\\u202e5s"')
    assert len(wrong(TRUE + NOW + f"{'k' * 1000} = 1")) < 200


def test_cron_without_its_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cronsim", None)
    assert "pip install 'taskkit-tui[cron]'" in wrong(TRUE + 'cron = "1 2 3 4 5"')
