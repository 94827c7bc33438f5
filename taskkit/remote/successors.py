"""Finds a lost service again: the same instance, or the one that took its place."""

from __future__ import annotations

from typing import Final

from taskkit.remote.discovery import Found, ask_all
from taskkit.remote.sockets import SocketFile, found_sockets

ANSWER_SECONDS: Final = 0.2
"""Time limit for the answers of the candidates in one search."""


def successor(lost: SocketFile, instance: object, lost_at: float | None) -> Found | None:
    """Return the same instance, or one with its name and target that began after it was lost.

    Args:
        lost: The socket of the lost service.
        instance: The instance that it was; None if it has never greeted.
        lost_at: When the connection was lost, in epoch seconds; None if there was none. Then any instance
            of that name and target will do.
    """
    wanted = (lost.name, lost.target_hash)
    files = [each for each in found_sockets() if (each.name, each.target_hash) == wanted]
    for each in ask_all(files, ANSWER_SECONDS):
        if each.greeting is None:
            continue
        if each.greeting.get("instance") == instance:
            return each
        if lost_at is None or (each.since is not None and each.since >= lost_at):
            return each
    return None


def siblings(of: SocketFile) -> list[Found]:
    """Return the other services of its name and target, such as further workers of the same web server."""
    wanted = (of.name, of.target_hash)
    files = [
        each for each in found_sockets() if (each.name, each.target_hash) == wanted and each.path != of.path
    ]
    return [each for each in ask_all(files) if each.greeting is not None]
