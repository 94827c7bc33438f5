"""Make files and folders that only this user can read, and find out who else could write to one.

No function here opens an existing file. That makes it safe beside SQLite, whose locks on a file are lost when
any descriptor of that file is closed.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from errno import ELOOP
from pathlib import Path, PurePath
from shlex import quote
from typing import Final

PRIVATE_FILE: Final = 0o600
PRIVATE_FOLDER: Final = 0o700

_NOT_THE_OWNER: Final = 0o077
_MOST_LINKS: Final = 40
"""The most symbolic links on one path, as in Linux."""


def make_private_folder(folder: Path) -> None:
    """Make a folder for this user alone, with its missing parents. An existing one stays as it is.

    Raises:
        OSError: The system refuses.
    """
    if folder.is_dir():
        return
    for each in (*reversed(folder.parents), folder):
        try:
            each.mkdir(PRIVATE_FOLDER)  # not `parents=True`: that would leave those above to the umask
        except FileExistsError:
            if each == folder and not folder.is_dir():
                raise
        except OSError:
            if not each.is_dir():  # a read-only file system says so also of a folder that is there
                raise


def make_private_file(path: Path) -> bool:
    """Make an empty file for this user alone, whatever the umask. Return False if the path exists.

    Raises:
        OSError: The system refuses.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE_FILE)
    except FileExistsError:
        return False
    try:
        os.fchmod(descriptor, PRIVATE_FILE)
    except OSError:
        pass  # a file system without rights
    finally:
        os.close(descriptor)
    return True


def tighten(path: Path) -> None:
    """Take all rights from group and others, if this user owns the file and the system allows it."""
    try:
        there = path.lstat()
        if (
            not stat.S_ISLNK(there.st_mode)
            and there.st_uid == os.geteuid()
            and there.st_mode & _NOT_THE_OWNER
        ):
            path.chmod(stat.S_IMODE(there.st_mode) & ~_NOT_THE_OWNER)
    except OSError:
        pass


def why_untrusted(path: Path) -> str | None:
    """Return why users other than this one and root control the content of a file, and the remedy.

    The path is followed link by link, as the kernel does. The file is trusted if no other user owns it, may
    write to it, or may replace it or a folder or link on the way.

    Args:
        path: An absolute path. A file that does not exist yet is trusted if its folder is.

    Returns:
        The rest of a sentence about the file; `None` if it is trusted.

    Raises:
        OSError: The path cannot be examined.
    """
    there = None
    step = path
    for folder, step in _steps(path):
        holds = folder.lstat()
        there = _look(step)
        if not others_may_write(holds):
            continue
        if not holds.st_mode & stat.S_ISVTX:
            return (
                f"others may put files into {folder}, and so replace it;"
                f" see what is there, and: chmod go-w {quote(str(folder))}"
            )
        if there is not None and _is_foreign(there):
            owner = owner_name(there)
            return f"{step} belongs to {owner}, in {folder}, which is open to everyone; run it as {owner}"
    return why_untrusted_file(step, there) if there is not None and stat.S_ISREG(there.st_mode) else None


def why_untrusted_file(path: Path, there: os.stat_result) -> str | None:
    """Return why users other than this one and root control a file, whatever its folder is.

    Args:
        path: The path of the file.
        there: The result of `lstat` for it.

    Returns:
        The rest of a sentence about the file; `None` if it is trusted.
    """
    if _is_foreign(there):
        owner = owner_name(there)
        return f"{path} belongs to {owner}; run it as {owner}"
    if others_may_write(there):
        mode = stat.S_IMODE(there.st_mode)
        return (
            f"others may write to {path} (mode {mode:04o});"
            f" see what is in it, and: chmod 600 {quote(str(path))}"
        )
    return None


def others_may_write(there: os.stat_result) -> bool:
    """True if the rights in a `stat` result let users other than the owner and root write.

    A group with this user as its only member does not count: many systems give each user one, and make files
    writable for it.
    """
    if there.st_mode & stat.S_IWOTH:
        return True
    return bool(there.st_mode & stat.S_IWGRP) and _has_others(there.st_gid)


def owner_name(there: os.stat_result) -> str:
    """Return the name of a file's owner, or `user 1000` where there is no name."""
    return user_name(there.st_uid)


def user_name(number: int | None = None) -> str:
    """Return the name of a user, by default of this one; or `user 1000` where there is no name."""
    from pwd import getpwuid

    number = os.geteuid() if number is None else number
    try:
        return getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"


def _is_foreign(there: os.stat_result) -> bool:
    return there.st_uid not in (0, os.geteuid())


def _has_others(group: int) -> bool:
    from grp import getgrgid
    from pwd import getpwall

    try:
        members = set(getgrgid(group).gr_mem)
    except KeyError:
        # Containers run in groups without a name, which the volumes belong to as well.
        return group not in {os.getegid(), *os.getgroups()}
    users = getpwall()
    members |= {user.pw_name for user in users if user.pw_gid == group}
    trusted = {user.pw_name for user in users if user.pw_uid in (0, os.geteuid())}
    return bool(members - trusted)


def _look(path: Path) -> os.stat_result | None:
    try:
        return path.lstat()
    except FileNotFoundError:
        return None


def _steps(path: Path) -> Iterator[tuple[Path, Path]]:
    """Yield each folder on the way to `path`, with the entry that is followed: link, folder or file."""
    pending = list(reversed(path.parts[1:]))
    here = Path(path.anchor)
    links = 0
    while pending:
        part = pending.pop()
        if part == "..":
            here = here.parent
            continue
        step = here / part
        yield here, step
        there = _look(step)
        if there is None:
            return
        if not stat.S_ISLNK(there.st_mode):
            here = step
            continue
        links += 1
        if links > _MOST_LINKS:
            raise OSError(ELOOP, os.strerror(ELOOP), str(path))
        target = PurePath(os.readlink(step))  # noqa: PTH115 - as it is, and nothing resolved
        if target.is_absolute():
            here = Path(target.anchor)
        pending += reversed(target.parts[target.is_absolute() :])
