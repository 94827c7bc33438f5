"""What all tests share: the number of processes, a runtime folder for sockets, and compiled modules."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import sys
from tempfile import mkdtemp

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says how busy the machine is.
settings.register_profile("taskkit", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("taskkit")

# A shell has its jobs in the background ignore these, and so would all programs that the tests start.
for _number in (signal.SIGINT, signal.SIGQUIT):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, signal.default_int_handler if _number == signal.SIGINT else signal.SIG_DFL)

os.environ["XDG_RUNTIME_DIR"] = mkdtemp(prefix="tk-", dir="/tmp")  # short, as the path of a socket must be
os.environ.pop("RUNTIME_DIRECTORY", None)
atexit.register(shutil.rmtree, os.environ["XDG_RUNTIME_DIR"], ignore_errors=True)

# Else every worker compiles all tests again, and so does every process that a test starts with the program.
# Only until the tests begin: some write a module, import it, and write another one of the same size.
_writes_no_bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, False


def pytest_collection_finish(session: pytest.Session) -> None:
    """Compiled modules are written no longer, if they were not wanted."""
    sys.dont_write_bytecode = _writes_no_bytecode


def pytest_xdist_auto_num_workers() -> int:
    """Return two for each core: tests of threads, processes or screens wait half of the time."""
    return 2 * (os.cpu_count() or 1)
