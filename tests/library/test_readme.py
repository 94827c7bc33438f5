"""The README is true: its Python runs, its commands exist, and its links lead somewhere."""

import re
import runpy
import subprocess
import sys
import tomllib
from pathlib import Path
from time import monotonic, sleep

import pytest

from taskkit import Scheduler
from taskkit.testing import InlineExecutor, ManualClock

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The README's code blocks in this language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


FIRST_TASK, PROGRAM, PAGER, OWN_TEST = blocks("python")
COMMANDS = re.findall(r"^\$ ([^#\n]+)", "\n".join(blocks("console")), re.MULTILINE)


def saved(snippet: str, path: Path) -> str:
    path.write_text(snippet, encoding="utf-8")
    return str(path)


def test_the_first_task_of_ones_own_greets(tmp_path: Path) -> None:
    with runpy.run_path(saved(FIRST_TASK, tmp_path / "my_tasks.py"))["scheduler"] as scheduler:
        greeting = scheduler.handle("greeting")
        deadline = monotonic() + 10
        while greeting.last_outcome is None and monotonic() < deadline:
            sleep(0.01)

        assert greeting.last_outcome.output == ("Hello from greeting",)
        assert list(scheduler.on_demand) == ["on request"]


def test_the_program_without_a_screen_prints_what_its_comment_says(tmp_path: Path) -> None:
    path = saved(PROGRAM, tmp_path / "program.py")

    done = subprocess.run(
        [sys.executable, "-W", "error", path], capture_output=True, text=True, timeout=30, check=False
    )

    assert (done.stdout, done.stderr) == ("tidy\n", "")


def test_the_pager_is_called_as_its_comment_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = runpy.run_path(saved(PAGER, tmp_path / "pager.py"))
    handle = names["scheduler"].handle("prices")
    clock = ManualClock()
    with Scheduler(
        clock=clock, executor=InlineExecutor(), capture=False, on_error=names["page"]
    ) as scheduler:
        scheduler.add_periodic_task(None, 3600, handle.task, "prices", retries=handle.policies.retries)
        clock.advance(60)

    assert capsys.readouterr().out == "prices failed: ConnectionError: nobody answers\n"
    assert "# after two more tries: prices failed: ConnectionError: nobody answers\n" in PAGER


def test_the_test_of_ones_own_schedule_passes(tmp_path: Path) -> None:
    names = runpy.run_path(saved(OWN_TEST, tmp_path / "test_mine.py"))

    names["test_the_report_is_sent_every_night"]()


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_is_one_that_the_project_has(command: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]

    program, argument = command.split()[:2]

    assert program in scripts or (program == "make" and f"\n{argument}:" in makefile)


@pytest.mark.parametrize("link", re.findall(r"\]\((?!https?:)([^)]+)\)", README))
def test_each_link_into_the_project_leads_somewhere(link: str) -> None:
    assert (ROOT / link).exists()


def test_the_runtime_dependencies_are_all_given_a_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    section = README.partition("## What it depends on")[2].partition("\n## ")[0].lower()

    for requirement in [*project["dependencies"], *project["optional-dependencies"]["cron"]]:
        assert f"[{re.split('[<>=]', requirement)[0]}]" in section
