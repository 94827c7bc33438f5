"""Follows the output of a running scheduler: the lines in its frames, as events."""

from __future__ import annotations

from collections.abc import Iterator
from time import sleep, time
from typing import Final

from taskkit.cli.running_service import Service
from taskkit.events import OutputWritten
from taskkit.remote.errors import ProtocolError
from taskkit.remote.link import Link
from taskkit.remote.rows import read_chunk

POLL_SECONDS: Final = 0.05
"""The time between two looks for news."""


class ServiceNews:
    """Takes the frames of a service and reads the lines in them.

    Args:
        service: A connection that watches.
    """

    def __init__(self, service: Service) -> None:
        self._client = service.client
        self.was_attached = False

    def take(self) -> Iterator[OutputWritten]:
        """Yield the lines that have come since the last call, grouped by run."""
        for news in self._client.take_news():
            self.was_attached = True
            log, at = news.frame.get("log"), time()
            for chunk in log if isinstance(log, list) else ():
                try:
                    event = read_chunk(chunk, at)
                except ProtocolError:  # of a service that says it in another way
                    continue
                yield event

    def wait(self) -> Link:
        """Wait a moment for more. Returns how the service is connected."""
        sleep(POLL_SECONDS)
        return self._client.state.link
