"""A timed task: it runs once, at a given time, and then it is gone from the list."""

import sqlite3
from contextlib import closing
from pathlib import Path


def back_up(database: Path, copy: Path) -> None:
    """Copy an SQLite file while others write to it."""
    unfinished = copy.with_name(f".{copy.name}")
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(unfinished)) as target:
        source.backup(target)
    unfinished.replace(copy)
    print(f"copied {database.name} to {copy.name}, {copy.stat().st_size // 1024} kB")
