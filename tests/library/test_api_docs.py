"""The page of public names lists what `from taskkit import …` offers, and nothing else."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import taskkit

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
FIRST_CELLS = re.findall(r"^\| `([\w.]+)` \|", PAGE, re.MULTILINE)


def test_the_page_lists_every_public_name_once() -> None:
    names = [name for name in FIRST_CELLS if "." not in name]

    assert sorted(names) == sorted(taskkit.__all__)


def test_the_modules_that_it_names_are_there() -> None:
    modules = [name for name in FIRST_CELLS if "." in name]

    assert modules
    for name in modules:
        importlib.import_module(name)


def test_the_row_of_a_module_has_all_its_public_names() -> None:
    rows = dict(re.findall(r"^\| `(taskkit\.\w+)` \|(.*)\|$", PAGE, re.MULTILINE))
    public = {name: getattr(importlib.import_module(name), "__all__", ()) for name in rows}

    missing = [
        f"{module}.{name}"
        for module, names in public.items()
        for name in names
        if re.search(rf"`{name}\b", rows[module]) is None
    ]
    assert any(public.values())
    assert missing == []


def test_every_public_name_has_a_docstring_of_its_own() -> None:
    documented = [getattr(taskkit, name) for name in taskkit.__all__ if name != "TaskLike"]

    assert [each for each in documented if not each.__doc__] == []
