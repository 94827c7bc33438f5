"""The palette: every command by its words, as in “Run heartbeat”, “Disable heartbeat” or “Only failing”."""

from __future__ import annotations

from asyncio import sleep
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property, partial
from itertools import chain
from typing import Final, NamedTuple, Protocol, runtime_checkable

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.markup import escape

from taskkit_tui.formatting import harmless
from taskkit_tui.keys.bindings import rows_of
from taskkit_tui.keys.command import Command, Place
from taskkit_tui.messages import CommandAsked
from taskkit_tui.screens.main_screen import MainScreen
from taskkit_tui.viewmodel.ordering import in_steps
from taskkit_tui.viewmodel.row import TaskRow

MOST_HITS: Final = 100
"""Entries shown at once; there may be ten thousand tasks."""


@runtime_checkable
class KeyedApp(Protocol):
    """An app that knows its keys."""

    shown_keys: Mapping[str, str]


class Entry(NamedTuple):
    """One entry of the palette, and the line under it."""

    words: str
    help: str
    run: Callable[[], object]
    synonyms: str = ""
    """Other words by which it is found."""

    def matches(self, wanted: Iterable[str]) -> bool:
        """Return True if all of these, in small letters, are in its words."""
        words = f"{self.words} {self.synonyms}".casefold()
        return all(word in words for word in wanted)


class _RowsNamed:
    """The rows with some words in their names: searched step by step, and once for all commands."""

    def __init__(self, rows: Iterable[TaskRow], words: tuple[str, ...]) -> None:
        self._words = words
        self._found: list[list[TaskRow]] = []
        self._to_search = in_steps(rows)

    def steps(self) -> Iterator[list[TaskRow]]:
        """Yield the rows in the order of registration: those of each step of the search in a list."""
        yield from self._found
        for step in self._to_search:
            named = [(row.shown_name.casefold(), row) for row in step]
            for word in self._words:
                named = [pair for pair in named if word in pair[0]]
            self._found.append([row for _, row in named])
            yield self._found[-1]


class TaskkitCommands(Provider):
    """Commands of the main screen: its own, those of the log, and those of every task."""

    async def discover(self) -> Hits:
        """Yield what is offered before anything is typed."""
        for entry in self._own():
            yield DiscoveryHit(Content(entry.words), entry.run, entry.words, entry.help)

    async def search(self, query: str) -> Hits:
        """Yield the entries that contain every typed word, those of the screen first."""
        wanted = query.casefold().split()
        matcher = self.matcher(query)
        own = (entry for entry in self._own() if entry.matches(wanted))
        hits = 0
        for entry in chain(own, self._of_tasks(wanted)):
            if entry is None:
                await sleep(0)  # so that keys are handled
                continue
            score = max(matcher.match(entry.words), 0.01)
            yield Hit(score, _highlighted(entry.words, wanted), entry.run, entry.words, entry.help)
            hits += 1
            if hits == MOST_HITS:
                return

    def _own(self) -> Iterator[Entry]:
        main = self.screen
        if not isinstance(main, MainScreen):
            return
        for place, node in (
            (Place.MAIN, main),
            (Place.LOG, main.log_pane),
            (Place.PANEL, main.last_panel),
            (Place.APP, self.app),
        ):
            for command in rows_of(place):
                if words := _own_words(command, place):
                    run = partial(self.app.run_action, command.binding(place).action, node)
                    yield Entry(words, self._help(command.id, command.tooltip), run, command.synonyms)

    def _of_tasks(self, wanted: Iterable[str]) -> Iterator[Entry | None]:
        """Yield the entries of tasks that contain every wanted word; None after each step of the search."""
        main = self.screen
        if not isinstance(main, MainScreen):
            return
        rows = list(main.model.rows())
        found: dict[tuple[str, ...], _RowsNamed] = {}
        for command in rows_of(Place.PANEL):
            if not command.verb:
                continue
            of_command = f"{command.verb} {command.synonyms}".casefold()
            of_name = tuple(word for word in wanted if word not in of_command)  # no word has a space in it
            if of_name not in found:
                found[of_name] = _RowsNamed(rows, of_name)
            for step in found[of_name].steps():
                for row in step:
                    if command.why_not([row], read_only=main.read_only) is None:
                        words = f"{command.verb} {row.shown_name}"
                        under = self._help(command.id, harmless(row.task.schedule))
                        yield Entry(words, under, partial(_ask, main, command, row.name), command.synonyms)
                yield None

    @cached_property
    def _keys(self) -> Mapping[str, str]:
        return self.app.shown_keys if isinstance(self.app, KeyedApp) else {}

    def _help(self, identity: str | None, words: str) -> str:
        """Return the line under an entry: its key, and some words."""
        key = self._keys.get(identity or "", "")
        # The palette reads this as markup; a schedule is foreign text, and a key may be a bracket.
        return escape(f"{key} · {words}" if key else words)


def _own_words(command: Command, place: Place) -> str:
    """Return the entry of a command of the screen; empty if it has none."""
    if place is Place.LOG:
        return f"Log: {command.palette or command.words}"
    return command.palette or (command.words if place is Place.MAIN else "")


def _ask(main: MainScreen, command: Command, name: str) -> None:
    main.post_message(command.request(name) if command.request else CommandAsked(command.id, (name,)))


def _highlighted(words: str, wanted: list[str]) -> Content:
    shown = Content(words)
    for word in wanted:
        start = words.casefold().find(word)
        if start >= 0:
            shown = shown.stylize("bold $next", start, start + len(word))
    return shown
