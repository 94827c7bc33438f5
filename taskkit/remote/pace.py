"""The pace at which a server looks at its scheduler: often, but for a small share of a core only. Pure."""

from __future__ import annotations

from math import inf
from typing import Final

LOOK_SECONDS: Final = 0.1
"""The usual time between two looks, and so between two frames of one client."""
LONGEST_SECONDS: Final = 0.5
"""The longest time between two looks, however much a look costs."""
SOON_SECONDS: Final = 0.02
"""The shortest time between two looks, for the effect of a command to show at once."""
MOST_OF_A_CORE: Final = 0.02
"""The share of a core that looks may take before they become less frequent."""


class Pace:
    """Decides when the next look is due. The busier the scheduler, the more one look takes in at once."""

    def __init__(self) -> None:
        self.due = -inf
        """When the next look is due, by the monotonic clock."""
        self._looked = -inf
        self._cost = 0.0

    def look_at_once(self) -> None:
        """Make a look due now: there is more to take in."""
        self.due = -inf

    def look_soon(self) -> None:
        """Make a look due soon, since a command has just changed something."""
        self.due = min(self.due, self._looked + SOON_SECONDS)

    def looked(self, now: float, cost: float) -> None:
        """Note a look that took everything in.

        Args:
            now: The time of the look, by the monotonic clock.
            cost: The seconds of processor time that it took, its frames included.
        """
        self._looked = now
        self._cost = (self._cost + cost) / 2  # one costly look among cheap ones changes little
        self.due = now + min(LONGEST_SECONDS, max(LOOK_SECONDS, self._cost / MOST_OF_A_CORE))
