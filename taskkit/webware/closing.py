"""The event of TaskKit 0.5 by which a task hears that the scheduler stops."""

from __future__ import annotations

from threading import Event


class CloseEvent(Event):
    """Set when the scheduler stops. `isSet()` is how one asked in 2001."""

    def isSet(self) -> bool:
        """Whether the scheduler stops."""
        return self.is_set()
