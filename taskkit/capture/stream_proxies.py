"""Proxies for `sys.stdout` and `sys.stderr`, which attribute each print to its run and pass it on.

Code that belongs to no run, and code whose run has finished, writes to the stream beneath as if there were
nothing between. The same text is never recorded twice: while a record of `logging` is handled or a text is
passed on, the thread is marked, and what reaches a proxy on a marked thread is known already.
"""

from __future__ import annotations

import io
import logging
import os
import threading
from codecs import IncrementalDecoder
from collections.abc import Callable, Iterable
from typing import Any, Final

from taskkit import line_assembler
from taskkit.line_assembler import LineSource, UnfinishedLine
from taskkit.output import RunOutput
from taskkit.output_lines import ShownLine, Stream
from taskkit.run import Run, current

STDOUT: Final = LineSource(Stream.STDOUT, logging.INFO)
STDERR: Final = LineSource(Stream.STDERR, logging.WARNING)

NOTHING: Final = 0
RECORD: Final = 1
TEXT: Final = 2


class ThreadState:
    """The state of a thread. It also identifies the thread: unlike an ident it is never used again."""

    __slots__ = ("known", "proxy")

    def __init__(self) -> None:
        self.known = NOTHING
        """The kind of text it is passing on that is recorded already: nothing, a record, or a text."""
        self.proxy: StreamProxy | None = None
        """The proxy that it wrote to last. Up to Python 3.13 `print` owns no reference to `sys.stdout`, and
        would crash if another thread replaced that between two writes, and nothing else referred to it."""


class _ThisThread(threading.local):
    def __init__(self) -> None:
        self.state = ThreadState()


this_thread: Final = _ThisThread()

_opening = threading.RLock()  # reentrant, because a signal handler may print at any moment


def output_of(run: Run) -> RunOutput:
    """Return the output of the run, which is made when it first writes a line. Any thread."""
    output = run.output
    if output is None:
        with _opening:
            output = run.output or run.open_output()
    return output


def renew_lock() -> None:
    """Replace the lock in a forked child, where no thread would release it."""
    global _opening
    _opening = threading.RLock()


class OutsideOutput:
    """Receives the lines that no run wrote, while output is taken."""

    def __init__(self, notify: Callable[[Stream, str], None]) -> None:
        self.unfinished: dict[tuple[object, object], UnfinishedLine] = {}
        self.decoders: dict[tuple[object, object], IncrementalDecoder] = {}
        self._notify = notify

    def add(self, stream: Stream, text: str, level: int) -> None:  # noqa: ARG002 - as every sink
        """Report one line."""
        thread = this_thread.state
        thread.known, before = TEXT, thread.known
        try:
            self._notify(stream, text)
        except Exception:  # noqa: BLE001 - the code that prints must not feel it
            pass
        finally:
            thread.known = before

    def show(self, stream: Stream, text: str, level: int) -> ShownLine:
        """Report a line whose end has not come yet, as `OutputLine` writes it."""
        self.add(stream, text + "\r", level)
        return ShownLine(0.0, stream, text, level, place=0)

    def revise(self, shown: ShownLine, text: str, *, ended: bool) -> None:
        """Report a change of that line."""
        self.add(shown.stream, text if ended else text + "\r", shown.level)


