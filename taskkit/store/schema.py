"""The tables of a store, and the migrations from each version to the next."""

from __future__ import annotations

from typing import Final

APPLICATION_ID: Final = 0x7461736B
"""The mark of a store in the header of its SQLite file: the letters `task`."""

MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (  # 1
        # The state as a whole. `session`: the number of the opening. `pid`, `began`, `ended`: its process.
        # `seen`: the wall clock at the last batch. `paused`. `time`, `gaps`: see `StoreTime`.
        "CREATE TABLE facts (key TEXT PRIMARY KEY, value) WITHOUT ROWID",
        # The state of each registration; schedules, retries, parameters and specs are JSON.
        "CREATE TABLE registrations (name PRIMARY KEY, declared TEXT, override TEXT, due REAL, last_due REAL,"
        " disabled INTEGER, run_count INTEGER NOT NULL, retry TEXT, again TEXT, spec TEXT,"
        " written REAL NOT NULL)",
        "CREATE TABLE names (id INTEGER PRIMARY KEY, name NOT NULL UNIQUE)",
        # Runs that began and have not ended. Those that a dead process leaves here were interrupted.
        "CREATE TABLE open_runs (run INTEGER PRIMARY KEY, name NOT NULL, session INTEGER NOT NULL,"
        " trigger TEXT NOT NULL, due REAL, started REAL, attempt INTEGER NOT NULL)",
        # Runs that ended, and skips, in the order in which they happened. The long columns are last, so that
        # SQLite need not read them with the others.
        "CREATE TABLE history (id INTEGER PRIMARY KEY, task INTEGER NOT NULL, kind TEXT NOT NULL,"
        " at REAL NOT NULL, session INTEGER NOT NULL, run INTEGER, trigger TEXT, due REAL, started REAL,"
        " duration REAL, lateness REAL, attempt INTEGER, times INTEGER, last_due REAL, skipped TEXT,"
        " result TEXT, exception TEXT, dropped INTEGER, output TEXT, traceback TEXT)",
        "CREATE INDEX history_of_task ON history (task)",
        # Most runs succeed. These find the others without reading the ones that did.
        "CREATE INDEX trouble_of_task ON history (task, kind) WHERE kind <> 'succeeded'",
        "CREATE INDEX trouble ON history (kind) WHERE kind <> 'succeeded'",
    ),
    (  # 2
        # 0 if a retry of that run was to follow.
        "ALTER TABLE history ADD COLUMN last_try INTEGER",
    ),
    (  # 3
        # When the row was written, by the store's own time; NULL in rows of earlier versions.
        "ALTER TABLE history ADD COLUMN written REAL",
    ),
    (  # 4
        # When a disabled task is enabled again by itself, in epoch seconds; NULL for never.
        "ALTER TABLE registrations ADD COLUMN disabled_until REAL",
    ),
    (  # 5
        # The tasks that have ended as it waits for, of those that it follows: a list in JSON; NULL for none.
        "ALTER TABLE registrations ADD COLUMN ended TEXT",
    ),
    (  # 6
        # Counts that only grow, for metrics: an object in JSON; NULL for none.
        "ALTER TABLE registrations ADD COLUMN totals TEXT",
    ),
)
"""The statements that make each version from the one before; the first starts from an empty file."""

VERSION: Final = len(MIGRATIONS)
"""The version that is written, and the newest that can be read."""
