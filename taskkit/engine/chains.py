"""Chains of tasks: which ones follow which, and whose ends each of them has seen.

Guarded by the scheduler's lock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from taskkit.schedules.after import After, find_cycle

if TYPE_CHECKING:
    from taskkit.engine.registration import Registration

MOST_STAGES = 20
"""The most stages of a chain that are shown."""


class Chains:
    """The registered tasks that follow others."""

    def __init__(self) -> None:
        self.followers_of: dict[str, dict[Registration, None]] = {}
        """The registrations that follow a task, by its name; without the names that none follows."""

    def add(self, entry: Registration) -> None:
        """Note a registration, if it follows others."""
        schedule = entry.schedule
        if isinstance(schedule, After):
            entry.ended = set()
            for name in schedule.names:
                self.followers_of.setdefault(name, {})[entry] = None

    def remove(self, entry: Registration) -> None:
        """Forget a registration; call it before it is given another schedule."""
        schedule = entry.schedule
        if isinstance(schedule, After):
            entry.ended = None
            for name in schedule.names:
                followers = self.followers_of[name]
                del followers[entry]
                if not followers:
                    del self.followers_of[name]

    def followers(self, name: str) -> list[Registration]:
        """Return the registrations that follow a task, in the order of their registration."""
        return list(self.followers_of.get(name, ()))

    def check(self, name: str, schedule: object) -> None:
        """Raise if a task with this schedule would wait for itself.

        Raises:
            ValueError: It would; the message has the names along the cycle.
        """
        if not isinstance(schedule, After):
            return
        followed: dict[str, tuple[str, ...]] = {}
        for followers in self.followers_of.values():
            for entry in followers:
                if isinstance(entry.schedule, After):
                    followed[entry.name] = entry.schedule.names
        followed.pop(name, None)
        if (cycle := find_cycle(name, schedule.names, followed)) is not None:
            words = " → ".join(reversed(cycle))
            raise ValueError(f"after must not make a task wait for itself, as it does in {words}")

    def stages(self, entry: Registration, entries: dict[str, Registration]) -> tuple[str, ...]:
        """Return the chain that a task is in, as names with commas between them; empty if it is in none."""
        before: list[str] = []
        names = _followed(entry)
        seen = {entry.name}
        while names and len(before) < MOST_STAGES:
            before.insert(0, ", ".join(names))
            seen.update(names)
            above = [entries[name] for name in names if name in entries]
            names = [name for each in above for name in _followed(each) if name not in seen]
            names = list(dict.fromkeys(names))
        after: list[str] = []
        names = [entry.name]
        while len(after) < MOST_STAGES:
            below = [each.name for name in names for each in self.followers(name) if each.name not in seen]
            names = list(dict.fromkeys(below))
            if not names:
                break
            after.append(", ".join(names))
            seen.update(names)
        return (*before, entry.name, *after) if before or after else ()


def _followed(entry: Registration) -> list[str]:
    return list(entry.schedule.names) if isinstance(entry.schedule, After) else []
