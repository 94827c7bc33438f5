"""Calls of foreign code that must not block the caller, on threads of their own: `Run.on_stop` callbacks.

Guarantees:

- `call` never raises and never blocks, whatever the function does.
- After `reserve_thread` a thread is ready, so that a call needs none that the system may refuse just then.
- A call that does not return occupies one thread and delays no other call. One owner occupies
  `MOST_UNRETURNED` threads of each kind at most.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Context
from queue import Empty, SimpleQueue
from threading import Lock
from typing import Final, TypeVar

from taskkit.bounded_start import BoundedStartThread
from taskkit.clock import LockGate
from taskkit.engine import scheduler_log
from taskkit.process import forks

MOST_UNRETURNED: Final = 8
"""Calls of one kind and owner that may be under way at once, so that hung calls do not use up all threads."""

ANSWER_SECONDS: Final = 0.5
"""Longest wait of `ask` for an answer."""

IDLE_SECONDS: Final = 5.0
"""Lifetime of an idle thread."""

Answer = TypeVar("Answer")

Call = tuple[str, str, Callable[[], object]]
"""The owner, the kind of function, and the function."""


class ForeignCalls:
    """Threads that call foreign functions. Thread-safe.

    Args:
        wake: Called, without a lock, when calls wait for a thread that the system refused. It must see that
            `retry_threads` is called.
        inline: Call each function on the calling thread, as an inline executor does with runs.
    """

    def __init__(self, wake: Callable[[], object], *, inline: bool) -> None:
        self._wake = wake
        self._inline = inline
        self._calls: SimpleQueue[Call] = SimpleQueue()
        self._lock = Lock()
        self._expected = 0  # guarded by _lock, as is the rest
        self._free = 0  # threads that wait for a call
        self._unreturned: dict[tuple[str, str], int] = {}  # calls that have not returned, by owner and kind
        self._late: set[tuple[str, str]] = set()  # of those, the ones whose answer is late
        self._returned: list[LockGate] = []  # gates of those who wait for all calls
        self.lacks_threads = False
        """True if calls wait for a thread that the system refused."""

    def reserve_thread(self) -> None:
        """Keep a thread ready for a call that may come, until `release_thread`."""
        with self._lock:
            self._expected += 1
        self._ensure_thread()

    def release_thread(self) -> None:
        """Undo one `reserve_thread`."""
        with self._lock:
            self._expected -= 1

    def call(self, owner: str, what: str, function: Callable[[], object]) -> None:
        """Call `function` soon, in an empty context. What it raises is logged.

        Args:
            owner: The task that it belongs to.
            what: The kind of function, for the log.
            function: Foreign code.
        """
        with self._lock:
            going = self._unreturned.get((owner, what), 0)
            if going < MOST_UNRETURNED:
                self._unreturned[owner, what] = going + 1
        if going >= MOST_UNRETURNED:
            words = "%s of %s is not called, as %d such calls have not returned yet"
            scheduler_log.error(words, what, owner, going)
        elif self._inline:
            self._call((owner, what, function))
        else:
            self._calls.put((owner, what, function))
            self._ensure_thread()

    def ask(self, owner: str, what: str, function: Callable[[], Answer], otherwise: Answer) -> Answer:
        """Return what `function` returns; `otherwise` if it raises or takes longer than `ANSWER_SECONDS`.

        While a late call has not returned, further ones of that kind get `otherwise` at once.
        """
        if self._inline:
            return function()
        with self._lock:
            if (owner, what) in self._late:
                return otherwise
        answers: list[Answer] = []
        answered = LockGate()

        def answer() -> None:
            try:
                answers.append(function())
            finally:
                answered.open()

        self.call(owner, what, answer)
        if not answered.wait(ANSWER_SECONDS):
            with self._lock:
                if (owner, what) in self._unreturned:
                    self._late.add((owner, what))
        return answers[0] if answers else otherwise

    def wait(self, timeout: float) -> bool:
        """Wait until all calls have returned, `timeout` seconds at most. Return True if they have."""
        gate = LockGate()
        with self._lock:
            if not self._unreturned:
                return True
            self._returned.append(gate)
        return gate.wait(timeout)

    def retry_threads(self) -> bool:
        """Ask the system again for a thread, if calls lack one. Return True if they still do."""
        if self.lacks_threads:
            self.lacks_threads = False
            self._ensure_thread()
        return self.lacks_threads

    def reset_in_child(self) -> None:
        """Forget in a forked child the threads and calls, which are the parent's."""
        self._lock = Lock()
        self._calls = SimpleQueue()
        self._expected = self._free = 0
        self._unreturned, self._late, self._returned = {}, set(), []
        self.lacks_threads = False

    def _ensure_thread(self) -> None:
        """Start a thread if a call waits or may come, and none is free."""
        if self._inline:
            return
        with self._lock:
            if self._free or not (self._expected or not self._calls.empty()):
                return
            self._free += 1
        try:
            BoundedStartThread(self._work, name="taskkit callbacks").start()
        except (RuntimeError, MemoryError):  # the system refuses: the next free thread makes the call
            with self._lock:
                self._free -= 1
                lacks, self.lacks_threads = self.lacks_threads, not self._calls.empty()
                is_news = self.lacks_threads and not lacks
            if is_news:
                self._wake()

    def _work(self) -> None:
        while True:
            try:
                call = self._calls.get(timeout=IDLE_SECONDS)
            except Empty:
                with self._lock:
                    if (self._expected and self._free == 1) or not self._calls.empty():
                        continue
                    self._free -= 1
                    return
            with self._lock:
                self._free -= 1
            self._ensure_thread()  # before the call, which may never return
            forked = forks.count
            self._call(call)
            if forks.count != forked:
                forks.leave_child(None)
            del call  # an idle thread must not keep alive what it holds
            with self._lock:
                self._free += 1

    def _call(self, call: Call) -> None:
        owner, what, function = call
        kind = owner, what
        try:
            Context().run(function)
        except BaseException as error:  # noqa: BLE001 - foreign code may raise anything
            scheduler_log.error("%s of %s raised", what, owner, raised=error)
        finally:
            returned: list[LockGate] = []
            with self._lock:
                self._unreturned[kind] -= 1
                if not self._unreturned[kind]:
                    del self._unreturned[kind]
                    self._late.discard(kind)
                if not self._unreturned:
                    returned, self._returned = self._returned, []
            for gate in returned:
                gate.open()
