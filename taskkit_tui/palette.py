"""Every action by its words, as in “Run heartbeat”, “Disable heartbeat” or “Only failing”."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from typing import Final, NamedTuple

from textual.binding import Binding, BindingType
from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.errors import NoWidget
from textual.events import Click
from textual.markup import escape
from textual.message import Message

from taskkit_tui.formatting import harmless
from taskkit_tui.messages import (
    AskParameters,
    AskPeriod,
    AskUnregister,
    DisableTasks,
    DropOverrides,
    EnableTasks,
    RunTasks,
    ScalePeriod,
    ShowDetails,
    StopTasks,
)
from taskkit_tui.screens.main import MainScreen
from taskkit_tui.screens.main_bindings import MAIN_BINDINGS
from taskkit_tui.viewmodel.applicability import why_not
from taskkit_tui.viewmodel.row import TaskRow
from taskkit_tui.widgets.log_bindings import LOG_BINDINGS
from taskkit_tui.widgets.panel_actions import PanelActions

MOST_HITS: Final = 100
"""Of ten thousand tasks; who wants another types more of its name."""


class TaskCommand(NamedTuple):
    """Something that can be done to a task of any name."""

    verb: str
    action: str
    request: Callable[[TaskRow], Message]


TASK_COMMANDS: Final = (
    TaskCommand("Run", "run_now", lambda row: RunTasks((row.name,))),
    TaskCommand("Run with parameters", "run_with", lambda row: AskParameters(row.name)),
    TaskCommand("Stop", "stop", lambda row: StopTasks((row.name,))),
    TaskCommand("Disable", "disable", lambda row: DisableTasks((row.name,))),
    TaskCommand("Enable", "enable", lambda row: EnableTasks((row.name,))),
    TaskCommand("Change the period or schedule of", "period", lambda row: AskPeriod((row.name,))),
    TaskCommand("Slow down", "slower", lambda row: ScalePeriod((row.name,), 2.0)),
    TaskCommand("Speed up", "faster", lambda row: ScalePeriod((row.name,), 0.5)),
    TaskCommand("Put back as registered", "as_registered", lambda row: DropOverrides((row.name,))),
    TaskCommand("Details of", "details", lambda row: ShowDetails(row.name)),
    TaskCommand("Log of", "log_of_task", lambda row: PanelActions.LogAsked(row.name)),
    TaskCommand("Unregister", "unregister", lambda row: AskUnregister((row.name,))),
)


class Palette(CommandPalette):
    """Textual's palette, but for a click that is on its way while the terminal shrinks.

    Textual asks what stands where it fell, which raises where nothing stands any more.
    """

    def on_click(self, event: Click) -> None:
        """Let a click pass that fell on what is no longer there."""
        try:
            self.get_widget_at(event.screen_x, event.screen_y)
        except NoWidget:
            event.prevent_default()


class Command(NamedTuple):
    """One line of the palette."""

    words: str
    help: str
    run: Callable[[], object]


class TaskkitCommands(Provider):
    """The commands of the main screen: its own, the log's, and those of every task."""

    async def discover(self) -> Hits:
        """What is offered before anything is typed."""
        for command in self._own():
            yield DiscoveryHit(Content(command.words), command.run, command.words, command.help)

    async def search(self, query: str) -> Hits:
        """What holds every word that was typed, the own commands of the screen first."""
        wanted = query.casefold().split()
        matcher = self.matcher(query)
        found = (
            command
            for command in (*self._own(), *self._of_tasks())
            if all(word in command.words.casefold() for word in wanted)
        )
        for command in islice(found, MOST_HITS):
            score = max(matcher.match(command.words), 0.01)
            yield Hit(score, _highlighted(command.words, wanted), command.run, command.words, command.help)

    def _own(self) -> Iterator[Command]:
        main = self.screen
        if not isinstance(main, MainScreen):
            return
        for words, binding in _described(MAIN_BINDINGS):
            yield Command(words, binding.tooltip, partial(self.app.run_action, binding.action, main))
        for words, binding in _described(LOG_BINDINGS):
            run = partial(self.app.run_action, binding.action, main.log_pane)
            yield Command(f"Log: {words}", binding.tooltip, run)
        panel = main.last_panel
        for action, words, tooltip in (
            ("new_task", "New task", "Register a new task."),
            ("undo", "Undo", "Take back the last change."),
            ("mark_all", "Mark all", "Mark all tasks of the panel, or none."),
            ("sort_next", "Sort by the next column", "Sort the panel by its next column."),
            ("sort_reverse", "Turn the order round", "Sort the panel the other way round."),
            ("log_of_all", "Log of all tasks", "Show all tasks in the log."),
        ):
            yield Command(words, tooltip, partial(self.app.run_action, action, panel))
        yield Command("Quit", "Leave; asks while runs go on.", partial(self.app.run_action, "leave"))

    def _of_tasks(self) -> Iterator[Command]:
        main = self.screen
        if not isinstance(main, MainScreen):
            return
        for verb, action, request in TASK_COMMANDS:
            for row in main.model.rows():
                if why_not(action, [row], read_only=main.read_only) is None:
                    words = f"{verb} {harmless(row.name)}"
                    # The palette reads help as markup; a schedule is foreign text.
                    schedule = escape(harmless(row.task.schedule))
                    yield Command(words, schedule, partial(_post, main, request, row))


def _post(main: MainScreen, request: Callable[[TaskRow], Message], row: TaskRow) -> None:
    main.post_message(request(row))


def _described(bindings: list[BindingType]) -> Iterator[tuple[str, Binding]]:
    for binding in bindings:
        if isinstance(binding, Binding) and binding.tooltip:
            yield binding.description, binding


def _highlighted(words: str, wanted: list[str]) -> Content:
    shown = Content(words)
    for word in wanted:
        start = words.casefold().find(word)
        if start >= 0:
            shown = shown.stylize("bold $next", start, start + len(word))
    return shown
