"""The README and docs/ are true: their Python runs, their commands exist, their links lead somewhere."""

import re
import runpy
import subprocess
import sys
import tomllib
from datetime import datetime
from pathlib import Path
from time import monotonic, sleep
from zoneinfo import ZoneInfo

import pytest

from taskkit import Scheduler
from taskkit.testing import InlineExecutor, ManualClock

ROOT = Path(__file__).parents[2]
PAGES = {
    str(path.relative_to(ROOT)): path for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
}
TEXTS = {name: path.read_text(encoding="utf-8") for name, path in PAGES.items()}
README = TEXTS["README.md"]


def blocks(page: str, language: str) -> list[str]:
    """Return the code blocks of a page in this language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXTS[page], re.DOTALL | re.MULTILINE)


EXAMPLES = [
    pytest.param(page, example, id=f"{page}-{number}")
    for page in PAGES
    for number, example in enumerate(blocks(page, "python"), 1)
]
COMMANDS = sorted(
    {
        command.strip()
        for page in PAGES
        for block in blocks(page, "console")
        for command in re.findall(r"^\$ ([^#\n]+)", block, re.MULTILINE)
    }
)
LINKS = [
    pytest.param(page, link, id=f"{page}-{link}")
    for page, text in TEXTS.items()
    for link in sorted(set(re.findall(r"\]\((?!https?:)([^)]+)\)", text)))
]
(FIRST_TASK,) = blocks("README.md", "python")
SAME_TASK, PROGRAM = blocks("docs/first-task.md", "python")
PAGER, JOINED, IN_A_WINDOW = blocks("docs/policies.md", "python")
(OWN_TEST,) = blocks("docs/testing.md", "python")
(THREAD,) = blocks("docs/output.md", "python")


def saved(snippet: str, path: Path) -> str:
    path.write_text(snippet, encoding="utf-8")
    return str(path)


def headings(text: str) -> set[str]:
    """Return the anchors that GitHub makes of the headings of a page."""
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize(("page", "example"), EXAMPLES)
def test_each_example_runs_without_an_error(page: str, example: str, tmp_path: Path) -> None:
    """In a folder with the file of tasks that the page shows, and the module that this file names."""
    for file in blocks(page, "toml")[:1]:
        saved(file, tmp_path / "tasks.toml")
    (tmp_path / "jobs").mkdir()
    saved("def Tidy(folder, keep): pass\n", tmp_path / "jobs" / "tidying.py")

    done = subprocess.run(
        [sys.executable, "-W", "error", saved(example, tmp_path / "example.py")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_the_first_task_greets(tmp_path: Path) -> None:
    with runpy.run_path(saved(FIRST_TASK, tmp_path / "my_tasks.py"))["scheduler"] as scheduler:
        greeting = scheduler.handle("greeting")
        deadline = monotonic() + 10
        while greeting.last_outcome is None and monotonic() < deadline:
            sleep(0.01)

        assert greeting.last_outcome.output == ("Hello from greeting",)
        assert list(scheduler.on_demand) == ["on request"]
    assert SAME_TASK == FIRST_TASK


def test_the_program_without_a_screen_prints_what_its_comment_promises(tmp_path: Path) -> None:
    path = saved(PROGRAM, tmp_path / "program.py")

    done = subprocess.run(
        [sys.executable, "-W", "error", path], capture_output=True, text=True, timeout=30, check=False
    )

    assert (done.stdout, done.stderr) == ("tidy\n", "")


def test_the_pager_is_called_as_its_comment_promises(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = runpy.run_path(saved(PAGER, tmp_path / "pager.py"))
    handle = names["scheduler"].handle("prices")
    clock = ManualClock()
    with Scheduler(
        clock=clock, executor=InlineExecutor(), capture=False, on_error=names["page"]
    ) as scheduler:
        scheduler.add_periodic_task(None, 3600, handle.task, "prices", retries=handle.policies.retries)
        clock.advance(60)

    assert capsys.readouterr().out == "prices failed: ConnectionError: no answer\n"
    assert "# after two more tries: prices failed: ConnectionError: no answer\n" in PAGER


def test_the_example_that_joins_ends_after_its_task(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runpy.run_path(saved(JOINED, tmp_path / "joined.py"))

    assert capsys.readouterr().out == "done\n"


def test_the_example_with_a_window_runs_in_it(tmp_path: Path) -> None:
    names = runpy.run_path(saved(IN_A_WINDOW, tmp_path / "polled.py"))

    handle = names["scheduler"].handle("poll")
    assert handle.policies.window == "mon-fri 09:00-17:00"
    assert 9 <= datetime.fromtimestamp(handle.next_run, ZoneInfo("Europe/Berlin")).hour < 17


def test_the_example_of_a_test_passes(tmp_path: Path) -> None:
    names = runpy.run_path(saved(OWN_TEST, tmp_path / "test_mine.py"))

    names["test_the_report_is_sent_every_night"]()


def test_a_thread_that_is_started_in_the_context_of_a_run_belongs_to_it(tmp_path: Path) -> None:
    task = runpy.run_path(saved(THREAD, tmp_path / "threads.py"))["TwoAtOnce"]()
    with Scheduler(clock=ManualClock(), executor=InlineExecutor()) as scheduler:
        handle = scheduler.add_on_demand_task(task, "two")
        handle.demand()

        assert handle.last_outcome.output == ("from a thread of the run",)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_exists(command: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]

    program, *arguments = command.split()

    assert program in {*scripts, "python"} or (program == "make" and f"\n{arguments[0]}:" in makefile)


@pytest.mark.parametrize(("page", "link"), LINKS)
def test_each_link_into_the_project_leads_somewhere(page: str, link: str) -> None:
    path, _, heading = link.partition("#")
    target = (PAGES[page].parent / path).resolve() if path else PAGES[page]

    assert target.exists()
    assert not heading or heading in headings(target.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", [name for name in PAGES if not name.endswith("README.md")])
def test_the_index_of_the_documentation_names_every_page(page: str) -> None:
    name = Path(page).name

    assert f"({name})" in TEXTS["docs/README.md"], (
        f"give {page} a row in docs/README.md: which question it answers"
    )


def test_every_runtime_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    section = README.partition("## What it depends on")[2].partition("\n## ")[0].lower()

    for requirement in [*project["dependencies"], *project["optional-dependencies"]["cron"]]:
        assert f"[{re.split('[<>=]', requirement)[0]}]" in section
