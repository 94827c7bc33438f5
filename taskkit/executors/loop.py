"""`LoopExecutor`: runs async tasks on an event loop of the program, where their connections live.

Each run is one `asyncio.Task` in a context of its own, and takes no thread. A stop cancels it. Nothing here
blocks the loop: what a run leaves to do that may block, such as `on_error`, is done on a thread.

The loop has one thread, so a body that blocks it blocks all others. The scheduler's own thread checks twice a
second that the loop answers, while runs are on it:

1. `watch` asks the loop to note that it answers, and notes when it asked.
2. If there is no answer a second later, the asyncio task that the loop is executing is the one that blocks.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextvars import Context
from threading import get_ident
from time import monotonic
from typing import Final, cast

from taskkit.bounded_start import BoundedStartThread
from taskkit.capture import router
from taskkit.engine import runner, scheduler_log
from taskkit.engine.summaries import summary
from taskkit.executor import Body, BodyResult, Executor
from taskkit.executors.registry import check_async
from taskkit.outcome import OutcomeKind
from taskkit.parameters import parameters_of_run
from taskkit.process import forks
from taskkit.run import Run, current
from taskkit.words.durations import in_words

BLOCKED_SECONDS: Final = 1.0
"""Time without an answer of the loop after which the body that blocks it is named."""

WATCH_SECONDS: Final = 0.5
"""Time between two checks that the loop answers."""

BEGUN_AT_A_TURN: Final = 100
"""The most runs that begin in one turn of the loop, so that a burst does not block it."""

_CLOSED: Final = "its event loop was closed"


class LoopExecutor(Executor):
    """Runs async tasks on an event loop that the program runs. Thread-safe. It may serve several schedulers.

    `async with Scheduler()` makes one for the running loop.

    Args:
        loop: The event loop; `None` for the one that runs on this thread.

    Raises:
        RuntimeError: `loop` is `None`, and no loop runs on this thread.
        TypeError: `loop` is not an event loop.
    """

    waits_for = "the event loop"

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        if loop is None:
            loop = asyncio.get_running_loop()
        if not isinstance(loop, asyncio.AbstractEventLoop):
            raise TypeError(f"loop must be an event loop, not {loop!r}")
        self.loop: Final = loop
        """The event loop."""
        self._waiting: deque[Body] = deque()
        self._is_called = False  # True if the loop will look at `_waiting`
        self._bodies: dict[asyncio.Task[None], Body] = {}
        self._beginning: Body | None = None
        self._asked: float | None = None  # when the loop was asked for an answer that has not come
        self._blocker: Body | None = None
        self._is_blocked = False

    def __repr__(self) -> str:
        return f"<LoopExecutor of {self.loop!r}>"

    def check(self, task: object) -> None:
        """Refuse what is not async: it would block the loop.

        Raises:
            TypeError: It is not.
        """
        check_async(task)

    def start(self, body: Body) -> None:
        """Begin `body` at the next turn of the loop. If that is closed, the run has failed."""
        # A burst wakes the loop once. `_begin_waiting` resets `_is_called` before it looks, so either it sees
        # this body or this sees that it must call.
        self._waiting.append(body)
        if not self._is_called:
            self._call_begin()

    def _call_begin(self) -> None:
        self._is_called = True
        try:
            self.loop.call_soon_threadsafe(self._begin_waiting)
        except RuntimeError:  # it is closed
            self._end_all()

    def _begin_waiting(self) -> None:
        """Make an asyncio task of each body that waits, a few at a turn of the loop. Called on the loop."""
        self._is_called = False
        for _ in range(min(len(self._waiting), BEGUN_AT_A_TURN)):
            body = self._waiting.popleft()
            run = body.run
            body.thread = get_ident()
            context = Context()  # of its own (O1)
            context.run(current.set, run)
            coroutine = self._perform(body)
            self._beginning = body  # an eager task factory executes its first step here
            try:
                task = self.loop.create_task(coroutine, name=run.name, context=context)
            except BaseException as error:  # noqa: BLE001 - a user's task factory; the other runs must begin
                coroutine.close()
                body.end(runner.failure(error))
                continue
            finally:
                self._beginning = None
            self._bodies[task] = body
            task.add_done_callback(self._forget)
        if self._waiting and not self._is_called:
            self._call_begin()

    def _forget(self, task: asyncio.Task[None]) -> None:
        body = self._bodies.pop(task, None)
        if body is not None and task.cancelled():  # before its first step, so that its coroutine never ran
            body.end(_result(asyncio.CancelledError(), body.run))

    async def _perform(self, body: Body) -> None:
        """Execute a body from its start to its end. Raises nothing, as that might end the loop (O2)."""
        run = body.run
        if not body.begin():
            return
        forked = forks.count
        result: object = None
        try:
            self._cancel_on_stop(run)
            run.parameters = parameters_of_run(run.task, run.given)
            result = runner.call(run.task)
            if hasattr(type(result), "__await__"):
                result = await cast("asyncio.Future[object]", result)
            ended = BodyResult(result=summary(result))
        except BaseException as error:  # noqa: BLE001 - whatever a task raises ends its run, and only that
            ended = _result(error, run)
        if forks.count != forked:
            forks.leave_child(ended.error, even_main=True)
        router.finish(run)
        body.end(ended)

    def _cancel_on_stop(self, run: Run) -> None:
        task = cast("asyncio.Task[None]", asyncio.current_task())

        def cancel() -> None:
            try:
                self.loop.call_soon_threadsafe(task.cancel)
            except RuntimeError:
                self._end_all()  # it is closed

        run.wake_on_stop(cancel)

    # Whether the loop answers

    def watch(self) -> float | None:
        """Find out whether the loop answers, and end its runs if it was closed."""
        if self.loop.is_closed():
            self._end_all()
            return None
        if not self._bodies and not self._waiting and self._beginning is None:
            self._note_answer()
            return None
        now = monotonic()
        if self._asked is None:
            self._asked = now
            try:
                self.loop.call_soon_threadsafe(self._note_answer)
            except RuntimeError:
                return 0.0  # it was closed just now
        elif now - self._asked >= BLOCKED_SECONDS:
            self._note_blocked(now - self._asked)
        return WATCH_SECONDS

    def _note_answer(self) -> None:
        self._asked = None
        if self._is_blocked:
            self._is_blocked, blocker, self._blocker, self.trouble = False, self._blocker, None, None
            if blocker is not None:
                blocker.trouble = None

    def _note_blocked(self, seconds: float) -> None:
        is_news, self._is_blocked = not self._is_blocked, True
        task = asyncio.current_task(self.loop)
        blocker = self._beginning
        if blocker is None and task is not None:
            blocker = self._bodies.get(cast("asyncio.Task[None]", task))
        since = in_words(round(seconds))
        name = "something other than a task of this scheduler" if blocker is None else blocker.run.name
        self.trouble = f"which {name} has blocked for {since}"
        if blocker is not None:
            blocker.trouble = f"it has blocked the event loop for {since}, and every task there with it"
        self._blocker = blocker
        if is_news:
            scheduler_log.warning(
                "%s blocks the event loop: it has not answered for %s, and no task there makes progress",
                name,
                since,
            )

    def close(self) -> None:
        """End the runs of a loop that was closed. Those of a loop that runs were cancelled already."""
        if self.loop.is_closed():
            self._end_all()

    def _end_all(self) -> None:
        """End all runs of a loop that was closed."""
        closed = BodyResult(OutcomeKind.FAILED, exception=_CLOSED)
        while self._waiting:
            self._waiting.popleft().end(closed)
        for task in list(self._bodies):
            body = self._bodies.pop(task, None)
            if body is not None:
                body.end(closed)


def _result(error: BaseException, run: Run) -> BodyResult:
    """Return the result of a body that raised; a cancellation that a stop caused is not a failure."""
    if isinstance(error, asyncio.CancelledError) and run.stop_requested:
        return BodyResult()
    return runner.failure(error)


async def on_own_thread(function: Callable[[], object], name: str) -> None:
    """Call `function` on a new thread, and wait for it without blocking the loop.

    Not `asyncio.to_thread`: that would leave a thread in the loop's pool, for which the interpreter waits at
    its exit.

    Raises:
        BaseException: What `function` raises.
    """
    loop = asyncio.get_running_loop()
    returned: asyncio.Future[None] = loop.create_future()

    def note(error: BaseException | None) -> None:
        if not returned.done():
            if error is None:
                returned.set_result(None)
            else:
                returned.set_exception(error)

    def call() -> None:
        error = None
        try:
            function()
        except BaseException as raised:  # noqa: BLE001 - it is raised where this is awaited
            error = raised
        try:
            loop.call_soon_threadsafe(note, error)
        except RuntimeError:
            pass  # the loop was closed meanwhile

    BoundedStartThread(call, name=name).start()
    await returned
