"""Reaps orphans that come to this process: as PID 1 of a container, or as a child subreaper.

Such a process becomes the parent of every descendant whose own parent has died, and must take their exit
statuses, or they stay as zombies. It cannot tell them from its own children, whose statuses tasks wait for.
So the command continues in a child, to which no orphan comes; this process reaps, passes signals on to the
child, and ends with its status. Reaping in the process of the tasks was rejected: a status taken from
`subprocess.Popen` is lost, and that task gets a wrong one.
"""

from __future__ import annotations

import os
import signal
from typing import Final

from taskkit.process.parent_death import end_with_parent

_PR_GET_CHILD_SUBREAPER: Final = 37

_NOT_PASSED_ON: Final = (
    # Signals that stop and continue go to the whole job, and so to the child by themselves.
    *("SIGKILL", "SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGCONT", "SIGWINCH", "SIGURG"),
    # Faults of this process itself.
    *("SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL", "SIGTRAP", "SIGABRT", "SIGSYS", "SIGPIPE"),
)


def leave_orphans_to_parent() -> int | None:
    """Continue in a child, if orphans come to this process. Call it before there is any other thread.

    Returns: In the parent, after the child has ended: the exit status. `None` in the child, and if no orphans
    come: then the caller continues.
    """
    if not hasattr(signal, "sigwaitinfo") or not (os.getpid() == 1 or _is_subreaper()):
        return None
    unwatched = {number for name in _NOT_PASSED_ON if (number := getattr(signal, name, None)) is not None}
    watched = {int(number) for number in signal.valid_signals()} - unwatched
    if signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # else the system throws the statuses away
    before = signal.pthread_sigmask(signal.SIG_BLOCK, watched)
    parent = os.getpid()
    try:
        child = os.fork()
    except OSError:  # the system refuses a process: go on without one
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return None
    if child:
        return _serve(child, watched)
    # With PID 1 everything ends anyway.
    end_with_parent(parent, signal.SIGTERM)
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return None


def _serve(child: int, watched: set[int]) -> int:
    """Reap, and pass signals on, until the child has ended. Return its exit status."""
    while True:
        came = signal.sigwaitinfo(watched)
        if came.si_signo == signal.SIGCHLD:
            status = _reap(child)
            if status is not None:
                return status
        elif came.si_code <= 0 or came.si_signo == signal.SIGHUP or os.getpgid(child) != os.getpgrp():
            # Otherwise the kernel has sent it, for a key of the terminal, to the whole group.
            os.kill(child, came.si_signo)


def _reap(child: int) -> int | None:
    """Take the statuses of all that have ended. Return that of the child, if it is among them."""
    found = None
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if pid == 0:
            return found
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
            found = code if code >= 0 else 128 - code


def _is_subreaper() -> bool:
    try:
        import ctypes

        answer = ctypes.c_int(0)
        ctypes.CDLL(None).prctl(_PR_GET_CHILD_SUBREAPER, ctypes.byref(answer), 0, 0, 0)
    except (ImportError, OSError, AttributeError):
        return False
    return bool(answer.value)
