"""One execution of one task: the run with its stop flag, and which run is current.

The stop flag belongs to the run, not to the task: one task instance registered under two names
has two runs, and stopping one leaves the other alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Final, Protocol

from taskkit.checks import plain_number
from taskkit.clock import Clock, Instant
from taskkit.errors import NoCurrentRunError
from taskkit.frozen_dict import FrozenDict
from taskkit.outcome import Outcome, OutcomeKind, SkipReason, Trigger
from taskkit.output import RunOutput

if TYPE_CHECKING:
    from taskkit.handler import TaskHandler


LONGEST_MESSAGE: Final = 200
"""Characters of what a run says of its progress."""

NO_PARAMETERS: Final[Mapping[str, object]] = FrozenDict()


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run says that it has come."""

    done: float
    total: float | None
    message: str
    """As the task gave it, control characters and all: what shows it must make it harmless."""


class Listener(Protocol):
    """Whoever wants to hear from a run while it goes on. Called on the run's thread, without a lock."""

    def output_written(self, output: RunOutput) -> None:
        """It has lines to tell that it had not announced yet."""

    def progressed(self, run: Run) -> None:
        """It says how far it has come."""


class Run:
    """One execution of one task, as its task sees it: `taskkit.current_run()`.

    Its attributes may be read from any thread. `begin`, `end`, `request_stop`, `notify_stop`, `let_go` and
    `open_output` are the scheduler's to call. `due`, `started`, `finished` and `asked_to_stop` are epoch
    seconds, `lateness` and `duration` seconds, and what ends in `_steady` is by the clock that only goes
    forward.
    """

    __slots__ = (
        "_callbacks",
        "_clock",
        "_listener",
        "_outcome",
        "asked_to_stop",
        "attempt",
        "due",
        "due_steady",
        "duration",
        "exception",
        "finished",
        "given",
        "handle",
        "kind",
        "lateness",
        "name",
        "number",
        "output",
        "parameters",
        "progress_announced",
        "progress_made",
        "result",
        "skipped",
        "started",
        "started_steady",
        "stop_requested",
        "ticket",
        "timed_out",
        "traceback",
        "trigger",
    )

    def __init__(
        self,
        name: str,
        handle: TaskHandler,
        number: int,
        trigger: Trigger,
        due: float,
        due_steady: float,
        attempt: int,
        parameters: Mapping[str, object],
        skipped: Mapping[SkipReason, int],
        clock: Clock,
        listener: Listener,
    ) -> None:
        self.name = name
        self.handle = handle
        self.number = number
        self.trigger = trigger
        self.due = due
        self.due_steady = due_steady
        self.attempt = attempt
        self.given = parameters
        """Of its parameters, those that are no defaults of its task."""
        self.parameters = parameters
        self.skipped = skipped
        self.ticket = 0
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
        self._clock = clock
        self._listener = listener
        self._callbacks: list[Callable[[], None]] | None = None
        self._outcome: Outcome | None = None

    def __repr__(self) -> str:
        return f"<Run {self.number} of {self.name!r}>"

    def proceed(self) -> bool:
        """Whether the task may go on; long tasks ask often and return when it is false."""
        return not self.stop_requested

    def sleep(self, seconds: float) -> bool:
        """Wait, but not longer than until the run is asked to stop.

        Args:
            seconds: How many of the scheduler's clock to wait; zero or less only asks.

        Returns:
            Whether the task may go on, as `proceed()` says it.
        """
        if self.stop_requested:
            return False
        if seconds > 0:
            gate = self._clock.gate()
            self.on_stop(gate.open)
            gate.wait(seconds)
            self._forget(gate.open)
        return not self.stop_requested

    def progress(self, done: float, total: float | None = None, message: str = "") -> None:
        """Say how far the task has come; whoever watches sees it.

        Args:
            done: How much is done, in whatever unit the task counts.
            total: How much there is to do, in the same unit, if that is known.
            message: A few words for a person; of many only the first 200 characters are kept.

        Raises:
            TypeError: `done` or `total` is no number, or `message` no string.
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
        """Begin to keep what it writes. For the output router; called once, by one thread at a time."""
        self.output = RunOutput(self.name, self.number, self._clock.time, self._listener.output_written)
        return self.output

    def on_stop(self, callback: Callable[[], None]) -> None:
        """Have `callback` called once when this run is asked to stop; at once if it already was.

        It is called on the thread that asks, so it should be short. Thread-safe.
        """
        callbacks = self._callbacks
        if callbacks is None:
            with _making_callbacks:
                callbacks = self._callbacks
                if callbacks is None:
                    callbacks = self._callbacks = []
        callbacks.append(callback)
        if self.stop_requested:
            self.notify_stop()

    def request_stop(self, now: float, *, timed_out: bool = False) -> None:
        """Raise the stop flag. Touches nothing else, so it may be called under a lock.

        Args:
            now: Epoch seconds.
            timed_out: The run is stopped because its time is over.
        """
        self.timed_out = self.timed_out or timed_out
        if not self.stop_requested:
            self.asked_to_stop = now
            self.stop_requested = True

    def notify_stop(self) -> None:
        """Wake whatever waits for the stop flag. To be called after `request_stop`, outside every lock."""
        callbacks = self._callbacks
        while callbacks:
            try:
                callback = callbacks.pop()
            except IndexError:  # another thread took the last one
                return
            callback()

    def let_go(self) -> None:
        """Forget whom to tell of a stop: its task has ended, and what that held must not be kept alive."""
        self._callbacks = None

    def begin(self, now: Instant) -> None:
        """Note that its task is called now."""
        self.started = now.wall
        self.started_steady = now.steady
        self.lateness = max(0.0, now.steady - self.due_steady)

    def end(self, now: Instant) -> None:
        """Note when it ended; the first call counts."""
        if self.finished is None:
            self.finished = now.wall
            if self.started is None:
                self.lateness = max(0.0, now.steady - self.due_steady)
            else:
                self.duration = max(0.0, now.steady - self.started_steady)

    def outcome(self) -> Outcome:
        """How it ended, made when somebody asks for the first time: most runs are never asked.

        To be called only after the run ended.
        """
        if self._outcome is None:
            assert self.kind is not None
            assert self.finished is not None
            output = self.output
            may_retry = self.kind is OutcomeKind.FAILED or self.kind is OutcomeKind.TIMED_OUT
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
                last_try=not may_retry or self.attempt > self.handle.policies.retries,
            )
        return self._outcome

    def _forget(self, callback: Callable[[], None]) -> None:
        # The list may be emptied by `notify_stop` at any moment.
        try:
            if self._callbacks:
                self._callbacks.remove(callback)
        except ValueError:
            pass


_making_callbacks: Final = Lock()

current: Final[ContextVar[Run | None]] = ContextVar("taskkit_current_run", default=None)
"""The run that the present context belongs to."""


def current_run() -> Run:
    """The run that this code belongs to.

    Raises:
        NoCurrentRunError: It belongs to none.
    """
    run = current.get()
    if run is None:
        raise NoCurrentRunError
    return run


def check_parameters(parameters: Mapping[str, object] | None) -> Mapping[str, object]:
    """The parameters of a run, unchangeable; none is an empty mapping.

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
