"""One worker process, seen from the program: its channel, its output, and the run that it executes.

All of it is read and written by the one thread that follows a run, and never blocks there. So a stop always
ends the run: a worker is killed if it does not answer, is stopped by a signal, or others hold its pipes.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Iterator
from selectors import EVENT_READ, EVENT_WRITE, DefaultSelector
from threading import Lock
from time import monotonic
from typing import Final

from taskkit.clock import Clock
from taskkit.executors.launcher import Launcher
from taskkit.executors.messages import Message, MessageReader, packed
from taskkit.line_assembler import LineAssembler
from taskkit.output_lines import OutputLine, Stream

CHUNK: Final = 262_144

LAST_OUTPUT_BYTES: Final = 1_048_576
"""The most bytes of output to read after a run has ended, as its children may still be writing."""

KILLED_SECONDS: Final = 10.0
"""Time for a killed worker to have ended. Where it takes longer, the launcher does not run."""

RELEASE_SECONDS: Final = 2.0
"""Time for an idle worker to end by itself: functions registered with `atexit` are called there."""


class Worker:
    """A worker process. `ended` and `wake` may be called by any thread, all else by one at a time.

    Args:
        launcher: Starts it.
        settings: What `worker_main.prepare` needs.
        clock: The clock of the scheduler.

    Raises:
        WorkerStartError: It cannot be started.
        OSError: The system refuses a pipe.
    """

    def __init__(self, launcher: Launcher, settings: dict[str, object], clock: Clock) -> None:
        self._launcher = launcher
        self._time = clock.time
        self.is_killed = False
        """True once `kill` was called."""
        self._killed_at: float | None = None  # monotonic
        self._has_ended = False
        self.status: int | None = None
        """Its exit status, negative for a signal; `None` until it has ended, or if that is not known."""
        self._reader = MessageReader()
        self._unsent = bytearray()
        self._channel, remote = socket.socketpair()
        self._woken, self._wake = os.pipe()
        self._waking = Lock()  # held for a write to `_wake`, or its end: its number may be another's then
        self._pipes: dict[int, _DescriptorLines] = {}
        out, err = self._pipe(Stream.STDOUT), self._pipe(Stream.STDERR)
        self._selector = DefaultSelector()
        try:
            for fd in (self._channel.fileno(), self._woken, self._wake):
                os.set_blocking(fd, False)
            for fd in (self._channel.fileno(), self._woken, *self._pipes):
                self._selector.register(fd, EVENT_READ)
            self.pid = launcher.start_worker(remote.fileno(), out, err, self.ended)
        except BaseException:
            self.close()
            raise
        finally:
            remote.close()
            os.close(out)
            os.close(err)
        self.post("prepare", settings)

    @property
    def has_ended(self) -> bool:
        """True if its process has ended."""
        return self._has_ended

    @property
    def is_usable(self) -> bool:
        """True if it can take another run."""
        return not self._has_ended and not self._launcher.is_lost

    def ended(self, status: int | None) -> None:
        """Note that it has ended; see `Launcher`."""
        self.status = status
        self._has_ended = True
        self.wake()

    def wake(self) -> None:
        """Make `receive` return, because its run was asked to stop, or the worker has ended. Never blocks."""
        with self._waking:
            try:
                if self._wake >= 0:
                    os.write(self._wake, b"!")
            except BlockingIOError:
                pass  # it is full, and so wakes as well

    def kill(self) -> None:
        """Kill it, and what it started. Does not wait."""
        self.is_killed = True
        self._kill()

    def _kill(self) -> None:
        if self._killed_at is None:
            self._killed_at = monotonic()
        self._launcher.kill(self.pid)

    def seconds_to_die(self) -> float | None:
        """Return how long it may still take to have ended; `None` if it was not killed."""
        if self._killed_at is None:
            return None
        return max(0.0, self._killed_at + KILLED_SECONDS - monotonic())

    def kill_launcher(self) -> None:
        """Kill what starts and kills the workers, and so all workers. Does not wait."""
        self._killed_at = monotonic()
        self._launcher.kill_all()

    def release(self) -> None:
        """End it in order, if it is idle, and kill what is left of it. Waits two seconds at most."""
        try:
            self._channel.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it has ended
        deadline = monotonic() + RELEASE_SECONDS
        while not self._has_ended and (left := deadline - monotonic()) > 0:
            for _ in self.receive(left):
                pass  # its output is not wanted any more, but a full pipe would keep it from ending
        self.kill()
        self.close()

    def close(self) -> None:
        """Close the connection, and what else this process holds of it."""
        self._selector.close()
        self._channel.close()
        with self._waking:
            wake, self._wake = self._wake, -1
            for fd in (self._woken, wake, *self._pipes):
                os.close(fd)
        self._pipes.clear()

    def close_in_child(self) -> None:
        """Close in a forked child what is the parent's."""
        self._waking = Lock()
        self.close()

    def post(self, *message: object) -> None:
        """Send a message, now or as soon as that needs no waiting."""
        self._unsent += packed(*message)
        self._send()

    def receive(self, timeout: float | None) -> Iterator[Message | list[OutputLine]]:
        """Wait for what comes from it, or for `wake`, and return messages and lines of its descriptors."""
        for key, events in self._selector.select(timeout):
            if key.fd == self._woken:
                os.read(self._woken, CHUNK)
            elif key.fd in self._pipes:
                yield self._read_pipe(key.fd)
            else:
                if events & EVENT_WRITE:
                    self._send()
                if events & EVENT_READ:
                    data = self._receive_now()
                    if data == b"" and not self._has_ended:
                        # It has died, or closed its end; what is left of it is killed, and that is reported.
                        self._kill()
                        self._selector.unregister(self._channel.fileno())
                    yield from self._reader.feed(data or b"")

    def receive_rest(self) -> Iterator[Message | list[OutputLine]]:
        """Return what has come already. Call it after the end of the run, or of the worker."""
        if self._has_ended:
            while data := self._receive_now():
                yield from self._reader.feed(data)
        for pipe in list(self._pipes):
            read = 0
            while read < LAST_OUTPUT_BYTES and (data := _read_now(pipe)):
                read += len(data)
                yield self._pipes[pipe].feed(data)
            yield self._pipes[pipe].finish()

    def _pipe(self, stream: Stream) -> int:
        read, write = os.pipe()
        os.set_blocking(read, False)
        self._pipes[read] = _DescriptorLines(stream, self._time)
        return write

    def _read_pipe(self, pipe: int) -> list[OutputLine]:
        data = _read_now(pipe)
        if not data:
            self._selector.unregister(pipe)  # it has closed its end, as daemons do
            return []
        return self._pipes[pipe].feed(data)

    def _receive_now(self) -> bytes | None:
        """Return what has come over the channel; nothing if it has ended, `None` if nothing came."""
        try:
            return self._channel.recv(CHUNK)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def _send(self) -> None:
        """Send what can be sent without waiting."""
        try:
            while self._unsent:
                sent = self._channel.send(self._unsent)
                del self._unsent[:sent]
        except BlockingIOError:
            pass
        except OSError:
            self._unsent.clear()  # it has died
        events = EVENT_READ | EVENT_WRITE if self._unsent else EVENT_READ
        try:
            if self._selector.get_key(self._channel.fileno()).events != events:
                self._selector.modify(self._channel.fileno(), events)
        except KeyError:
            pass  # its channel has ended


class _DescriptorLines:
    """Lines that come out of one pipe."""

    def __init__(self, stream: Stream, time: Callable[[], float]) -> None:
        self._stream = stream
        self._time = time
        self._level = logging.INFO if stream is Stream.STDOUT else logging.WARNING
        self._assembler = LineAssembler()

    def feed(self, data: bytes) -> list[OutputLine]:
        """Return the lines that `data` completes, and the beginning of the next one."""
        texts = self._assembler.feed(data)
        update = self._assembler.update() if len(data) < CHUNK else None
        return self._lines(texts if update is None else [*texts, update])

    def finish(self) -> list[OutputLine]:
        """Return the last line, if it had no end."""
        last, self._assembler = self._assembler.finish(), LineAssembler()
        return [] if last is None else self._lines([last])

    def _lines(self, texts: list[str]) -> list[OutputLine]:
        now = self._time()
        return [OutputLine(now, self._stream, text, self._level) for text in texts]


def _read_now(pipe: int) -> bytes:
    try:
        return os.read(pipe, CHUNK)
    except OSError:
        return b""
