"""Whose print is this: puts proxies into `sys.stdout` and `sys.stderr`, and keeps them there.

One router serves the process, as there is one `sys.stdout`. Others replace that too: a dashboard, a test's
capture, `contextlib.redirect_stdout`, a task. So each run begins with a look whether ours are still in place,
and whatever is there instead is wrapped. Three rules keep that sound whoever comes and goes in whatever
order: a proxy is never wrapped; a stream gets one proxy however often it returns; and what others put back
is taken as it is, since a proxy without a run is the stream beneath in all but name.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from threading import RLock
from time import time
from typing import Final
from weakref import WeakSet

from taskkit.engine import lines, stream_proxies
from taskkit.engine.lines import Source
from taskkit.engine.log_records import RecordHook, lead_handlers
from taskkit.engine.stream_proxies import STDERR, STDOUT, Outside, StreamProxy
from taskkit.output import Stream
from taskkit.run import Run, current


class OutputRouter:
    """Keeps the proxies in place as long as anybody wants them. Thread-safe."""

    def __init__(self) -> None:
        # Taken only when something changes, never by a print. Reentrant, because a signal handler may
        # start a run inline while this thread holds it.
        self._lock = RLock()
        self._installed = 0  # guarded by _lock, as is the rest
        self._stdout: object = None
        self._stderr: object = None
        self._proxies: WeakSet[StreamProxy] = WeakSet()
        self._takes: list[Outside] = []
        self._muted: list[object] = []
        self._records = RecordHook()

    def install(self) -> None:
        """Attribute from now on. To be undone by `uninstall` as many times as it was called."""
        with self._lock:
            self._installed += 1
            self._records.set()
            self._adopt()

    def uninstall(self) -> None:
        """Put back what was there, as far as ours are still in place, if nobody else wants them."""
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
        """See to it that ours are in place. To be called as each run begins; costs two comparisons."""
        if sys.stdout is not self._stdout or sys.stderr is not self._stderr:
            with self._lock:
                self._adopt()

    def finish(self, run: Run) -> None:
        """Hand over what the run wrote without a line end. To be called in its context as its body ends."""
        if self._installed and (sys.stdout is not self._stdout or sys.stderr is not self._stderr):
            _flush_quietly()
        if run.output is not None:
            lines.finish(run.output)

    def take(self, tell: Callable[[Stream, str], None]) -> Callable[[], None]:
        """See `take_output`."""
        if not callable(tell):
            raise TypeError(f"outside must be callable, not {tell!r}")
        outside = Outside(tell)
        with self._lock:
            self.install()
            self._takes.append(outside)
            console = (self._proxy(sys.__stdout__, STDOUT), self._proxy(sys.__stderr__, STDERR))
            self._muted += [proxy.original for proxy in self._proxies]
            self._mute()
            lead_back = lead_handlers({id(proxy.original): proxy for proxy in (*self._proxies, *console)})

        def release() -> None:
            with self._lock:
                if outside not in self._takes:
                    return
                lead_back()
                self._takes.remove(outside)
                if not self._takes:
                    self._muted.clear()
                self._mute()
                self.uninstall()
            lines.finish(outside)

        return release

    def after_fork(self) -> None:
        """In a forked child: it has one thread, no scheduler, and a run that is the parent's.

        What the child prints goes to the stream beneath, where the parent's dashboard can read it; recorded
        here nobody would ever see it, and telling of it could wait for a lock that nobody releases.
        """
        self._lock = RLock()
        stream_proxies.renew_lock()
        run = current.get()
        if run is not None and run.finished is None:
            run.finished = time()
        if self._takes:
            self._takes.clear()
            self._muted.clear()
            self._mute()
            sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__

    def _adopt(self) -> None:
        if self._installed:
            self._stdout = self._put("stdout", STDOUT)
            self._stderr = self._put("stderr", STDERR)

    def _put(self, name: str, source: Source) -> StreamProxy:
        stream = getattr(sys, name, None)
        if isinstance(stream, StreamProxy):
            return stream
        proxy = self._proxy(stream, source)
        if getattr(sys, name, None) is stream:  # else somebody put back theirs this very moment
            setattr(sys, name, proxy)
        return proxy

    def _proxy(self, stream: object, source: Source) -> StreamProxy:
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
    # A task may have put a writer around our buffer; what it holds back belongs to the run that ends.
    for stream in (sys.stdout, sys.stderr):
        if not isinstance(stream, StreamProxy):
            try:
                stream.flush()
            except Exception:  # noqa: BLE001 - closed, broken, or no stream at all
                pass


_router: Final = OutputRouter()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_router.after_fork)

install: Final = _router.install
uninstall: Final = _router.uninstall
ensure: Final = _router.ensure
finish: Final = _router.finish


def take_output(outside: Callable[[Stream, str], None]) -> Callable[[], None]:
    r"""Keep what is printed off the console, for a program that draws on it.

    What runs print is no longer passed on to the streams that are in `sys.stdout` and `sys.stderr` now, nor
    to the console's own; it is told in `OutputWritten` events and kept in outcomes as ever. What other code
    prints there goes to `outside`, and so does what the present handlers of `logging` write there. Taken
    twice, the later one gets the lines until it is released.

    Args:
        outside: Called with each line that code outside any run writes, on the thread that writes it. A text
            that ends in `\r` is not the last word, as `OutputLine` says it. What it raises is dropped, and
            so is what it prints.

    Returns:
        A function that puts things back; calling it again does nothing. Any thread.

    Raises:
        TypeError: `outside` cannot be called.
    """
    return _router.take(outside)
