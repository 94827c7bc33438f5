"""A task that tidies up, and asks `proceed()` between two pieces of work, so that nobody waits for it."""

from collections.abc import Callable
from pathlib import Path
from time import time

from taskkit import Task


class SessionSweeper(Task):
    """Removes the session files that nobody has touched for a while."""

    def __init__(self, sessions: Path, stale_after: float = 60, now: Callable[[], float] = time) -> None:
        """Say where to sweep.

        Args:
            sessions: The folder of the session files.
            stale_after: After how many seconds without a visit a session is stale.
            now: The time in epoch seconds; a test hands in its own.
        """
        self.sessions = sessions
        self.stale_after = stale_after
        self.now = now

    def run(self) -> None:
        """Sweep once."""
        swept = 0
        sessions = sorted(self.sessions.glob("*.json"))
        for session in sessions:
            if not self.proceed():
                break
            if self.now() - session.stat().st_mtime > self.stale_after:
                session.unlink()
                swept += 1
        print(f"swept {swept} of {len(sessions)} sessions")
