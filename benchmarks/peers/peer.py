"""What a measure asks of a scheduler, whoever made it."""

from __future__ import annotations

from collections.abc import Callable

Body = Callable[[], object]


class Peer:
    """A scheduler behind the few verbs that the measures need.

    What a peer has no word for it leaves out, and the measures that need it do not list that peer.
    Instants are epoch seconds, durations are seconds. Tasks may be added before `start()`.
    """

    inline = False
    """Whether runs happen on the loop's own thread, one after the other."""
    keeps_grid = True
    """Whether a run that was late leaves the later due times where they were."""

    def start(self) -> None:
        """Begin to run what is due."""
        raise NotImplementedError

    def stop(self) -> None:
        """Start no more runs."""
        raise NotImplementedError

    def call(self, function: Callable[[], None]) -> None:
        """Call `function` on a thread from which this peer may be commanded, and wait for it."""
        function()

    def every(self, name: str, start: float, period: float, body: Body) -> None:
        """Run `body` at `start`, and once a period from then on."""
        raise NotImplementedError

    def once(self, name: str, at: float, body: Body) -> None:
        """Run `body` once."""
        raise NotImplementedError

    def keep(self, name: str, body: Body) -> None:
        """Register `body` so that it can be demanded."""
        raise NotImplementedError

    def demand(self, name: str) -> None:
        """Run what was registered with `keep` now."""
        raise NotImplementedError

    def change(self, name: str, period: float) -> None:
        """Give a periodic task another period, at once."""
        raise NotImplementedError

    def disable(self, name: str) -> None:
        """Let a periodic task no longer fall due."""
        raise NotImplementedError

    def remove(self, name: str) -> None:
        """Let a task be gone."""
        raise NotImplementedError
