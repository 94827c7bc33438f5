"""The command line itself: help that says everything, and mistakes that are told in a line."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import surroundings

from taskkit import __version__
from taskkit.cli import main
from taskkit.cli.command import build_parser

Captured = pytest.CaptureFixture[str]

COMMANDS = ("run", "list", "next", "trigger", "history", "check", "init")


def help_of(capsys: Captured, *arguments: str) -> str:
    with pytest.raises(SystemExit) as leaving:
        main([*arguments, "--help"])
    assert leaving.value.code == 0
    return capsys.readouterr().out


def test_the_help_names_every_command(capsys: Captured) -> None:
    told = help_of(capsys)
    assert build_parser().get_default("commands") == COMMANDS
    for command in COMMANDS:
        assert re.search(rf"^    {command} +\w", told, re.MULTILINE)
    assert "exit status:" in told
    assert "examples:" in told


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("width", ["60", "80"])
def test_the_help_of_a_command_is_whole_and_fits(
    command: str, width: str, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", width)
    told = help_of(capsys, command)

    assert told.startswith(f"usage: taskkit {command} ")
    assert "exit status:\n  0 " in told
    assert f"examples:\n  taskkit {command}" in told
    assert "\n  2 " in told
    assert all(len(line) <= 80 for line in told.splitlines())


@pytest.mark.parametrize(
    ("command", "phrases"),
    [
        (
            "run",
            ["10 by default", "--until-idle", "SIGHUP", "3    runs did not end in time", "NO_COLOR", "docs/"],
        ),
        ("list", ["1    with --failing: those that are listed fail", "running_since", "last_outcome"]),
        ("next", ["20 by default", "DST marks daylight-saving time", "nothing is written"]),
        ("trigger", ["NAME=VALUE", "124  its time was over", "130  it was stopped by ctrl+c"]),
        (
            "history",
            [
                "20 by default",
                "--failed",
                "--since",
                "[TARGET] [NAME] [--state PATH]",
                "may be left out with --state",
            ],
        ),
        ("check", ["--imports", "which runs what stands in them"]),
        ("init", ["--force", "tasks.toml in the current folder by default"]),
    ],
)
def test_the_help_says_what_one_must_know(command: str, phrases: list[str], capsys: Captured) -> None:
    told = " ".join(help_of(capsys, command).split())
    assert [phrase for phrase in phrases if " ".join(phrase.split()) not in told] == []


def test_no_command_at_all_gives_the_help(capsys: Captured) -> None:
    assert main([]) == 2
    assert capsys.readouterr().out.startswith("usage: taskkit ")


@pytest.mark.parametrize(("typed", "meant"), [(["help"], []), (["help", "next"], ["next"])])
def test_help_may_be_asked_for_by_its_name(typed: list[str], meant: list[str], capsys: Captured) -> None:
    with pytest.raises(SystemExit) as leaving:
        main(typed)
    assert leaving.value.code == 0
    assert capsys.readouterr().out == help_of(capsys, *meant)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("lst", "“lst” is no command; did you mean “list”?"),
        ("RUN", "did you mean “run”?"),
        ("status", "“status” is no command; did you mean “list --failing”?"),
        ("\x1b[2Jx", "“␛[2Jx” is no command; there are run, list, next, trigger, history, check, init"),
    ],
)
def test_a_command_that_is_none_is_told_with_the_one_it_looks_like(
    typed: str, words: str, capsys: Captured
) -> None:
    assert main([typed, "more"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("taskkit: ")
    assert words in told
    assert told.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["run"],
        ["run", "a:b", "--timeout", "soon"],
        ["run", "a:b", "--state", "x", "--no-state"],
        ["run", "a:b", "-q", "-v"],
        ["run", "a:b", "--color", "blue"],
        ["run", "a:b", "--time", "5"],
        ["history", "a:b", "--since", "someday"],
        ["--nonsense"],
    ],
)
def test_a_wrong_command_line_is_refused_with_the_usage(arguments: list[str], capsys: Captured) -> None:
    with pytest.raises(SystemExit) as leaving:
        main(arguments)
    assert leaving.value.code == 2
    told = capsys.readouterr().err
    assert told.startswith("usage: taskkit")
    assert "error: " in told


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (["run", "a:b", "extra"], "taskkit run"),
        (["next", "a:b", "--nonsense"], "taskkit next"),
        (["init", "x.toml", "extra\x1b[2J"], "taskkit init"),
        (["-q", "run", "a:b"], "taskkit"),
    ],
)
def test_what_a_command_does_not_take_is_told_with_its_own_usage(
    arguments: list[str], command: str, capsys: Captured
) -> None:
    with pytest.raises(SystemExit) as leaving:
        main(arguments)
    assert leaving.value.code == 2
    told = capsys.readouterr().err
    assert told.startswith(f"usage: {command} [-h]")
    assert f"\n{command}: error: unrecognized arguments: " in told
    assert "\x1b" not in told


def test_the_version_is_told(capsys: Captured) -> None:
    with pytest.raises(SystemExit) as leaving:
        main(["--version"])
    assert leaving.value.code == 0
    assert capsys.readouterr().out == f"taskkit {__version__}\n"


def test_importing_the_command_loads_nothing_slow() -> None:
    slow = (
        "sqlite3",
        "textual",
        "rich",
        "tomllib",
        "taskkit.store",
        "taskkit.taskfile",
        "subprocess",
        "asyncio",
    )
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import taskkit.cli, sys; print([each for each in {slow} if each in sys.modules])",
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    ("redirected", "status", "told"),
    [
        ("> /dev/full", 1, "taskkit: cannot write the output: No space left on device\n"),
        ("| exec true; echo ${PIPESTATUS[0]} >&2", 0, ""),
        (">&- 2>&-", 1, ""),  # there are problems
    ],
)
def test_an_output_that_takes_nothing_is_told_without_a_traceback(
    redirected: str, status: int, told: str, tmp_path: Path
) -> None:
    (tmp_path / "tasks.toml").write_text("".join(f"[tasks.t{number}]\n" for number in range(2000)))
    done = subprocess.run(
        ["bash", "-c", f'"$0" -m taskkit check tasks.toml {redirected}', sys.executable],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
        cwd=tmp_path,
        env=surroundings(tmp_path),
    )
    assert "Traceback" not in done.stderr
    assert (done.returncode, done.stderr.replace("141\n", "")) == (status, told)


@pytest.mark.parametrize("command", ["list it.toml", "check it.toml", "run it.toml", "history it:s"])
def test_a_current_folder_that_is_gone_is_told_without_a_traceback(command: str, tmp_path: Path) -> None:
    done = subprocess.run(
        ["bash", "-c", f'mkdir gone; cd gone; rmdir ../gone; "$0" -m taskkit {command}', sys.executable],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
        cwd=tmp_path,
        env=surroundings(tmp_path),
    )
    assert "Traceback" not in done.stderr
    assert "cannot write" not in done.stderr
    assert done.returncode in (1, 2)
