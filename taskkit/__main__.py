"""Runs the command `taskkit` for `python -m taskkit`."""

import sys

from taskkit.cli import main

if __name__ == "__main__":
    sys.exit(main())
