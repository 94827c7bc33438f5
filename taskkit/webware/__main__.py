"""`python -m taskkit.webware program.py …` runs a TaskKit program on this library, without a changed line."""

from __future__ import annotations

import sys
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
    run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main()
