"""The app: holds the model, asks the backend for news on its timer, and carries out requests."""

from __future__ import annotations

import gc
from asyncio import Lock
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from heapq import merge
from operator import attrgetter
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, ClassVar, Final

from rich.console import RenderableType
from textual import events
from textual.app import App, SystemCommand
from textual.binding import BindingType
from textual.notifications import Notify
from textual.screen import Screen

from taskkit import Stream
from taskkit.outcome import FAILURES
from taskkit_tui.backend import Backend, Notice
from taskkit_tui.commands import Commands
from taskkit_tui.dialogs import Dialogs
from taskkit_tui.formatting import harmless, shorten
from taskkit_tui.keys.bindings import TO_THE_SCHEDULER, bindings_of, shown_keys
from taskkit_tui.keys.command import Place
from taskkit_tui.look_timer import LookTimer
from taskkit_tui.messages import CommandAsked, ShowDetails, ShowFailures
from taskkit_tui.resource_limits import preload_modules
from taskkit_tui.screens.main_screen import MainScreen
from taskkit_tui.settings import Settings, SettingsFile
from taskkit_tui.terminal.outside_output import OutsideLines
from taskkit_tui.terminal.tty_guard import TerminalAsked
from taskkit_tui.textual_workarounds import SteadyApp
from taskkit_tui.themes import MIDNIGHT, derived_colours
from taskkit_tui.toasts import Toasts
from taskkit_tui.viewmodel.failure_rows import Failures, PastFailure, stored_failures
from taskkit_tui.viewmodel.model import TaskModel
from taskkit_tui.widgets.background import begin
from taskkit_tui.widgets.log_pane import LogPane

if TYPE_CHECKING:
    from textual.command import Provider

LOAD_SECONDS: Final = 0.5
"""Delay after the first paint before the modules that it did not need are loaded."""
WAITING_SECONDS: Final = 0.5
"""Time until the screen says that a command has no answer yet."""
NEW_ROW_SECONDS: Final = 3.0
"""Time limit for the row of a task that was just registered, to select it."""
_MOST_NOTICES: Final = 5
_NOT_STORED: Final = "state not stored"


def _commands() -> type[Provider]:
    # Not before it is opened, which it is in few sessions.
    from taskkit_tui.palette import TaskkitCommands

    return TaskkitCommands


