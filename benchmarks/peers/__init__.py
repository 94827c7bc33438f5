"""The schedulers to measure, by name. Each is imported only in the process that measures it."""

from __future__ import annotations

from importlib import import_module
from typing import Final

from benchmarks.peers.peer import Peer

PEERS: Final = {
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
"""Module and class, by the name in the report."""

TASKKIT: Final = ("taskkit", "taskkit bare")
THREADED: Final = (*TASKKIT, "APScheduler", "Webware")
"""The schedulers that run each task on a thread of its own."""
SCHEDULERS: Final = (*THREADED, "schedule", "sched", "asyncio")


def make(name: str) -> Peer:
    """Return a new scheduler, not started.

    Raises:
        KeyError: There is none of that name.
        ImportError: Its package is not installed; the extra `bench` installs all of them.
    """
    module, class_name = PEERS[name]
    peer = getattr(import_module(module), class_name)()
    assert isinstance(peer, Peer)
    return peer
