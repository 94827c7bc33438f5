"""The interface through which a measure uses any scheduler."""

from __future__ import annotations

from collections.abc import Callable

Body = Callable[[], object]


class Peer:
    """A scheduler behind the few methods that the measures need.

    A peer leaves out what its scheduler cannot do, and the measures that need it do not list that peer.
    Instants are epoch seconds, durations are seconds. Tasks may be added before `start()`.
    """

    inline = False
    """True if runs are on the loop's own thread, one after the other."""
    keeps_grid = True
    """True if a late run does not move the later due times."""

    def start(self) -> None:
        """Start running tasks that are due."""
        raise NotImplementedError

    def stop(self) -> None:
        """Start no more runs."""
        raise NotImplementedError

    def call(self, function: Callable[[], None]) -> None:
        """Call `function` on a thread from which this peer may be commanded, and wait for it."""
        function()

    def every(self, name: str, start: float, period: float, body: Body) -> None:
        """Run `body` at `start`, and then once a period."""
        raise NotImplementedError

    def once(self, name: str, at: float, body: Body) -> None:
        """Run `body` once."""
        raise NotImplementedError

    def keep(self, name: str, body: Body) -> None:
        """Register `body` so that it can be demanded."""
        raise NotImplementedError

    def demand(self, name: str) -> None:
        """Run a task that was registered with `keep` now."""
        raise NotImplementedError

    def change(self, name: str, period: float) -> None:
        """Give a periodic task another period, at once."""
        raise NotImplementedError

    def disable(self, name: str) -> None:
        """Disable a periodic task."""
        raise NotImplementedError

    def remove(self, name: str) -> None:
        """Remove a task."""
        raise NotImplementedError
