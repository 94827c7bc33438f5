"""Time is handed in: a task that takes its clock as an argument can be tested without waiting."""

import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from time import time

from demo_tasks.writing import write_atomically
from taskkit import Task


class Visitors(Task):
    """Has somebody visit, who leaves a session file or comes back to the one left before."""

    def __init__(self, sessions: Path, visitors: int = 20, now: Callable[[], float] = time) -> None:
        """Say where the sessions are, and who may come.

        Args:
            sessions: The folder of the session files.
            visitors: How many people there are.
            now: The time in epoch seconds; a test hands in its own.
        """
        self.sessions = sessions
        self.visitors = visitors
        self.now = now
        self.dice = Random(2001)  # the same visitors every time, for tests and pictures

    def run(self) -> None:
        """Let one visitor in."""
        session = self.sessions / f"visitor-{self.dice.randrange(self.visitors):02}.json"
        visits = json.loads(session.read_text())["visits"] if session.exists() else 0
        write_atomically(session, json.dumps({"visits": visits + 1}), self.now())
        print(f"{session.stem} is {'back' if visits else 'new'}")
