r"""Assembly of whole lines from the pieces that a program writes, for each thread and each stream.

`print("x")` is two writes, and a progress bar is hundreds without a line end. The beginning of a line waits
here, bounded. It is shown early in the two cases in which a terminal shows it: when it is flushed, and when a
`\r`, a `\b` or a sequence that moves the cursor says that it will be overwritten.
"""

from __future__ import annotations

from codecs import IncrementalDecoder, getincrementaldecoder
from dataclasses import dataclass
from typing import Final, Protocol

from taskkit.output_lines import ShownLine, Stream
from taskkit.words.terminal_line import TerminalLine, begun_sequence, moves, overwritten

LONGEST_LINE: Final = 65_536
"""Characters of one line that are kept; the rest is counted."""

LONGEST_FLUSHED: Final = 1_000
"""Characters of an unfinished line that a flush still shows. Without a limit, a flush after each character
would take quadratic time.
"""

MOST_UNFINISHED: Final = 256
"""Unfinished lines of one run, which may write on many threads; beyond that the oldest counts as ended."""

_MOST_PIECES: Final = 1_000

_new_decoder = getincrementaldecoder("utf-8")


@dataclass(frozen=True, slots=True, eq=False)
class LineSource:
    """The stream of a line and its level: one for stdout, one for stderr."""

    stream: Stream
    level: int


class Sink(Protocol):
    """A receiver of lines, which also stores those without an end."""

    unfinished: dict[tuple[object, object], UnfinishedLine]
    decoders: dict[tuple[object, object], IncrementalDecoder]

    def add(self, stream: Stream, text: str, level: int) -> None:
        """Receive a whole line."""

    def show(self, stream: Stream, text: str, level: int) -> ShownLine:
        """Receive a line whose end has not come yet."""

    def revise(self, shown: ShownLine, text: str, *, ended: bool) -> None:
        """Change a line that was shown."""


class UnfinishedLine:
    """The beginning of a line whose end has not come yet."""

    # Defaults in the class: most lines are made and ended by one `print`, and need nothing else.
    _kept = 0  # characters in _parts
    _lost = 0
    _returned = False  # True if the next text overwrites this one
    _changed = False  # since it was last shown
    _shown: ShownLine | None = None
    _begun = ""  # an escape sequence whose end has not come yet
    _drawn: TerminalLine | None = None  # once the cursor was moved in it

    def __init__(self) -> None:
        self._parts: list[str] = []

    def append(self, text: str) -> bool:
        """Append text. Return True if the line should be shown at once."""
        if "\x1b" in text or "\b" in text or "\x9b" in text or self._begun or self._drawn is not None:
            text, self._begun = self._begun + text, ""
            if begun := begun_sequence(text):
                text, self._begun = text[: -len(begun)], begun
            if self._drawn is not None or moves(text):
                return self._draw(text)
        if "\r" not in text and not self._returned:
            self._keep(text)
            return False
        visible = text.rstrip("\r")
        returns = len(visible) < len(text)
        if not visible:
            self._returned = self._returned or returns
            return returns
        _, overwrites, visible = visible.rpartition("\r")
        if overwrites or self._returned:
            self._parts = []
            self._kept = self._lost = 0
        self._keep(visible)
        self._returned = returns
        return returns or overwrites != ""

    def _draw(self, text: str) -> bool:
        if self._drawn is None:
            self._drawn = TerminalLine()
            self._drawn.write("".join(self._parts) + ("\r" if self._returned else ""))
            self._parts = []
            self._returned = False
        self._drawn.write(text)
        self._kept, self._lost = len(self._drawn), self._drawn.lost
        self._changed = True
        return "\r" in text or moves(text)

    def flush(self, sink: Sink, source: LineSource) -> None:
        """Show it although its end has not come, unless it is too long for that."""
        if self._kept <= LONGEST_FLUSHED:
            self.show(sink, source)

    def show(self, sink: Sink, source: LineSource) -> None:
        """Show it although its end has not come."""
        if self._changed and self._kept:
            self._changed = False
            if self._shown is None:
                self._shown = sink.show(source.stream, self._text(), source.level)
            else:
                sink.revise(self._shown, self._text(), ended=False)

    def end(self, sink: Sink, source: LineSource) -> None:
        """Hand it over, because its end has come."""
        if self._begun:
            begun, self._begun = self._begun, ""
            self._keep(begun)
        if self._shown is None:
            sink.add(source.stream, self._text(), source.level)
        else:
            sink.revise(self._shown, self._text(), ended=True)

    def _keep(self, text: str) -> None:
        self._changed = True
        room = LONGEST_LINE - self._kept
        if len(text) <= room:
            self._parts.append(text)
            self._kept += len(text)
            if len(self._parts) > _MOST_PIECES:
                self._parts = ["".join(self._parts)]
        else:
            if room:
                self._parts.append(text[:room])
                self._kept = LONGEST_LINE
            self._lost += len(text) - room

    def _text(self) -> str:
        text = "".join(self._parts)
        if self._drawn is not None:
            text = self._drawn.text() + text
        return text + (_left_out(self._lost) if self._lost else "")


