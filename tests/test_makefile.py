"""`make run` reports at once that a Python cannot be used, and installs only what it needs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def made(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(  # not as a part of the make that runs the tests
        ["make", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def old_python(folder: Path) -> str:
    """Return the path of an interpreter that pretends to be Python 3.10."""
    path = folder / "old-python"
    path.write_text(
        "#!/bin/sh\n"
        f"exec {sys.executable} -c 'import sys; sys.version_info = (3, 10, 4); exec(sys.argv[1])' \"$2\"\n"
    )
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize("target", ["run", "test"])
def test_a_python_that_is_too_old_is_reported_before_anything_is_installed(
    target: str, tmp_path: Path
) -> None:
    python = old_python(tmp_path)
    done = made(tmp_path, target, f"PYTHON={python}")

    assert done.returncode != 0
    assert f"{python} is Python 3.10.4, and taskkit needs 3.11 or newer" in done.stderr
    assert "make run PYTHON=python3.12" in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_a_python_that_does_not_exist_is_reported(tmp_path: Path) -> None:
    done = made(tmp_path, "run", "PYTHON=no-such-python")

    assert done.returncode != 0
    assert "there is no no-such-python; name another: make run PYTHON=python3.12" in done.stdout
    assert not (tmp_path / ".venv").exists()


def test_make_run_installs_no_development_tools_and_lets_pip_report_its_progress(tmp_path: Path) -> None:
    planned = made(tmp_path, "--dry-run", "run").stdout

    assert " --editable .\n" in planned
    assert "[dev" not in planned
    assert "--quiet" not in planned
    assert '--editable ".[dev]"' in made(tmp_path, "--dry-run", "test").stdout


def test_what_make_test_installs_is_enough_for_make_run(tmp_path: Path) -> None:
    assert "touch .venv/.installed .venv/.installed-run" in made(tmp_path, "-n", "-B", "test").stdout
