"""The states of a connection to a served scheduler."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Link(StrEnum):
    """The states of a client's connection."""

    CONNECTING = "connecting"
    ATTACHED = "attached"
    NO_ANSWER = "no answer"
    """The connection is open, but the service sends nothing."""
    NOT_CONNECTED = "not connected"
    """The connection is closed; the client searches for the service."""
    ENDED = "ended"
    """The service said goodbye; the client waits for a successor."""
    UNUSABLE = "unusable"
    """There is no common protocol version, or the service refuses this client."""


class LinkState(NamedTuple):
    """The state of a client's connection, and for how long it has been so."""

    link: Link
    seconds: float
    """The time in this state; for NO_ANSWER, the time since the last line."""
    text: str = ""
    """The reason, if it is known."""
