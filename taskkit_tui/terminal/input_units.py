"""Splits the bytes of a terminal into keys, escape sequences, pastes and mouse reports.

Textual's parser takes an unknown escape sequence for typed letters. A late reply to a query, or a mouse
report in an old format, would then press keys. So sequences are recognised here by their shape, and only
whole ones are passed on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum, auto
from typing import Final, NamedTuple

from textual.constants import ESCAPE_DELAY

FORGET_SECONDS: Final = 1.0
"""Time that an unfinished sequence waits for its rest."""

PASTE_SECONDS: Final = 3.0
"""Time that a paste waits for more before its end counts as lost. On a slow line it pauses, and its rest must
not be taken for keys."""

_MOST_PENDING: Final = 256
"""The most bytes of an unfinished sequence that are kept; a longer one is not a key."""

_PARTS: Final = {
    b"csi": rb"(?:\x1b\[|\xc2?\x9b)",
    b"letter": (
        rb"(?:\xc2[\xa0-\xbf]|[\xc3-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3})"
    ),
    b"string": rb"\x1b[P\]X^_][\x08-\x0d\x20-\xff]*",
    # An introducer of one byte has an end of one byte, which elsewhere could be a part of a letter.
    b"string8": rb"\xc2?[\x90\x98\x9d-\x9f][\x08-\x0d\x20-\x9b\x9d-\xff]*",
}
_WHOLE: Final = re.compile(
    rb"(?P<mouse>%(csi)sM[\x00\x20-\xff]{3}|%(csi)s\d+;\d+;\d+M)"
    rb"|(?P<sequence>%(csi)s(?:\[[ -~]|\d+\$|(?!M|\[)[0-?]*[ -/]*[@-~])|\x1bO[0-9;]*[@-~])"
    rb"|(?P<string>%(string)s(?:\x07|\x1b\\)|%(string8)s(?:\x07|\x1b\\|\x9c))"
    rb"|\x1b(?P<alt>[\x00-\x1a\x1c-NQ-WYZ\\`-\x7f]|%(letter)s)"
    rb"|(?P<escape>\x1b)(?=\x1b)"
    rb"|(?P<text>[\x00-\x1a\x1c-\x7f]|%(letter)s)" % _PARTS
)
_BEGUN: Final = re.compile(
    rb"%(csi)s(?:M[\x00\x20-\xff]{0,2}|\[|[0-?]*[ -/]*)|\x1bO[0-9;]*"
    rb"|(?P<string>%(string)s|%(string8)s)\x1b?"
    rb"|\x1b|[\xc2-\xdf]|[\xe0-\xef][\x80-\xbf]?|[\xf0-\xf4][\x80-\xbf]{0,2}" % _PARTS
)
_LATE: Final = re.compile(rb"\[[<=>?\dM]|[\[O][A-DFH]\Z|O[P-S]\Z")
"""The start of the rest of a sequence whose escape came long before. A person does not type that at once."""

_ALT_OR_STRING: Final = frozenset(b"\x1b" + bytes([each]) for each in b"P]X^_")
"""Byte pairs that begin a control string, and that are also a letter typed with alt."""

_PASTE_BEGINS: Final = "\x1b[200~"
_PASTE_ENDS: Final = b"\x1b[201~"

_LEAVE: Final = frozenset({b"\x03", b"\x1b[99;5u"})
"""The bytes of ctrl+c, if they are all that was read: a paste does not contain them like that."""

_HALF_ROW: Final = re.compile(rb"[\x80-\xbf]")
_ROW: Final = re.compile(rb"[\xc2-\xdf][\x80-\xbf]?|[\x21-\x7f]")


class UnitKind(Enum):
    """The kind of one unit of the input."""

    TEXT = auto()
    """One character."""
    ALT = auto()
    """One character, typed with alt."""
    ESCAPE = auto()
    """The escape key."""
    SEQUENCE = auto()
    """A whole escape sequence that begins with `ESC [` or `ESC O`, known or not."""
    PASTE = auto()
    """A pasted text."""
    OLD_MOUSE = auto()
    """A mouse report in a format that was not requested."""


class Unit(NamedTuple):
    """One unit of the input."""

    kind: UnitKind
    text: str = ""


class InputSplitter:
    """Splits the bytes of one terminal. For one thread."""

    def __init__(self) -> None:
        self._pending = b""
        self._paste: bytearray | None = None
        self._read_at = 0.0
        self._escaped: float | None = None
        self._row: re.Pattern[bytes] | None = None

    def feed(self, data: bytes, now: float) -> Iterator[Unit]:
        """Yield the units that are complete with these bytes.

        Args:
            data: The bytes; empty if there was nothing to read, so that an unfinished unit may be complete.
            now: A monotonic time, in seconds.
        """
        if not data:
            yield from self._after_pause(now - self._read_at, now)
            return
        self._read_at = now
        if self._row is not None:
            data, self._row = _without(self._row, data), None
        is_late = self._escaped is not None and now - self._escaped < FORGET_SECONDS and _LATE.match(data)
        self._escaped = None
        if self._paste is not None and data in _LEAVE:
            yield self._pasted(self._pending)
            self._pending = b""
        data = (b"\x1b" if is_late else self._pending) + data
        self._pending = b""
        yield from self._split(data)

    def _split(self, data: bytes) -> Iterator[Unit]:
        while data:
            if self._paste is not None:
                text, ended, rest = data.partition(_PASTE_ENDS)
                if not ended:
                    # The end may be cut in two.
                    keep = len(_PASTE_ENDS) - 1
                    self._paste += data[:-keep]
                    self._pending = data[-keep:]
                    return
                data = rest
                yield self._pasted(text)
            elif (whole := _WHOLE.match(data)) is not None:
                data = data[whole.end() :]
                if whole.lastgroup == "mouse":
                    data = self._after_mouse(whole.group(), data)
                if (unit := self._unit(whole)) is not None:
                    yield unit
            elif (begun := _BEGUN.match(data)) is not None:
                if begun.end() == len(data):
                    self._pending = _shortened(begun)
                    return
                # It is cut off. The end of a string may begin another sequence.
                data = data[begun.end("string" if begun["string"] else 0) :]
            else:
                data = data[1:]  # not UTF-8

    def _unit(self, whole: re.Match[bytes]) -> Unit | None:
        match whole.lastgroup:
            case "mouse":
                return Unit(UnitKind.OLD_MOUSE)
            case "escape":
                return Unit(UnitKind.ESCAPE)
            case "alt" | "text" as kind:
                text = whole[kind].decode("utf-8", "ignore")  # a surrogate has the shape of a letter
                return Unit(UnitKind.ALT if kind == "alt" else UnitKind.TEXT, text) if text else None
            case "sequence":
                text = re.sub(rb"\A\xc2?\x9b", b"\x1b[", whole["sequence"]).decode()
                if text == _PASTE_BEGINS:
                    self._paste = bytearray()
                elif text != _PASTE_ENDS.decode():
                    return Unit(UnitKind.SEQUENCE, text)
        return None  # a reply that is not needed

    def _pasted(self, last: bytes) -> Unit:
        assert self._paste is not None
        text = bytes(self._paste + last).decode("utf-8", "ignore")
        self._paste = None
        return Unit(UnitKind.PASTE, text)

    def _after_mouse(self, report: bytes, data: bytes) -> bytes:
        """Skip the rest of a report whose numbers are encoded in UTF-8, as in mode 1005.

        A report whose numbers are bytes may look the same. Then another report follows, or nothing.
        """
        column, row = report[-2:]
        if column < 0x80 and 0xC2 <= row <= 0xDF:
            rest = _HALF_ROW
        elif 0xC2 <= column <= 0xDF and 0x80 <= row <= 0xBF:
            rest = _ROW
        else:
            return data
        if not data:
            self._row = rest
        return _without(rest, data)

    def _after_pause(self, seconds: float, now: float) -> Iterator[Unit]:
        """Decide about an unfinished unit after this many seconds without a byte."""
        pending = self._pending
        if seconds < ESCAPE_DELAY:
            return
        self._row = None
        if self._paste is None and pending == b"\x1b":
            self._pending = b""
            self._escaped = now
            yield Unit(UnitKind.ESCAPE)
        elif self._paste is None and pending in _ALT_OR_STRING:
            self._pending = b""
            yield Unit(UnitKind.ALT, pending[1:].decode())
        elif self._paste is None and seconds >= FORGET_SECONDS:
            self._pending = b""
        elif self._paste is not None and seconds >= PASTE_SECONDS:
            self._pending = b""
            yield self._pasted(pending)


def _without(rest: re.Pattern[bytes], data: bytes) -> bytes:
    found = rest.match(data)
    return data[found.end() :] if found else data


def _shortened(begun: re.Match[bytes]) -> bytes:
    """Return as much of an unfinished sequence as determines how it ends."""
    data = begun.group()
    if len(data) <= _MOST_PENDING:
        return data
    return data[:3] + b"?" + (b"\x1b" if data.endswith(b"\x1b") else b"")
