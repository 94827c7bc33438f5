"""The old `Task`: the work itself, with methods where `taskkit.Task` has attributes."""

from __future__ import annotations

from inspect import Parameter, signature
from typing import TYPE_CHECKING, Any, Final, NoReturn

from taskkit.run import current
from taskkit.task import Task as ModernTask
from taskkit.webware.wrapped_task import handler_of, registration_of

if TYPE_CHECKING:
    from taskkit.run import Run
    from taskkit.webware.handler import TaskHandler

_HANDLE: Final = "_handle"
_NAME: Final = "_name"


class Task(ModernTask):
    """The work of a task. Override `run()`. A constructor need not call this one's.

    A `run(self, close)`, as in TaskKit 0.5, gets an event that is set when the scheduler stops.

    One instance may be registered under several names: its name and its handle are those of the current run.
    A thread that the task starts itself sees those of the run that began last.
    """

    def proceed(self) -> bool:
        """True until the run, or the whole scheduler, is asked to stop."""
        run = self._own_run()
        handler: TaskHandler | None = self.__dict__.get(_HANDLE)
        if run is not None or handler is None:
            return super().proceed()
        return handler.isRunning()

    def handle(self) -> TaskHandler:  # type: ignore[override]
        """Return the handle of this run, or after it, of the last run.

        Raises:
            AttributeError: The task has not run yet.
        """
        return self._handle

    def name(self) -> Any:  # type: ignore[override]
        """Return the name as it was given when the task was added.

        Raises:
            AttributeError: The task has not run yet.
        """
        return self._name

    # Old programs read these two attributes, and some set them.

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
        """The parameters of this run; a task may set an attribute of this name instead."""
        return self.__dict__.get("parameters", super().parameters)

    @parameters.setter
    def parameters(self, value: object) -> None:
        self.__dict__["parameters"] = value

    def _run(self, handle: TaskHandler) -> object:
        """Do one run, and notify the handle of its end. The scheduler calls this."""
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
        """Return the current run if it is one of this task."""
        run = current.get()
        if run is None:
            return None
        registration = registration_of(run)
        return run if self is (run.task if registration is None else registration.task) else None

    def _has_not_run(self, attribute: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} has no {attribute} before its first run")


def _wants_event(run: Any) -> bool:
    """True if `run` takes the event of TaskKit 0.5 as an argument."""
    code = getattr(getattr(run, "__func__", None), "__code__", None)
    if code is not None and code.co_argcount == 1:
        return False
    try:
        parameters = signature(run).parameters.values()
    except (TypeError, ValueError):
        return False
    positional = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
    return any(each.default is each.empty and each.kind in positional for each in parameters)
