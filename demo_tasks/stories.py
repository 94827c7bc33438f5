"""The stories and their comments, in one SQLite file: what several tasks share, they share through a store.

Runs are on threads of their own, and a connection belongs to one thread; so each call opens its own
and closes it.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from time import time
from typing import NamedTuple

SCHEMA = """
CREATE TABLE IF NOT EXISTS story (
    id INTEGER PRIMARY KEY, title TEXT NOT NULL UNIQUE, told REAL NOT NULL, dead INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS comment (
    story INTEGER NOT NULL REFERENCES story, said REAL NOT NULL, words TEXT NOT NULL
);
CREATE VIEW IF NOT EXISTS heard AS
    SELECT story.id, title, dead, max(told, coalesce(max(said), told)) AS last, count(said) AS comments
    FROM story LEFT JOIN comment ON comment.story = story.id GROUP BY story.id;
"""


class Story(NamedTuple):
    """One story, as the store knows it."""

    id: int
    title: str
    dead: bool
    """Whether nobody had a word for it in a long while."""
    last: float
    """When it was last heard of, in epoch seconds: its latest comment, or its own telling."""
    comments: int


class Comment(NamedTuple):
    """One comment on a story."""

    number: int
    story: int
    title: str
    """Of the story."""
    said: float
    """Epoch seconds."""
    words: str


class Stories:
    """A store of stories. Any thread may use it."""

    def __init__(self, path: Path, now: Callable[[], float] = time) -> None:
        """Open the store, or make it.

        Args:
            path: The SQLite file.
            now: The time in epoch seconds; a test hands in its own.
        """
        self.path = path
        self._now = now
        with self._connection() as connection:
            connection.executescript(SCHEMA)

    def all(self) -> list[Story]:
        """Every story, the one that was heard of longest ago first."""
        with self._connection() as connection:
            rows = connection.execute("SELECT id, title, dead, last, comments FROM heard ORDER BY last, id")
            return [Story(key, title, bool(dead), *rest) for key, title, dead, *rest in rows]

    def tell(self, titles: Sequence[str], told: float | None = None) -> int:
        """Add stories, except those whose titles are known already. Returns how many were new.

        Args:
            titles: What they are called.
            told: When they were told, in epoch seconds; now unless given.
        """
        when = self._now() if told is None else told
        with self._connection() as connection:
            rows = [(title, when) for title in titles]
            return connection.executemany(
                "INSERT OR IGNORE INTO story (title, told) VALUES (?, ?)", rows
            ).rowcount

    def comment(self, story: int, words: str) -> None:
        """Add a comment to the story with this id."""
        with self._connection() as connection:
            connection.execute("INSERT INTO comment VALUES (?, ?, ?)", (story, self._now(), words))

    def comments(self, newest: int) -> list[Comment]:
        """The latest comments, not more than `newest`, the last one first."""
        with self._connection() as connection:
            rows = connection.execute(
                "SELECT comment.rowid, story, title, said, words FROM comment JOIN story ON story.id = story "
                "ORDER BY comment.rowid DESC LIMIT ?",
                (newest,),
            )
            return [Comment(*row) for row in rows]

    def judge(self, patience: float) -> tuple[list[Story], list[Story]]:
        """Mark as dead what nobody commented on for `patience` seconds, and as alive what somebody did.

        Returns:
            The stories that have died since the last time, and those that came back.
        """
        silent_since = self._now() - patience
        stories = self.all()
        died = [story for story in stories if not story.dead and story.last <= silent_since]
        revived = [story for story in stories if story.dead and story.last > silent_since]
        with self._connection() as connection:
            marks = [(True, story.id) for story in died] + [(False, story.id) for story in revived]
            connection.executemany("UPDATE story SET dead = ? WHERE id = ?", marks)
        return died, revived

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """A connection that commits what succeeded, and is closed in any case."""
        with closing(sqlite3.connect(self.path)) as connection, connection:
            yield connection