class StreamProxy:
    """A text stream that attributes what runs write, and passes everything on to the stream beneath.

    It has every attribute of the stream beneath. Closing it closes nothing. Within a run no failure of the
    stream beneath is felt; outside it behaves like the stream beneath.

    Args:
        original: The stream beneath; `None`, as `sys.stdout` is without a console, takes what is written.
        source: Which of the two streams it is.
    """

    def __init__(self, original: Any, source: LineSource) -> None:
        self.original = original
        self.source = source
        self.taken: OutsideOutput | None = None
        """The receiver of what no run wrote. While there is one, nothing is passed on."""
        self.beneath: Any = _Nowhere() if original is None else original
        # A writer around our own buffer holds text back, and would bring it here when this thread is no
        # longer marked.
        self._flushes = isinstance(getattr(original, "buffer", None), BufferProxy)

    def __repr__(self) -> str:
        return f"<{self.source.stream.value} of runs, over {self.original!r}>"

    def __getattr__(self, name: str) -> Any:
        if name == "beneath":  # not made yet, as in `copy.copy`
            raise AttributeError(name)
        try:
            return getattr(self.beneath, name)
        except AttributeError:
            if name in _DEFAULTS:
                return _DEFAULTS[name]
            raise

    def __enter__(self) -> StreamProxy:
        return self

    def __exit__(self, *exception: object) -> None:
        self.flush()

    def write(self, text: str) -> int:
        """Write a text. Return the number of its characters."""
        thread = this_thread.state
        run = current.get()
        if run is None or (run.finished is not None and not run.goes_on):
            outside = self.taken
            if outside is None:
                written: int = self.beneath.write(text)
                thread.proxy = self
                return written
            _check_text(text)
            if thread.known == NOTHING:
                line_assembler.write(outside, thread, self.source, text)
            thread.proxy = self
            return len(text)
        _check_text(text)
        if thread.known == NOTHING:
            line_assembler.write(run.output or output_of(run), thread, self.source, text)
        if self.taken is None:
            self._pass_on(text, thread)
        thread.proxy = self
        return len(text)

    def echo(self, text: str) -> None:
        """Write a text that is recorded already to the stream beneath, unless that is taken."""
        if self.taken is None:
            self._pass_on(text, this_thread.state)

    def writelines(self, texts: Iterable[str]) -> None:
        """Write each of the texts; adds no line ends."""
        for text in texts:
            self.write(text)

    def flush(self) -> None:
        """Flush the stream beneath, and show the line without an end."""
        run = current.get()
        if run is None or (run.finished is not None and not run.goes_on):
            if self.taken is None:
                self.beneath.flush()
            else:
                line_assembler.flush(self.taken, this_thread.state, self.source)
            return
        thread = this_thread.state
        if run.output is not None and thread.known == NOTHING:
            line_assembler.flush(run.output, thread, self.source)
        if self.taken is None:
            thread.known, before = TEXT, thread.known
            try:
                self.beneath.flush()
            except Exception:  # noqa: BLE001 - as in `_pass_on`
                pass
            finally:
                thread.known = before

    def close(self) -> None:
        """Close nothing: others write here too."""
        if not self.closed:
            self.flush()

    def fileno(self) -> int:
        """Return the descriptor beneath; that of the process if a dashboard's stream beneath has none.

        `multiprocessing`, `faulthandler` and `subprocess` ask for it.

        Raises:
            OSError: There is none.
        """
        try:
            number: int = self.beneath.fileno()
        except (AttributeError, OSError, ValueError):
            if self.taken is None:
                raise
            number = -1
        if number >= 0:
            return number
        number = _DESCRIPTORS[self.source.stream]
        os.fstat(number)
        return number

    def detach(self) -> BufferProxy:
        """Return the buffer beneath. Unlike other streams this one stays in use."""
        self.flush()
        buffer: BufferProxy = self.buffer
        return buffer

    def reconfigure(self, **settings: Any) -> None:
        """Change the settings of the stream beneath, if it has any."""
        reconfigure = getattr(self.beneath, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(**settings)

    @property
    def buffer(self) -> Any:
        """The stream of bytes beneath, attributed in the same way. Within a run there always is one."""
        beneath = getattr(self.beneath, "buffer", None)
        if isinstance(beneath, BufferProxy):
            return beneath
        if beneath is None and self.taken is None and current.get() is None:
            return self.beneath.buffer
        return BufferProxy(beneath, self)

    def _pass_on(self, text: str, thread: ThreadState) -> None:
        thread.known, before = TEXT, thread.known
        try:
            self.beneath.write(text)
            if self._flushes:
                self.beneath.flush()
        except UnicodeEncodeError:
            self._pass_on_escaped(text)
        except Exception:  # noqa: BLE001 - a console that is gone is not a reason for a task to fail
            pass
        finally:
            thread.known = before

    def _pass_on_escaped(self, text: str) -> None:
        try:
            encoding = self.beneath.encoding or "ascii"
            self.beneath.write(text.encode(encoding, "backslashreplace").decode(encoding))
        except Exception:  # noqa: BLE001 - as in `_pass_on`
            pass


class BufferProxy:
    """The stream of bytes under a `StreamProxy`: text for a run, bytes for the stream beneath."""

    def __init__(self, beneath: Any, text_stream: StreamProxy) -> None:
        self.beneath = beneath
        self._text_stream = text_stream

    def __repr__(self) -> str:
        return f"<buffer of {self._text_stream!r}>"

    def __getattr__(self, name: str) -> Any:
        if name == "beneath":
            raise AttributeError(name)
        return getattr(self._text_stream.beneath if self.beneath is None else self.beneath, name)

    def __enter__(self) -> BufferProxy:
        return self

    def __exit__(self, *exception: object) -> None:
        self.flush()

    def write(self, data: Any) -> int:
        """Write bytes, or an object that has bytes. Return their number."""
        proxy = self._text_stream
        run = current.get()
        within = run is not None and (run.finished is None or run.goes_on)
        sink = (run.output or output_of(run)) if run is not None and within else proxy.taken
        if sink is None and self.beneath is not None:
            written: int = self.beneath.write(data)
            return written
        if isinstance(data, str):
            raise TypeError("a bytes-like object is required, not 'str'")
        octets = bytes(memoryview(data))
        if sink is None:
            proxy.write(octets.decode("utf-8", "backslashreplace"))
            return len(octets)
        thread = this_thread.state
        if thread.known == NOTHING:
            text = line_assembler.decode(sink, thread, proxy.source, octets)
            line_assembler.write(sink, thread, proxy.source, text)
        else:
            text = octets.decode("utf-8", "backslashreplace")
        if within and proxy.taken is None:
            self._pass_on(octets, text, thread)
        return len(octets)

    def writelines(self, pieces: Iterable[Any]) -> None:
        """Write each of the pieces."""
        for piece in pieces:
            self.write(piece)

    def flush(self) -> None:
        """Flush the stream beneath."""
        if self.beneath is None:
            self._text_stream.flush()
            return
        run = current.get()
        try:
            self.beneath.flush()
        except Exception:
            if run is None or (run.finished is not None and not run.goes_on):
                raise

    def close(self) -> None:
        """Close nothing: others write here too."""
        self.flush()

    def detach(self) -> Any:
        """Return the raw stream beneath, which stays in use here."""
        self.flush()
        return self.raw

    def fileno(self) -> int:
        """Return the descriptor beneath; see `StreamProxy.fileno`."""
        if self.beneath is None:
            return self._text_stream.fileno()
        number: int = self.beneath.fileno()
        return number

    def readable(self) -> bool:
        """Return False: it is for writing only."""
        return False

    def writable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return False."""
        return False

    def _pass_on(self, octets: bytes, text: str, thread: ThreadState) -> None:
        thread.known, before = TEXT, thread.known
        try:
            if self.beneath is not None:
                self.beneath.write(octets)
            else:
                self._text_stream.beneath.write(text)
        except Exception:  # noqa: BLE001 - as in `StreamProxy`
            pass
        finally:
            thread.known = before


io.TextIOBase.register(StreamProxy)
io.BufferedIOBase.register(BufferProxy)


class _Nowhere(io.TextIOBase):
    """The stream beneath where there is none."""

    def write(self, text: str) -> int:
        return len(text)


_DESCRIPTORS: Final = {Stream.STDOUT: 1, Stream.STDERR: 2}

_DEFAULTS: Final[dict[str, object]] = {
    "closed": False,
    "encoding": "utf-8",
    "errors": "backslashreplace",
    "line_buffering": True,
    "newlines": None,
}
"""Attributes that a hand-written stream often lacks and a task may ask for."""


def _check_text(text: object) -> None:
    if not isinstance(text, str):
        raise TypeError(f"write() argument must be str, not {type(text).__name__}")
