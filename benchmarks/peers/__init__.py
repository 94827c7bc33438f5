"""The schedulers that are measured, by name. Each is imported only in the process that measures it."""

from __future__ import annotations

from importlib import import_module
from typing import Final

from benchmarks.peers.peer import Peer

PLACES: Final = {
    "taskkit": ("benchmarks.peers.taskkit_peer", "WithEverything"),
    "taskkit bare": ("benchmarks.peers.taskkit_peer", "Bare"),
    "APScheduler": ("benchmarks.peers.apscheduler_peer", "APScheduler"),
    "Webware": ("benchmarks.peers.webware_peer", "Webware"),
    "schedule": ("benchmarks.peers.schedule_peer", "ScheduleLoop"),
    "sched": ("benchmarks.peers.sched_peer", "StdlibSched"),
    "asyncio": ("benchmarks.peers.asyncio_peer", "AsyncioLoop"),
    "Condition.wait": ("benchmarks.peers.floors", "ConditionLoop"),
    "idle thread": ("benchmarks.peers.floors", "IdleThread"),
    "new thread": ("benchmarks.peers.floors", "PlainThreads"),
}
"""Module and class by the name that the report shows."""

TASKKIT: Final = ("taskkit", "taskkit bare")
THREADED: Final = (*TASKKIT, "APScheduler", "Webware")
"""Those that give each run a thread."""
SCHEDULERS: Final = (*THREADED, "schedule", "sched", "asyncio")


def make(name: str) -> Peer:
    """A fresh scheduler, not started.

    Raises:
        KeyError: There is none of that name.
        ImportError: Its package is not installed; the extra `bench` brings them all.
    """
    module, class_name = PLACES[name]
    peer = getattr(import_module(module), class_name)()
    assert isinstance(peer, Peer)
    return peer
