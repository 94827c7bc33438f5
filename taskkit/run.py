"""One execution of one task: the run, its stop flag, and the current run.

The stop flag belongs to the run, not to the task. One task instance registered under two names has two runs,
and stopping one leaves the other alone.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar, copy_context
from copy import copy
from dataclasses import dataclass
from functools import partial
from threading import Lock, get_ident
from typing import TYPE_CHECKING, Final, Protocol

from taskkit._helpers.checks import check_callable, plain_number
from taskkit._helpers.frozen_dict import FrozenDict
from taskkit.clock import Clock, Instant
from taskkit.errors import NoCurrentRunError
from taskkit.outcome import RETRIED, Outcome, OutcomeKind, SkipReason, Trigger
from taskkit.output import RunOutput
from taskkit.policies import Policies

if TYPE_CHECKING:
    from taskkit.handler import TaskHandler


LONGEST_MESSAGE: Final = 200
"""Characters of a progress message."""

NO_PARAMETERS: Final[Mapping[str, object]] = FrozenDict()


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a run, as the task reports it."""

    done: float
    total: float | None
    message: str
    """The words of the task, control characters and all: a program that shows it must make it harmless."""


class RunListener(Protocol):
    """Receives the reports of an active run. Called on the run's thread, without a lock."""

    def output_written(self, output: RunOutput) -> None:
        """Report new lines of output."""

    def progressed(self, run: Run) -> None:
        """Report progress."""

    def expect_stop_callbacks(self, run: Run, expected: bool) -> None:
        """Report that it has stop callbacks of its task, or has none any more."""

    def call_on_stop(self, run: Run, callbacks: Sequence[Callable[[], object]]) -> None:
        """Call these callbacks of its task, which may do anything: it was asked to stop. Any thread."""

    def raised_on_stop(self, run: Run, error: BaseException) -> None:
        """Report an exception of a stop callback."""


class RunPlace:
    """The place of a body that is not on a thread of the scheduler, as plain data to show."""

    __slots__ = ("thread", "trouble", "where")

    def __init__(self) -> None:
        self.where: str | None = None
        """In words, as `process 4711`; `None` before it begins, or if there is no more to say."""
        self.trouble: str | None = None
        """A clause about what is wrong with it, as `it has blocked the event loop for 3 s`."""
        self.thread: int | None = None
        """The id of the thread that executes the body among others, as that of an event loop does; `None`
        if there is none."""

    @property
    def is_here(self) -> bool:
        """True on that thread: to wait there would block the body and all others."""
        return self.thread is not None and self.thread == get_ident()

    @property
    def waits_for(self) -> str:
        """The thing that the run waits for until it begins."""
        raise NotImplementedError


