"""Sockets of served schedulers: their folder, who may connect, and the removal of stale ones.

A socket is a file `NAME-PID-HASH.sock` in a folder that only its owner can enter. HASH stands for the target,
so that a process that is stopped and answers nothing can still be matched to its target.

Guarantees: no process can connect to a socket before its mode is 0600, because it listens only then, and the
umask, which belongs to the whole process, is never touched. Only a file that is a socket of our own user, and
that refuses a connection, is ever removed.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import socket
import stat
import struct
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import time
from typing import Final, NamedTuple

from taskkit.remote.errors import SocketPathError
from taskkit.targets.state_paths import absolute_as_given

LONGEST_PATH: Final = 103
"""The most bytes of a socket's path, its final zero included, that every system accepts."""
BEGINNING_SECONDS: Final = 2.0
"""The time that a process has from making its socket until it listens."""
BACKLOG: Final = 128
"""The most connections that wait to be accepted."""

_FILE_NAME: Final = re.compile(r"(?P<name>.+)-(?P<pid>[0-9]{1,9})-(?P<hash>[0-9a-f]{8})\.sock", re.DOTALL)
_NO_TARGET: Final = "0" * 8
_CREDENTIALS: Final = struct.Struct("iII")  # pid, uid, gid


class SocketFile(NamedTuple):
    """A socket of a served scheduler, as far as the name of its file tells."""

    path: Path
    name: str
    pid: int
    target_hash: str


class Peer(NamedTuple):
    """The process at the other end of a connection."""

    uid: int
    pid: int | None
    """None where the system does not say."""


def target_hash(target: str | None) -> str:
    """Return eight hexadecimal digits that stand for a target.

    Two targets are the same if they are the same file, by its absolute path as given, or the same import
    string in the same folder and Python environment.
    """
    if target is None:
        return _NO_TARGET
    return _hash_of(target, absolute_as_given)


def target_hashes(target: str) -> set[str]:
    """Return the hashes under which the process that runs a target may have made its socket.

    It may have been given the path with symbolic links, as a shell shows its folder, or without them, as a
    service manager starts it.
    """
    return {_hash_of(target, absolute_as_given), _hash_of(target, os.path.realpath)}


def _hash_of(target: str, absolute: Callable[[str], str]) -> str:
    path = target.endswith(".toml")
    key = absolute(target) if path else "\0".join((target, absolute("."), sys.prefix))
    return hashlib.sha256(key.encode(errors="surrogateescape")).hexdigest()[:8]


def socket_folder() -> Path:
    """Return the folder for a new socket of this process; make it if it is missing.

    Raises:
        SocketPathError: There is no place for it, or the folder is not safe.
    """
    refused: OSError | None = None
    for folder in _own_folders():
        if folder.parent.is_dir():
            try:
                folder.mkdir(mode=0o700)
            except FileExistsError:
                pass
            except OSError as error:  # after su, XDG_RUNTIME_DIR may be that of another user
                refused = error
                continue
            check_folder(folder, os.getuid())
            return folder
    if refused is not None:
        raise SocketPathError(f"cannot make {refused.filename}: {refused.strerror}") from refused
    raise SocketPathError(
        "there is no runtime folder for a socket: set XDG_RUNTIME_DIR to a folder of your own"
    )


def check_folder(folder: Path, uid: int) -> None:
    """Refuse a folder that others can write to or look into.

    Args:
        folder: A folder of sockets.
        uid: The user who must own it.

    Raises:
        SocketPathError: It is another's, open to others, or no real folder.
    """
    try:
        found = folder.lstat()
    except OSError as error:
        raise SocketPathError(f"cannot use {folder}: {error.strerror}") from error
    if not stat.S_ISDIR(found.st_mode):
        raise SocketPathError(f"cannot use {folder}: it is not a folder; remove it")
    if found.st_uid != uid:
        raise SocketPathError(f"cannot use {folder}: it belongs to user {found.st_uid}, not to user {uid}")
    if found.st_mode & 0o077:
        raise SocketPathError(f"cannot use {folder}: others can use it; run chmod 700 {folder}")


def socket_path(folder: Path, name: str, target: str | None, pid: int) -> Path:
    """Return the path of a socket.

    Raises:
        SocketPathError: It is too long for a socket.
    """
    path = folder / f"{name}-{pid}-{target_hash(target)}.sock"
    if len(os.fsencode(path)) > LONGEST_PATH:
        raise SocketPathError(
            f"the socket's path is longer than {LONGEST_PATH} bytes: {path}; take a shorter name, or set"
            " XDG_RUNTIME_DIR to a folder with a shorter path"
        )
    return path


def listen(path: Path) -> socket.socket:
    """Return a listening socket at `path`, for its owner only. It does not block when accepting.

    Raises:
        SocketPathError: It cannot be made there, or a live one is there.
    """
    if remove_stale(path) is False:
        raise SocketPathError(f"cannot make {path}: something is there already; take another name")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.setblocking(False)
        listener.bind(str(path))
        path.chmod(0o600)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise SocketPathError(f"cannot make {path}: {error.strerror}") from error
    return listener


