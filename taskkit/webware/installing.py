"""Make `import TaskKit` find this package, whether Webware is installed or not."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Final

from taskkit.errors import TaskkitError
from taskkit.webware import handler, scheduler, task

_MODULES: Final = {
    "Scheduler": scheduler,
    "Task": task,
    "TaskHandler": handler,
}

_PACKAGES: Final = ("TaskKit", "webware.TaskKit")
"""The names by which programs import it."""


class _TaskKit(ModuleType):
    """The package `TaskKit`. Webware's own is still searched for its other modules."""

    def __init__(self, replaced: ModuleType | None) -> None:
        super().__init__("TaskKit", "TaskKit, as taskkit.webware provides it.")
        self.replaced = replaced
        """The module that was imported under this name before."""
        self.__path__ = _folders()
        self.installInWebware = _install_in_webware
        vars(self).update(_MODULES)


def install() -> None:
    """Replace `TaskKit.Scheduler`, `TaskKit.Task` and `TaskKit.TaskHandler` by those of this package.

    Call it before anything imports `TaskKit`. A second call does nothing.

    Raises:
        TaskkitError: Webware's own TaskKit was imported before, and would stay in use where it was.
    """
    for name in _replaced():
        module = sys.modules.get(name)
        if module is not None and module not in _MODULES.values():
            raise TaskkitError(f"{name} was imported before taskkit.webware.install(), which must come first")
    found = sys.modules.get("TaskKit")
    if not isinstance(found, _TaskKit):
        sys.modules["TaskKit"] = _TaskKit(found)
    for package in _PACKAGES:
        for name, module in _MODULES.items():
            sys.modules[f"{package}.{name}"] = module


def uninstall() -> None:
    """Undo `install()`, for tests. Names that were imported meanwhile keep their objects."""
    for name in _replaced():
        if sys.modules.get(name) in _MODULES.values():
            del sys.modules[name]
    found = sys.modules.get("TaskKit")
    if isinstance(found, _TaskKit):
        del sys.modules["TaskKit"]
        if found.replaced is not None:
            sys.modules["TaskKit"] = found.replaced


def _replaced() -> list[str]:
    return [f"{package}.{name}" for package in _PACKAGES for name in _MODULES]


def _folders() -> list[str]:
    """Return the folders in which Webware's `TaskKit` lies, for its other modules."""
    places = list(sys.path)
    try:
        webware = find_spec("webware")
    except (ImportError, ValueError):
        webware = None
    if webware is not None:
        places += webware.submodule_search_locations or []
    folders = [Path(place, "TaskKit") for place in places]
    return [str(folder) for folder in folders if (folder / "__init__.py").is_file()]


def _install_in_webware(application: object) -> None:
    """Do nothing: Webware calls this, and everything is done already."""
