"""Imports of Webware's `TaskKit` in a target, answered with `taskkit.webware`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.abc import Loader
else:
    Loader = object  # importing that module takes longer than all other imports here


@contextmanager
def webware_imports() -> Iterator[None]:
    """Answer `import TaskKit` with `taskkit.webware` within the context, even if Webware is installed.

    The first such import calls `taskkit.webware.install()`, whose effect stays.
    """
    finder = _Finder()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


class _Finder:
    def find_spec(  # its other arguments are those of every finder
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        if fullname != "TaskKit" and not fullname.startswith("webware.TaskKit."):
            return None
        from taskkit.webware import install  # most programs do without

        install()
        made = sys.modules.get(fullname)
        return None if made is None else ModuleSpec(fullname, _LoadedModuleLoader(made))


class _LoadedModuleLoader(Loader):
    """A loader for a module that is loaded already."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module
        self._spec = module.__spec__

    def create_module(self, spec: ModuleSpec) -> ModuleType:  # noqa: ARG002 - as above
        return self._module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._spec  # the import has replaced it
