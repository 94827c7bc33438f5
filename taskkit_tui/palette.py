"""Every action by its words, as in “Run heartbeat”, “Disable heartbeat” or “Only failing”."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from itertools import islice
from typing import Final, NamedTuple, Protocol, runtime_checkable

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
from taskkit_tui.widgets.panel_bindings import PANEL_BINDINGS

MOST_HITS: Final = 100
"""Of ten thousand tasks; who wants another types more of its name."""


class TaskCommand(NamedTuple):
    """Something that can be done to a task of any name."""

    verb: str
    action: str
    request: Callable[[TaskRow], Message]
    also: str = ""
    """Other words by which one may look for it."""


TASK_COMMANDS: Final = (
    TaskCommand("Run", "run_now", lambda row: RunTasks((row.name,)), "start trigger"),
    TaskCommand("Run with parameters", "run_with", lambda row: AskParameters(row.name)),
    TaskCommand("Stop", "stop", lambda row: StopTasks((row.name,)), "kill cancel abort"),
    TaskCommand("Disable", "disable", lambda row: DisableTasks((row.name,))),
    TaskCommand("Enable", "enable", lambda row: EnableTasks((row.name,))),
    TaskCommand(
        "Change the period or schedule of",
        "period",
        lambda row: AskPeriod((row.name,)),
        "cron interval reschedule",
    ),
    TaskCommand("Slow down", "slower", lambda row: ScalePeriod((row.name,), 2.0)),
    TaskCommand("Speed up", "faster", lambda row: ScalePeriod((row.name,), 0.5)),
    TaskCommand("Put back as registered", "as_registered", lambda row: DropOverrides((row.name,))),
    TaskCommand("Details of", "details", lambda row: ShowDetails(row.name), "history why explain traceback"),
    TaskCommand("Log of", "log_of_task", lambda row: PanelActions.LogAsked(row.name)),
    TaskCommand("Unregister", "unregister", lambda row: AskUnregister((row.name,)), "delete remove"),
)


_TASK_KEYS: Final = {each.action: each.id or "" for each in PANEL_BINDINGS if isinstance(each, Binding)}
"""The ids of the keys on a task, by what they do."""
_ALSO: Final = {"log.save": "export download write", "log.find": "search grep"}
"""Other words by which one may look for some keys of the log, by their ids."""


@runtime_checkable
class KeyedApp(Protocol):
    """An app that knows its keys."""

    shown_keys: Mapping[str, str]


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
    """One entry of the palette, with what stands beneath it."""

    words: str
    help: str
    run: Callable[[], object]
    also: str = ""
    """Other words by which one may look for it."""

    def is_meant(self, wanted: Iterable[str]) -> bool:
        """Whether all of these, in small letters, are in its words."""
        words = f"{self.words} {self.also}".casefold()
        return all(word in words for word in wanted)


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
        found = (command for command in (*self._own(), *self._of_tasks()) if command.is_meant(wanted))
        for command in islice(found, MOST_HITS):
            score = max(matcher.match(command.words), 0.01)
            yield Hit(score, _highlighted(command.words, wanted), command.run, command.words, command.help)

    def _own(self) -> Iterator[Command]:
        main = self.screen
        if not isinstance(main, MainScreen):
            return
        for binding in _described(MAIN_BINDINGS):
            run = partial(self.app.run_action, binding.action, main)
            yield Command(binding.description, self._help(binding.id, binding.tooltip), run)
        for binding in _described(LOG_BINDINGS):
            run = partial(self.app.run_action, binding.action, main.log_pane)
            also = _ALSO.get(binding.id or "", "")
            yield Command(f"Log: {binding.description}", self._help(binding.id, binding.tooltip), run, also)
        panel = main.last_panel
        for action, words, tooltip in (
            ("new_task", "New task", "Register a new task."),
            ("undo", "Undo", "Take back the last change."),
            ("mark_all", "Mark all", "Mark all tasks of the panel, or none."),
            ("sort_next", "Sort by the next column", "Sort the panel by its next column."),
            ("sort_reverse", "Turn the order round", "Sort the panel the other way round."),
            ("log_of_all", "Log of all tasks", "Show all tasks in the log."),
        ):
            told = self._help(_TASK_KEYS[action], tooltip)
            yield Command(words, told, partial(self.app.run_action, action, panel))
        told = self._help("app.quit", "Leave; asks while runs go on.")
        yield Command("Quit", told, partial(self.app.run_action, "leave"), "exit")

    def _of_tasks(self) -> Iterator[Command]:
        main = self.screen
        if not isinstance(main, MainScreen):
            return
        for verb, action, request, also in TASK_COMMANDS:
            for row in main.model.rows():
                if why_not(action, [row], read_only=main.read_only) is None:
                    words = f"{verb} {harmless(row.name)}"
                    told = self._help(_TASK_KEYS[action], harmless(row.task.schedule))
                    yield Command(words, told, partial(_post, main, request, row), also)

    def _help(self, identity: str | None, words: str) -> str:
        """What stands beneath an entry: its key, and some words."""
        keys = self.app.shown_keys if isinstance(self.app, KeyedApp) else {}
        key = keys.get(identity or "", "")
        # The palette reads this as markup; a schedule is foreign text, and a key may be a bracket.
        return escape(f"{key} · {words}" if key else words)


def _post(main: MainScreen, request: Callable[[TaskRow], Message], row: TaskRow) -> None:
    main.post_message(request(row))


def _described(bindings: list[BindingType]) -> Iterator[Binding]:
    return (each for each in bindings if isinstance(each, Binding) and each.tooltip)


def _highlighted(words: str, wanted: list[str]) -> Content:
    shown = Content(words)
    for word in wanted:
        start = words.casefold().find(word)
        if start >= 0:
            shown = shown.stylize("bold $next", start, start + len(word))
    return shown
