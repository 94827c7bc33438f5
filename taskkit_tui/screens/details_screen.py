"""Shows everything about one task: why it does not run now, its due times, and its history."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from time import time
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from taskkit import TaskDetails
from taskkit_tui.formatting import harmless, plural, shorten_end
from taskkit_tui.keys.bindings import TO_THE_SCHEDULER, bindings_of
from taskkit_tui.keys.command import Place
from taskkit_tui.screens.details_layout import heights, left_width
from taskkit_tui.screens.history_reader import HistoryReader
from taskkit_tui.screens.task_screen import TaskScreen
from taskkit_tui.viewmodel.details.history_rows import EntryKey, key_of
from taskkit_tui.viewmodel.details.parts import DetailsParts
from taskkit_tui.viewmodel.details.stored_history import HistoryQuery
from taskkit_tui.viewmodel.screen_part import DETAILS_PARTS
from taskkit_tui.viewmodel.text_lines import Line
from taskkit_tui.widgets.background import begin
from taskkit_tui.widgets.clipboard import copy
from taskkit_tui.widgets.duration_chart import DurationChart
from taskkit_tui.widgets.filter_bar import FilterBar
from taskkit_tui.widgets.footer_bar import FooterBar
from taskkit_tui.widgets.line_list import LineList
from taskkit_tui.widgets.tab_bar import TabBar

TICK_SECONDS: Final = 1.0
"""Time between two looks at the task."""
_SEARCH_HINT: Final = "text, in all that is stored; regular expression, or ! inverts, in what is loaded"
_NEAR: Final = 30
"""More of the history is loaded this many rows before its end."""


class DetailsScreen(TaskScreen):
    """The details of a task. Everything but looking is requested from the app.

    Args:
        details: The state of the task.
        refresh: Called once a second for its state; None means that it is gone.
        now: The present instant, in epoch seconds.
        read_only: Refuse commands.
        history_query: Called on a thread for what is stored of the task's past; None if nothing is.
        source: Who registered the task; see `facts`.
        run: The number of the run that is selected at first; the newest one by default.
        keys: What a person presses, by the ids of bindings; ours by default.
    """

    AUTO_FOCUS = "#history"
    FIRST = "history"
    PARTS = DETAILS_PARTS
    BARS = ("head", "footer")

    DEFAULT_CSS = """
    DetailsScreen {
        #head, #why { height: 1; border: none; overflow-y: hidden; }
        #head { background: $bar; }
        #body { height: 1fr; }
        #right { width: 1fr; }
        #due, #run { height: 1fr; }
        &.-single {
            #body LineList { height: 1fr; }
        }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings_of(Place.DETAILS)

    def __init__(
        self,
        details: TaskDetails,
        refresh: Callable[[], Awaitable[TaskDetails | None]],
        *,
        now: Callable[[], float] = time,
        read_only: bool = False,
        history_query: HistoryQuery | None = None,
        source: str = "",
        run: int | None = None,
        keys: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(details, now, read_only=read_only, keys=keys or {})
        self.parts = DetailsParts(details, now(), source, stored=history_query is not None)
        """The contents of the parts."""
        self._past = HistoryReader(self, self.parts.earlier, history_query, self._near_the_end, self._show)
        self._refresh_details = refresh
        self._looking = False
        self._read: EntryKey | None = None  # what the part `run` shows
        self._opened = False
        self._wanted_run = run

    def compose(self) -> ComposeResult:
        """Make all parts; the layout decides which are visible."""
        parts = self.parts
        head = LineList(parts.head, id="head")
        why = LineList(parts.why, id="why")
        head.can_focus = why.can_focus = False
        yield head
        yield why
        yield TabBar(id="tabs")
        with Horizontal(id="body"):
            with Vertical(id="left"):
                yield LineList(self._fact_lines, id="facts")
                yield LineList(parts.due, id="due", choosing=True)
            with Vertical(id="right"):
                yield LineList(parts.history, id="history", titles=parts.history_titles, choosing=True)
                yield DurationChart(parts.chart, id="durations")
                yield LineList(parts.run, id="run")
        yield FilterBar(id="filter", hint=_SEARCH_HINT)
        yield FooterBar(id="footer")
        yield Static(id="too-small", markup=False)

    def on_mount(self) -> None:
        """Show the task, and update it once a second."""
        self._show()
        if self._wanted_run is not None:
            self.go_to("run")
        self.set_interval(TICK_SECONDS, self.look)
        self.watch(self.part("history"), "scroll_y", self._past.look, init=False)
        self.call_after_refresh(self._past.look)

    def part(self, identity: str) -> LineList:
        """Return one of the parts."""
        return self.query_one(f"#{identity}", LineList)

    def _fact_lines(self, width: int) -> list[Line]:
        facts = self.parts.facts(width)
        return [*self.parts.why(width), (), *facts] if self.single else facts

    # Updates.

    async def look(self) -> None:
        """Ask for the state of the task, unless an answer is awaited, and show it."""
        if not self._looking:
            self._looking = True
            await begin(self, self._look)

    async def _look(self) -> None:
        try:
            fresh = await self._refresh_details()
        finally:
            self._looking = False
        self.parts.update(fresh, self._clock())
        self.details, self.gone = self.parts.details, self.parts.gone
        self._show()
        self._past.look()

    def _near_the_end(self) -> bool:
        return len(self.parts.selection.entries) - self.part("history").reached < _NEAR

    def _show(self) -> None:
        self.parts.select()
        if self._wanted_run is not None:
            self._select_run(self._wanted_run)
        self.part("history").choosing = bool(self.parts.selection.entries)
        self.part("due").choosing = bool(self.details.due_times)
        for identity, border in self.parts.borders().items():
            self.part(identity).name_border(*border)
        self._fit_heights()
        for identity in ("head", "why", "facts", "due", "durations"):
            self.part(identity).show()
        self.part("history").show(self.parts.selection.index)
        self._show_run()
        self.look_at_tabs()
        self.refresh_bindings()

    def _select_run(self, number: int) -> None:
        """Select the wanted run as soon as it is there, or say that it is no longer remembered."""
        if self.parts.selection.choose_run(number):
            self._wanted_run = None
        elif self.parts.earlier.is_answered:
            self._wanted_run = None
            self.notify(f"Run {number} is no longer remembered", severity="warning")

    def _show_run(self) -> None:
        part = self.part("run")
        if self.parts.selection.key != self._read:
            self._read = self.parts.selection.key
            part.follow = self.parts.is_running
            part.scroll_to(y=0, animate=False, immediate=True)
        part.show()

    def counts(self) -> dict[str, int]:
        """Return the number of due times and of entries of the history."""
        return {"due": len(self.details.due_times), "history": len(self.parts.selection.entries)}

    # Shape.

    def arranged(self) -> None:
        """Show the explanation in its own line, unless it is among the facts."""
        self.part("why").display = len(self.seen) > 1
        self._show()

    def _fit_heights(self) -> None:
        """Give each part the columns and rows that it needs, and the rest to due times and the run."""
        left = None if self.single else left_width(self.shape)
        self.query_one("#left").styles.width = left or "1fr"
        inside = (left or self.room.width) - 4  # frame, and a blank at each side
        fitting = heights(
            self.room.height,
            why=len(self.parts.why(max(1, self.room.width - 2))),
            facts=len(self.parts.facts(inside)),
            due=len(self.details.due_times),
            history=len(self.parts.selection.entries),
        )
        self.part("why").styles.height = fitting.why
        for part in ("facts", "history", "durations"):
            self.part(part).styles.height = "1fr" if self.single else getattr(fitting, part)

    def enter_part(self, identity: str) -> None:
        """Make a part the current one; a part that is walked to counts as not opened."""
        self._opened = False
        super().enter_part(identity)

    @on(LineList.CursorMoved, "#history")
    def _entry_chosen(self, event: LineList.CursorMoved) -> None:
        self.parts.selection.choose_index(event.index)
        self._show()
        self._past.look()

    @on(LineList.CursorMoved, "#due")
    def _due_chosen(self, event: LineList.CursorMoved) -> None:
        self.part("due").show(event.index)

    @on(LineList.Opened, "#history")
    def _entry_opened(self) -> None:
        self.action_open()

    @on(DurationChart.Walked)
    def _walk(self, event: DurationChart.Walked) -> None:
        self.parts.selection.walk(event.step)
        self._show()
        self._past.look()

    # Keys.

    @property
    def _can_open(self) -> bool:
        return self.current in ("history", "durations") and bool(self.parts.selection.entries)

    def action_open(self) -> None:
        """Read the selected run."""
        if self._can_open:
            self.go_to("run")
            self._opened = True

    def action_last_traceback(self) -> None:
        """Select the last run that left a traceback, and read it."""
        failure = self.parts.selection.failure
        if failure is None:
            self.notify("none of its last runs left a traceback", markup=False)
            return
        self._search_for("")
        self.parts.selection.choose(key_of(failure))
        self.go_to("run")
        self._opened = True

    def action_back(self) -> None:
        """Leave the run that was opened, then the search, then the maximised part, then the screen."""
        if self._opened:
            self.go_to("history")
        elif self.parts.search:
            self._search_for("")
        elif self.maximised:
            self.action_maximise()
        else:
            self.action_leave()

    def action_leave(self) -> None:
        """Go back to the tasks."""
        if self.is_active:
            self.dismiss()

    def action_search(self) -> None:
        """Open the field for a search of the history."""
        self.go_to("history")
        self.query_one(FilterBar).open(self.parts.search)

    @on(FilterBar.Changed)
    def _search_typed(self, event: FilterBar.Changed) -> None:
        self._search_for(event.text)

    @on(FilterBar.Closed)
    def _search_closed(self) -> None:
        self.go_to("history")

    def _search_for(self, text: str) -> None:
        if text != self.parts.search:
            self.parts.search = text
            self._past.search_for(text)
        self._show()

    def action_copy(self) -> None:
        """Copy the selection: a due time, a run with its output, or the facts about the task."""
        text = self.parts.copy(self.current, self.part("due").index)
        count = text.count("\n") + 1
        words = plural(count, "line") if count > 1 else shorten_end(harmless(text), 60)
        copy(self, text, words)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return True if a key applies now. None keeps it out of the footer."""
        if self.is_mounted and self.query_one(FilterBar).display:
            return None  # one types letters
        if action == "open":
            return True if self._can_open else None
        if action == "last_traceback":
            return True if self.parts.selection.failure is not None else None
        if action != "command":
            return True
        return None if self.why_not(TO_THE_SCHEDULER[str(parameters[0])]) else True
