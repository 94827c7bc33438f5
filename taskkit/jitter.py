"""A jitter that delays each start of a task by the same offset, stable for the task and the machine."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Final

from taskkit._helpers.checks import check_flag, check_seconds
from taskkit.words.durations import parse_span, period_text

_FIXED: Final = "fixed:"


@dataclass(frozen=True, slots=True)
class Jitter:
    """A delay of each start, of up to a number of seconds.

    Args:
        seconds: The longest delay.
        fixed: True for the same delay each time. It depends on the name of the task and on the machine, so it
            is the same after a restart, and different on each machine (`FixedRandomDelay` in systemd).

    Raises:
        TypeError: `seconds` is not a number, or `fixed` not a flag.
        ValueError: `seconds` is negative, infinite or NaN.
    """

    seconds: float
    fixed: bool = False

    def __post_init__(self) -> None:
        check_seconds("jitter", self.seconds)
        check_flag("fixed", self.fixed)
        object.__setattr__(self, "seconds", float(self.seconds))

    def __str__(self) -> str:
        return f"{_FIXED if self.fixed else ''}{period_text(self.seconds)}"


def read_jitter(text: str) -> Jitter:
    """Return the jitter that a text means: `20m`, or `fixed:20m`.

    Raises:
        ValueError: It is neither. The message is one harmless line.
    """
    fixed = text.strip().startswith(_FIXED)
    span = text.strip().removeprefix(_FIXED)
    return Jitter(parse_span(span, "jitter"), fixed)


def fixed_share(name: str) -> float:
    """Return the part of a fixed jitter by which the task of that name is delayed here: from 0 to below 1."""
    digest = blake2b(f"{_machine()}\0{name}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return (int.from_bytes(digest) >> 11) / 2**53


@cache
def _machine() -> str:
    """Return what identifies this machine: its id, or else its name."""
    for path in ("/etc/machine-id", "/var/lib/dbus/machine-id"):
        try:
            if found := Path(path).read_text(encoding="ascii").strip():
                return found
        except (OSError, ValueError):
            pass
    return os.uname().nodename if hasattr(os, "uname") else ""
