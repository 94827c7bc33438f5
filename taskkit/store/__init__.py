"""Persistence: the state of all tasks and the history of their runs, in one SQLite file.

`PersistentScheduler` is a scheduler with a store. `Store` is the store alone, for a scheduler that exists.
"""

from taskkit.errors import StoreError, StoreInUseError
from taskkit.store.history import StoredRun, StoredSkip, read_history
from taskkit.store.persistent_scheduler import PersistentScheduler
from taskkit.store.retention import Retention
from taskkit.store.saved_state import OpenRun, SavedState, StoreProcess, read_state
from taskkit.store.store import Store

__all__ = [
    "OpenRun",
    "PersistentScheduler",
    "Retention",
    "SavedState",
    "Store",
    "StoreError",
    "StoreInUseError",
    "StoreProcess",
    "StoredRun",
    "StoredSkip",
    "read_history",
    "read_state",
]
