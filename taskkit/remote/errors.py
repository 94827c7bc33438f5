"""Errors of talking to a scheduler in another process."""

from __future__ import annotations

from taskkit.errors import TaskkitError


class RemoteError(TaskkitError):
    """A scheduler in another process cannot be used: the message says which one and why."""


class ProtocolError(RemoteError):
    """The other side sent something that is not the protocol. The message is one harmless line."""


class VersionError(RemoteError):
    """The two sides have no protocol version in common. The message names both, and which to upgrade."""


class RefusedError(RemoteError):
    """The other side understood the request and refused it."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind
        """One of the kinds of errors in `docs/protocol.md`, as in `view_only` or `too_late`."""


class NoAnswerError(RemoteError):
    """The request was sent and no answer came in time: its effect is unknown."""


class SocketPathError(RemoteError):
    """There is no place for a socket. The message names the place, the reason and the remedy."""
