"""Sharing data: tasks that work on the same data share a database, here the stories and their comments.

Each run is on a thread of its own, and an SQLite connection belongs to one thread. So each call opens a
connection of its own, and closes it.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from time import time
from typing import NamedTuple

SCHEMA = """
CREATE TABLE IF NOT EXISTS story (
    id INTEGER PRIMARY KEY,
    title TEXT NOT NULL UNIQUE,
    published REAL NOT NULL,
    dead INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS comment (
    story INTEGER NOT NULL REFERENCES story,
    posted REAL NOT NULL,
    text TEXT NOT NULL
);
CREATE VIEW IF NOT EXISTS activity AS
    SELECT story.id, title, dead, max(published, coalesce(max(posted), published)) AS last_activity,
        count(posted) AS comments
    FROM story LEFT JOIN comment ON comment.story = story.id GROUP BY story.id;
"""


class Story(NamedTuple):
    """One story."""

    id: int
    title: str
    dead: bool
    """True if it got no comment for a long time."""
    last_activity: float
    """When it was published, or got its latest comment, in epoch seconds."""
    comments: int
    """The number of comments."""


class Comment(NamedTuple):
    """One comment on a story."""

    number: int
    story: int
    title: str
    """The title of the story."""
    posted: float
    """When it was written, in epoch seconds."""
    text: str


class Stories:
    """The database of stories. Any thread may use it."""

    def __init__(self, path: Path, now: Callable[[], float] = time) -> None:
        """Open the database; create it if there is none.

        Args:
            path: The SQLite file.
            now: Returns the time in epoch seconds; a test passes in its own.
        """
        self.path = path
        self._now = now
        with self._connection() as connection:
            connection.executescript(SCHEMA)

    def all(self) -> list[Story]:
        """Return all stories, those with the longest silence first."""
        with self._connection() as connection:
            rows = connection.execute(
                "SELECT id, title, dead, last_activity, comments FROM activity ORDER BY last_activity, id"
            )
            return [Story(key, title, bool(dead), *rest) for key, title, dead, *rest in rows]

    def add(self, titles: Sequence[str], published: float | None = None) -> int:
        """Add stories, unless there is one with that title already. Returns how many were new.

        Args:
            titles: The titles of the stories.
            published: When they were published, in epoch seconds; now by default.
        """
        when = self._now() if published is None else published
        with self._connection() as connection:
            rows = [(title, when) for title in titles]
            return connection.executemany(
                "INSERT OR IGNORE INTO story (title, published) VALUES (?, ?)", rows
            ).rowcount

    def comment(self, story: int, text: str) -> None:
        """Add a comment to the story with this id."""
        with self._connection() as connection:
            connection.execute("INSERT INTO comment VALUES (?, ?, ?)", (story, self._now(), text))

    def comments(self, newest: int) -> list[Comment]:
        """Return the `newest` latest comments, the latest first."""
        with self._connection() as connection:
            rows = connection.execute(
                "SELECT comment.rowid, story, title, posted, text"
                " FROM comment JOIN story ON story.id = story"
                " ORDER BY comment.rowid DESC LIMIT ?",
                (newest,),
            )
            return [Comment(*row) for row in rows]

    def mark_dead(self, silent_seconds: float) -> tuple[list[Story], list[Story]]:
        """Mark each story as dead if it got no comment for `silent_seconds` seconds, else as alive.

        Returns:
            The stories that have died since the last call, and those that came back to life.
        """
        silent_since = self._now() - silent_seconds
        stories = self.all()
        died = [story for story in stories if not story.dead and story.last_activity <= silent_since]
        revived = [story for story in stories if story.dead and story.last_activity > silent_since]
        with self._connection() as connection:
            marks = [(True, story.id) for story in died] + [(False, story.id) for story in revived]
            connection.executemany("UPDATE story SET dead = ? WHERE id = ?", marks)
        return died, revived

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """Open a connection. It commits at the end unless there was an exception, and is always closed."""
        with closing(sqlite3.connect(self.path)) as connection, connection:
            yield connection
