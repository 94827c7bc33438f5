"""Turns the bytes of a terminal into Textual's events; drops malformed keys, and only those."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import monotonic
from typing import Final

from textual import events
from textual._xterm_parser import XTermParser
from textual.message import Message

from taskkit_tui.terminal.input_units import InputSplitter, UnitKind
from taskkit_tui.terminal.kitty_keys import plain_key

_LONGEST_KNOWN: Final = 32
"""Characters of a sequence. Textual's parser takes a longer one for typed letters."""


def _ignore() -> None:
    pass


class TypedInput:
    """Reads the keys, the mouse and the replies of one terminal. For one thread.

    Args:
        on_old_mouse: Called when the mouse is reported in a format that was not requested. The report itself
            is dropped: it is too coarse.
        now: Returns a monotonic time, in seconds.
    """

    def __init__(
        self, on_old_mouse: Callable[[], None] = _ignore, now: Callable[[], float] = monotonic
    ) -> None:
        self._on_old_mouse = on_old_mouse
        self._now = now
        self._splitter = InputSplitter()
        self._parser = XTermParser()

    def feed(self, data: bytes) -> Iterator[Message]:
        """Yield the events that are complete with these bytes; without bytes, also a lone escape key."""
        for kind, text in self._splitter.feed(data, self._now()):
            if kind is UnitKind.OLD_MOUSE:
                self._on_old_mouse()
            elif kind is UnitKind.ESCAPE:
                yield events.Key("escape", "\x1b")
            elif kind is UnitKind.PASTE:
                yield events.Paste(text.replace("\x00", ""))
            elif kind is UnitKind.ALT:
                yield from self._with_alt(text)
            elif len(text) <= _LONGEST_KNOWN:
                yield from self._parsed(text)

    def _with_alt(self, text: str) -> list[events.Key]:
        known = [*self._parser._sequence_to_key_events(f"\x1b{text}")]
        pressed = known or [*self._parser._sequence_to_key_events(text, alt=True)]
        return [
            events.Key(f"alt+{key.key}", key.character)
            if text.isprintable() and not known and "+" not in key.key
            else key
            for key in pressed
        ]

    def _parsed(self, text: str) -> list[Message]:
        try:
            plain = plain_key(text)
            # Parse all of it here: an error in handling a key is not an error of the parser.
            read = [] if plain is None else [*self._parser.feed(plain)]
        except Exception:  # noqa: BLE001 - Textual's parser raises many kinds for a malformed key
            self._replace_parser()
            return []
        if self._parser._awaiting.timeout is not None:
            self._replace_parser()  # it waits for more of a sequence that it does not know
        return read

    def _replace_parser(self) -> None:
        """Replace a parser that has raised, because it parses nothing more. Keep its units for the mouse."""
        old, self._parser = self._parser, XTermParser()
        self._parser.mouse_pixels = old.mouse_pixels
        self._parser.terminal_size = old.terminal_size
        self._parser.terminal_pixel_size = old.terminal_pixel_size
        self._parser.last_x, self._parser.last_y = old.last_x, old.last_y
