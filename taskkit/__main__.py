"""`python -m taskkit` is the command `taskkit`."""

import sys

from taskkit.cli import main

if __name__ == "__main__":
    sys.exit(main())
