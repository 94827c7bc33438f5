r"""Bytes that programs write, put together into lines.

A line that is not ended yet is told as well, as an update (it ends in `\r`), and again when it has grown:
progress shows while it is made, and the log overwrites it.
"""

from __future__ import annotations

from typing import Final

LONGEST_LINE: Final = 16_384
"""Bytes; a line that goes on beyond is told in parts."""

_UPDATE_KEPT: Final = 4_096


class LineAssembler:
    """Puts the lines of one stream together. Not safe for threads."""

    def __init__(self) -> None:
        self._begun: list[bytes] = []
        self._size = 0
        self._told = True

    def feed(self, data: bytes) -> list[str]:
        """Take more bytes.

        Returns:
            The lines that they end, without their ends; what is no UTF-8 is replaced.
        """
        *whole, rest = data.split(b"\n")
        lines = []
        if whole:
            whole[0] = b"".join([*self._begun, whole[0]])
            lines = [_text(line) for line in whole]
            self._begun.clear()
            self._size = 0
            self._told = True
        if rest:
            self._begun.append(rest)
            self._size += len(rest)
            self._told = False
            if self._size > LONGEST_LINE:
                lines.append(self._taken())
        return lines

    def update(self) -> str | None:
        r"""What stands in the line that is not ended, with a `\r` behind; `None` if told before."""
        if self._told:
            return None
        begun = b"".join(self._begun)
        if len(begun) > _UPDATE_KEPT and b"\r" in begun:  # what was overwritten need not be kept
            kept = begun.rstrip(b"\r")
            begun = kept[kept.rfind(b"\r") + 1 :] + begun[len(kept) :]
        self._begun = [begun]
        self._size = len(begun)
        self._told = True
        return _text(begun) + "\r"

    def finish(self) -> str | None:
        """The last line, if it had no end."""
        return self._taken() if self._begun else None

    def _taken(self) -> str:
        line = _text(b"".join(self._begun))
        self._begun.clear()
        self._size = 0
        self._told = True
        return line


def _text(line: bytes) -> str:
    return line.rstrip(b"\r").decode("utf-8", "replace")
