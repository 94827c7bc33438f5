"""`python -m taskkit.webware program.py …` runs a TaskKit program on this library, without a changed line."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from runpy import run_path

from taskkit.webware.installing import install


def main() -> None:
    """Run the program that the command line names, as Python itself would."""
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit("usage: python -m taskkit.webware program.py [argument …]")
    install()
    del sys.argv[0]
    sys.path[0] = str(Path(sys.argv[0]).resolve().parent)
    try:
        run_path(sys.argv[0], run_name="__main__")
    finally:
        _wait_for_threads()


def _wait_for_threads() -> None:
    """Wait, as Python itself would, but before it: Python 3.12.0 to 3.12.2 start no thread any more then."""
    main_thread = threading.main_thread()
    while others := [each for each in threading.enumerate() if not each.daemon and each is not main_thread]:
        others[0].join()


if __name__ == "__main__":
    main()
