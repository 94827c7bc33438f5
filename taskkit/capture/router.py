"""The output router: puts proxies into `sys.stdout` and `sys.stderr`, and keeps them there.

One router serves the process, as there is one `sys.stdout`. Others replace that too: a dashboard, a test's
capture, `contextlib.redirect_stdout`, a task. So each run begins with a check that the proxies are still in
place, and wraps whatever is there instead. Three rules keep this sound in any order of coming and going:

- A proxy is never wrapped.
- A stream gets one proxy, however often it returns.
- A stream that others put back stays as it is, since a proxy without a run behaves like the stream beneath.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from threading import RLock
from time import time
from typing import Final
from weakref import WeakSet

from taskkit import line_assembler
from taskkit.capture import stream_proxies
from taskkit.capture.log_records import RecordHook, lead_handlers
from taskkit.capture.stream_proxies import STDERR, STDOUT, OutsideOutput, StreamProxy
from taskkit.line_assembler import LineSource
from taskkit.output_lines import OutputLine, Stream
from taskkit.process.process_exit import flush_quietly
from taskkit.run import Run, current


class OutputRouter:
    """Keeps the proxies in place as long as a scheduler needs them. Thread-safe."""

    def __init__(self) -> None:
        # Taken only when something changes, never by a print. Reentrant, because a signal handler may
        # start a run inline while this thread holds it.
        self._lock = RLock()
        self._installed = 0  # guarded by _lock, as is the rest
        self._stdout: object = None
        self._stderr: object = None
        self._proxies: WeakSet[StreamProxy] = WeakSet()
        self._takes: list[OutsideOutput] = []
        self._muted: list[object] = []
        self._records = RecordHook()

    def install(self) -> None:
        """Attribute prints from now on. Each call needs one of `uninstall`."""
        with self._lock:
            self._installed += 1
            self._records.set()
            self._adopt()

    def uninstall(self) -> None:
        """Put the former streams back where the proxies are still in place, after the last user has left."""
        with self._lock:
            if not self._installed:
                return
            self._installed -= 1
            if self._installed:
                return
            self._records.unset()
            self._stdout = self._stderr = None
            for name in ("stdout", "stderr"):
                proxy = getattr(sys, name, None)
                if isinstance(proxy, StreamProxy):
                    setattr(sys, name, proxy.original)

    def ensure(self) -> None:
        """Put the proxies in place, if they are not. Called as each run begins; costs two comparisons."""
        if self._were_replaced():
            with self._lock:
                self._adopt()

    def finish(self, run: Run) -> None:
        """Hand over what the run wrote without a line end. Called in its context as its body ends."""
        if self._installed and self._were_replaced():
            _flush_quietly()
            if not (hasattr(sys, "stdout") and hasattr(sys, "stderr")):  # without it no thread can be made
                self.ensure()
        if run.output is not None:
            line_assembler.finish(run.output)

    def _were_replaced(self) -> bool:
        try:
            return sys.stdout is not self._stdout or sys.stderr is not self._stderr
        except AttributeError:  # a task has deleted one
            return True

    def take(self, outside: Callable[[Stream, str], None]) -> Callable[[], None]:
        """Do what `take_output` says."""
        if not callable(outside):
            raise TypeError(f"outside must be callable, not {outside!r}")
        output = OutsideOutput(outside)
        with self._lock:
            self.install()
            self._takes.append(output)
            console = (self._proxy(sys.__stdout__, STDOUT), self._proxy(sys.__stderr__, STDERR))
            self._muted += [proxy.original for proxy in self._proxies]
            self._mute()
            lead_back = lead_handlers({id(proxy.original): proxy for proxy in (*self._proxies, *console)})

        def release() -> None:
            with self._lock:
                if output not in self._takes:
                    return
                lead_back()
                self._takes.remove(output)
                if not self._takes:
                    self._muted.clear()
                self._mute()
                self.uninstall()
            line_assembler.finish(output)

        return release

    def after_fork(self) -> None:
        """Stop attributing in a forked child, which has one thread and no scheduler: its run is the parent's.

        What the child prints goes to the stream beneath, where the parent's dashboard can read it. Lines
        recorded here would never be seen, and reporting them could wait for a lock that no thread releases.
        """
        self._lock = RLock()
        stream_proxies.renew_lock()
        run = current.get()
        if run is not None and (run.finished is None or run.goes_on):
            run.finished, run.goes_on = time(), False
        if self._takes:
            self._takes.clear()
            self._muted.clear()
            self._mute()
            sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__

    def _adopt(self) -> None:
        if self._installed:
            self._stdout = self._put("stdout", STDOUT)
            self._stderr = self._put("stderr", STDERR)

    def _put(self, name: str, source: LineSource) -> StreamProxy:
        if not hasattr(sys, name):
            setattr(sys, name, getattr(sys, f"__{name}__"))
        stream = getattr(sys, name, None)
        if isinstance(stream, StreamProxy):
            return stream
        proxy = self._proxy(stream, source)
        if getattr(sys, name, None) is stream:  # else it was replaced just now
            setattr(sys, name, proxy)
        return proxy

    def _proxy(self, stream: object, source: LineSource) -> StreamProxy:
        for proxy in self._proxies:
            if proxy.original is stream and proxy.source is source:
                return proxy
        proxy = StreamProxy(stream, source)
        self._proxies.add(proxy)
        self._mute()
        return proxy

    def _mute(self) -> None:
        # Only the streams that were there when output was taken: where a task puts a stream of its own
        # into `sys.stdout`, it wants to find there what is printed.
        outside = self._takes[-1] if self._takes else None
        for proxy in self._proxies:
            muted = any(proxy.original is stream for stream in self._muted)
            proxy.taken = outside if muted else None


def _flush_quietly() -> None:
    # A task may have put a writer around our buffer; the text it still holds belongs to the run that ends.
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name, None)
        if not isinstance(stream, StreamProxy):
            flush_quietly(stream)


_router: Final = OutputRouter()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_router.after_fork)


_SOURCES: Final = {Stream.STDOUT: STDOUT, Stream.STDERR: STDERR}


def echo(line: OutputLine) -> None:
    """Write a line that a run wrote in another process to the stream beneath, unless that is taken.

    Records of `logging` are left out: the handlers of the process that made them have written them.
    """
    source = _SOURCES.get(line.stream)
    if source is not None:
        stream = getattr(sys, line.stream.value, None)
        proxy = stream if isinstance(stream, StreamProxy) else StreamProxy(stream, source)
        proxy.echo(line.text if line.text.endswith("\r") else line.text + "\n")


install: Final = _router.install
uninstall: Final = _router.uninstall
ensure: Final = _router.ensure
finish: Final = _router.finish


def take_output(outside: Callable[[Stream, str], None]) -> Callable[[], None]:
    r"""Keep prints off the console, for a program that draws on it.

    What runs print is no longer passed on to the streams that are in `sys.stdout` and `sys.stderr` now, nor
    to the console's own; it is still in `OutputWritten` events and in outcomes. What other code prints there
    goes to `outside`, and so does what the present handlers of `logging` write there. Taken twice, the later
    one gets the lines until it is released.

    Args:
        outside: Called with each line that code outside any run writes, on the thread that writes it. A text
            that ends in `\r` is not final, see `OutputLine`. Exceptions of it are dropped, and so is what it
            prints.

    Returns:
        A function that puts things back; calling it again does nothing. Any thread.

    Raises:
        TypeError: `outside` cannot be called.
    """
    return _router.take(outside)
