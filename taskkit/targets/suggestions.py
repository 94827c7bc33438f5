"""Suggestions for a mistyped target. Modules are read, not imported."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from difflib import get_close_matches
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Final, NamedTuple

_MOST_BYTES: Final = 1024 * 1024
_MAKERS: Final = ("make", "create", "build", "scheduler")


class Meant(NamedTuple):
    """A target in an existing module."""

    module: str
    """The name to import."""
    attribute: str | None
    """The attribute that gives a scheduler; `None` if none is found in the source."""
    folder: str | None = None
    """The folder from which it can be imported, if that is not the current one."""


def target_meant(text: str) -> Meant | None:
    """Return the target that a text may mean: the path of a module, a misspelt one, one without a colon.

    The module is looked up in the current folder, and then on Python's path. Its source is read, not run.
    `None` if there is no similar one.
    """
    path, _, attribute = text.partition(":")
    attribute = attribute.strip(": ")
    folder, parts = _parts(path)
    if not all(part.isidentifier() for part in parts):
        return None
    found = _found(parts, folder)
    if found is None and len(parts) > 1 and not attribute:
        found, attribute = _found(parts[:-1], folder), parts[-1]
    if found is None:
        return None
    module, file = found
    meant = _attribute_meant(file, attribute)
    if meant is None and file.is_absolute() and folder is None:
        return None  # some module that is installed, and has nothing to do with schedules
    return Meant(module, meant, folder)


def _parts(path: str) -> tuple[str | None, list[str]]:
    """Return the folder from which a module can be imported, `None` for the current one, and its name."""
    if "/" not in path:
        return None, path.removesuffix(".py").strip(".").split(".")
    place = os.path.normpath(path.removesuffix(".py"))
    place = place.removeprefix(os.getcwd() + os.sep)  # noqa: PTH109 - a text
    folder, name = os.path.split(place)
    parts = [name]
    # Go to the folder above the packages: modules there import each other by their own names.
    while folder and os.path.isfile(os.path.join(folder, "__init__.py")):  # noqa: PTH113, PTH118 - as above
        folder, name = os.path.split(folder)
        parts.insert(0, name)
    return folder or None, parts


def _found(parts: list[str], folder: str | None) -> tuple[str, Path] | None:
    """Return a module of that name, or else of a similar one, and its file."""
    above = Path(folder or ".", *parts[:-1])
    for name in (parts[-1], *get_close_matches(parts[-1], _modules(above), 1)):
        file = _file(above / name)
        if file is not None:
            return ".".join((*parts[:-1], name)), file
    if folder is not None:
        return None
    try:
        spec = PathFinder.find_spec(parts[0])
    except (ImportError, ValueError):
        return None
    if spec is None or spec.origin is None:
        return None
    origin = Path(spec.origin)
    file = origin if len(parts) == 1 else _file(origin.parent.joinpath(*parts[1:]))
    return None if file is None or file.suffix != ".py" else (".".join(parts), file)


def _file(path: Path) -> Path | None:
    candidates = (path.with_name(f"{path.name}.py"), path / "__init__.py")
    return next((each for each in candidates if os.path.isfile(each)), None)  # noqa: PTH113 - raises nothing


def _modules(folder: Path) -> list[str]:
    try:
        there = sorted(folder.iterdir())
    except OSError:
        return []
    return [each.stem for each in there if each.suffix == ".py" or os.path.isfile(each / "__init__.py")]  # noqa: PTH113


def _attribute_meant(file: Path, given: str) -> str | None:
    names, makers = _read(file)
    if given.partition(".")[0] in names:
        return given
    near = get_close_matches(given, makers, 1)
    return near[0] if near else makers[0] if makers else given or None


def _read(file: Path) -> tuple[set[str], list[str]]:
    """Return the names in a module, and those that seem to give a scheduler, the likeliest first."""
    try:
        with file.open("rb") as opened:
            body = ast.parse(opened.read(_MOST_BYTES)).body
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return set(), []
    names: set[str] = set()
    made: list[str] = []
    likely: list[str] = []
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
            if isinstance(node, ast.FunctionDef) and _may_make_one(node):
                likely.append(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            assigned = set(_assigned(node))
            names |= assigned
            if isinstance(node.value, ast.Call) and _last_word(node.value.func).endswith("Scheduler"):
                made += sorted(assigned)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {each.asname or each.name for each in node.names}
    return names, made + likely


def _assigned(node: ast.Assign | ast.AnnAssign) -> Iterator[str]:
    for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
        if isinstance(target, ast.Name):
            yield target.id


def _may_make_one(node: ast.FunctionDef) -> bool:
    given = node.args
    if len(given.posonlyargs + given.args) > len(given.defaults) or None in given.kw_defaults:
        return False
    if node.returns is not None:
        return "Scheduler" in ast.unparse(node.returns)
    return any(word in node.name.lower() for word in _MAKERS)


def _last_word(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
