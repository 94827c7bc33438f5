"""Webware's TaskKit in its own spelling, on the scheduler of this library: old programs run unchanged.

Import the three classes from here; or call `install()` once, and `from TaskKit.Scheduler import Scheduler`
gives them too. `python -m taskkit.webware program.py` does that for a program that is not to be touched.
What every old name has become, and where its meaning differs, is in `docs/webware.md`.
"""

from taskkit.webware.handler import TaskHandler
from taskkit.webware.installing import install, uninstall
from taskkit.webware.scheduler import Scheduler
from taskkit.webware.task import Task

__all__ = ["Scheduler", "Task", "TaskHandler", "install", "uninstall"]
