"""The protocol between a served scheduler and its clients: lines, limits, versions. Pure.

A message is one JSON object on one line of ASCII. ASCII only, because then lone surrogates survive and no
other line separator can occur; an object, because a later version can add a key and an older reader ignores
it. JSON has no infinite numbers: they travel as `{"~": "inf"}`, `{"~": "-inf"}` and `{"~": "nan"}`, and an
object that has a key `~` itself as `{"~": [[key, value], …]}`.

`docs/protocol.md` names every key of every message. The requests themselves are in `requests`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import inf, isfinite, isnan, nan
from typing import Final

from taskkit.remote.errors import ProtocolError, VersionError

OLDEST_VERSION: Final = 1
VERSION: Final = 1
"""The protocol versions that this side speaks: from `OLDEST_VERSION` to `VERSION`."""

MOST_BYTES_TO_SERVER: Final = 256 * 1024
"""The most bytes of one line to the server."""
MOST_BYTES_TO_CLIENT: Final = 4 * 1024 * 1024
"""The most bytes of one line to a client."""
MOST_BYTES_SENT: Final = 512 * 1024
"""Bytes to which the server cuts its own lines, so that a smaller limit of a client still holds."""
MOST_NESTED: Final = 32
"""Levels of objects and arrays in a request."""
MOST_WAITING_REQUESTS: Final = 32
"""Requests of one client that wait for an answer."""
MOST_WATCHERS: Final = 16
"""The most clients that watch."""
MOST_CLIENTS: Final = 20
"""The most clients. Four places remain for commands when dashboards have all others."""
GREETING_SECONDS: Final = 2.0
"""Time limit for the greeting at the client, and for the hello at the server."""
REQUEST_SECONDS: Final = 5.0
"""Lifetime of a request: the server refuses one that it reads later; the client waits as long."""

_MARK: Final = "~"
_NUMBERS: Final = {"inf": inf, "-inf": -inf, "nan": nan}
_encoder = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":"))


def json_text(value: object) -> str:
    """Return a value as JSON in ASCII, on one line.

    Args:
        value: None, booleans, numbers, strings, and sequences and mappings of them. The keys are strings.

    Raises:
        TypeError: It holds something else.
    """
    try:
        text = _encoder.encode(value)
    except ValueError:  # an infinite number: rare, so looked for only now
        return _encoder.encode(_marked(value))
    return _encoder.encode(_marked(value)) if f'"{_MARK}"' in text else text


def encode(message: Mapping[str, object]) -> bytes:
    """Return the line of a message, newline included."""
    return json_text(message).encode("ascii") + b"\n"


def decode(line: bytes, *, most_nested: int | None = None) -> dict[str, object]:
    """Return the message of one line.

    Args:
        line: Without its newline.
        most_nested: How many levels of objects and arrays are allowed; None for what Python's parser allows.

    Raises:
        ProtocolError: The line is not a message.
    """
    if not line.isascii():
        raise ProtocolError("not a message: a line holds bytes that are not ASCII")
    if most_nested is not None and _nesting(line) > most_nested:
        raise ProtocolError(f"not a message: it is nested deeper than {most_nested} levels")
    try:
        message = json.loads(line, object_hook=_unmarked, parse_constant=_refuse_constant)
    except RecursionError:
        raise ProtocolError("not a message: it is nested too deeply") from None
    except ValueError:
        raise ProtocolError("not a message: a line is not JSON") from None
    if not isinstance(message, dict):
        raise ProtocolError("not a message: a line is not a JSON object")
    return message


def common_version(oldest: object, newest: object) -> int:
    """Return the newest version that both sides speak.

    Args:
        oldest: The oldest version that the other side speaks, as it sent it.
        newest: The newest one.

    Raises:
        ProtocolError: These are not version numbers.
        VersionError: There is no common one.
    """
    for number in (oldest, newest):
        if not isinstance(number, int) or isinstance(number, bool):
            raise ProtocolError("not a greeting: it does not name its protocol versions")
    assert isinstance(oldest, int)
    assert isinstance(newest, int)
    if oldest > VERSION:
        raise VersionError(
            f"the service speaks protocol {oldest} to {newest}, this program {OLDEST_VERSION} to {VERSION}:"
            " upgrade taskkit here"
        )
    if newest < OLDEST_VERSION:
        raise VersionError(
            f"the service speaks protocol {oldest} to {newest}, this program {OLDEST_VERSION} to {VERSION}:"
            " upgrade taskkit in the service"
        )
    return min(newest, VERSION)


class LineReader:
    """Makes lines of the pieces that a socket delivers.

    Args:
        most_bytes: The longest line, without its newline.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._rest = bytearray()

    def feed(self, piece: bytes) -> list[bytes]:
        """Return the lines that this piece completes, without their newlines.

        Raises:
            ProtocolError: A line is too long. Nothing more can be read then.
        """
        start = len(self._rest)
        self._rest += piece
        end = self._rest.rfind(b"\n", start)
        lines: list[bytes] = []
        if end >= 0:
            lines = bytes(self._rest[:end]).split(b"\n")
            del self._rest[: end + 1]
        if len(self._rest) > self._most_bytes or any(len(line) > self._most_bytes for line in lines):
            raise ProtocolError(f"not a message: a line is longer than {self._most_bytes:,} bytes")
        return lines


def _marked(value: object) -> object:
    """Replace infinite numbers, and objects that look like a replacement, by objects with the key `~`."""
    if isinstance(value, float):
        if isfinite(value):
            return value
        return {_MARK: "nan" if isnan(value) else "inf" if value > 0 else "-inf"}
    if isinstance(value, Mapping):
        items = {key: _marked(each) for key, each in value.items()}
        return {_MARK: [list(item) for item in items.items()]} if _MARK in items else items
    if isinstance(value, list | tuple):
        return [_marked(each) for each in value]
    return value


def _unmarked(read: dict[str, object]) -> object:
    """Return an object as it was before `_marked`. Called from the innermost object outwards."""
    if len(read) != 1 or _MARK not in read:
        return read
    inner = read[_MARK]
    try:
        return _NUMBERS[inner] if isinstance(inner, str) else dict(inner)  # type: ignore[call-overload]
    except (KeyError, TypeError, ValueError):
        raise ProtocolError(f"not a message: {_MARK} marks neither a number nor an object") from None


def _refuse_constant(name: str) -> object:
    raise ProtocolError(f"not a message: {name} is not JSON")


def _nesting(line: bytes) -> int:
    """Return how deep the objects and arrays of a line are nested. Meaningless if it is not JSON."""
    if line.count(b"[") + line.count(b"{") <= 1:
        return 1
    deepest = depth = 0
    quoted = escaped = False
    for byte in line:
        if quoted:
            if escaped:
                escaped = False
            elif byte == 0x5C:  # backslash
                escaped = True
            elif byte == 0x22:  # quotation mark
                quoted = False
        elif byte == 0x22:
            quoted = True
        elif byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest
