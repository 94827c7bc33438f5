"""The command `python -m taskkit.webware program.py …` runs an unchanged TaskKit program on this library."""

from __future__ import annotations

import os
import stat
import sys
import threading
from pathlib import Path
from runpy import run_path
from typing import Final

from taskkit.webware.installing import install

_USAGE: Final = "usage: python -m taskkit.webware program.py [argument …]"
_USAGE_ERROR: Final = 2


def main() -> int:
    """Run the program named on the command line, as Python itself would. Returns the exit status."""
    program = sys.argv[1] if len(sys.argv) > 1 else "-"
    if not program or program.startswith("-"):
        print(_USAGE, file=sys.stderr)
        return _USAGE_ERROR
    why_not = _why_not(program)
    if why_not is not None:
        print(f"python -m taskkit.webware: {why_not}", file=sys.stderr)
        return _USAGE_ERROR
    del sys.argv[0]
    sys.path[0] = str(Path(program).resolve().parent)
    install()
    try:
        run_path(program, run_name="__main__")
    finally:
        _wait_for_threads()
    return 0


def _why_not(program: str) -> str | None:
    """Return why the program cannot be run, as far as that is clear before it is read; `None` if it may."""
    try:
        is_folder = stat.S_ISDIR(Path(program).stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return f"there is no file {program!r}"
    except OSError as error:
        return f"cannot read {program!r}: {error.strerror}"
    path = os.path.join(program, "__main__.py") if is_folder else program  # noqa: PTH118 - a text
    if is_folder and not os.path.isfile(path):  # noqa: PTH113 - which raises nothing
        return f"{program!r} is a folder, and has no __main__.py"
    return None if os.access(path, os.R_OK) else f"cannot read {path!r}: Permission denied"


def _wait_for_threads() -> None:
    """Wait for all threads, as Python does at exit, but earlier.

    While Python 3.12.0 to 3.12.2 wait at exit, they can start no thread, and so no task.
    """
    main_thread = threading.main_thread()
    while others := [each for each in threading.enumerate() if not each.daemon and each is not main_thread]:
        others[0].join()


if __name__ == "__main__":
    sys.exit(main())