def connect(path: Path, timeout: float) -> socket.socket:
    """Connect to the socket at `path`.

    Args:
        path: The path of the socket.
        timeout: Seconds to wait if the backlog is full.

    Raises:
        OSError: Nothing listens there, or the path is not a socket.
    """
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(timeout)
        connection.connect(str(path))
    except BaseException:
        connection.close()
        raise
    return connection


def is_beginning(file: SocketFile) -> bool:
    """True if a socket that refuses connections may be one whose process is about to listen.

    Between `bind` and `listen` a new socket refuses as a stale one does. It is recent, and its process lives.
    """
    try:
        os.kill(file.pid, 0)
        return time() - file.path.lstat().st_ctime < BEGINNING_SECONDS
    except OSError:
        return False


def remove_stale(path: Path) -> bool | None:
    """Remove the socket of a process that ended without removing it.

    Returns:
        True if something was removed, None if nothing was there, False if it was left where it is.
    """
    try:
        found = path.lstat()
    except FileNotFoundError:
        return None
    except OSError:
        return False
    if not stat.S_ISSOCK(found.st_mode) or found.st_uid != os.getuid():
        return False
    probe = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        probe.setblocking(False)
        if probe.connect_ex(str(path)) != errno.ECONNREFUSED:  # EAGAIN: it lives, and its backlog is full
            return False
    finally:
        probe.close()
    try:
        path.unlink()
    except OSError:
        return False
    return True


def peer_of(connection: socket.socket) -> Peer:
    """Return the process at the other end, as the kernel reports it.

    Raises:
        OSError: The system does not say.
    """
    if hasattr(socket, "SO_PEERCRED"):
        data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        pid, uid, _ = _CREDENTIALS.unpack(data)
        return Peer(uid, pid)
    # macOS and the BSDs: LOCAL_PEERCRED answers a struct xucred, its version and the uid first.
    data = connection.getsockopt(0, 1, 128)
    _, uid = struct.unpack_from("2I", data)
    return Peer(uid, None)


def may_use(peer: Peer) -> bool:
    """True for the user of this process and for root."""
    return peer.uid in (os.getuid(), 0)


def found_sockets() -> list[SocketFile]:
    """Return the sockets of this user, or for root those of all users; stale ones included."""
    found: dict[Path, SocketFile] = {}
    for folder in _folders_to_search():
        for each in _sockets_in(folder):
            found.setdefault(each.path, each)
    return sorted(found.values(), key=lambda each: (each.name, each.pid))


def _own_folders() -> Iterator[Path]:
    """Yield the folders in which this process may make a socket, the best one first."""
    runtime = os.environ.get("RUNTIME_DIRECTORY", "").partition(":")[0]  # systemd may name several
    for place in (runtime, os.environ.get("XDG_RUNTIME_DIR", "")):
        if place and Path(place).is_absolute():
            yield Path(place, "taskkit")
    temporary = os.environ.get("TMPDIR", "/tmp") if sys.platform == "darwin" else "/tmp"
    yield Path(temporary, f"taskkit-{os.getuid()}")


def _folders_to_search() -> list[Path]:
    """Return all folders in which sockets may be: cron, su and systemd set other variables."""
    folders = [*_own_folders(), Path(f"/run/user/{os.getuid()}/taskkit")]
    try:
        table = Path("/proc/net/unix").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        table = ""
    for line in table.splitlines():
        columns = line.split(maxsplit=7)
        if len(columns) == 8 and (path := Path(columns[7])).is_absolute() and _FILE_NAME.fullmatch(path.name):
            folders.append(path.parent)
    return [folder for folder in dict.fromkeys(folders) if _is_safe(folder)]


def _is_safe(folder: Path) -> bool:
    try:
        owner = folder.lstat().st_uid
        check_folder(folder, owner)
    except (OSError, SocketPathError):
        return False
    return owner == os.getuid() or os.getuid() == 0


def socket_file(path: Path) -> SocketFile:
    """Return what the name of the file of a socket says. The file may be gone by now.

    Raises:
        ValueError: A served scheduler has no such name.
    """
    match = _FILE_NAME.fullmatch(path.name)
    if match is None:
        raise ValueError(f"path must be that of the socket of a served scheduler, not {str(path)!r}")
    return SocketFile(path, match["name"], int(match["pid"]), match["hash"])


def _sockets_in(folder: Path) -> Iterator[SocketFile]:
    try:
        owner = folder.lstat().st_uid
        paths = list(folder.iterdir())
    except OSError:
        return
    for path in paths:
        try:
            file, found = socket_file(path), path.lstat()
        except (ValueError, OSError):
            continue
        if stat.S_ISSOCK(found.st_mode) and found.st_uid == owner:
            yield file
