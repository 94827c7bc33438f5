"""Print the figures of the executors, beside the bare way to do the same.

Each figure is the median of some rounds, which take turns with the bare way, in one process. Times are of the
process's CPU where nothing waits, so that a busy machine spoils them little. Read the ratios.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from importlib import import_module

GROUPS = ("loop", "process", "dask")
"""The modules beside this one; each has `figures()`, which yields rows."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.executors", description=__doc__)
    parser.add_argument(
        "--only", action="append", choices=GROUPS, help="one group; may be given several times"
    )
    options = parser.parse_args()
    _say(f"Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    for name in options.only or GROUPS:
        _say(f"\n## {name}\n\n| what | taskkit | bare | goal |\n|---|---|---|---|")
        try:
            group = import_module(f"benchmarks.executors.{name}")
        except ImportError as error:
            _say(f"\nnot measured: {error}")
            continue
        for row in group.figures():
            _say("| " + " | ".join(row) + " |")


def _say(text: str) -> None:
    print(text)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
