"""The app: holds the model, looks at the scheduler on its timer, and carries out what is asked for."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from heapq import merge
from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar, Final

from rich.console import RenderableType
from textual import events, on
from textual.app import App, SystemCommand
from textual.binding import BindingType
from textual.notifications import Notify
from textual.screen import Screen

from taskkit import Stream
from taskkit_tui.app_bindings import APP_BINDINGS
from taskkit_tui.backend import Backend, Told
from taskkit_tui.dialogs import Dialogs
from taskkit_tui.formatting import harmless, shorten
from taskkit_tui.messages import (
    AskNewTask,
    AskParameters,
    AskPause,
    AskPeriod,
    AskUnregister,
    DisableTasks,
    DropOverrides,
    EnableTasks,
    RunTasks,
    ScalePeriod,
    SetPaused,
    SetPeriod,
    SetSchedule,
    ShowDetails,
    StopTasks,
    UndoChange,
    UnregisterTasks,
)
from taskkit_tui.screens.main import MainScreen
from taskkit_tui.settings import Memory, Settings
from taskkit_tui.shown_keys import shown_keys
from taskkit_tui.steering import Steering
from taskkit_tui.terminal.outside import OutsideLines
from taskkit_tui.textual_workarounds import SteadyApp
from taskkit_tui.themes import MIDNIGHT, borrowed_colours
from taskkit_tui.toasts import Toasts
from taskkit_tui.viewmodel.model import TaskModel
from taskkit_tui.widgets.log_pane import LogPane

if TYPE_CHECKING:
    from textual.command import Provider

TICK: Final = 0.1
"""Seconds between two looks at the scheduler. A look at nothing new costs some microseconds."""
_MOST_NOTICES: Final = 5
_NOT_STORED: Final = "state not stored"


def _commands() -> type[Provider]:
    # Not before it is opened, which it is in few sessions.
    from taskkit_tui.palette import TaskkitCommands

    return TaskkitCommands


class TaskkitApp(SteadyApp, inherit_bindings=False):
    """The dashboard.

    Args:
        backend: The scheduler to show; opened when the app starts, closed by whoever runs the app.
        read_only: Look, and do nothing.
        outside: Where lines that no run wrote come from.
        memory: Where settings are kept between sessions; nowhere by default.
        keymap: A person's own keys, by the ids of bindings.
        notices: What was wrong before the screen was there, to be told on it.
    """

    TITLE = "taskkit-tui"
    # The style sheet of a first screen is not loaded by itself.
    CSS_PATH = "screens/main.tcss"
    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_BINDING = "ctrl+p"
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {*App.COMMANDS, _commands}

    BINDINGS: ClassVar[list[BindingType]] = APP_BINDINGS

    def __init__(
        self,
        backend: Backend,
        *,
        read_only: bool = False,
        outside: OutsideLines | None = None,
        memory: Memory | None = None,
        keymap: Mapping[str, str] | None = None,
        notices: Sequence[str] = (),
    ) -> None:
        super().__init__()
        self.backend = backend
        self.read_only = read_only
        self.shown_keys = shown_keys(keymap or {}, self.get_key_display)
        """What a person presses, by the ids of bindings."""
        self.model = TaskModel()
        self.steering = Steering(backend, self.model, read_only=read_only, keys=self.shown_keys)
        self._toasts = Toasts(self, self.model)
        self._dialogs = Dialogs(
            self,
            backend,
            self.steering,
            self.model,
            keys=self.shown_keys,
            tell=self._tell,
            registered=lambda name: self.main.go_to_task(name),
        )
        self.outside = OutsideLines() if outside is None else outside
        self._figures = self.model.figures
        self._memory = memory
        self._notices = tuple(notices)
        self._leaving = False
        self._settings = Settings() if memory is None else memory.recall()
        self.register_theme(MIDNIGHT)
        self.theme = MIDNIGHT.name
        if self._settings.theme in self.available_themes:
            self.theme = self._settings.theme
        if keymap:
            self.set_keymap(dict(keymap))

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Lend our colours to themes that do not define them. Textual calls this."""
        return borrowed_colours(self.current_theme)

    def get_default_screen(self) -> MainScreen:
        """The screen one begins with."""
        main = MainScreen(self.model, read_only=self.read_only)
        main.arrange_as(self._settings.view)
        return main

    @property
    def main(self) -> MainScreen:
        """The main screen, whatever lies above it."""
        screen = self.screen_stack[0]
        assert isinstance(screen, MainScreen)
        return screen

    def on_mount(self) -> None:
        """Open the scheduler; the screen says when it can show it."""
        self.outside.listen()
        self.backend.open()

    @on(MainScreen.Ready)
    def _begin(self) -> None:
        self.look()
        self.set_interval(TICK, self.look)
        self.call_after_refresh(self._painted)
        if self._notices:
            told, more = self._notices[:_MOST_NOTICES], self._notices[_MOST_NOTICES:]
            if more:
                told = (*told, f"and {len(more):,} more, which are in the log")
            for each in more:
                self.outside.put(Stream.STDERR, each)
            self.notify("\n".join(told), severity="warning", markup=False, timeout=8)

    def _painted(self) -> None:
        """The first paint is done: what was put off for it can be done now."""
        gc.enable()

    def on_unmount(self) -> None:
        """Let prints go where they went before."""
        self.outside.stop_listening()

    def remember(self) -> None:
        """Keep how the screen is arranged, for the next session."""
        if self._memory is not None:
            self._memory.keep(Settings(self.theme, self.main.view()))

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:  # noqa: ARG002
        """What the palette offers of Textual's own."""
        yield SystemCommand("Theme", "Choose the colours; they are remembered.", self.action_change_theme)
        yield SystemCommand("Suspend", "Back to the shell; fg continues.", self.action_suspend_process)
        yield SystemCommand("Screenshot", "Save the screen as a picture (SVG).", self.deliver_screenshot)

    def look(self) -> None:
        """Take in what happened, and show it."""
        if self._leaving or not self.screen_stack:
            return  # the screen may be half taken down, and the scheduler closed
        frame = self.backend.collect()
        self.model.apply(frame.changes)
        main = self.main
        outside, outside_lost = self.outside.take()
        if frame.lines or outside or frame.dropped or outside_lost:
            lines = list(merge(outside, frame.lines, key=attrgetter("time"))) if outside else frame.lines
            main.log_pane.append(lines, frame.dropped + outside_lost)
        # The second stands for the time: countdowns fall once a second.
        figures = replace(frame.changes.figures, time=float(int(frame.changes.figures.time)))
        if frame.changes.changed or frame.changes.gone or figures != self._figures or self.model.holds_back:
            if figures.time != self._figures.time:
                self._look_for_trouble()
            self._figures = figures
            main.look()
        self._toasts.tell_failures(frame.failures)
        for told in frame.told:
            self._toasts.say(told)

    def _look_for_trouble(self) -> None:
        """Say once that nothing can be stored, and once that it can be again; meanwhile the header does."""
        trouble, file_trouble = self.backend.trouble, self.backend.file_trouble
        stored = () if trouble is None else (_NOT_STORED,)
        warnings = stored if file_trouble is None else (*stored, file_trouble)
        before, self.main.warnings = self.main.warnings, warnings
        if (_NOT_STORED in before) is (trouble is not None):
            return
        if trouble is None:
            self._toasts.say(Told("The state is stored again"))
        else:
            words = f"The state is not stored at present: {harmless(trouble)}"
            self._toasts.say(Told(words, is_trouble=True))

    def on_key(self, event: events.Key) -> None:
        """Say why a key does not apply. Here, because here the keys before it have had their effect."""
        if isinstance(self.screen, MainScreen) and self.screen.tell_why_not(event.key):
            event.prevent_default()

    # What is asked for.

    def _tell(self, told: Told) -> None:
        self._toasts.say(told)
        self.look()

    def on_notify(self, event: Notify) -> None:
        """Let a word on a command take the place of the last one, so that they do not pile up."""
        if event.notification.severity != "error":
            for told in [each for each in self._notifications if each.severity != "error"]:
                del self._notifications[told]

    def on_run_tasks(self, request: RunTasks) -> None:
        """Run tasks."""
        self._tell(self.steering.run(request.names, request.parameters))

    def on_stop_tasks(self, request: StopTasks) -> None:
        """Stop runs."""
        self._tell(self.steering.stop(request.names))

    def on_disable_tasks(self, request: DisableTasks) -> None:
        """Disable tasks."""
        self._tell(self.steering.disable(request.names))

    def on_enable_tasks(self, request: EnableTasks) -> None:
        """Enable tasks."""
        self._tell(self.steering.enable(request.names))

    def on_set_period(self, request: SetPeriod) -> None:
        """Change periods."""
        self._tell(self.steering.set_period(request.names, request.seconds))

    def on_set_schedule(self, request: SetSchedule) -> None:
        """Change schedules."""
        self._tell(self.steering.set_schedule(request.names, request.schedule))

    def on_scale_period(self, request: ScalePeriod) -> None:
        """Double or halve periods."""
        self._tell(self.steering.scale_period(request.names, request.factor))

    def on_drop_overrides(self, request: DropOverrides) -> None:
        """Put tasks back on the schedules that they were registered with."""
        self._tell(self.steering.as_registered(request.names))

    def on_unregister_tasks(self, request: UnregisterTasks) -> None:
        """Forget tasks."""
        self._tell(self.steering.unregister(request.names))

    def on_undo_change(self, request: UndoChange) -> None:
        """Take the last change back."""
        request.stop()
        self._tell(self.steering.undo())

    def on_set_paused(self, request: SetPaused) -> None:
        """Pause everything, or resume it."""
        request.stop()
        self._tell(self.steering.set_paused(request.paused))

    def on_ask_new_task(self, request: AskNewTask) -> None:
        """Open the form of a new task."""
        request.stop()
        self._dialogs.ask_new_task()

    def on_ask_parameters(self, request: AskParameters) -> None:
        """Open the form of a run's parameters."""
        request.stop()
        self._dialogs.ask_parameters(request.name)

    def on_ask_period(self, request: AskPeriod) -> None:
        """Open the dialog that changes a period, or a schedule that has none."""
        request.stop()
        self._dialogs.ask_period(request.names)

    def on_ask_unregister(self, request: AskUnregister) -> None:
        """Ask whether tasks are to be forgotten."""
        request.stop()
        self._dialogs.ask_unregister(request.names)

    def on_ask_pause(self, request: AskPause) -> None:
        """Ask whether everything is to be paused, or resumed."""
        request.stop()
        self._dialogs.ask_pause()

    def on_show_details(self, request: ShowDetails) -> None:
        """Open everything about one task."""
        from taskkit_tui.screens.details import DetailsScreen

        name = request.name
        details = self.backend.describe(name)
        if details is None:
            self._tell(Told(f"{shorten(harmless(name), 40)} is gone", is_trouble=True))
            return
        self.push_screen(
            DetailsScreen(
                details,
                lambda: self.backend.describe(name),
                now=lambda: self.model.figures.time,
                read_only=self.read_only,
                look_back=partial(self.backend.earlier, name),
                source=self.backend.source(name),
                run=request.run,
                keys=self.shown_keys,
            )
        )

    def on_log_pane_traceback_opened(self, message: LogPane.TracebackOpened) -> None:
        """Open the traceback of a line of the log."""
        from taskkit_tui.screens.traceback import TracebackScreen

        self.push_screen(TracebackScreen(message.line))

    def on_log_pane_run_opened(self, message: LogPane.RunOpened) -> None:
        """Open the details of the task that wrote a line of the log, on the run that did."""
        self.post_message(ShowDetails(message.name, message.run))

    # Leaving.

    def exit(self, result: None = None, return_code: int = 0, message: RenderableType | None = None) -> None:
        """Leave, whoever asks for it, and remember how the screen was arranged."""
        if self.screen_stack:
            self.remember()
        self._leaving = True
        super().exit(result, return_code, message)

    def action_leave(self) -> None:
        """Leave; ask first if runs are active, and name them."""
        active = [row.name for row in self.model.rows() if row.task.run is not None]
        if active and self.backend.leaving_stops_runs:
            self._dialogs.ask_leave(active, self.exit)
        else:
            self.exit()

    def action_leave_at_once(self) -> None:
        """Leave without asking."""
        self.exit()
