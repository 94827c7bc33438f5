"""Tasks and parameters as bytes for another process, with errors that say what cannot be sent and why.

A task that was made from a recipe, as each one of a task file, is made again from it. Any other is pickled:
its functions and classes by name, its attributes as they are now.
"""

from __future__ import annotations

import importlib
import io
import pickle
import sys
from collections.abc import Mapping
from pathlib import Path
from types import FunctionType
from typing import Any, Final

from taskkit._helpers.user_frames import error_words
from taskkit.engine.summaries import body_in_words
from taskkit.spec import Recipe

_importable: Final = {"taskkit"}
"""Packages that other processes can import as well."""

_MAIN_REMEDY: Final = "move it to a module of its own, and import it from there"


def pack_task(task: object, recipe: Recipe | None) -> bytes:
    """Return a task as bytes.

    Raises:
        TypeError: It cannot be sent; the message says what, why, and the remedy.
    """
    if recipe is not None:
        return pickle.dumps((recipe.path, _dump("the arguments of the task", dict(recipe.arguments))))
    return pickle.dumps((None, _dump(f"task {body_in_words(task)}", task)))


def unpack_task(data: bytes) -> object:
    """Return the task that `pack_task` packed. Raises whatever importing or making it raises."""
    path, rest = pickle.loads(data)
    return pickle.loads(rest) if path is None else Recipe(path, pickle.loads(rest)).make()


def check_recipe(recipe: Recipe) -> None:
    """Raise unless another process can make a task from the recipe.

    Raises:
        TypeError: It cannot; the message says what, why, and the remedy.
    """
    module = recipe.path.partition(":")[0]
    if module == "__main__":
        raise TypeError(f"task must not be in __main__, as {recipe.path} is: {_MAIN_REMEDY}")
    if (problem := _import_problem(module)) is not None:
        raise TypeError(f"task must be importable by another process, and {recipe.path} is not: {problem}")
    pack_task(None, recipe)


def check_task(task: object) -> None:
    """Raise unless the task can be sent to another process, and made there.

    Raises:
        TypeError: It cannot; the message says what, why, and the remedy.
    """
    data = pack_task(task, None)
    try:
        unpack_task(data)
    except Exception as error:
        words = f"task {body_in_words(task)} must be made again in another process"
        raise TypeError(f"{words}, where it raises {error_words(error)}") from error


def pack_parameters(parameters: Mapping[str, object]) -> bytes:
    """Return the parameters of a run as bytes.

    Raises:
        TypeError: A value cannot be sent; the message names its parameter.
    """
    return pickle.dumps({name: _dump(f"parameter {name!r}", value) for name, value in parameters.items()})


def unpack(data: bytes) -> dict[str, Any]:
    """Return the parameters that `pack_parameters` packed. Raises whatever making them raises."""
    return {name: pickle.loads(value) for name, value in pickle.loads(data).items()}


def _dump(what: str, value: object) -> bytes:
    buffer = io.BytesIO()
    pickler = _Pickler(buffer, what)
    try:
        pickler.dump(value)
    except _CannotBeSentError as error:
        raise TypeError(str(error)) from None
    except Exception as error:
        raise TypeError(
            f"{what} cannot be sent to another process: {error_words(error)}; "
            "what cannot be pickled, such as a lock or a connection, must be made in run()"
        ) from error
    return buffer.getvalue()


class _CannotBeSentError(Exception):
    pass


class _Pickler(pickle.Pickler):
    """Pickles by reference what another process can import, and says in words what it cannot."""

    def __init__(self, buffer: io.BytesIO, what: str) -> None:
        super().__init__(buffer, pickle.HIGHEST_PROTOCOL)
        self._what = what

    def reducer_override(self, thing: object) -> Any:
        """Check a function or a class; everything else is pickled as usual."""
        if isinstance(thing, FunctionType | type):
            module, name = thing.__module__, thing.__qualname__
            if module == "__main__":
                raise _CannotBeSentError(
                    f"{self._what} must not be in __main__, which no other process imports, as {name!r} is: "
                    f"{_MAIN_REMEDY}"
                )
            if "<lambda>" in name or "<locals>" in name:
                raise _CannotBeSentError(
                    f"{self._what} must be importable by another process, and {name!r} is not: "
                    f"define it with a name at the top level of {module}"
                )
            if (problem := _import_problem(module)) is not None:
                raise _CannotBeSentError(
                    f"{self._what} must be importable by another process, and {module}.{name} is not: "
                    f"{problem}"
                )
        return NotImplemented


def _import_problem(module: str) -> str | None:
    """Return why another process cannot import what is `module` here; `None` if it can."""
    root = module.partition(".")[0]
    if root in sys.stdlib_module_names or root in _importable:
        return None
    importlib.invalidate_caches()
    for finder in sys.meta_path:
        spec = finder.find_spec(root, None)
        if spec is not None:
            break
    else:
        return f"there is no module {root!r} on sys.path"
    here = getattr(sys.modules.get(root), "__file__", None)
    if here is not None and spec.origin is not None and not _is_same(here, spec.origin):
        return f"{root!r} is {spec.origin} there, and {here} here"
    _importable.add(root)
    return None


def _is_same(one: str, other: str) -> bool:
    try:
        return Path(one).samefile(other)
    except OSError:
        return one == other
