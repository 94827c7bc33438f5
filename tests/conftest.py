"""How the tests are shared out."""

from __future__ import annotations

import os


def pytest_xdist_auto_num_workers() -> int:
    """Two for each core: half of what a test of threads, processes or screens does is waiting."""
    return 2 * (os.cpu_count() or 1)