def write(sink: Sink, thread: object, source: LineSource, text: str) -> None:
    r"""Hand over the lines that `text` completes, and store the rest.

    A `\r` inside a line that is written in one piece stays in its text, unless the line overwrites itself in
    another way as well.

    Args:
        sink: Receives the lines.
        thread: An object that identifies the calling thread.
        source: The stream that was written to.
        text: Any text, with any number of line ends.
    """
    key = (thread, source)
    if "\n" not in text:
        if text:
            unfinished = sink.unfinished.get(key)
            if unfinished is None:
                if len(sink.unfinished) >= MOST_UNFINISHED:
                    _end_oldest(sink)
                unfinished = sink.unfinished[key] = UnfinishedLine()
            if unfinished.append(text):
                unfinished.show(sink, source)
        return
    *lines, rest = text.split("\n")
    unfinished = sink.unfinished.pop(key, None)
    for line in lines:
        if unfinished is not None:
            if line:
                unfinished.append(line)
            unfinished.end(sink, source)
            unfinished = None
        else:
            sink.add(source.stream, finished(line), source.level)
    if rest:
        write(sink, thread, source, rest)


def _end_oldest(sink: Sink) -> None:
    try:
        key = next(iter(sink.unfinished))
    except (StopIteration, RuntimeError):  # other threads write meanwhile
        return
    _end(sink, key)


def _end(sink: Sink, key: tuple[object, object]) -> None:
    unfinished = sink.unfinished.pop(key, None)
    if unfinished is not None:
        source = key[1]
        assert isinstance(source, LineSource)
        unfinished.end(sink, source)


def decode(sink: Sink, thread: object, source: LineSource, data: bytes) -> str:
    r"""Decode UTF-8 bytes that come in any pieces; invalid bytes become `\xff`."""
    key = (thread, source)
    decoder = sink.decoders.get(key)
    if decoder is None:
        decoder = sink.decoders[key] = _new_decoder("backslashreplace")
    return decoder.decode(data)


def flush(sink: Sink, thread: object, source: LineSource) -> None:
    """Show the unfinished line of the thread."""
    unfinished = sink.unfinished.get((thread, source))
    if unfinished is not None:
        unfinished.flush(sink, source)


def finish(sink: Sink) -> None:
    """End the output: hand over the lines without an end, whichever thread wrote them."""
    while sink.decoders:
        (thread, source), decoder = sink.decoders.popitem()
        assert isinstance(source, LineSource)
        write(sink, thread, source, decoder.decode(b"", True))
    for key in list(sink.unfinished):
        _end(sink, key)


class LineAssembler:
    """Assembles the lines of one pipe in the way in which those of runs are assembled. Not thread-safe.

    It is for a program that draws on the console, and redirects what others write there; `take_output` does
    the same for prints.
    """

    def __init__(self) -> None:
        self._sink = _Collected()

    def feed(self, data: bytes) -> list[str]:
        r"""Take more bytes.

        Returns:
            The lines that they end, without their ends. A very long one is cut, with the number of missing
            characters; invalid bytes become `\xff`.
        """
        write(self._sink, None, _PIPE, decode(self._sink, None, _PIPE, data))
        return self._sink.take_lines()

    def update(self) -> str | None:
        r"""Return the line without an end, with a `\r` behind, as `OutputLine` writes it.

        `None` if it has not changed since the last call, or if it is so long that a flush does not show it.
        """
        flush(self._sink, None, _PIPE)
        return self._sink.take_update()

    def finish(self) -> str | None:
        """End the input. Return the last line, if it had no end."""
        finish(self._sink)
        return next(iter(self._sink.take_lines()), None)


class _Collected:
    """Lines that wait to be taken, and the last state of the line without an end."""

    def __init__(self) -> None:
        self.unfinished: dict[tuple[object, object], UnfinishedLine] = {}
        self.decoders: dict[tuple[object, object], IncrementalDecoder] = {}
        self._lines: list[str] = []
        self._update: str | None = None

    def add(self, stream: Stream, text: str, level: int) -> None:  # noqa: ARG002 - as every sink
        self._lines.append(text)

    def show(self, stream: Stream, text: str, level: int) -> ShownLine:
        self._update = text + "\r"
        return ShownLine(0.0, stream, text, level, place=0)

    def revise(self, shown: ShownLine, text: str, *, ended: bool) -> None:
        self._update = None if ended else text + "\r"
        if ended:
            self.add(shown.stream, text, shown.level)

    def take_lines(self) -> list[str]:
        lines, self._lines = self._lines, []
        return lines

    def take_update(self) -> str | None:
        update, self._update = self._update, None
        return update


_PIPE: Final = LineSource(Stream.STDOUT, 0)  # an assembler reads only one stream


def finished(line: str) -> str:
    """Return a line that was written in one piece, as it is kept."""
    return shortened(overwritten(line) if moves(line) else line.rstrip("\r"))


def shortened(line: str) -> str:
    """Return the line, or its beginning and how much more there is."""
    if len(line) <= LONGEST_LINE:
        return line
    return line[:LONGEST_LINE] + _left_out(len(line) - LONGEST_LINE)


def _left_out(lost: int) -> str:
    return f" … {lost:,} more characters"
