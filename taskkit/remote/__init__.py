"""A scheduler served to other processes of this machine, over a Unix socket."""

from taskkit.remote.errors import (
    NoAnswerError,
    ProtocolError,
    RefusedError,
    RemoteError,
    SocketPathError,
    VersionError,
)
from taskkit.remote.server import Server
from taskkit.remote.serving import serve

__all__ = [
    "NoAnswerError",
    "ProtocolError",
    "RefusedError",
    "RemoteError",
    "Server",
    "SocketPathError",
    "VersionError",
    "serve",
]
