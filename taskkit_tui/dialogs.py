"""What is asked before something is done: opens forms and questions, and carries their answers on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from textual.app import App

from taskkit import Schedule
from taskkit_tui.backend import Backend, Told
from taskkit_tui.formatting import harmless, shorten
from taskkit_tui.messages import SetPaused, SetPeriod, SetSchedule, UnregisterTasks
from taskkit_tui.steering import STOPPED, Steering
from taskkit_tui.viewmodel.applicability import READ_ONLY
from taskkit_tui.viewmodel.model import TaskModel
from taskkit_tui.viewmodel.new_task import NewTask
from taskkit_tui.viewmodel.row import TaskRow


class Dialogs:
    """Opens dialogs on an app. Each is loaded when it is opened first. For the app's thread only.

    Args:
        app: Where they are opened, and what gets the requests that they end in.
        backend: Asked what can be filled in.
        steering: Asked what applies, and told to run and to register.
        model: How things stand.
        keys: What a person presses, by the ids of bindings.
        tell: Tells a person what came of it.
        registered: Called with the name of a task that was registered, once its form is closed.
    """

    def __init__(
        self,
        app: App[Any],
        backend: Backend,
        steering: Steering,
        model: TaskModel,
        *,
        keys: Mapping[str, str],
        tell: Callable[[Told], None],
        registered: Callable[[str], None],
    ) -> None:
        self._app = app
        self._backend = backend
        self._steering = steering
        self._model = model
        self._keys = keys
        self._tell = tell
        self._registered = registered
        self._recalled: dict[str, Mapping[str, str]] = {}  # what was typed for the last run of each task

    def ask_new_task(self) -> None:
        """Open the form of a new task, and register what it answers."""
        offers = self._backend.offers()
        if not offers:
            self._tell(Told("The target offers no task class that a form could fill in", is_trouble=True))
            return
        from taskkit_tui.screens.new_task import NewTaskScreen

        def register(new: NewTask) -> str | None:
            told = self._steering.register(new)
            if told.is_trouble:
                return told.text
            self._tell(told)
            return None

        def answered(new: NewTask | None) -> None:
            if new is not None:
                self._registered(new.name)

        taken = frozenset(row.name for row in self._model.rows())
        screen = NewTaskScreen(offers, taken, lambda: self._model.figures.time, register)
        self._app.push_screen(screen, answered)

    def ask_parameters(self, name: str) -> None:
        """Ask what a run shall be given, and run it."""
        shown = shorten(harmless(name), 40)
        details = self._backend.describe(name)
        if details is None:
            self._tell(Told(f"{shown} is gone", is_trouble=True))
            return
        if not details.parameters:
            key = self._keys["task.run"]
            self._tell(Told(f"{shown} takes no parameters; {key} runs it", is_trouble=True))
            return
        from taskkit_tui.screens.run_parameters import RunParametersScreen

        screen = RunParametersScreen(name, details.parameters, self._recalled.get(name, {}))

        def answered(values: Mapping[str, object] | None) -> None:
            if values is not None:
                self._recalled[name] = screen.typed
                self._tell(self._steering.run([name], values))

        self._app.push_screen(screen, answered)

    def ask_period(self, names: Sequence[str]) -> None:
        """Ask for a period, and change it; where none of the tasks has one, for a schedule."""
        rows = self._steering.rows("period", names)
        if not rows:
            self._tell(self._steering.too_late(names))
            return
        periodic = self._steering.rows("slower", names)
        if not periodic:
            self._ask_schedule(rows)
            return
        rows = periodic
        from taskkit_tui.screens.period import PeriodScreen

        def answered(seconds: float | None) -> None:
            if seconds is not None:
                self._app.post_message(SetPeriod(tuple(row.name for row in rows), seconds))

        screen = PeriodScreen(rows, lambda: self._model.figures.time, self._backend.due_times_with)
        self._app.push_screen(screen, answered)

    def _ask_schedule(self, rows: Sequence[TaskRow]) -> None:
        from taskkit_tui.screens.schedule import ScheduleScreen

        def answered(schedule: Schedule | None) -> None:
            if schedule is not None:
                self._app.post_message(SetSchedule(tuple(row.name for row in rows), schedule))

        self._app.push_screen(ScheduleScreen(rows, lambda: self._model.figures.time), answered)

    def ask_pause(self) -> None:
        """Ask whether everything is to be paused, or resumed."""
        if self._steering.read_only:
            self._tell(Told(READ_ONLY, is_trouble=True))
            return
        if self._model.is_stopped:
            self._tell(Told(STOPPED, is_trouble=True))
            return
        from taskkit_tui.screens.confirm import ConfirmScreen

        paused = self._model.figures.paused
        if paused:
            question = "Resume the scheduler?"
            consequence = "Due times that passed meanwhile are not caught up."
        else:
            question = "Pause the whole scheduler?"
            consequence = "Nothing falls due until it is resumed. Runs that go on are not stopped."

        def answered(yes: bool | None) -> None:
            if yes:
                self._app.post_message(SetPaused(not paused))

        self._app.push_screen(ConfirmScreen(question, [consequence]), answered)

    def ask_unregister(self, names: Sequence[str]) -> None:
        """Ask whether tasks are to be forgotten, and forget them."""
        rows = self._steering.rows("unregister", names)
        if not rows:
            self._tell(self._steering.too_late(names))
            return
        from taskkit_tui.screens.confirm import ConfirmScreen, told_names

        names = tuple(row.name for row in rows)
        lines = [*told_names(names)]
        if any(row.task.run is not None for row in rows):
            lines.append("A run that goes on ends first.")

        def answered(yes: bool | None) -> None:
            if yes:
                self._app.post_message(UnregisterTasks(names))

        what = "this task" if len(names) == 1 else f"these {len(names)} tasks"
        self._app.push_screen(ConfirmScreen(f"Unregister {what}?", lines), answered)

    def ask_leave(self, active: Sequence[str], leave: Callable[[], object]) -> None:
        """Ask whether to leave while runs go on, and leave.

        Args:
            active: The tasks that run; at least one.
            leave: Called for a yes.
        """
        from taskkit_tui.screens.confirm import ConfirmScreen, told_names

        def answered(yes: bool | None) -> None:
            if yes:
                leave()

        asked = "It is asked to stop, and has" if len(active) == 1 else "They are asked to stop, and have"
        lines = [*told_names(active), f"{asked} three seconds."]
        what = "a run" if len(active) == 1 else f"{len(active)} runs"
        self._app.push_screen(
            ConfirmScreen(f"Quit while {what} go{'es' if len(active) == 1 else ''} on?", lines), answered
        )
