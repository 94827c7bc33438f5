"""A schedule that lasts: how tasks stand, and what their runs have come to, in one SQLite file.

`PersistentScheduler` is a scheduler with a store; `Store` is the store alone, for a scheduler that exists.
"""

from taskkit.store.errors import StoreError, StoreInUseError
from taskkit.store.history import StoredRun, StoredSkip, read_history
from taskkit.store.persistent import PersistentScheduler
from taskkit.store.retention import Retention
from taskkit.store.state import KeptState, OpenRun, read_state
from taskkit.store.store import Store

__all__ = [
    "KeptState",
    "OpenRun",
    "PersistentScheduler",
    "Retention",
    "Store",
    "StoreError",
    "StoreInUseError",
    "StoredRun",
    "StoredSkip",
    "read_history",
    "read_state",
]
