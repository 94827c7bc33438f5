"""An exception of a user's code in words, with the file and the line to look at."""

from __future__ import annotations

import os
import sysconfig
from collections.abc import Iterator
from functools import lru_cache
from types import TracebackType
from typing import Final

_HERE: Final = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120 - texts, as in tracebacks


def error_words(error: BaseException) -> str:
    """Return an exception in one line: `ValueError: no luck`; its type alone if it has no words, or fails."""
    try:
        text = str(error.msg if isinstance(error, SyntaxError) else error)
    except Exception:  # noqa: BLE001 - the words of a user's class
        text = ""
    words = " ".join(text.split())
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


def raised_at(error: BaseException) -> str | None:
    """Return `file.py:12`, the innermost line of the user's own code that `error` passed through.

    Skips the code of taskkit, of Python and of installed packages; if there is nothing else, an installed
    package counts. `None` if there is nothing. The path is relative for a file below the current folder.
    """
    if isinstance(error, SyntaxError) and error.filename and os.path.isfile(error.filename):  # noqa: PTH113
        return f"{_short(error.filename)}:{error.lineno or 1}"
    installed = None
    own = None
    for file, line in _lines(error.__traceback__):
        if file.startswith(("<", _HERE + os.sep, _HERE + "_tui" + os.sep)):
            continue
        if not file.startswith(_installed()):
            own = file, line
        elif installed is None and any(file.startswith(each) for each in _packages()):
            installed = file, line
    found = own or installed
    return None if found is None else f"{_short(found[0])}:{found[1]}"


def _lines(traceback: TracebackType | None) -> Iterator[tuple[str, int]]:
    while traceback is not None:
        yield traceback.tb_frame.f_code.co_filename, traceback.tb_lineno
        traceback = traceback.tb_next


@lru_cache(maxsize=1)
def _packages() -> tuple[str, ...]:
    return tuple(sysconfig.get_path(name) + os.sep for name in ("purelib", "platlib"))


@lru_cache(maxsize=1)
def _installed() -> tuple[str, ...]:
    return (*_packages(), *(sysconfig.get_path(name) + os.sep for name in ("stdlib", "platstdlib")))


def _short(file: str) -> str:
    try:
        here = os.getcwd() + os.sep  # noqa: PTH109 - a text
    except OSError:
        return file
    return file.removeprefix(here)
