"""`python -m taskkit_tui` is the command `taskkit-tui`."""

import sys

from taskkit_tui.cli import main

if __name__ == "__main__":
    sys.exit(main())
