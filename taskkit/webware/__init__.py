"""Webware's TaskKit with its old names, on the scheduler of this library: old programs run unchanged.

Import the three classes from here. Or call `install()` once: then `from TaskKit.Scheduler import Scheduler`
imports them too. `python -m taskkit.webware program.py` does that for a program that you cannot change.
`docs/webware.md` lists each old name with its modern one, and the differences.

In this package, *old* means in the spelling of TaskKit, and *modern* means of `taskkit`.
"""

from taskkit.webware.handler import TaskHandler
from taskkit.webware.installing import install, uninstall
from taskkit.webware.scheduler import Scheduler
from taskkit.webware.task import Task

__all__ = ["Scheduler", "Task", "TaskHandler", "install", "uninstall"]
