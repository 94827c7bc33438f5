"""`python -m taskkit.webware program.py …` runs a TaskKit program on this library, without a changed line."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from runpy import run_path
from typing import Final

from taskkit.webware.installing import install

_USAGE: Final = "usage: python -m taskkit.webware program.py [argument …]"
_USAGE_ERROR: Final = 2


def main() -> int:
    """Run the program that the command line names, as Python itself would. Returns the exit status."""
    program = sys.argv[1] if len(sys.argv) > 1 else "-"
    if program.startswith("-"):
        print(_USAGE, file=sys.stderr)
        return _USAGE_ERROR
    if not Path(program).exists():
        print(f"python -m taskkit.webware: there is no file {program!r}", file=sys.stderr)
        return _USAGE_ERROR
    del sys.argv[0]
    sys.path[0] = str(Path(program).resolve().parent)
    install()
    try:
        run_path(program, run_name="__main__")
    finally:
        _wait_for_threads()
    return 0


def _wait_for_threads() -> None:
    """Wait, as Python itself would, but before it: Python 3.12.0 to 3.12.2 start no thread any more then."""
    main_thread = threading.main_thread()
    while others := [each for each in threading.enumerate() if not each.daemon and each is not main_thread]:
        others[0].join()


if __name__ == "__main__":
    sys.exit(main())
