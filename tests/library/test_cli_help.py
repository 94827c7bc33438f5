"""The command line itself: complete help, and mistakes reported in one line."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import surroundings

from taskkit import __version__
from taskkit.cli import main
from taskkit.cli.main import build_parser

Captured = pytest.CaptureFixture[str]

COMMANDS = (
    *("run", "ps", "list", "next", "trigger", "stop", "disable", "enable", "period", "pause", "resume"),
    *("logs", "explain", "history", "metrics", "check", "init", "completion"),
)


def help_of(capsys: Captured, *arguments: str) -> str:
    with pytest.raises(SystemExit) as exiting:
        main([*arguments, "--help"])
    assert exiting.value.code == 0
    return capsys.readouterr().out


def test_the_help_names_every_command(capsys: Captured) -> None:
    shown = help_of(capsys)
    assert build_parser().get_default("commands") == COMMANDS
    for command in COMMANDS:
        assert re.search(rf"^    {command} +\w", shown, re.MULTILINE)
    assert "exit status:" in shown
    assert "examples:" in shown


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("width", ["60", "80"])
def test_the_help_of_a_command_is_complete_and_fits_the_terminal(
    command: str, width: str, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", width)
    shown = help_of(capsys, command)

    assert shown.startswith(f"usage: taskkit {command} ")
    assert "exit status:\n  0 " in shown
    assert f"examples:\n  taskkit {command}" in shown
    assert "\n  2 " in shown
    assert all(len(line) <= 80 for line in shown.splitlines())


@pytest.mark.parametrize(
    ("command", "phrases"),
    [
        (
            "run",
            [
                "(default: 10)",
                "--until-idle",
                "SIGHUP",
                "3    some runs did not end in time",
                "NO_COLOR",
                "docs/",
            ],
        ),
        ("list", ["1    with --failing: some tasks fail", "running_since", "last_outcome"]),
        ("next", ["(default: 20; at most 10000)", "DST marks daylight-saving time", "nothing is written"]),
        ("trigger", ["NAME=VALUE", "124  the run timed out", "130  the run was stopped by ctrl+c"]),
        (
            "history",
            [
                "(default: 20)",
                "--failed",
                "--since",
                "[TARGET] [NAME] [--state PATH]",
                "Optional with --state",
            ],
        ),
        ("check", ["--imports", "which runs their code"]),
        ("init", ["--force", "(default: tasks.toml in the current folder)"]),
    ],
)
def test_the_help_has_the_important_phrases(command: str, phrases: list[str], capsys: Captured) -> None:
    shown = " ".join(help_of(capsys, command).split())
    assert [phrase for phrase in phrases if " ".join(phrase.split()) not in shown] == []


def test_the_help_is_shown_without_a_command(capsys: Captured) -> None:
    assert main([]) == 2
    assert capsys.readouterr().out.startswith("usage: taskkit ")


@pytest.mark.parametrize(("typed", "meant"), [(["help"], []), (["help", "next"], ["next"])])
def test_help_is_also_a_command(typed: list[str], meant: list[str], capsys: Captured) -> None:
    with pytest.raises(SystemExit) as exiting:
        main(typed)
    assert exiting.value.code == 0
    assert capsys.readouterr().out == help_of(capsys, *meant)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("lst", "“lst” is not a command; did you mean “list”?"),
        ("RUN", "did you mean “run”?"),
        ("status", "“status” is not a command; did you mean “list --failing”?"),
        (
            "\x1b[2Jx",
            f"“␛[2Jx” is not a command; the commands are {', '.join(COMMANDS)}",
        ),
    ],
)
def test_an_unknown_command_is_refused_with_a_suggestion(typed: str, words: str, capsys: Captured) -> None:
    assert main([typed, "more"]) == 2
    message = capsys.readouterr().err
    assert message.startswith("taskkit: ")
    assert words in message
    assert message.count("\n") == 1


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
    with pytest.raises(SystemExit) as exiting:
        main(arguments)
    assert exiting.value.code == 2
    message = capsys.readouterr().err
    assert message.startswith("usage: taskkit")
    assert "error: " in message


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (["run", "a:b", "extra"], "taskkit run"),
        (["next", "a:b", "--nonsense"], "taskkit next"),
        (["init", "x.toml", "extra\x1b[2J"], "taskkit init"),
        (["-q", "run", "a:b"], "taskkit"),
    ],
)
def test_an_unknown_argument_is_refused_with_the_usage_of_its_command(
    arguments: list[str], command: str, capsys: Captured
) -> None:
    with pytest.raises(SystemExit) as exiting:
        main(arguments)
    assert exiting.value.code == 2
    message = capsys.readouterr().err
    assert message.startswith(f"usage: {command} [-h]")
    assert f"\n{command}: error: unrecognized arguments: " in message
    assert "\x1b" not in message


def test_the_version_is_shown(capsys: Captured) -> None:
    with pytest.raises(SystemExit) as exiting:
        main(["--version"])
    assert exiting.value.code == 0
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
        timeout=60,
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    ("redirected", "status", "shown"),
    [
        ("> /dev/full", 1, "taskkit: cannot write the output: No space left on device\n"),
        ("| exec true; echo ${PIPESTATUS[0]} >&2", 0, ""),
        (">&- 2>&-", 1, ""),  # there are problems
    ],
)
def test_an_output_that_cannot_be_written_is_reported_without_a_traceback(
    redirected: str, status: int, shown: str, tmp_path: Path
) -> None:
    (tmp_path / "tasks.toml").write_text("".join(f"[tasks.t{number}]\n" for number in range(2000)))
    done = subprocess.run(
        ["bash", "-c", f'"$0" -m taskkit check tasks.toml {redirected}', sys.executable],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=tmp_path,
        env=surroundings(tmp_path),
    )
    assert "Traceback" not in done.stderr
    assert (done.returncode, done.stderr.replace("141\n", "")) == (status, shown)


@pytest.mark.parametrize("command", ["list it.toml", "check it.toml", "run it.toml", "history it:s"])
def test_a_deleted_current_folder_is_reported_without_a_traceback(command: str, tmp_path: Path) -> None:
    done = subprocess.run(
        ["bash", "-c", f'mkdir gone; cd gone; rmdir ../gone; "$0" -m taskkit {command}', sys.executable],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=tmp_path,
        env=surroundings(tmp_path),
    )
    assert "Traceback" not in done.stderr
    assert "cannot write" not in done.stderr
    assert done.returncode in (1, 2)
