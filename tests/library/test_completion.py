"""Shell completion: what the shells insert, where the names come from, and how little it costs."""

from __future__ import annotations

import json
import os
import pty
import select
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from time import monotonic

import pytest
from patience import PATIENCE
from served import SHOP, runtime, service, socket_of  # noqa: F401 - a fixture

from taskkit import Every
from taskkit.cli.main import build_parser, main
from taskkit.completion import words
from taskkit.completion.scripts import SHELLS, completion_script
from taskkit.completion.table import completion_table
from taskkit.remote.sockets import target_hash
from taskkit.store import PersistentScheduler
from taskkit.targets.state_paths import state_path

TASKS = """
[tasks."old import"]
command = "true"
every = "1h"

[tasks.backup]
command = "true"
every = "1h"

[tasks."a$b's"]
command = "true"
every = "1h"
"""

BREAKS = " \t\n\"'><=;|&(:"
"""What bash has in COMP_WORDBREAKS."""


@pytest.fixture(scope="module")
def table() -> dict[str, object]:
    return completion_table(build_parser())


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runtime: Path) -> Path:  # noqa: F811
    (tmp_path / "tasks.toml").write_text(TASKS)
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "night.toml").write_text('[tasks.sweep]\ncommand="true"\nevery="1h"\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PWD", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    # Services of other tests, and what killed ones have left, are elsewhere.
    of_all = words.found_services
    of_this_test = lambda: [each for each in of_all() if Path(each.path).is_relative_to(runtime)]  # noqa: E731
    monkeypatch.setattr(words, "found_services", of_this_test)
    return tmp_path


@pytest.fixture
def found(table: dict[str, object], folder: Path) -> Callable[..., list[str]]:
    """The words that fit in place of the last one."""
    return lambda *typed: [word for word, _ in words.found_words(table, ["taskkit", *typed])]


def test_the_first_word_is_a_command(found: Callable[..., list[str]]) -> None:
    assert set(found("")) == set(build_parser().get_default("commands"))


def test_a_target_is_a_task_file_or_a_folder_that_may_hold_one(found: Callable[..., list[str]]) -> None:
    assert [each for each in found("run", "") if "-" not in each] == ["conf/", "tasks.toml"]
    assert found("run", "conf/") == ["conf/night.toml"]
    assert found("check", "n") == []


def test_a_name_is_that_of_a_task_of_the_target(found: Callable[..., list[str]]) -> None:
    assert found("explain", "tasks.toml", "") == ["old import", "backup", "a$b's"]
    assert found("trigger", "--here", "conf/night.toml", "") == ["sweep"]
    assert found("stop", "tasks.toml", "backup", "") == ["old import", "a$b's"]
    assert found("explain", "tasks.toml", "backup", "") == []


def test_options_and_their_values_are_those_of_the_command(found: Callable[..., list[str]]) -> None:
    assert "--failing" in found("list", "--")
    assert "--failing" not in found("list", "--failing", "--")
    assert found("list", "--color", "") == ["auto", "always", "never"]
    assert found("list", "--color=") == ["--color=auto", "--color=always", "--color=never"]
    assert found("run", "--state", "no") == ["notes.txt"]
    assert found("disable", "tasks.toml", "backup", "--until", "") == []
    assert found("list", "--", "--") == []
    assert found("completion", "") == list(SHELLS)


def test_names_come_from_a_state_where_nothing_runs(found: Callable[..., list[str]], folder: Path) -> None:
    with PersistentScheduler(folder / "own.sqlite") as scheduler:
        scheduler.add_task(Every(3600), print, "nightly report")
    assert found("trigger", "--state", "own.sqlite", "")[0] == "nightly report"
    assert found("history", "shop:scheduler", "--state", "own.sqlite", "") == ["nightly report"]


def test_names_and_services_come_from_what_runs(
    found: Callable[..., list[str]],
    runtime: Path,  # noqa: F811
) -> None:
    with service() as process:
        assert SHOP in found("stop", "")
        assert found("stop", SHOP, "") == ["hourly", "work"]
        assert found("stop", str(process.pid), "") == ["hourly", "work"]
        assert found("stop", str(socket_of(process).path), "") == ["hourly", "work"]
    assert found("stop", SHOP, "") == []


@pytest.mark.parametrize("content", ["tasks = 1", "[tasks", "\0", "[tasks.a\nb]", "", '[tasks."a\\u0007"]'])
def test_a_broken_file_has_no_names(found: Callable[..., list[str]], folder: Path, content: str) -> None:
    (folder / "broken.toml").write_text(content)
    assert found("explain", "broken.toml", "") == []
    assert found("explain", "missing.toml", "") == []


@pytest.mark.parametrize(
    "target", ["tasks.toml", "conf/../tasks.toml", "shop.tasks:nightly", "link/x.toml", "/"]
)
def test_a_target_has_the_socket_and_the_state_that_the_library_gives_it(folder: Path, target: str) -> None:
    (folder / "link").symlink_to("conf")
    if target != "/":
        assert words.state_path(target) == str(state_path(target))
    assert words.target_hash(target) == target_hash(target)


@pytest.mark.parametrize(
    ("line", "before", "typed", "inserted"),
    [
        ("taskkit explain tasks.toml ol", ["taskkit", "explain", "tasks.toml"], "ol", r"old\ import"),
        (
            'taskkit explain "my tasks.toml" "old im',
            ["taskkit", "explain", "my tasks.toml"],
            "old im",
            "old import",
        ),
        (r"taskkit explain t.toml old\ im", ["taskkit", "explain", "t.toml"], "old im", r"old\ import"),
        ("taskkit list für", ["taskkit", "list"], "für", r"für\ 日本"),
        ("taskkit list shop:na", ["taskkit", "list"], "shop:na", "nas"),
        ("taskkit list --state=so", ["taskkit", "list"], "--state=so", r"some\ file"),
        ("taskkit list ", ["taskkit", "list"], "", r"a\$b\'s"),
        ('taskkit list "a$', ["taskkit", "list"], "a$", r"a\$b's"),
        ("taskkit list 'a", ["taskkit", "list"], "a", r"a$b'\''s"),
    ],
)
def test_bash_gets_words_with_its_quotes(line: str, before: list[str], typed: str, inserted: str) -> None:
    whole = {
        "ol": "old import",
        "für": "für 日本",
        "shop:na": "shop:nas",
        "--state=so": "--state=some file",
        "": "a$b's",
    }
    words_before, word = words.split_line(line, BREAKS)
    assert (words_before, word.text) == (before, typed)
    name = whole.get(typed, "old import" if typed == "old im" else "a$b's")
    assert words.bash_quoted(name, word) == inserted


# In real shells


class Terminal:
    """A shell in a terminal of its own."""

    def __init__(self, command: list[str], folder: Path) -> None:
        self.pid, self.master = pty.fork()
        if not self.pid:
            os.chdir(folder)
            os.execvpe(command[0], command, os.environ | {"TERM": "dumb", "PS1": "$ ", "PROMPT": "$ "})
        self.shown = ""

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def wait_for(self, text: str) -> None:
        deadline = monotonic() + PATIENCE
        while text not in self.shown:
            assert monotonic() < deadline, self.shown
            if select.select([self.master], [], [], 0.1)[0]:
                try:
                    self.shown += os.read(self.master, 65_536).decode(errors="replace")
                except OSError:
                    pytest.fail(self.shown)

    def close(self) -> None:
        os.kill(self.pid, 9)
        os.waitpid(self.pid, 0)
        os.close(self.master)


def needs(shell: str) -> str:
    path = shutil.which(shell)
    if path is None:
        pytest.skip(f"{shell} is not installed; on Debian: apt install {shell}")
    return path


@pytest.fixture
def script(folder: Path) -> Callable[[str], Path]:
    def write(shell: str) -> Path:
        path = folder / f"script.{shell}"
        path.write_text(completion_script(shell, build_parser()))
        return path

    return write


SHOW = "taskkit() { printf 'got'; printf '<%s>' \"$@\"; echo; }\n"


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_a_shell_passes_on_the_name_that_it_has_completed(
    folder: Path, script: Callable[[str], Path], shell: str
) -> None:
    options = ["--norc", "--noprofile", "-i"] if shell == "bash" else ["-f", "-i"]
    with closing(Terminal([needs(shell), *options], folder)) as terminal:
        terminal.type(f"{SHOW}. {script(shell)}; echo ready$((1 + 1))\n")
        terminal.wait_for("ready2")
        for typed, passed in (
            ("taskkit expl\ttas\tol\t", "<explain><tasks.toml><old import>"),
            ("taskkit explain ./tas\t'old i\t", "<explain><./tasks.toml><old import>"),
            ("taskkit run con\tni\t --no-att\t", "<run><conf/night.toml><--no-attach>"),
            ("taskkit explain tasks.toml a\t", "<explain><tasks.toml><a$b's>"),
        ):
            terminal.type(typed + "\n")
            terminal.wait_for(f"got{passed}")


def test_fish_completes_commands_files_and_names(folder: Path, script: Callable[[str], Path]) -> None:
    lines = ["taskkit explain tasks.toml ol", "taskkit run con", "taskkit list --fail", "taskkit hist"]
    asked = "; ".join(f"complete -C '{line}'" for line in lines)
    done = subprocess.run(
        [needs("fish"), "--no-config", "-c", f"source {script('fish')}; {asked}"],
        cwd=folder,
        env=os.environ | {"HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    got = [line.partition("\t")[0] for line in done.stdout.splitlines()]
    assert got == ["old import", "conf/", "--failing", "history"]


@pytest.mark.parametrize("shell", SHELLS)
def test_the_command_prints_a_script_that_its_shell_can_read(
    shell: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["completion", shell]) == 0
    path = tmp_path / "script"
    path.write_text(capsys.readouterr().out)
    subprocess.run([needs(shell), "-n", path], check=True, timeout=PATIENCE)


def test_a_word_costs_no_import_of_the_library(folder: Path, table: dict[str, object]) -> None:
    listing = "import sys; sys.argv[:1] = []; import runpy; runpy.run_path(sys.argv[0], run_name='__main__');"
    listing += "print(*sorted(sys.modules), file=sys.stderr)"
    done = subprocess.run(
        [
            *(sys.executable, "-I", "-S", "-c", listing, words.__file__, "zsh", json.dumps(table)),
            *("taskkit", "explain", "tasks.toml", ""),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    assert done.stdout.splitlines() == ["old import", "backup", "a$b's"]
    loaded = done.stderr.split()
    assert not [each for each in loaded if each.startswith("taskkit")]
    assert not {"argparse", "asyncio", "dataclasses", "inspect", "logging", "threading"} & set(loaded)
