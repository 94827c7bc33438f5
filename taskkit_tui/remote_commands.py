"""The commands and questions to a scheduler of another process: each is one request and its answer."""

from __future__ import annotations

from asyncio import wrap_future
from collections.abc import Mapping, Sequence
from typing import Any

from taskkit import SchedulerStoppedError
from taskkit.operations import Answer, Offer, UndoError
from taskkit.remote.client import Client
from taskkit.remote.errors import RefusedError, RemoteError
from taskkit_tui.remote_answers import (
    read_change,
    read_due_times,
    read_offers,
    read_preview,
    read_previewed_time,
)
from taskkit_tui.viewmodel.forms.new_task import NewTask
from taskkit_tui.viewmodel.forms.schedule_preview import SchedulePreview


class RemoteCommands:
    """The part of a backend that sends requests. A request whose answer is lost is never sent again.

    Every method may raise `RemoteError`: nothing was sent, there is no answer, or it was refused.
    """

    def __init__(self) -> None:
        self._registered_by_hand: set[str] = set()

    def _connected(self) -> Client:
        """Return the connection. Raise `RemoteError` if there is none."""
        raise NotImplementedError

    async def run(self, names: Sequence[str], parameters: Mapping[str, object]) -> Answer:
        """Run tasks now; those that run already run once more afterwards."""
        return read_change(await self._ask("run", names=list(names), parameters=dict(parameters)))

    async def stop(self, names: Sequence[str]) -> Answer:
        """Ask runs to stop."""
        return read_change(await self._ask("stop", names=list(names)))

    async def abandon(self, names: Sequence[str]) -> Answer:
        """Give up runs that were asked to stop and have not ended. Cannot be undone."""
        return read_change(await self._ask("abandon", names=list(names)))

    async def disable(self, names: Sequence[str]) -> Answer:
        """Disable tasks: nothing is due until they are enabled."""
        return read_change(await self._ask("disable", names=list(names)))

    async def disable_until(self, names: Sequence[str], typed: str) -> Answer:
        """Disable tasks until a time, as a person types it; then they are enabled automatically.

        Raises:
            ValueError: It is not a time, or has passed; the message says why, in words.
        """
        return read_change(await self._ask("disable_until", names=list(names), until=typed))

    async def enable(self, names: Sequence[str]) -> Answer:
        """Enable tasks."""
        return read_change(await self._ask("enable", names=list(names)))

    async def set_periods(self, periods: Mapping[str, float]) -> Answer:
        """Change periods, in seconds by the names of tasks."""
        return read_change(await self._ask("set_periods", periods=dict(periods)))

    async def reschedule(self, names: Sequence[str], typed: str) -> Answer:
        """Give tasks another schedule, which counts from now.

        Raises:
            ValueError: It is not a schedule, or never due.
        """
        return read_change(await self._ask("reschedule", names=list(names), schedule=typed))

    async def drop_override(self, names: Sequence[str]) -> Answer:
        """Put tasks back on the schedules that the program or a file registered."""
        return read_change(await self._ask("drop_override", names=list(names)))

    async def unregister(self, names: Sequence[str]) -> Answer:
        """Unregister tasks. Cannot be undone."""
        answer = read_change(await self._ask("unregister", names=list(names)))
        self._registered_by_hand.difference_update(answer.names)
        return answer

    async def register(self, new: NewTask) -> Answer:
        """Register a new task; it replaces one of the same name, and then it cannot be undone.

        Raises:
            RemoteError: The constructor of the task, or the scheduler, refuses it.
        """
        answer = read_change(
            await self._ask(
                "register", offer=new.offer, values=dict(new.texts), name=new.name, schedule=new.schedule.text
            )
        )
        self._registered_by_hand.add(new.name)
        return answer

    async def pause(self) -> Answer:
        """Pause the whole scheduler.

        Raises:
            SchedulerStoppedError: It has stopped.
        """
        return read_change(await self._ask("pause"))

    async def resume(self) -> Answer:
        """Resume the whole scheduler.

        Raises:
            SchedulerStoppedError: It has stopped.
        """
        return read_change(await self._ask("resume"))

    async def undo(self, token: str) -> Answer:
        """Undo a change.

        Raises:
            UndoError: It cannot be undone any more; the message says why.
        """
        return read_change(await self._ask("undo", token=token))

    async def due_times_with(self, name: str, seconds: float, count: int) -> Sequence[float] | None:
        """Return up to `count` due times that a task would have with another period, in epoch seconds.

        Raises:
            RemoteError: There is no answer.
        """
        return read_due_times(await self._ask("due_times_with", name=name, seconds=seconds, most=count))

    async def preview(
        self, typed: str, count: int, *, at_once: bool, name: str | None = None
    ) -> SchedulePreview:
        """Return how a typed schedule is read by the service, with up to `count` due times.

        Raises:
            ValueError: It is not a schedule, or there is no answer; the message says why, in words.
        """
        try:
            answer = await self._ask("preview", schedule=typed, most=count, at_once=int(at_once), name=name)
            return read_preview(answer)
        except RemoteError as error:
            raise ValueError(str(error)) from error

    async def preview_time(self, typed: str) -> float:
        """Return how the service reads a typed future time, in epoch seconds.

        Raises:
            ValueError: It is not a time, or there is no answer; the message says why, in words.
        """
        try:
            return read_previewed_time(await self._ask("preview_time", time=typed))
        except RemoteError as error:
            raise ValueError(str(error)) from error

    async def offers(self) -> Sequence[Offer]:
        """Return the task classes from which a person can make tasks."""
        return read_offers(self._connected().rows, await self._ask("offers"))

    async def _ask(self, request: str, **arguments: object) -> dict[str, Any]:
        """Send a request, and await its answer.

        Raises:
            RemoteError: Nothing was sent, or there is no answer, or it was refused.
            SchedulerStoppedError: The scheduler has stopped.
            UndoError: A change cannot be undone.
            ValueError: A typed schedule or time cannot be read.
        """
        try:
            return await wrap_future(self._connected().ask(request, **arguments))
        except RefusedError as error:
            if error.kind == "cannot_undo":
                raise UndoError(str(error)) from None
            if error.kind in ("bad_schedule", "bad_time"):
                raise ValueError(str(error)) from None
            if error.kind == "failed" and str(error) == str(SchedulerStoppedError()):
                raise SchedulerStoppedError from None
            raise
