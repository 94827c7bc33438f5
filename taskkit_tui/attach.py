"""Finds the running scheduler to attach to: for `taskkit-tui attach`, and for a TARGET that runs already."""

from __future__ import annotations

import argparse

from taskkit.remote.discovery import matching, running_schedulers
from taskkit.remote.sockets import SocketFile
from taskkit.targets.target import TargetError
from taskkit_tui.formatting import harmless

_DESCRIPTION = (
    "Watch and control a scheduler that another process runs. The tasks keep running when you leave."
)
_EPILOG = "taskkit ps lists the schedulers that run on this machine."


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the options of `attach`, with their help."""
    parser = argparse.ArgumentParser(prog="taskkit-tui attach", description=_DESCRIPTION, epilog=_EPILOG)
    parser.add_argument(
        "service",
        nargs="?",
        metavar="SERVICE",
        help="its name, its process id, its target, or the path of its socket; without it, the only one "
        "there is, or a list to choose from",
    )
    parser.add_argument("--read-only", action="store_true", help="no key changes anything")
    return parser


def services_meant(text: str | None) -> tuple[SocketFile, ...]:
    """Return the sockets of the running schedulers that a person may mean; one at least.

    Args:
        text: A name, a process id, a target, or the path of a socket; None for any.

    Raises:
        TargetError: There is none, or it cannot be used.
    """
    running = running_schedulers()
    found = running if text is None else matching(text, running)
    if not found:
        if text is None:
            raise TargetError("there is no running scheduler on this machine to attach to; see taskkit ps")
        names = ", ".join(sorted({harmless(each.name) for each in running}))
        there = f"there are {names}" if names else "none runs on this machine"
        raise TargetError(f"no running scheduler is called “{harmless(text)}”; {there}")
    usable = tuple(each.socket for each in found if not each.trouble)
    if not usable:
        first = found[0]
        raise TargetError(f"{harmless(first.name)} (process {first.pid}): {harmless(first.trouble)}")
    return usable


def only_service_meant(text: str | None) -> SocketFile:
    """Return the socket of the running scheduler that a person means, where no question can be asked.

    Raises:
        TargetError: There is none, or there are several, or it cannot be used.
    """
    meant = services_meant(text)
    if len(meant) > 1:
        which = ", ".join(f"{harmless(each.name)} ({each.pid})" for each in meant)
        raise TargetError(f"several schedulers run: {which}; choose one by its process id")
    return meant[0]


def running_target(target: str) -> tuple[SocketFile, ...]:
    """Return the sockets of the processes that run a target."""
    return tuple(each.socket for each in matching(target, running_schedulers()) if not each.trouble)
