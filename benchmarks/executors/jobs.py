"""The tasks of the measures, which workers import by name."""

from __future__ import annotations

from time import monotonic, time

from taskkit import current_run

ROUNDS = 12_000_000


def nothing() -> None:
    pass


def seen_at() -> float:
    """Return when it saw the stop, by a clock that is the same in all processes."""
    run = current_run()
    run.progress(time())
    while run.proceed():
        pass
    return monotonic()


def never_ends() -> None:
    current_run().progress(time())
    while True:
        pass


def computes() -> int:
    total = 0
    for number in range(ROUNDS):
        total += number
    return total