class Run:
    """One execution of one task, as its task sees it: `taskkit.current_run()`.

    Its attributes may be read from any thread. Only the scheduler calls `begin`, `end`, `request_stop`,
    `notify_stop`, `wake_on_stop`, `release`, `without_parameters`, `forget_output` and `open_output`. `due`,
    `started`, `finished` and `asked_to_stop` are epoch seconds, `lateness` and `duration` are seconds, and
    names that end in `_steady` are times by the clock that only goes forward.
    """

    __slots__ = (
        "__weakref__",
        "_callbacks",
        "_clock",
        "_has_ended",
        "_listener",
        "_outcome",
        "_wakers",
        "asked_to_stop",
        "attempt",
        "due",
        "due_steady",
        "duration",
        "exception",
        "finished",
        "given",
        "goes_on",
        "handle",
        "kind",
        "lateness",
        "name",
        "number",
        "output",
        "parameters",
        "place",
        "policies",
        "progress_announced",
        "progress_made",
        "result",
        "skipped",
        "started",
        "started_steady",
        "stop_requested",
        "task",
        "timed_out",
        "traceback",
        "trigger",
    )

    def __init__(
        self,
        name: str,
        task: object,
        policies: Policies,
        handle: TaskHandler,
        number: int,
        trigger: Trigger,
        due: float,
        due_steady: float,
        attempt: int,
        parameters: Mapping[str, object],
        skipped: Mapping[SkipReason, int],
        clock: Clock,
        listener: RunListener,
    ) -> None:
        self.name = name
        self.task = task
        self.policies = policies
        self.handle = handle
        self.number = number
        self.trigger = trigger
        self.due = due
        self.due_steady = due_steady
        self.attempt = attempt
        self.given = parameters
        """The parameters that were given; `parameters` has the defaults of the task as well."""
        self.parameters = parameters
        self.skipped = skipped
        self.started: float | None = None
        self.started_steady = due_steady
        self.finished: float | None = None
        self.lateness = 0.0
        self.duration = 0.0
        self.kind: OutcomeKind | None = None
        self.result: object = None
        self.exception: str | None = None
        self.traceback: str | None = None
        self.stop_requested = False
        self.asked_to_stop: float | None = None
        self.timed_out = False
        self.output: RunOutput | None = None
        self.progress_made: Progress | None = None
        self.progress_announced = False
        self.place: RunPlace | None = None
        """`None` on a thread of the scheduler."""
        self._clock = clock
        self._listener = listener
        self._wakers: list[Callable[[], object]] | None = None
        self._callbacks: list[Callable[[], object]] | None = None  # guarded by _changing_callbacks
        self.goes_on = False
        """True if a person has abandoned it, and its body has not ended: what it writes is its output."""
        self._has_ended = False
        self._outcome: Outcome | None = None

    def __repr__(self) -> str:
        return f"<Run {self.number} of {self.name!r}>"

    def proceed(self) -> bool:
        """Return True if the task may continue; a long task asks often, and returns when this is false."""
        return not self.stop_requested

    def sleep(self, seconds: float) -> bool:
        """Wait, but not longer than until the run is asked to stop.

        Args:
            seconds: Seconds of the scheduler's clock to wait; zero or less only asks.

        Returns:
            True if the task may continue, as from `proceed()`.

        Raises:
            RuntimeError: The calling code runs on an event loop, which this would block.
        """
        if self.place is not None and self.place.is_here:
            raise RuntimeError(
                "sleep() would block the event loop, and with it every other task there: write"
                " `await asyncio.sleep(…)`, which a stop cancels"
            )
        if self.stop_requested:
            return False
        if seconds > 0:
            gate = self._clock.gate()
            self.wake_on_stop(gate.open)
            gate.wait(seconds)
            self._forget_waker(gate.open)
        return not self.stop_requested

    def progress(self, done: float, total: float | None = None, message: str = "") -> None:
        """Report how far the task has come, for a dashboard or another subscriber.

        Args:
            done: How much is done, in any unit.
            total: How much there is to do, in the same unit, if that is known.
            message: A few words for a person; only the first 200 characters are used.

        Raises:
            TypeError: `done` or `total` is not a number, or `message` is not a string.
            ValueError: A number is infinite, or not a number.
        """
        done = plain_number("done", done)
        if total is not None:
            total = plain_number("total", total, "a number or None")
        if not isinstance(message, str):
            raise TypeError(f"message must be a string, not {message!r}")
        if len(message) > LONGEST_MESSAGE:
            message = message[: LONGEST_MESSAGE - 1] + "…"
        self.progress_made = Progress(done, total, message)
        self._listener.progressed(self)

    def open_output(self) -> RunOutput:
        """Begin to record its output. For the output router; called once, by one thread at a time."""
        self.output = RunOutput(self.name, self.number, self._clock.time, self._listener.output_written)
        return self.output

    def on_stop(self, callback: Callable[[], object]) -> None:
        """Call `callback` once when this run is asked to stop; at once if it already was.

        It is called on a thread of its own, without delaying any other work, and what it raises is logged.
        While it blocks, only the callbacks that were given to this run before it have to wait. Its context
        has the variables of the code that gave it, and this run as the current one. Thread-safe.

        Raises:
            TypeError: `callback` cannot be called.
        """
        check_callable("callback", callback)
        context = copy_context()
        context.run(current.set, self)
        with _changing_callbacks:
            has_ended, is_first = self._has_ended, self._callbacks is None
            if not has_ended:
                if self._callbacks is None:
                    self._callbacks = []
                self._callbacks.append(partial(context.run, callback))
        if has_ended:
            return
        if is_first:
            self._listener.expect_stop_callbacks(self, True)
        if self.stop_requested:
            self._call_back(self._take_callbacks())
        elif self._has_ended:  # it ended just now
            self._take_callbacks()

    def wake_on_stop(self, waker: Callable[[], object]) -> None:
        """Call `waker` when this run is asked to stop, on the thread that asks. For taskkit's own use.

        It must be quick and never block. The race with a stop:

        1. This appends `waker`, and then reads `stop_requested`.
        2. A stop sets `stop_requested`, and then takes the wakers.

        Guarantee: `waker` is called in either case, and once, as only one thread can pop it from the list.
        """
        wakers = self._wakers
        if wakers is None:
            with _changing_callbacks:
                wakers = self._wakers
                if wakers is None:
                    wakers = self._wakers = []
        wakers.append(waker)
        if self.stop_requested:
            self.notify_stop()

    def request_stop(self, now: float, *, timed_out: bool = False) -> None:
        """Raise the stop flag. Changes nothing else, so it may be called under a lock.

        Args:
            now: Epoch seconds.
            timed_out: The run is stopped because of its timeout.
        """
        self.timed_out = self.timed_out or timed_out
        if not self.stop_requested:
            self.asked_to_stop = now
            self.stop_requested = True

    def notify_stop(self) -> None:
        """Wake everything that waits for the stop flag. Call it after `request_stop`, outside every lock.

        Never raises, and never waits.
        """
        callbacks = self._take_callbacks()  # before the run is woken: once it has ended, it forgets them
        wakers = self._wakers
        while wakers:
            try:
                waker = wakers.pop()
            except IndexError:  # another thread took the last one
                break
            try:
                waker()
            except BaseException as error:  # noqa: BLE001 - the gate of a user's clock may raise anything
                self._listener.raised_on_stop(self, error)
        self._call_back(callbacks)

    def _call_back(self, callbacks: list[Callable[[], object]]) -> None:
        if callbacks:
            callbacks.reverse()  # the last one first, as with `atexit`
            self._listener.call_on_stop(self, callbacks)

    def _take_callbacks(self) -> list[Callable[[], object]]:
        """Return the stop callbacks, and forget them. Only one caller ever gets them."""
        with _changing_callbacks:
            callbacks, self._callbacks = self._callbacks, None
        if callbacks is None:
            return []
        self._listener.expect_stop_callbacks(self, False)
        return callbacks

    def release(self) -> None:
        """Forget wakers and callbacks after the task has ended, so that what they hold is freed."""
        self._has_ended = True
        self.goes_on = False
        self._wakers = None
        if self._callbacks is not None:
            self._take_callbacks()

    def begin(self, now: Instant) -> None:
        """Note that its task is called now."""
        self.started = now.wall
        self.started_steady = now.steady
        self.lateness = max(0.0, now.steady - self.due_steady)

    def end(self, now: Instant) -> None:
        """Note when it ended; only the first call counts."""
        if self.finished is None:
            self.finished = now.wall
            if self.started is None:
                self.lateness = max(0.0, now.steady - self.due_steady)
            else:
                self.duration = max(0.0, now.steady - self.started_steady)

    def outcome(self) -> Outcome:
        """Return how it ended. Made at the first call, because most runs are never asked.

        Call it only after the run has ended.
        """
        if self._outcome is None:
            assert self.kind is not None
            assert self.finished is not None
            output = self.output
            self._outcome = Outcome(
                kind=self.kind,
                trigger=self.trigger,
                run=self.number,
                due=self.due,
                started=self.started,
                finished=self.finished,
                duration=self.duration,
                lateness=self.lateness,
                result=self.result,
                exception=self.exception,
                traceback=self.traceback,
                attempt=self.attempt,
                skipped=self.skipped,
                output=() if output is None else output.remembered(),
                output_dropped=0 if output is None else output.dropped,
                task=self.name,
                last_try=self.attempt > self.policies.retries or self.kind not in RETRIED,
            )
        return self._outcome

    def without_parameters(self) -> Run:
        """Return the run to remember: without its parameters, which may be large.

        A thread that the task left behind has the run itself, and still finds its parameters there.
        """
        if not self.parameters and not self.given:
            return self
        past = copy(self)
        past.given = past.parameters = NO_PARAMETERS
        past._wakers = past._callbacks = None
        return past

    def forget_output(self) -> None:
        """Drop all lines of its output; they count as dropped. Call it only after the run has ended."""
        if self.output is not None:
            self.output.forget()
        if self._outcome is not None:
            self._outcome = self._outcome.without_output()

    def _forget_waker(self, callback: Callable[[], object]) -> None:
        # The list may be emptied by `notify_stop` at any moment.
        try:
            if self._wakers:
                self._wakers.remove(callback)
        except ValueError:
            pass


_changing_callbacks = Lock()


def _renew_lock() -> None:
    """Replace the lock in a forked child, where no thread would release it."""
    global _changing_callbacks
    _changing_callbacks = Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)

current: Final[ContextVar[Run | None]] = ContextVar("taskkit_current_run", default=None)
"""The run that the present context belongs to."""


def current_run() -> Run:
    """Return the run that this code belongs to.

    Raises:
        NoCurrentRunError: It belongs to none.
    """
    run = current.get()
    if run is None:
        raise NoCurrentRunError
    return run


def check_parameters(parameters: Mapping[str, object] | None) -> Mapping[str, object]:
    """Return the parameters of a run as an immutable mapping; an empty one for `None`.

    Raises:
        TypeError: It is not a mapping, or has a key that is not a string.
    """
    if parameters is None:
        return NO_PARAMETERS
    if not isinstance(parameters, Mapping):
        raise TypeError(f"parameters must be a mapping of names to values, not {parameters!r}")
    for name in parameters:
        if not isinstance(name, str):
            raise TypeError(f"parameters must have strings as names, not {name!r}")
    return FrozenDict(parameters)
