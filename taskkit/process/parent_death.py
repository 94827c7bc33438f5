"""Ends a process when its parent has died, however that ended. Linux only; elsewhere it does nothing."""

from __future__ import annotations

import os
from typing import Final

_PR_SET_PDEATHSIG: Final = 1


def end_with_parent(parent: int, signal_number: int) -> None:
    """Have the kernel send this process a signal when its parent dies.

    Call it first of all in the child. It also holds in a program that the child executes afterwards. The
    kernel counts the end of the *thread* that started the child as the death of the parent.

    Args:
        parent: The process id of the parent, as the parent itself knows it.
        signal_number: The signal to send.
    """
    try:
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
    except (ImportError, OSError, AttributeError):
        pass  # no such system call
    if os.getppid() != parent:  # it died before
        os.kill(os.getpid(), signal_number)
