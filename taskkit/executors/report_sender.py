"""Sends what a run reports in a worker, its lines and its progress, in batches.

The first report after a silence is sent at once, on the thread that made it, so that what is printed before
a crash is not lost. After that there are ten batches a second, or more if much is written. A worker that is
killed loses the last tenth of a second.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from math import inf
from threading import Lock
from time import monotonic, sleep
from typing import Final

from taskkit.bounded_start import BoundedStartThread
from taskkit.clock import LockGate
from taskkit.engine.foreign_calls import ForeignCalls
from taskkit.engine.stop_callbacks import StopCallbacks
from taskkit.executors.reports import Batch, PlainLine, PlainRecord, plain
from taskkit.output import LINES_KEPT, RunOutput
from taskkit.run import Progress, Run

BATCH_SECONDS: Final = 0.1
"""Time between two batches, unless much is written."""

SHORTEST_BATCH_SECONDS: Final = 0.01
"""Least time between two batches."""

BATCH_CHARACTERS: Final = 65_536
"""The most characters that wait for the next batch; with more, it is sent sooner."""


class ReportSender(StopCallbacks):
    """The listener of a run in a worker. Thread-safe.

    Args:
        send: Called with a batch. It may block; one call at a time.
        foreign: Calls the stop callbacks of the task.
    """

    def __init__(self, send: Callable[[Batch], None], foreign: ForeignCalls) -> None:
        super().__init__(foreign)
        self._send = send
        self._sending = Lock()
        self._sent_at = -inf  # guarded by _sending, as is the next
        self._characters_sent = 0
        self._output: RunOutput | None = None
        self._records: deque[PlainRecord] = deque(maxlen=LINES_KEPT)
        self._progress: Progress | None = None
        self._has_news = LockGate()
        self._thread: BoundedStartThread | None = None
        self._closed = False

    def flush(self) -> None:
        """Send what waits. Returns when it is sent."""
        with self._sending:
            self._send_batch()

    def close(self) -> None:
        """Send what waits, and end the thread."""
        self._closed = True
        self._has_news.open()
        self.flush()

    # Reports of the run: the rest of `taskkit.run.RunListener`

    def output_written(self, output: RunOutput) -> None:
        """Send its new lines soon."""
        self._output = output
        self._report()

    def logged(self, record: PlainRecord) -> None:
        """Send a record of `logging` soon."""
        self._records.append(record)
        self._report()

    def progressed(self, run: Run) -> None:
        """Send its progress soon."""
        self._progress = run.progress_made
        self._report()

    def _report(self) -> None:
        """Send a batch at once, or make sure that the thread does.

        Guarantee: what was written before this call is sent. If another thread sends just now, and has taken
        its batch already, the thread of this sender takes another.
        """
        if monotonic() - self._sent_at >= BATCH_SECONDS and self._sending.acquire(blocking=False):
            try:
                self._send_batch()
            finally:
                self._sending.release()
            return
        if self._thread is None:
            try:
                thread = BoundedStartThread(self._send_batches, name="taskkit reports")
                thread.start()
            except (
                RuntimeError,
                MemoryError,
            ):  # none is to be had: the next report sends it, or the end
                return
            self._thread = thread
        self._has_news.open()

    def _send_batches(self) -> None:
        while True:
            self._has_news.wait(None)
            while (left := self._sent_at + BATCH_SECONDS - monotonic()) > 0 and not self._closed:
                sleep(min(left, SHORTEST_BATCH_SECONDS))
                if self._much_waits():
                    break
            if self._closed:
                return
            self.flush()

    def _much_waits(self) -> bool:
        output = self._output
        return output is not None and (
            output.untaken_lines >= LINES_KEPT // 2
            or len(self._records) >= LINES_KEPT // 2
            or output.characters_written - self._characters_sent >= BATCH_CHARACTERS
        )

    def _send_batch(self) -> None:
        made, self._progress = self._progress, None
        progress = None if made is None else (made.done, made.total, plain(made.message))
        records = [self._records.popleft() for _ in range(len(self._records))]
        lines: list[PlainLine] = []
        lost = 0
        if (output := self._output) is not None:
            self._characters_sent = output.characters_written
            taken, lost = output.take()
            lines = [(line.time, line.stream.value, plain(line.text), line.level) for line in taken]
        if lines or lost or records or progress is not None:
            self._send((lines, lost, records, progress))
        self._sent_at = monotonic()
