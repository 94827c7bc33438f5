"""The page on services and containers: its files are the examples, and its commands do what it says."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from command_line import RunningCommand, surroundings
from patience import PATIENCE, eventually
from test_cli_orphans import around, children_of

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "services.md").read_text(encoding="utf-8")
DOCKERFILE = (ROOT / "examples" / "Dockerfile").read_text(encoding="utf-8")
UNIT = (ROOT / "examples" / "shop.service").read_text(encoding="utf-8")

TASKS = """
[tasks.slow]
command = "echo begun; sleep 0.7; echo ended by itself"
on_demand = true

[tasks.backup]
command = "echo saved"
on_demand = true
"""


def block(language: str) -> str:
    return PAGE.partition(f"```{language}\n")[2].partition("```")[0]


def instruction(name: str) -> list[str]:
    """The words of an instruction of the Dockerfile, which are in brackets."""
    found = re.search(rf"^{name}\b[^\[\n]*(\[.*\])$", DOCKERFILE, re.MULTILINE)
    assert found is not None
    words = json.loads(found[1])
    assert words[0] == "taskkit"
    return list(words[1:])


def seconds(words: list[str], option: str) -> int:
    return int(words[words.index(option) + 1].removesuffix("s"))


def test_the_page_shows_the_examples() -> None:
    assert block("dockerfile") == DOCKERFILE
    assert block("ini") == UNIT[UNIT.index("[Unit]") :]


def test_who_stops_it_waits_longer_than_it_takes() -> None:
    timeout = 10
    (start,) = re.findall("^ExecStart=(.*)$", UNIT, re.MULTILINE)
    (waits,) = re.findall("^TimeoutStopSec=(.*)$", UNIT, re.MULTILINE)
    assert int(waits) == seconds(start.split(), "--drain") + timeout + 10
    drain = seconds(instruction("ENTRYPOINT"), "--drain")
    assert {int(each) for each in re.findall(r"--(?:stop-timeout|time) (\d+)", block("sh"))} == {
        drain + timeout + 10
    }


class Container:
    """What the Dockerfile starts, as PID 1 of a namespace of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = folder.name
        """The name of its service; root sees other services on this machine, which may be called `tasks`."""
        (folder / f"{self.name}.toml").write_text(TASKS)
        (folder / "state").mkdir()
        self.variables = {"XDG_RUNTIME_DIR": str(folder), "PWD": str(folder)}
        self.command = RunningCommand(
            folder,
            *self.placed(instruction("ENTRYPOINT")),
            around=around("PID 1"),
            environment=self.variables,
        )

    def placed(self, words: list[str]) -> list[str]:
        names = {"tasks": self.name, "tasks.toml": f"{self.name}.toml"}
        return [names.get(word, word.replace("/state/", f"{self.folder}/state/")) for word in words]

    @property
    def first(self) -> int:
        """The pid of its PID 1, as it is outside."""
        (pid,) = children_of(self.command.process.pid)
        return pid

    def run(self, *words: str, inside: bool = True) -> subprocess.CompletedProcess[str]:
        """Run `taskkit` with these arguments, as `docker exec` does."""
        enter = (
            ["nsenter", "--target", str(self.first), "--pid", "--mount", f"--wd={self.folder}"]
            if inside
            else []
        )
        return subprocess.run(
            [*enter, sys.executable, "-m", "taskkit", *self.placed(list(words))],
            cwd=self.folder,
            env=surroundings(self.folder) | self.variables,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )


@pytest.fixture
def container() -> Iterator[Container]:
    if shutil.which("nsenter") is None:
        pytest.skip("there is no nsenter here, which enters the namespace; on Debian: apt install util-linux")
    with TemporaryDirectory(prefix="tk-") as made:
        container = Container(Path(made))
        with container.command:
            container.command.wait_for("2 tasks")
            yield container


def test_the_commands_of_the_container_do_what_the_page_says(container: Container) -> None:
    eventually(lambda: list(container.folder.glob("taskkit/*.sock")))
    assert container.run(*instruction("HEALTHCHECK")).returncode == 0
    commands = re.findall(r"^docker exec shop taskkit (.*)$", block("sh"), re.MULTILINE)
    assert commands == ["ps", "trigger tasks backup"]
    listed = container.run("ps")
    assert listed.returncode == 0
    assert container.name in listed.stdout
    assert container.run("trigger", "tasks", "backup").stdout == "saved\n"

    assert container.run("trigger", "--no-wait", "tasks", "slow").returncode == 0
    container.command.wait_for("begun")
    os.kill(container.first, signal.SIGTERM)  # as `docker stop` does
    assert container.command.end() == 0
    assert any("ended by itself" in line for line in container.command.output)
    assert container.run(*instruction("HEALTHCHECK"), inside=False).returncode == 1


@pytest.mark.parametrize("broken", [False, True])
def test_the_reload_of_the_unit_checks_the_file_first(tmp_path: Path, broken: bool) -> None:
    (tmp_path / "tasks.toml").write_text("[tasks.x]" if broken else TASKS)
    check, hangup = re.findall("^ExecReload=(.*)$", UNIT, re.MULTILINE)
    words = check.replace("/etc/shop/tasks.toml", "tasks.toml").split()
    assert words[0] == "/opt/shop/venv/bin/taskkit"
    done = subprocess.run(
        [sys.executable, "-m", "taskkit", *words[1:]],
        cwd=tmp_path,
        env=surroundings(tmp_path),
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == (1 if broken else 0)
    assert hangup == "/bin/kill -HUP $MAINPID"
