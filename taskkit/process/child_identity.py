"""The user, the umask and the niceness of a child process, checked before anything is started."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Final

NICE_RANGE: Final = range(-20, 20)
"""The values of `nice`, from the most processor time to the least."""

_UMASK: Final = re.compile("0?[0-7]{3}")


@dataclass(frozen=True, slots=True)
class ChildIdentity:
    """The ways in which a child process differs from this one: user, umask, niceness."""

    user: str | None = None
    """The name of the user to run as. Its groups are taken, and HOME, USER and LOGNAME are set."""
    umask: str | None = None
    """The permissions that new files do not get, in octal digits as in the shell."""
    nice: int | None = None
    """The niceness, from -20 to 19."""

    @property
    def mask(self) -> int:
        """The umask as a number; -1 for that of this process, as `subprocess` wants it."""
        return -1 if self.umask is None else int(self.umask, 8)

    def account(self) -> Account | None:
        """Return the account of the user; `None` for that of this process.

        Raises:
            ValueError: There is no such user.
            PermissionError: This process may not become that user.
        """
        if self.user is None:
            return None
        import pwd  # not on every system

        try:
            found = pwd.getpwnam(self.user)
        except KeyError:
            raise ValueError(f"user must be a user of this machine, not {self.user!r}") from None
        if found.pw_uid != os.geteuid() and os.geteuid() != 0:
            raise PermissionError(
                f"user = {self.user!r} needs root: only root can run a command as another user"
            )
        groups = os.getgrouplist(self.user, found.pw_gid) if os.geteuid() == 0 else None
        return Account(found.pw_uid, found.pw_gid, groups, found.pw_dir, self.user)

    def check_nice(self) -> None:
        """Refuse a niceness that this process may not give.

        Raises:
            PermissionError: It is lower than that of this process, which is not root's.
        """
        if self.nice is not None and self.nice < os.getpriority(os.PRIO_PROCESS, 0) and os.geteuid() != 0:
            raise PermissionError(
                f"nice = {self.nice} needs root: only root can give a command more processor time"
            )


@dataclass(frozen=True, slots=True)
class Account:
    """A user of the machine."""

    uid: int
    gid: int
    groups: list[int] | None
    """All groups; `None` where this process cannot set them, and need not."""
    home: str
    name: str

    @property
    def variables(self) -> dict[str, str]:
        """The variables that a login of this user would set."""
        return {"HOME": self.home, "USER": self.name, "LOGNAME": self.name}


def check_umask(umask: object) -> str:
    """Return a umask.

    Raises:
        TypeError: It is not a string.
        ValueError: It is not three octal digits.
    """
    if not isinstance(umask, str):
        raise TypeError(f"umask must be a string of octal digits, as '027', not {umask!r}")
    if not _UMASK.fullmatch(umask):
        raise ValueError(f"umask must be three octal digits, as '027', not {umask!r}")
    return umask


def check_nice(nice: object) -> int:
    """Return a niceness.

    Raises:
        TypeError: It is not a whole number.
        ValueError: It is not from -20 to 19.
    """
    if not isinstance(nice, int) or isinstance(nice, bool):
        raise TypeError(f"nice must be a whole number, not {nice!r}")
    if nice not in NICE_RANGE:
        raise ValueError(f"nice must be from -20 to 19, not {nice}")
    return int(nice)
