"""The app: holds the model, looks at the scheduler on its timer, and carries out what is asked for."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final

from rich.console import RenderableType
from textual import events, on
from textual.app import App, SystemCommand
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.command import CommandList, CommandPalette
from textual.notifications import Notify, SeverityLevel
from textual.screen import Screen

from taskkit import RunFinished
from taskkit_tui.backend import Backend, Told
from taskkit_tui.formatting import harmless, shorten, shorten_end
from taskkit_tui.key_order import KeyOrder
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
    SetPeriod,
    ShowDetails,
    StopTasks,
    TogglePause,
    UndoChange,
    UnregisterTasks,
)
from taskkit_tui.screens.layout import Shape, shape_for
from taskkit_tui.screens.main import MainScreen
from taskkit_tui.settings import Memory, Settings
from taskkit_tui.steering import Steering
from taskkit_tui.terminal.outside import OutsideLines
from taskkit_tui.themes import MIDNIGHT, borrowed_colours
from taskkit_tui.viewmodel.applicability import READ_ONLY
from taskkit_tui.viewmodel.model import TaskModel
from taskkit_tui.viewmodel.new_task import NewTask
from taskkit_tui.widgets.log_pane import LogPane

if TYPE_CHECKING:
    from textual.command import Provider

TICK: Final = 0.1
"""Seconds between two looks at the scheduler. A look at nothing new costs some microseconds."""

_MOST_TOASTS: Final = 3
"""Failures told in a toast at one look; there may be a thousand."""


def _commands() -> type[Provider]:
    # Not before it is opened: the palette brings a third of Textual's widgets along.
    from taskkit_tui.palette import TaskkitCommands

    return TaskkitCommands


class TaskkitApp(App[None], inherit_bindings=False):
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

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "leave", "Quit", id="app.quit", tooltip="Leave; asks when runs are active."),
        # Two bindings of one id, so that the footer is silent where `q` does something else.
        Binding(
            "ctrl+q",
            "leave",
            "Quit",
            id="app.quit",
            tooltip="Leave; asks when runs are active.",
            show=False,
        ),
        Binding(
            "ctrl+c",
            "leave_at_once",
            "Leave",
            id="app.leave",
            tooltip="Leave without asking.",
            show=False,
            priority=True,
        ),
        Binding(
            "ctrl+z",
            "suspend_process",
            "Suspend",
            id="app.suspend",
            tooltip="Back to the shell; fg continues, and until then nothing runs.",
            show=False,
            priority=True,
        ),
        Binding(
            "ctrl+p,colon",
            "command_palette",
            "Commands",
            id="app.palette",
            tooltip="All commands.",
            show=False,
        ),
    ]

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
        self.model = TaskModel()
        self._key_order = KeyOrder(self)
        self.steering = Steering(backend, self.model, read_only=read_only)
        self.outside = OutsideLines() if outside is None else outside
        self._figures = self.model.figures
        self._told_failing: set[str] = set()
        self._recalled: dict[str, Mapping[str, str]] = {}  # what was typed for the last run of each task
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

    def action_command_palette(self) -> None:
        """Open the palette, where there is room for it."""
        if shape_for(*self.size) is not Shape.TOO_SMALL and not isinstance(self.screen, CommandPalette):
            from taskkit_tui.palette import Palette

            self.push_screen(Palette(id="--command-palette"))

    def search_themes(self) -> None:
        """Offer the themes in a palette of their own."""
        from textual.theme import ThemeProvider

        from taskkit_tui.palette import Palette

        self.push_screen(Palette(providers=[ThemeProvider], placeholder="Search for themes…"))

    def pop_screen(self) -> AwaitComplete:
        """Leave a screen, but not the main one, as two quick clicks beside the palette would."""
        return super().pop_screen() if len(self.screen_stack) > 1 else AwaitComplete()

    def on_resize(self, event: events.Resize) -> None:
        """Close the palette where there is no room for it: turning its pages raises there."""
        if shape_for(*event.size) is Shape.TOO_SMALL and isinstance(self.screen, CommandPalette):
            self.pop_screen()

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
            self.notify("\n".join(self._notices), severity="warning", markup=False, timeout=8)

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
            main.log_pane.append([*frame.lines, *outside], frame.dropped + outside_lost)
        # The second stands for the time: countdowns fall once a second.
        figures = replace(frame.changes.figures, time=float(int(frame.changes.figures.time)))
        if frame.changes.changed or frame.changes.gone or figures != self._figures or self.model.holds_back:
            if figures.time != self._figures.time:
                self._look_for_trouble()
            self._figures = figures
            main.look()
        self._tell_failures(frame.failures)
        for told in frame.told:
            self._say(told)

    def _look_for_trouble(self) -> None:
        """Say once that nothing can be stored, and once that it can be again; meanwhile the header does."""
        trouble = self.backend.trouble
        if (trouble is None) is self.main.is_stored:
            return
        self.main.is_stored = trouble is None
        if trouble is None:
            self._say(Told("The state is stored again"))
        else:
            self._say(Told(f"The state is not stored at present: {harmless(trouble)}", is_trouble=True))

    def _tell_failures(self, failures: Sequence[RunFinished]) -> None:
        """One toast for each task that began to fail; a further try, or the next failure, is no news."""
        for name in [name for name in self._told_failing if not self._is_failing(name)]:
            self._told_failing.discard(name)
        if shape_for(*self.size) not in {Shape.WIDE, Shape.COMPACT}:
            return  # a toast would cover the screen; the row is red
        fresh = [failure for failure in failures if self._is_news(failure)]
        for failure in fresh[:_MOST_TOASTS]:
            reason = failure.outcome.exception or failure.outcome.kind.replace("_", " ")
            self.notify(
                shorten_end(harmless(reason), 120),
                title=f"{shorten(harmless(failure.name), 40)} failed",
                severity="error",
                markup=False,
                timeout=4,
            )
        self._told_failing.update(failure.name for failure in fresh)

    def _is_failing(self, name: str) -> bool:
        row = self.model.named(name)
        return row is not None and row.failing

    def _is_news(self, failure: RunFinished) -> bool:
        row = self.model.named(failure.name)
        return failure.name not in self._told_failing and (row is None or row.task.retry is None)

    async def on_event(self, event: events.Event) -> None:
        """Let keys come one after the other; only a key that is urgent waits for none."""
        if isinstance(event, events.Key) and not event.is_forwarded:
            active = self.active_bindings.get(event.key)
            urgent = active is not None and active.binding.priority
            if not urgent and self._key_order.holds_back(event):
                return
        await super().on_event(event)

    def on_key(self, event: events.Key) -> None:
        """Say why a key does not apply. Here, because here the keys before it have had their effect."""
        if self._pages_nothing(event.key) or (
            isinstance(self.screen, MainScreen) and self.screen.tell_why_not(event.key)
        ):
            event.prevent_default()

    def _pages_nothing(self, key: str) -> bool:
        """Whether the list of the palette would turn a page before it is laid out: it raises then."""
        return (
            key in {"pageup", "pagedown"}
            and isinstance(self.screen, CommandPalette)
            and not all(listed.scrollable_content_region for listed in self.screen.query(CommandList))
        )

    # What is asked for.

    def _tell(self, told: Told) -> None:
        self._say(told)
        self.look()

    def _say(self, told: Told) -> None:
        severity: SeverityLevel = "warning" if told.is_trouble else "information"
        self.notify(told.text, severity=severity, markup=False, timeout=3)

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

    def on_toggle_pause(self, request: TogglePause) -> None:
        """Pause everything, or resume it."""
        request.stop()
        self._tell(self.steering.toggle_pause())

    def on_ask_new_task(self, request: AskNewTask) -> None:
        """Open the form of a new task, and register what it answers."""
        request.stop()
        offers = self.backend.offers()
        if not offers:
            self._tell(Told("The target offers no task class that a form could fill in", is_trouble=True))
            return
        from taskkit_tui.screens.new_task import NewTaskScreen

        def register(new: NewTask) -> str | None:
            told = self.steering.register(new)
            if told.is_trouble:
                return told.text
            self._tell(told)
            return None

        def answered(new: NewTask | None) -> None:
            if new is not None:
                self.main.go_to_task(new.name)

        taken = frozenset(row.name for row in self.model.rows())
        screen = NewTaskScreen(offers, taken, lambda: self.model.figures.time, register)
        self.push_screen(screen, answered)

    def on_ask_parameters(self, request: AskParameters) -> None:
        """Ask what a run shall be given, and run it."""
        request.stop()
        name = request.name
        shown = shorten(harmless(name), 40)
        details = self.backend.describe(name)
        if details is None:
            self._tell(Told(f"{shown} is gone", is_trouble=True))
            return
        if not details.parameters:
            self._tell(Told(f"{shown} takes no parameters; r runs it", is_trouble=True))
            return
        from taskkit_tui.screens.run_parameters import RunParametersScreen

        screen = RunParametersScreen(name, details.parameters, self._recalled.get(name, {}))

        def answered(values: Mapping[str, object] | None) -> None:
            if values is not None:
                self._recalled[name] = screen.typed
                self._tell(self.steering.run([name], values))

        self.push_screen(screen, answered)

    def on_ask_period(self, request: AskPeriod) -> None:
        """Ask for a period, and change it."""
        request.stop()
        rows = self.steering.rows("period", request.names)
        if not rows:
            self._tell(self.steering.too_late(request.names))
            return
        from taskkit_tui.screens.period import PeriodScreen

        def answered(seconds: float | None) -> None:
            if seconds is not None:
                self.post_message(SetPeriod(tuple(row.name for row in rows), seconds))

        self.push_screen(PeriodScreen(rows, lambda: self.model.figures.time), answered)

    def on_ask_pause(self, request: AskPause) -> None:
        """Ask whether everything is to be paused, or resumed."""
        request.stop()
        if self.read_only:
            self._tell(Told(READ_ONLY, is_trouble=True))
            return
        from taskkit_tui.screens.confirm import ConfirmScreen

        if self.model.figures.paused:
            question = "Resume the scheduler?"
            consequence = "Due times that passed meanwhile are not caught up."
        else:
            question = "Pause the whole scheduler?"
            consequence = "Nothing falls due until it is resumed. Runs that go on are not stopped."

        def answered(yes: bool | None) -> None:
            if yes:
                self.post_message(TogglePause())

        self.push_screen(ConfirmScreen(question, [consequence]), answered)

    def on_ask_unregister(self, request: AskUnregister) -> None:
        """Ask whether tasks are to be forgotten, and forget them."""
        request.stop()
        rows = self.steering.rows("unregister", request.names)
        if not rows:
            self._tell(self.steering.too_late(request.names))
            return
        from taskkit_tui.screens.confirm import ConfirmScreen, told_names

        names = tuple(row.name for row in rows)
        lines = [*told_names(names)]
        if any(row.task.run is not None for row in rows):
            lines.append("A run that goes on ends first.")

        def answered(yes: bool | None) -> None:
            if yes:
                self.post_message(UnregisterTasks(names))

        what = "this task" if len(names) == 1 else f"these {len(names)} tasks"
        self.push_screen(ConfirmScreen(f"Unregister {what}?", lines), answered)

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
            )
        )

    def on_log_pane_traceback_opened(self, message: LogPane.TracebackOpened) -> None:
        """Open the traceback of a line of the log."""
        from taskkit_tui.screens.traceback import TracebackScreen

        self.push_screen(TracebackScreen(message.line))

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
        if not active or not self.backend.leaving_stops_runs:
            self.exit()
            return
        from taskkit_tui.screens.confirm import ConfirmScreen, told_names

        def answered(yes: bool | None) -> None:
            if yes:
                self.exit()

        asked = "It is asked to stop, and has" if len(active) == 1 else "They are asked to stop, and have"
        lines = [*told_names(active), f"{asked} three seconds."]
        what = "a run" if len(active) == 1 else f"{len(active)} runs"
        self.push_screen(
            ConfirmScreen(f"Quit while {what} go{'es' if len(active) == 1 else ''} on?", lines), answered
        )

    def action_leave_at_once(self) -> None:
        """Leave without asking."""
        self.exit()

    def action_help_quit(self) -> None:
        """What Textual does for `ctrl+c` by itself."""
        self.action_leave_at_once()
