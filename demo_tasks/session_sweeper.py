"""A task that can be stopped at once: it asks `proceed()` between any two pieces of work."""

from collections.abc import Callable
from pathlib import Path
from time import time

from taskkit import Task


class SessionSweeper(Task):
    """Removes session files that were not used for a while."""

    def __init__(self, sessions: Path, stale_after: float = 60, now: Callable[[], float] = time) -> None:
        """Take the folder to sweep.

        Args:
            sessions: The folder of the session files.
            stale_after: The seconds without a visit after which a session is stale.
            now: Returns the time in epoch seconds; a test passes in its own.
        """
        self.sessions = sessions
        self.stale_after = stale_after
        self.now = now

    def run(self) -> None:
        """Sweep the folder once."""
        swept = 0
        sessions = sorted(self.sessions.glob("*.json"))
        for session in sessions:
            if not self.proceed():
                break
            if self.now() - session.stat().st_mtime > self.stale_after:
                session.unlink()
                swept += 1
        print(f"swept {swept} of {len(sessions)} sessions")
