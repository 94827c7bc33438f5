"""The path of the state of a target: the default one, or the one that a person typed."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from shlex import quote
from typing import Final

from taskkit.private_files import make_private_folder, tighten
from taskkit.targets.target import TargetError, is_task_file
from taskkit.words.plain_text import harmless

_LONGEST_NAME: Final = 60
_NO_FILE_NAME: Final = re.compile(r"[^A-Za-z0-9._-]+")


def state_path(text: str) -> Path:
    """Return the default path for the state of a target. Its folder need not exist.

    For `tasks.toml` in `~/shop` it is `~/.local/state/taskkit/shop-tasks-….sqlite`. The folder is
    `$XDG_STATE_HOME` or `~/.local/state`, on macOS `~/Library/Application Support`. The file has a name of
    its own for each task file, or each target and current folder. Symbolic links are not resolved: the path
    of the task file counts as given, and the current folder as the shell shows it. So a link that is switched
    to a new release keeps its state.

    Raises:
        TargetError: There is no home folder.
    """
    return _state_path_of(text, absolute_as_given)


def other_state_path(text: str) -> Path | None:
    """Return the state of the path with its links resolved, if it exists and that of the given path does not.

    Raises:
        TargetError: There is no home folder.
    """
    given, resolved = state_path(text), _state_path_of(text, os.path.realpath)
    return resolved if resolved != given and resolved.is_file() and not given.exists() else None


def named_state_path(path: Path) -> Path:
    """Return the path of a state that a person typed, if its folder exists: a typing error makes no folders.

    Raises:
        TargetError: The folder does not exist.
    """
    folder = Path(os.path.realpath(path)).parent
    if not os.path.lexists(folder):  # raises nothing; opening the file reports other errors
        shown = harmless(str(folder))
        raise TargetError(
            f"cannot open {harmless(str(path))}: there is no folder {shown};"
            f" to create it: mkdir -p {quote(shown)}"
        )
    return path


def _state_path_of(text: str, absolute: Callable[[str], str]) -> Path:
    import hashlib  # it loads a library that nothing else needs

    if is_task_file(text):
        meant = absolute(text)
        name = f"{Path(meant).parent.name}-{Path(meant).stem}"
    else:
        meant = f"{absolute('.')}\n{text}"
        name = text
    readable = _NO_FILE_NAME.sub("-", name).strip("-.")[:_LONGEST_NAME] or "tasks"
    digest = hashlib.sha256(meant.encode(errors="surrogateescape")).hexdigest()[:12]
    return _state_folder() / "taskkit" / f"{readable}-{digest}.sqlite"


def absolute_as_given(path: str) -> str:
    """Make a path absolute. Only links before a `..` are resolved, as the kernel does."""
    found = Path("/")
    for part in (Path(path) if path.startswith("/") else _current_folder() / path).parts[1:]:
        if part != "..":
            found /= part
        else:
            found = Path(os.path.realpath(found) if found.is_symlink() else found).parent
    return str(found)


def _current_folder() -> Path:
    """Return the current folder by the name that the shell shows, or else by its real one."""
    own = Path.cwd()
    shown = os.environ.get("PWD", "")
    if not shown.startswith("/") or ".." in Path(shown).parts:
        return own
    try:
        return Path(shown) if own.samefile(shown) else own
    except OSError:  # a folder that is gone
        return own


def usable_state_path(text: str) -> Path:
    """Return `state_path(text)` after making its folder, for this user alone.

    Raises:
        TargetError: The folder cannot be made or written to; the message says why.
    """
    path = state_path(text)
    try:
        make_private_folder(path.parent)
    except OSError as error:
        raise TargetError(f"cannot make {harmless(str(path.parent))}: {error.strerror}") from error
    tighten(path.parent)
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise TargetError(f"cannot write in {harmless(str(path.parent))}")
    return path


def _state_folder() -> Path:
    given = os.environ.get("XDG_STATE_HOME", "")
    if given and Path(given).is_absolute():  # the standard says to ignore any other
        return Path(given)
    try:
        home = Path.home()
    except RuntimeError:
        raise TargetError("there is no home folder to keep the state in") from None
    return home / "Library" / "Application Support" if sys.platform == "darwin" else home / ".local" / "state"
