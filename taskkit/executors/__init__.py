"""Executors: where the body of a task runs, if not on a thread of the scheduler.

`LoopExecutor` runs async tasks on an event loop of the program, `ProcessExecutor` runs tasks in processes
that can be killed, and `DaskExecutor` on a cluster. Each is imported when it is first asked for, so that a
program without one loads neither asyncio nor multiprocessing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from taskkit.executors.dask import DaskExecutor
    from taskkit.executors.loop import LoopExecutor
    from taskkit.executors.process import ProcessExecutor

__all__ = ["DaskExecutor", "LoopExecutor", "ProcessExecutor"]

_MODULES: Final = {
    "DaskExecutor": "taskkit.executors.dask",
    "LoopExecutor": "taskkit.executors.loop",
    "ProcessExecutor": "taskkit.executors.process",
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(import_module(_MODULES[name]), name)
    return found
