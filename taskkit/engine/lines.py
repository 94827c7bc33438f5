r"""Whole lines out of whatever pieces a program writes, for each thread and each stream by itself.

`print("x")` is two writes, and a progress bar is hundreds without a line end. What has no end yet waits
here, bounded, and is shown early in the two cases in which a terminal would show it: when it is flushed,
and when a `\r` says that it will be overwritten.
"""

from __future__ import annotations

from codecs import IncrementalDecoder, getincrementaldecoder
from dataclasses import dataclass
from typing import Final, Protocol

from taskkit.output import ShownLine, Stream

LONGEST_LINE: Final = 65_536
"""Characters of one line that are kept; the rest is counted."""

LONGEST_FLUSHED: Final = 1_000
"""Characters of an unfinished line that a flush still shows; without a limit, flushing after each of them
would cost their square."""

_new_decoder = getincrementaldecoder("utf-8")


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """Where a line comes from, and how grave that is. There is one for stdout and one for stderr."""

    stream: Stream
    level: int


class Sink(Protocol):
    """Where lines go, and where what is no whole line yet waits."""

    unfinished: dict[tuple[object, object], UnfinishedLine]
    decoders: dict[tuple[object, object], IncrementalDecoder]

    def add(self, stream: Stream, text: str, level: int) -> None:
        """Take a whole line."""

    def show(self, stream: Stream, text: str, level: int) -> ShownLine:
        """Take a line whose end has not come yet."""

    def revise(self, shown: ShownLine, text: str, *, ended: bool) -> None:
        """Change a line that was shown."""


class UnfinishedLine:
    """What was written of a line that has no end yet."""

    # Defaults in the class: most lines are made and ended by one `print`, and need nothing else.
    _kept = 0  # characters in _parts
    _lost = 0
    _returned = False  # whether the next text overwrites this one
    _changed = False  # since it was last shown
    _shown: ShownLine | None = None

    def __init__(self) -> None:
        self._parts: list[str] = []

    def append(self, text: str) -> bool:
        """Write on. Returns whether that should be shown at once."""
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

    def flush(self, sink: Sink, source: Source) -> None:
        """Show it although its end has not come, if it is not too long for that."""
        if self._kept <= LONGEST_FLUSHED:
            self.show(sink, source)

    def show(self, sink: Sink, source: Source) -> None:
        """Show it although its end has not come."""
        if self._changed and self._kept:
            self._changed = False
            if self._shown is None:
                self._shown = sink.show(source.stream, self._text(), source.level)
            else:
                sink.revise(self._shown, self._text(), ended=False)

    def end(self, sink: Sink, source: Source) -> None:
        """Its end has come."""
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
        else:
            if room:
                self._parts.append(text[:room])
                self._kept = LONGEST_LINE
            self._lost += len(text) - room

    def _text(self) -> str:
        return "".join(self._parts) + (_left_out(self._lost) if self._lost else "")


def write(sink: Sink, thread: object, source: Source, text: str) -> None:
    r"""Hand over the lines that `text` completes, and keep what is left of it.

    A `\r` inside a line that is written in one piece stays in its text.

    Args:
        sink: Who gets the lines.
        thread: Something that stands for the calling thread.
        source: Where it was written.
        text: Any text, with any number of line ends.
    """
    key = (thread, source)
    if "\n" not in text:
        if text:
            unfinished = sink.unfinished.get(key)
            if unfinished is None:
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
            sink.add(source.stream, shortened(line.rstrip("\r")), source.level)
    if rest:
        write(sink, thread, source, rest)


def decode(sink: Sink, thread: object, source: Source, data: bytes) -> str:
    r"""The text of UTF-8 bytes that come in any pieces; what is none is written as `\xff`."""
    key = (thread, source)
    decoder = sink.decoders.get(key)
    if decoder is None:
        decoder = sink.decoders[key] = _new_decoder("backslashreplace")
    return decoder.decode(data)


def flush(sink: Sink, thread: object, source: Source) -> None:
    """Show what the thread wrote of an unfinished line."""
    unfinished = sink.unfinished.get((thread, source))
    if unfinished is not None:
        unfinished.flush(sink, source)


def finish(sink: Sink) -> None:
    """Nothing more will come: hand over what has no end, as lines, whichever thread wrote it."""
    while sink.decoders:
        (thread, source), decoder = sink.decoders.popitem()
        assert isinstance(source, Source)
        write(sink, thread, source, decoder.decode(b"", True))
    for key in list(sink.unfinished):
        unfinished = sink.unfinished.pop(key, None)
        if unfinished is not None:
            source = key[1]
            assert isinstance(source, Source)
            unfinished.end(sink, source)


class LineAssembler:
    r"""Puts the lines of one pipe together, in the way in which those of runs are. Not safe for threads.

    It is for a program that draws on the console, and leads elsewhere what others write there; see
    `take_output`, which does so for prints.
    """

    def __init__(self) -> None:
        self._sink = _Collected()

    def feed(self, data: bytes) -> list[str]:
        r"""Take more bytes.

        Returns:
            The lines that they end, without their ends. Of a very long one it is told how much is left out;
            bytes that are no UTF-8 are written as `\xff`.
        """
        write(self._sink, None, _PIPE, decode(self._sink, None, _PIPE, data))
        return self._sink.take_lines()

    def update(self) -> str | None:
        r"""What stands in the line that is not ended, with a `\r` behind, as `OutputLine` writes it.

        `None` if that was told before, or if it is so long that a flush does not show it.
        """
        flush(self._sink, None, _PIPE)
        return self._sink.take_update()

    def finish(self) -> str | None:
        """Nothing more will come: the last line, if it had no end."""
        finish(self._sink)
        return next(iter(self._sink.take_lines()), None)


class _Collected:
    """Lines that wait to be asked for; of a line whose end has not come, what it held last."""

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


_PIPE: Final = Source(Stream.STDOUT, 0)  # an assembler reads one only, and does not say which


def shortened(line: str) -> str:
    """The line, or its begin and how much more there is."""
    if len(line) <= LONGEST_LINE:
        return line
    return line[:LONGEST_LINE] + _left_out(len(line) - LONGEST_LINE)


def _left_out(lost: int) -> str:
    return f" … {lost:,} more characters"
