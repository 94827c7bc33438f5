"""What is typed, from bytes to keys; a malformed key is dropped, and what comes after it is not."""

from __future__ import annotations

from codecs import getincrementaldecoder
from collections.abc import Iterator

from textual._xterm_parser import XTermParser
from textual.message import Message


class TypedInput:
    """Reads the keys, the mouse and the answers of one terminal. For one thread."""

    def __init__(self) -> None:
        # Some terminals send a letter with alt as one byte, or what is pasted in another encoding.
        self._decode = getincrementaldecoder("utf-8")("ignore").decode
        self._parser = XTermParser()

    def feed(self, data: bytes) -> Iterator[Message]:
        """The keys that are complete with these bytes; with none, also an escape that nothing follows."""
        for character in self._decode(data):
            yield from self._parsed(character)
        try:
            yield from self._parser.tick()
        except Exception:  # noqa: BLE001 - as below
            self._begin_anew()

    def _parsed(self, character: str) -> Iterator[Message]:
        try:
            # All of it now: what is done with a key is not to be taken for a malformed one.
            events = [*self._parser.feed(character)]
        except Exception:  # noqa: BLE001 - Textual's parser raises a good many for what is no key
            self._begin_anew()
        else:
            yield from events

    def _begin_anew(self) -> None:
        """A parser that has raised parses nothing more. The new one knows what the mouse is measured in."""
        old, self._parser = self._parser, XTermParser()
        self._parser.mouse_pixels = old.mouse_pixels
        self._parser.terminal_size = old.terminal_size
        self._parser.terminal_pixel_size = old.terminal_pixel_size
        self._parser.last_x, self._parser.last_y = old.last_x, old.last_y
