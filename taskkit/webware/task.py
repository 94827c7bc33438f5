"""What to do, in the old spelling: what attributes tell in `taskkit`, methods tell here."""

from __future__ import annotations

from inspect import Parameter, signature
from typing import TYPE_CHECKING, Any, Final, NoReturn

from taskkit.run import current
from taskkit.task import Task as ModernTask
from taskkit.webware.registration import handler_of, registration_of

if TYPE_CHECKING:
    from taskkit.run import Run
    from taskkit.webware.handler import TaskHandler

_HANDLE: Final = "_handle"
_NAME: Final = "_name"


class Task(ModernTask):
    """Something to do. Override `run()`; a constructor need not call this one's.

    A `run(self, close)`, as TaskKit 0.5 had it, is given an event that is set when the scheduler stops.

    What belongs to one run is found by way of that run, so that one instance may be registered under several
    names. A thread that the task starts itself finds what belongs to the run that began last.
    """

    def proceed(self) -> bool:
        """Whether it may go on: until somebody asks its run, or the whole scheduler, to stop."""
        run = self._own_run()
        handler: TaskHandler | None = self.__dict__.get(_HANDLE)
        if run is not None or handler is None:
            return super().proceed()
        return handler.isRunning()

    def handle(self) -> TaskHandler:  # type: ignore[override]
        """The handle of this run; after it, that of the last one.

        Raises:
            AttributeError: It has not run yet.
        """
        return self._handle

    def name(self) -> Any:  # type: ignore[override]
        """The name that it was added under, as it was given.

        Raises:
            AttributeError: It has not run yet.
        """
        return self._name

    # Old programs read these two, and some set them.

    @property
    def _handle(self) -> TaskHandler:
        run = self._own_run()
        handler: TaskHandler | None = self.__dict__.get(_HANDLE) if run is None else handler_of(run)
        return self._has_not_run(_HANDLE) if handler is None else handler

    @_handle.setter
    def _handle(self, handler: TaskHandler) -> None:
        self.__dict__[_HANDLE] = handler

    @property
    def _name(self) -> Any:
        run = self._own_run()
        if run is not None:
            registration = registration_of(run)
            return run.name if registration is None else registration.handler.name()
        return self.__dict__[_NAME] if _NAME in self.__dict__ else self._has_not_run(_NAME)

    @_name.setter
    def _name(self, name: object) -> None:
        self.__dict__[_NAME] = name

    @property
    def parameters(self) -> Any:
        """What this run was given; a task may have parameters of its own instead."""
        return self.__dict__.get("parameters", super().parameters)

    @parameters.setter
    def parameters(self, value: object) -> None:
        self.__dict__["parameters"] = value

    def _run(self, handle: TaskHandler) -> object:
        """One run, from its begin to the news of its end. The scheduler calls it."""
        self._name = handle.name()
        self._handle = handle
        try:
            run: Any = self.run
            result: object = run(handle.closeEvent()) if _wants_event(run) else run()
        except BaseException:
            handle.notifyFailure()
            raise
        handle.notifyCompletion()
        return result

    def _own_run(self) -> Run | None:
        """The run that this is called in, unless that is another task's."""
        run = current.get()
        if run is None:
            return None
        registration = registration_of(run)
        return run if self is (run.handle.task if registration is None else registration.task) else None

    def _has_not_run(self, attribute: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} has no {attribute} before its first run")


def _wants_event(run: Any) -> bool:
    """Whether `run` takes the event that TaskKit 0.5 gave it."""
    code = getattr(getattr(run, "__func__", None), "__code__", None)
    if code is not None and code.co_argcount == 1:
        return False
    try:
        parameters = signature(run).parameters.values()
    except (TypeError, ValueError):
        return False
    positional = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
    return any(each.default is each.empty and each.kind in positional for each in parameters)
