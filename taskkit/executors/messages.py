"""Messages between a program and its workers: plain values, each with its length in front.

`marshal` writes numbers, texts, bytes, and tuples, lists and dictionaries of these, and nothing else. So no
object of a task is ever made while a message is read, and no message can fail to be read: what a task returns
or raises was made plain before.
"""

from __future__ import annotations

import marshal
import struct
from typing import Any, Final

Message = tuple[Any, ...]
"""The kind of message, and its values."""

_LENGTH: Final = struct.Struct("=Q")


def packed(*message: Any) -> bytes:
    """Return a message as bytes.

    Raises:
        ValueError: A value is not plain.
    """
    data = marshal.dumps(message)
    return _LENGTH.pack(len(data)) + data


class MessageReader:
    """Splits bytes that come in any pieces into messages. Not thread-safe."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Message]:
        """Return the messages that `data` completes."""
        buffer = self._buffer
        buffer += data
        messages: list[Message] = []
        start = 0
        while len(buffer) - start >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(buffer, start)
            end = start + _LENGTH.size + length
            if len(buffer) < end:
                break
            messages.append(marshal.loads(memoryview(buffer)[start + _LENGTH.size : end]))
            start = end
        if start:
            # A view of the buffer may still live in a message that is being read; a copy never fails.
            self._buffer = buffer[start:]
        return messages
