"""The tables of a store, and how a file of an earlier version becomes one of this version."""

from __future__ import annotations

from typing import Final

APPLICATION_ID: Final = 0x7461736B
"""Marks an SQLite file as a store of taskkit's: the letters `task`."""

MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (  # 1
        # How things stand: `session`, `seen` (when the last batch was written) and `paused`.
        "CREATE TABLE facts (key TEXT PRIMARY KEY, value) WITHOUT ROWID",
        # How each registration stands; schedules, retries, parameters and specs as JSON.
        "CREATE TABLE registrations (name PRIMARY KEY, declared TEXT, override TEXT, due REAL, last_due REAL,"
        " disabled INTEGER, run_count INTEGER NOT NULL, retry TEXT, again TEXT, spec TEXT,"
        " written REAL NOT NULL)",
        "CREATE TABLE names (id INTEGER PRIMARY KEY, name NOT NULL UNIQUE)",
        # Runs that began and have not ended. What an ended process leaves here was interrupted.
        "CREATE TABLE open_runs (run INTEGER PRIMARY KEY, name NOT NULL, session INTEGER NOT NULL,"
        " trigger TEXT NOT NULL, due REAL, started REAL, attempt INTEGER NOT NULL)",
        # Runs that ended, and skips, in the order of truth. What is long stands last, so that rows are read
        # without it.
        "CREATE TABLE history (id INTEGER PRIMARY KEY, task INTEGER NOT NULL, kind TEXT NOT NULL,"
        " at REAL NOT NULL, session INTEGER NOT NULL, run INTEGER, trigger TEXT, due REAL, started REAL,"
        " duration REAL, lateness REAL, attempt INTEGER, times INTEGER, last_due REAL, skipped TEXT,"
        " result TEXT, exception TEXT, dropped INTEGER, output TEXT, traceback TEXT)",
        "CREATE INDEX history_of_task ON history (task)",
        # Most runs succeed; whoever asks for the others finds them without reading those.
        "CREATE INDEX trouble_of_task ON history (task, kind) WHERE kind <> 'succeeded'",
        "CREATE INDEX trouble ON history (kind) WHERE kind <> 'succeeded'",
    ),
    (  # 2
        # 0: another try of that run was to follow.
        "ALTER TABLE history ADD COLUMN last_try INTEGER",
    ),
)
"""The statements that make each version out of the one before; the first makes it out of nothing."""

VERSION: Final = len(MIGRATIONS)
"""The version that is written, and the newest that can be read."""
