"""The command line: a target, or one clear line and exit status 2."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from taskkit_tui import cli


@pytest.mark.parametrize(
    ("target", "lines"), [("json:missing", 1), ("broken.toml", 2)], ids=["a line", "a task file: several"]
)
def test_a_wrong_target_ends_with_two_before_the_screen_changes(
    target: str,
    lines: int,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "broken.toml").write_text("[tasks.a]\n")
    monkeypatch.setattr(cli, "terminal_trouble", lambda: None)
    assert cli.main([target]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert [line[:13] for line in told.err.splitlines()] == ["taskkit-tui: "] * lines


def test_without_a_terminal_there_is_a_clear_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 2
    assert "is not a terminal" in capsys.readouterr().err


@pytest.mark.parametrize("term", [None, "", "dumb"])
def test_a_dumb_terminal_is_told_so(term: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal:
        closed = False

        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "__stdin__", Terminal())
    monkeypatch.setattr(sys, "__stdout__", Terminal())
    if term is None:
        monkeypatch.delenv("TERM", raising=False)
    else:
        monkeypatch.setenv("TERM", term)
    assert "TERM is unset or dumb" in (cli.terminal_trouble() or "")
    monkeypatch.setenv("TERM", "xterm-256color")
    assert cli.terminal_trouble() is None


def test_the_folder_is_for_the_demo_only(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as leaving:
        cli.main(["some:target", "--folder", "x"])
    assert leaving.value.code == 2
    assert "--folder is for the demo" in capsys.readouterr().err


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as leaving:
        cli.main(["--version"])
    assert leaving.value.code == 0
    assert capsys.readouterr().out.startswith("taskkit-tui ")


def test_the_package_runs_as_the_command_does() -> None:
    command = [sys.executable, "-m", "taskkit_tui"]
    done = subprocess.run([*command, "--version"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.split()[0]) == (0, "taskkit-tui")
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    assert (done.returncode, done.stderr) == (2, "taskkit-tui: standard input is not a terminal\n")


def test_a_shell_completes_the_dashboards_subcommands_and_their_options(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["--completion", "bash"]) == 0
    shown = capsys.readouterr().out
    assert "complete -F _taskkit_tui_complete taskkit-tui" in shown
    assert all(each in shown for each in ('"attach":{', '"serve":{', '"--speed"', '"--public-url"'))
