"""Dialogs that open before a command is carried out: forms and questions, and what they are answered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.app import App

from taskkit_tui.backend import Backend, Notice
from taskkit_tui.commands import STOPPED, Commands
from taskkit_tui.formatting import harmless, shorten
from taskkit_tui.keys.command import READ_ONLY, Command
from taskkit_tui.messages import CommandAsked
from taskkit_tui.viewmodel.model import TaskModel
from taskkit_tui.viewmodel.row import TaskRow

if TYPE_CHECKING:
    from taskkit_tui.screens.service_dialog import ServiceScreen
    from taskkit_tui.viewmodel.forms.new_task import NewTask
    from taskkit_tui.viewmodel.forms.schedule_preview import TypedSchedule
    from taskkit_tui.viewmodel.forms.typed_time import TypedTime
    from taskkit_tui.viewmodel.services import ServiceChoice

_NO_CLASS = (
    "The target offers no task class that a form could fill in. "
    "A module lists its classes as task_classes; a task of a file is written into it."
)


class Dialogs:
    """Opens dialogs on an app. Each module is imported when its dialog is opened first. Not thread-safe.

    Args:
        app: Where they are opened. It gets the answers as requests.
        backend: What can be filled in.
        commands: What a command applies to, and the registration of new tasks.
        model: The state of the tasks.
        keys: What a person presses, by the ids of commands.
        in_order: Calls a command once those before it have been answered.
        notify: Shows a notice.
        registered: Called with the name of a task that was registered, once its form is closed.
    """

    def __init__(
        self,
        app: App[Any],
        backend: Backend,
        commands: Commands,
        model: TaskModel,
        *,
        keys: Mapping[str, str],
        in_order: Callable[[Callable[[], Awaitable[Notice]]], Awaitable[Notice]],
        notify: Callable[[Notice], None],
        registered: Callable[[str], None],
    ) -> None:
        self._app = app
        self._backend = backend
        self._commands = commands
        self._model = model
        self._keys = keys
        self._in_order = in_order
        self._notify = notify
        self._registered = registered
        self._service_screen: ServiceScreen | None = None
        self._recalled: dict[str, Mapping[str, str]] = {}  # what was typed for the last run of each task

    async def ask(self, command: Command, names: Sequence[str]) -> None:
        """Open the dialog of a command: the method of its name."""
        await getattr(self, command.method)(names)

    def _answer(self, command: str, names: Sequence[str], *answers: object) -> None:
        self._app.post_message(CommandAsked(command, tuple(names), answers))

    async def new(self, _names: Sequence[str]) -> None:
        """Open the form of a new task. It stays open until the task is registered."""
        offers = await self._backend.offers()
        if not offers:
            self._notify(Notice(_NO_CLASS, is_trouble=True))
            return
        from taskkit_tui.screens.new_task_dialog import NewTaskScreen

        async def register(new: NewTask) -> str | None:
            notice = await self._in_order(partial(self._commands.register, new))
            if notice.is_trouble:
                return notice.text
            self._notify(notice)
            return None

        def answered(new: NewTask | None) -> None:
            if new is not None:
                self._registered(new.name)

        taken = frozenset(row.name for row in self._model.rows())
        preview = partial(self._backend.preview, at_once=True)
        screen = NewTaskScreen(offers, taken, lambda: self._model.figures.time, preview, register)
        self._app.push_screen(screen, answered)

    async def run_with(self, names: Sequence[str]) -> None:
        """Ask for the parameters of a run."""
        (name,) = names
        shown = shorten(harmless(name), 40)
        details = await self._backend.describe(name)
        if details is None:
            self._notify(Notice(f"{shown} is gone", is_trouble=True))
            return
        if not details.parameters:
            key = self._keys["task.run"]
            self._notify(Notice(f"{shown} takes no parameters; {key} runs it", is_trouble=True))
            return
        from taskkit_tui.screens.run_parameters_dialog import RunParametersScreen

        screen = RunParametersScreen(name, details.parameters, self._recalled.get(name, {}))

        def answered(values: Mapping[str, object] | None) -> None:
            if values is not None:
                self._recalled[name] = screen.typed
                self._answer("task.run-with", names, values)

        self._app.push_screen(screen, answered)

    async def period(self, names: Sequence[str]) -> None:
        """Ask for a period; if none of the tasks has one, for a schedule."""
        rows = self._commands.rows("task.period", names)
        if not rows:
            self._notify(self._commands.too_late(names))
            return
        periodic = self._commands.rows("task.slower", names)
        if not periodic:
            self._ask_schedule(rows)
            return
        rows = periodic
        from taskkit_tui.screens.period_dialog import PeriodScreen

        def answered(seconds: float | None) -> None:
            if seconds is not None:
                self._answer("task.period", [row.name for row in rows], seconds)

        screen = PeriodScreen(rows, lambda: self._model.figures.time, self._backend.due_times_with)
        self._app.push_screen(screen, answered)

    def _ask_schedule(self, rows: Sequence[TaskRow]) -> None:
        from taskkit_tui.screens.schedule_dialog import ScheduleScreen

        def answered(schedule: TypedSchedule | None) -> None:
            if schedule is not None:
                self._answer("task.period", [row.name for row in rows], schedule)

        preview = partial(self._backend.preview, at_once=False, name=rows[0].name)
        self._app.push_screen(ScheduleScreen(rows, lambda: self._model.figures.time, preview), answered)

    async def disable_until(self, names: Sequence[str]) -> None:
        """Ask until when tasks are to be disabled."""
        rows = self._commands.rows("task.disable-until", names)
        if not rows:
            self._notify(self._commands.too_late(names))
            return
        from taskkit_tui.screens.until_dialog import UntilScreen

        def answered(until: TypedTime | None) -> None:
            if until is not None:
                self._answer("task.disable-until", [row.name for row in rows], until)

        screen = UntilScreen(rows, lambda: self._model.figures.time, self._backend.preview_time)
        self._app.push_screen(screen, answered)

    async def pause(self, _names: Sequence[str]) -> None:
        """Ask whether to pause the whole scheduler, or to resume it."""
        if self._commands.read_only:
            self._notify(Notice(READ_ONLY, is_trouble=True))
            return
        if self._model.is_stopped:
            self._notify(Notice(STOPPED, is_trouble=True))
            return
        from taskkit_tui.screens.confirm_dialog import ConfirmScreen

        paused = self._model.figures.paused
        if paused:
            question = "Resume the scheduler?"
            consequence = "Due times that passed meanwhile are not caught up."
        else:
            question = "Pause the whole scheduler?"
            consequence = "Nothing is due until it is resumed. Active runs are not stopped."

        def answered(yes: bool | None) -> None:
            if yes:
                self._answer("app.pause", (), not paused)

        self._app.push_screen(ConfirmScreen(question, [consequence]), answered)

    async def unregister(self, names: Sequence[str]) -> None:
        """Ask whether to unregister tasks."""
        rows = self._commands.rows("task.unregister", names)
        if not rows:
            self._notify(self._commands.too_late(names))
            return
        from taskkit_tui.screens.confirm_dialog import ConfirmScreen, listed_names

        names = tuple(row.name for row in rows)
        lines = [*listed_names([row.shown_name for row in rows])]
        if any(row.task.run is not None for row in rows):
            lines.append("An active run ends first.")

        def answered(yes: bool | None) -> None:
            if yes:
                self._answer("task.unregister", names)

        what = "this task" if len(names) == 1 else f"these {len(names)} tasks"
        self._app.push_screen(ConfirmScreen(f"Unregister {what}?", lines), answered)

    def ask_service(self, choices: Sequence[ServiceChoice], answer: Callable[[str | None], object]) -> None:
        """Ask which scheduler to attach to, while there are choices.

        Args:
            choices: The running schedulers now. Without any, an open question closes: the lost one is back.
            answer: Called with the key of one, or with None.
        """
        if self._service_screen is not None:
            if choices:
                self._service_screen.show(choices)
            elif self._service_screen.is_active:
                screen, self._service_screen = self._service_screen, None
                screen.close_unanswered()
            return
        if not choices:
            return
        from taskkit_tui.screens.service_dialog import ServiceScreen

        is_first = not self._model.figures.time
        reason = (
            "Several schedulers are running."
            if is_first
            else "The service is gone; others of its name are running."
        )
        screen = ServiceScreen(choices, reason=reason, leaving="leave" if is_first else "wait for it")
        self._service_screen = screen

        def answered(key: str | None) -> None:
            if self._service_screen is screen:
                self._service_screen = None
                answer(key)

        self._app.push_screen(screen, answered)

    async def abandon(self, names: Sequence[str]) -> None:
        """Ask whether to give up runs that do not stop."""
        rows = self._commands.rows("task.abandon", names)
        if not rows:
            self._notify(self._commands.too_late(names))
            return
        from taskkit_tui.screens.confirm_dialog import ConfirmScreen, listed_names

        names = tuple(row.name for row in rows)
        what, it, is_there, task = "this run", "It continues", "it", "The task"
        if len(names) > 1:
            what, it, is_there, task = f"these {len(names)} runs", "They continue", "they", "The tasks"
        lines = [
            *listed_names([row.shown_name for row in rows]),
            f"{it} until {'it ends by itself' if len(names) == 1 else 'they end by themselves'}.",
            f"{task} may run a second time alongside {is_there if len(names) == 1 else 'them'}.",
        ]

        def answered(yes: bool | None) -> None:
            if yes:
                self._answer("task.abandon", names)

        self._app.push_screen(ConfirmScreen(f"Abandon {what}?", lines), answered)

    def ask_leave(self, active: Sequence[str], leave: Callable[[], object]) -> None:
        """Ask whether to leave while runs are active.

        Args:
            active: The tasks that run; at least one.
            leave: Called for a yes.
        """
        from taskkit_tui.screens.confirm_dialog import ConfirmScreen, listed_names

        def answered(yes: bool | None) -> None:
            if yes:
                leave()

        stopping = "It is asked to stop, and has" if len(active) == 1 else "They are asked to stop, and have"
        lines = [*listed_names(active), f"{stopping} three seconds."]
        what = "a run" if len(active) == 1 else f"{len(active)} runs"
        self._app.push_screen(
            ConfirmScreen(f"Quit while {what} {'is' if len(active) == 1 else 'are'} active?", lines), answered
        )
