"""Cron lines as people paste them: meant right, or an error that names the part and its place here."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from minute_reference import DAY, due_when_reached, epoch

from taskkit.schedules import Cron, Daily, Schedule
from taskkit.schedules.typed_schedule import read_schedule
from taskkit.taskfile import TaskFileError, read_task_file

BEGIN = epoch("2026-11-01")


def days(*weekdays: int) -> Callable[[datetime], bool]:
    return lambda local: (local.hour, local.minute) == (9, 0) and local.isoweekday() in weekdays


@pytest.mark.parametrize(
    ("expression", "matches"),
    [
        ("0 9 * * MON-SUN", days(1, 2, 3, 4, 5, 6, 7)),
        ("0 9 * * sat-sun", days(6, 7)),
        ("0 9 * * FRI-MON", days(5, 6, 7, 1)),
        ("0 9 * * FRI-TUE/2", days(5, 7, 2)),
        ("0 9 * * 5-1", days(5, 6, 7, 1)),
        ("0 9 * * 5-0", days(5, 6, 7)),
        ("0 9 * * WED,SAT-SUN", days(3, 6, 7)),
        ("0 9 ? * MON", days(1)),
        ("0 0 9 ? * MON-FRI", days(1, 2, 3, 4, 5)),
        ("0 0 9 ? * MON *", days(1)),
        ("0 9 ? * *", days(1, 2, 3, 4, 5, 6, 7)),
    ],
)
def test_days_are_meant_as_they_are_written(expression: str, matches: Callable[[datetime], bool]) -> None:
    schedule = Cron(expression, "UTC")
    expected = due_when_reached(matches, "UTC", BEGIN, BEGIN + 9 * DAY)

    found, due = set(), schedule.next_after(BEGIN - 1)
    while due is not None and due < BEGIN + 9 * DAY:
        found.add(int(due))
        due = schedule.next_after(due)
    assert found == expected


def test_months_may_go_over_new_year() -> None:
    schedule = Cron("0 0 1 NOV-FEB *", "UTC")

    months, due = [], BEGIN - 1.0
    for _ in range(6):
        due = schedule.next_after(due) or 0.0
        months.append(datetime.fromtimestamp(due).month)
    assert months == [11, 12, 1, 2, 11, 12]


LINES = {
    "@reboot": ("@reboot is not a time", "use Once()", "program or service that starts the scheduler"),
    "@every 1h30m": ("@every 1h30m is a period", "use Every(5400)", 'write every = "1h30m"'),
    "@dayly": ("@dayly is not known", "did you mean @daily?", "did you mean @daily?"),
    "CRON_TZ=Europe/Berlin 0 9 * * *": (
        "CRON_TZ=Europe/Berlin is not part of the expression",
        "write tz='Europe/Berlin'",
        'write timezone = "Europe/Berlin"',
    ),
    "MAILTO=root 0 9 * * *": ("MAILTO= is a setting", "leave it out", "env sets variables of a command"),
    "0 9 * * * /usr/bin/backup --all": (
        "a command follows the five fields",
        "use CommandTask('/usr/bin/backup --all')",
        'write command = "/usr/bin/backup --all"',
    ),
    r"0 9 * * * date +\%F": (
        "a command follows the five fields",
        "use CommandTask('date +%F')",
        'write command = "date +%F"',
    ),
    "0 9 * * * backup": (
        "a command follows the five fields",
        "use CommandTask('backup')",
        'write command = "backup"',
    ),
    "@daily backup": ("a command follows @daily", "use CommandTask('backup')", 'command = "backup"'),
    "0 9 * * * # mornings": ("a comment follows the five fields", "leave it out", "leave it out"),
    "0~59 9 * * *": ("0~59 as the minute is a random time", "jitter", "jitter"),
    "H 9 * * *": ("H as the minute is a random time", "jitter", "jitter"),
    "0 0 12 ? * MON 2030": ("2030, is a year", "not_before and until", "not_before and until"),
    "0 22-6 * * *": ("Bad hour 22-6", "write 22-23,0-6", "write 22-23,0-6"),
    "0 9 15W * *": ("Bad day-of-month 15W", "", ""),
    "0 9 * *": ("it has 4 fields", "six with seconds first", "six with seconds first"),
}


@pytest.mark.parametrize("line", LINES)
def test_a_part_with_another_place_is_named_with_that_place(line: str) -> None:
    part, in_python, _ = LINES[line]

    with pytest.raises(ValueError, match=r"^expression must be a cron expression, not ") as caught:
        Cron(line)

    assert repr(line) in str(caught.value)
    assert part in str(caught.value)
    assert in_python in str(caught.value)


@pytest.mark.parametrize("line", LINES)
def test_in_a_file_the_place_is_a_key_of_the_file(line: str, tmp_path: Path) -> None:
    file = tmp_path / "tasks.toml"
    part, _, in_file = LINES[line]
    file.write_text(f'[tasks.it]\ncommand = "true"\ncron = {json.dumps(line)}\n')

    with pytest.raises(TaskFileError) as caught:
        read_task_file(file)

    (problem,) = caught.value.problems
    assert (problem.key, problem.line) == ("tasks.it.cron", 3)
    assert part in problem.message
    assert in_file in problem.message
    assert "CommandTask" not in problem.message


@pytest.mark.parametrize(
    ("keys", "meant"),
    [
        ('daily = ["09:00", "17:00"]', Daily(["09:00", "17:00"], tz="Europe/Berlin")),
        ("daily = [09:00:00, 17:00:00]", Daily(["09:00", "17:00"], tz="Europe/Berlin")),
        ('cron = ["0 9 * * 1-5"]', Cron("0 9 * * 1-5", "Europe/Berlin")),
        (
            'cron = ["0 9 * * 1-5", "0 12 * * 6"]',
            read_schedule("0 9 * * 1-5 Europe/Berlin or 0 12 * * 6 Europe/Berlin", 0),
        ),
    ],
)
def test_a_key_may_have_a_list(keys: str, meant: Schedule, tmp_path: Path) -> None:
    file = tmp_path / "tasks.toml"
    file.write_text(f'timezone = "Europe/Berlin"\n[tasks.it]\ncommand = "true"\n{keys}\n')

    assert read_task_file(file).specs[0].schedule == meant


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("daily = []", "daily = []: must be a time of day"),
        ('daily = ["09:00", 17]', "must be a time of day such as"),
        ('daily = ["09:00", "25:00"]', 'daily = "25:00": must be a time of day from 00:00 to 23:59'),
        ("cron = []", "cron = []: must be a cron expression such as"),
        (
            'cron = ["0 9 * * *", "99 * * * *"]',
            'cron = "99 * * * *": must be a cron expression: Bad minute',
        ),
    ],
)
def test_a_mistake_in_a_list_is_named(keys: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "tasks.toml"
    file.write_text(f'[tasks.it]\ncommand = "true"\n{keys}\n')

    with pytest.raises(TaskFileError) as caught:
        read_task_file(file)

    (problem,) = caught.value.problems
    assert message in str(problem)