class TaskkitApp(SteadyApp, inherit_bindings=False):
    """The dashboard.

    Args:
        backend: The scheduler to show; opened when the app starts, closed by the caller of the app.
        read_only: Refuse every command. The tasks run all the same.
        outside: The source of lines that no run wrote.
        settings_file: The settings of the last session, saved at the end of this one; none by default.
        keymap: A person's own keys, by the ids of commands.
        notices: Warnings from before the screen was there, to show on it.
        after_paint: Called once after the first paint.
    """

    TITLE = "taskkit-tui"
    # The style sheet of a first screen is not loaded by itself.
    CSS_PATH = Path(__file__).parent / "screens" / "main.tcss"
    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_BINDING = "ctrl+p"
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {*App.COMMANDS, _commands}

    BINDINGS: ClassVar[list[BindingType]] = bindings_of(Place.APP)

    def __init__(
        self,
        backend: Backend,
        *,
        read_only: bool = False,
        outside: OutsideLines | None = None,
        settings_file: SettingsFile | None = None,
        keymap: Mapping[str, str] | None = None,
        notices: Sequence[str] = (),
        after_paint: Callable[[], object] | None = None,
    ) -> None:
        super().__init__()
        self.backend = backend
        self._after_paint = after_paint
        self.read_only = read_only
        self.shown_keys = shown_keys(keymap or {}, self.get_key_display)
        """The first key of each command, by its id."""
        self.model = TaskModel()
        self.commands = Commands(backend, self.model, read_only=read_only, keys=self.shown_keys)
        self._toasts = Toasts(self, self.model)
        self._dialogs = Dialogs(
            self,
            backend,
            self.commands,
            self.model,
            keys=self.shown_keys,
            in_order=self._in_order,
            notify=self._show,
            registered=self._select_new,
        )
        self.failures = Failures()
        """The failures of this session, as far as they are remembered."""
        self.outside = OutsideLines() if outside is None else outside
        self._figures = self.model.figures
        self._settings_file = settings_file
        self._notices = tuple(notices)
        self._leaving = False
        self._new_task = ""  # registered, and not selected yet
        self._select_before = 0.0
        self._looks = LookTimer(self, self.look)
        self._is_painted = False
        self._collector_waits = not gc.isenabled()  # until everything was read
        self._commanding = Lock()
        self._asked_at_terminal: set[str] = set()
        self._settings = Settings() if settings_file is None else settings_file.load()
        self.register_theme(MIDNIGHT)
        self.theme = MIDNIGHT.name
        if self._settings.theme in self.available_themes:
            self.theme = self._settings.theme
        if keymap:
            self.set_keymap(dict(keymap))

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Return our colours for themes that do not define them. Textual calls this."""
        return derived_colours(self.current_theme)

    def get_default_screen(self) -> MainScreen:
        """Make the main screen, arranged as in the last session."""
        main = MainScreen(self.model, read_only=self.read_only, when_arranged=self.begin)
        main.arrange_as(self._settings.view)
        return main

    @property
    def main(self) -> MainScreen:
        """The main screen, also under others."""
        screen = self.screen_stack[0]
        assert isinstance(screen, MainScreen)
        return screen

    def on_mount(self) -> None:
        """Listen to what is printed."""
        self.outside.listen()

    def begin(self) -> None:
        """Open the scheduler, and show its first tasks; the main screen can show them, and is not painted."""
        self.backend.open()
        self.look()
        self.call_after_refresh(self._painted)
        if self._notices:
            first, more = self._notices[:_MOST_NOTICES], self._notices[_MOST_NOTICES:]
            if more:
                first = (*first, f"and {len(more):,} more, which are in the log")
            for each in more:
                self.outside.put(Stream.STDERR, each)
            self.notify("\n".join(first), severity="warning", markup=False, timeout=8)

    def _painted(self) -> None:
        """Read the rest, and do what else was put off until after the first paint."""
        self._is_painted = True
        self._looks.start()
        self.look()
        self.set_timer(LOAD_SECONDS, preload_modules)
        if self._after_paint is not None:
            self._after_paint()

    def on_unmount(self) -> None:
        """Restore where prints go."""
        self.outside.stop_listening()

    def remember(self) -> None:
        """Save how the screen is arranged, for the next session."""
        if self._settings_file is not None:
            self._settings_file.save(Settings(self.theme, self.main.view()))

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:  # noqa: ARG002
        """Yield the entries of the palette that Textual carries out."""
        yield SystemCommand("Theme", "Choose the colours; they are remembered.", self.action_change_theme)
        yield SystemCommand("Suspend", "Back to the shell; fg continues.", self.action_suspend_process)
        yield SystemCommand("Screenshot", "Save the screen as a picture (SVG).", self.deliver_screenshot)

    def look(self) -> None:
        """Take what has happened from the backend, and show it."""
        if self._leaving or not self.screen_stack:
            return  # the screen may be half taken down, and the scheduler closed
        began = monotonic()
        frame = self.backend.collect()
        self.model.apply(frame.changes)
        main = self.main
        main.show_connection(self.backend.connection, is_connected=self.backend.is_connected)
        outside, outside_lost = self.outside.take()
        lines = list(merge(outside, frame.lines, key=attrgetter("time"))) if outside else frame.lines
        if lines or frame.dropped or outside_lost:
            main.log_pane.append(lines, frame.dropped + outside_lost)
        # The second stands for the time: countdowns fall once a second.
        figures = replace(frame.changes.figures, time=float(int(frame.changes.figures.time)))
        rows_change = bool(frame.changes.changed or frame.changes.gone or self.model.has_delayed_rows)
        if rows_change or figures != self._figures:
            if figures.time != self._figures.time:
                self._look_for_trouble()
            self._figures = figures
            main.look()
        self.failures.add(frame.failures)
        self._toasts.show_failures(frame.failures)
        for notice in frame.notices:
            self._toasts.show(notice)
        self._dialogs.ask_service(frame.choices, self._attach_to)
        if self._new_task:
            self._select_new(self._new_task)
        if not self._is_painted:
            return  # the first rows are painted before the rest is read
        self._looks.plan(
            took=monotonic() - began, has_more=frame.has_more, has_news=rows_change or bool(lines)
        )
        if self._collector_waits and not frame.has_more:
            self._collector_waits = False
            gc.freeze()  # so that it never goes through what was just read
            gc.enable()

    def _select_new(self, name: str) -> None:
        """Select a task that was registered, as soon as its row has come."""
        if self._new_task != name:
            self._new_task, self._select_before = name, monotonic() + NEW_ROW_SECONDS
        if self.model.named(name) is not None:
            self.main.go_to_task(name)
        elif monotonic() < self._select_before:
            return
        self._new_task = ""

    def _attach_to(self, key: str | None) -> None:
        if not self.backend.attach_to(key):
            self.exit()

    def _look_for_trouble(self) -> None:
        """Notify once when nothing can be stored, and once when it can again; the header shows it."""
        trouble, file_trouble = self.backend.trouble, self.backend.file_trouble
        stored = () if trouble is None else (_NOT_STORED,)
        warnings = stored if file_trouble is None else (*stored, file_trouble)
        before, self.main.warnings = self.main.warnings, warnings
        if (_NOT_STORED in before) is (trouble is not None):
            return
        if trouble is None:
            self._toasts.show(Notice("The state is saved again"))
        else:
            words = f"The state cannot be saved at the moment: {harmless(trouble)}"
            self._toasts.show(Notice(words, is_trouble=True))

    def on_key(self, event: events.Key) -> None:
        """Say why a key does not apply. Only here have the keys before it had their effect."""
        if isinstance(self.screen, MainScreen) and self.screen.say_why_not(event.key):
            event.prevent_default()

    # Requests.

    def _show(self, notice: Notice) -> None:
        self._toasts.show(notice)
        self.look()

    def on_notify(self, event: Notify) -> None:
        """Replace the last toast of a command by the new one, so that they do not pile up."""
        if event.notification.severity != "error":
            for shown in [each for each in self._notifications if each.severity != "error"]:
                del self._notifications[shown]
        self.call_later(self.remove_empty_toast_holders)

    async def on_command_asked(self, request: CommandAsked) -> None:
        """Open the dialog of a command, or carry it out."""
        command = TO_THE_SCHEDULER[request.command]
        if command.asks and request.answers is None:
            await begin(self, self._dialogs.ask, command, request.names, holds_keys=True)
        else:
            answers = request.answers or ()
            await begin(
                self, self._carry_out, partial(self.commands.perform, command, request.names, answers)
            )

    async def _carry_out(self, command: Callable[[], Awaitable[Notice]]) -> None:
        with self._waiting():
            self._show(await self._in_order(command))

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        """Say after a moment inside that there is no answer yet."""
        service = self.backend.connection.partition(":")[0]
        if not service:  # the scheduler of this process answers at once
            yield
            return
        timer = self.set_timer(WAITING_SECONDS, lambda: self._show(Notice(f"Asked {service}; no answer yet")))
        try:
            yield
        finally:
            timer.stop()

    async def _in_order(self, command: Callable[[], Awaitable[Notice]]) -> Notice:
        """Call a command once those before it have been answered: an undo is of the last change."""
        async with self._commanding:
            return await command()

    async def on_show_details(self, request: ShowDetails) -> None:
        """Open the details of a task."""
        await begin(self, self._show_details, request, holds_keys=True)

    async def _show_details(self, request: ShowDetails) -> None:
        from taskkit_tui.screens.details_screen import DetailsScreen

        name = request.name
        with self._waiting():
            details = await self.backend.describe(name)
        if details is None:
            self._show(Notice(f"{shorten(harmless(name), 40)} is gone", is_trouble=True))
            return
        self.push_screen(
            DetailsScreen(
                details,
                lambda: self.backend.describe(name),
                now=lambda: self.model.figures.time,
                read_only=self.read_only,
                history_query=partial(self.backend.earlier, name),
                source=self.backend.source(name),
                run=request.run,
                keys=self.shown_keys,
            )
        )

    def on_show_failures(self, request: ShowFailures) -> None:
        """Open the list of the last failures."""
        request.stop()
        from taskkit_tui.screens.failures_screen import FailuresScreen
        from taskkit_tui.viewmodel.details.stored_history import PAGE

        def look_for(before: int | None, should_continue: Callable[[], bool]) -> Sequence[PastFailure]:
            stored = self.backend.earlier(
                None, limit=PAGE, before=before, kinds=FAILURES, should_continue=should_continue
            )
            return stored_failures(stored) if stored else ()

        self.push_screen(FailuresScreen(self.failures, self.model, look_for))

    def on_log_pane_traceback_opened(self, message: LogPane.TracebackOpened) -> None:
        """Open the traceback of a line of the log."""
        from taskkit_tui.screens.traceback_screen import TracebackScreen

        self.push_screen(TracebackScreen(message.line))

    def on_log_pane_run_opened(self, message: LogPane.RunOpened) -> None:
        """Open the details of the task that wrote a line of the log, on the run that did."""
        self.post_message(ShowDetails(message.name, message.run))

    # The terminal.

    def on_terminal_asked(self, message: TerminalAsked) -> None:
        """Say once which task asked at the terminal."""
        if message.name not in self._asked_at_terminal:
            self._asked_at_terminal.add(message.name)
            name = shorten(harmless(message.name), 40)
            self._warn_of_terminal(
                f"{name} asks at the terminal, which the dashboard uses: it gets no answer"
            )

    def on_terminal_disturbed(self) -> None:
        """Say which tasks run while another program used the terminal."""
        active = [shorten(row.shown_name, 40) for row in self.model.rows() if row.task.run is not None]
        who = active[0] if len(active) == 1 else "A program"
        words = f"{who} used the terminal, which the dashboard has taken back"
        if len(active) > 1:
            words += f"; running tasks: {', '.join(active[:_MOST_NOTICES])}"
        self._warn_of_terminal(words)

    def _warn_of_terminal(self, words: str) -> None:
        self.outside.put(Stream.STDERR, words)
        self._toasts.show(Notice(words, is_trouble=True))

    # Leaving.

    def exit(self, result: None = None, return_code: int = 0, message: RenderableType | None = None) -> None:
        """Leave, and save how the screen was arranged."""
        if self.screen_stack:
            self.remember()
        self._leaving = True
        super().exit(result, return_code, message)

    def action_leave(self) -> None:
        """Leave; ask first if runs are active, and name them."""
        active = [row.shown_name for row in self.model.rows() if row.task.run is not None]
        if active and self.backend.leaving_stops_runs:
            self._dialogs.ask_leave(active, self.exit)
        else:
            self.exit()

    def action_leave_at_once(self) -> None:
        """Leave without asking."""
        self.exit()
