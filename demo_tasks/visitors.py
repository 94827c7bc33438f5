"""Testable time: a task that takes its clock as an argument can be tested without waiting."""

import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from time import time

from demo_tasks.writing import write_atomically
from taskkit import Task


class Visitors(Task):
    """Simulates the visitors of the site: each has a session file, which counts the visits."""

    def __init__(self, sessions: Path, visitors: int = 20, now: Callable[[], float] = time) -> None:
        """Take the folder of the sessions, and the number of visitors.

        Args:
            sessions: The folder of the session files.
            visitors: The number of different visitors.
            now: Returns the time in epoch seconds; a test passes in its own.
        """
        self.sessions = sessions
        self.visitors = visitors
        self.now = now
        self._random = Random(2001)  # the same visitors every time, for tests and pictures

    def run(self) -> None:
        """Let one visitor in."""
        session = self.sessions / f"visitor-{self._random.randrange(self.visitors):02}.json"
        visits = json.loads(session.read_text(encoding="utf-8"))["visits"] if session.exists() else 0
        write_atomically(session, json.dumps({"visits": visits + 1}), self.now())
        print(f"{session.stem} is {'back' if visits else 'new'}")
