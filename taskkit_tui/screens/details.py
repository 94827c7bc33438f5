"""The screen that tells everything about one task: why it does not run now, when it will, how it went."""

from __future__ import annotations

from collections.abc import Callable
from time import time
from typing import ClassVar, Final

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from taskkit import TaskDetails
from taskkit_tui.formatting import harmless, plural, shorten_end
from taskkit_tui.screens.details_keys import DETAILS_BINDINGS
from taskkit_tui.screens.details_layout import heights
from taskkit_tui.screens.layout import Shape, shape_for, too_small_words
from taskkit_tui.screens.past_reader import PastReader
from taskkit_tui.screens.task_screen import TaskScreen
from taskkit_tui.viewmodel.details_parts import PARTS, DetailsParts
from taskkit_tui.viewmodel.earlier import LookBack
from taskkit_tui.viewmodel.history import Key, key_of
from taskkit_tui.viewmodel.lines import Line
from taskkit_tui.widgets.duration_chart import DurationChart
from taskkit_tui.widgets.filter_bar import FilterBar
from taskkit_tui.widgets.footer_bar import FooterBar
from taskkit_tui.widgets.line_list import LineList
from taskkit_tui.widgets.tab_bar import Tab, TabBar

LOOK: Final = 1.0
"""Seconds between two looks at the task."""
_SEARCH_HINT: Final = "text, in all that is stored; regular expression, or ! inverts, in what is loaded"
_NEAR: Final = 30
"""Rows from the end of the history at which more of it is asked for."""
_LEFT_WIDTHS: Final = {Shape.WIDE: 48, Shape.COMPACT: 34}
"""Columns of what is told about the task itself, frame counted; as in the style sheet below."""


class DetailsScreen(TaskScreen):
    """Shows plain data, and asks the app for everything else.

    Args:
        details: How the task stands.
        refresh: Asked once a second how it stands; `None` means that it is gone.
        now: The present instant, in epoch seconds.
        read_only: Whether commands are refused.
        look_back: Asked, on a thread, for what is stored of the task's past; `None` if nothing is.
        source: Who registered the task; see `facts`.
    """

    AUTO_FOCUS = "#history"

    DEFAULT_CSS = """
    DetailsScreen {
        background: $background;
        layout: vertical;

        #head, #why { height: 1; border: none; overflow-y: hidden; }
        #head { background: $bar; }
        #body { height: 1fr; }
        #left { width: 48; }
        #right { width: 1fr; }
        #due, #run { height: 1fr; }
        #too-small {
            display: none;
            width: 1fr;
            height: 1fr;
            content-align: center middle;
            text-wrap: nowrap;
        }

        &.-compact #left { width: 34; }
        &.-single {
            #left, #right { width: 1fr; }
            #body LineList { height: 1fr; }
        }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = DETAILS_BINDINGS

    def __init__(
        self,
        details: TaskDetails,
        refresh: Callable[[], TaskDetails | None],
        *,
        now: Callable[[], float] = time,
        read_only: bool = False,
        look_back: LookBack | None = None,
        source: str = "",
    ) -> None:
        super().__init__(details, now, read_only=read_only)
        self.parts = DetailsParts(details, now(), source)
        """What the parts say."""
        self._past = PastReader(self, self.parts.earlier, look_back, self._near_the_end, self._show)
        self._refresh_details = refresh
        self._read: Key | None = None  # what the part `run` shows
        self._current = "history"
        self._maximised = False
        self._opened = False
        self._shape = Shape.WIDE

    def compose(self) -> ComposeResult:
        """All parts; the shape decides which are seen."""
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
        """Show the task, and look at it again once a second."""
        self._show()
        self.set_interval(LOOK, self.look)
        self.watch(self.part("history"), "scroll_y", self._past.look, init=False)
        self.call_after_refresh(self._past.look)

    def part(self, identity: str) -> LineList:
        """One of the parts."""
        return self.query_one(f"#{identity}", LineList)

    def _fact_lines(self, width: int) -> list[Line]:
        told = self.parts.facts(width)
        return [*self.parts.why(width), (), *told] if self._single else told

    # Looking again.

    def look(self) -> None:
        """Ask how the task stands now, and show it."""
        fresh = self._refresh_details()
        self.parts.look(fresh, self._clock())
        self.details, self.gone = self.parts.details, self.parts.gone
        self._show()
        self._past.look()

    def _near_the_end(self) -> bool:
        return len(self.parts.selection.entries) - self.part("history").reached < _NEAR

    def _show(self) -> None:
        self.parts.select()
        self.part("history").choosing = bool(self.parts.selection.entries)
        self.part("due").choosing = bool(self.details.due_times)
        for identity, border in self.parts.borders().items():
            self.part(identity).name_border(*border)
        self._fit_heights()
        for identity in ("head", "why", "facts", "due", "durations"):
            self.part(identity).look()
        self.part("history").look(self.parts.selection.index)
        self._show_run()
        self._look_at_tabs()
        self.refresh_bindings()

    def _show_run(self) -> None:
        part = self.part("run")
        if self.parts.selection.key != self._read:
            self._read = self.parts.selection.key
            part.follow = self.parts.run_goes_on
            part.scroll_to(y=0, animate=False, immediate=True)
        part.look()

    def _look_at_tabs(self) -> None:
        titles = (
            ("About", "About", None),
            ("Next", "Next", len(self.details.due_times)),
            ("History", "Past", len(self.parts.selection.entries)),
            ("Durations", "Time", None),
            ("Run", "Run", None),
        )
        self.query_one(TabBar).look(
            [
                Tab(str(number), title, short, count, part == self._current)
                for number, (part, (title, short, count)) in enumerate(zip(PARTS, titles, strict=True), 1)
            ]
        )

    # Shape.

    @property
    def _single(self) -> bool:
        return self._maximised or self._shape is Shape.SINGLE

    def on_resize(self, event: events.Resize) -> None:
        """Lay out for the new size."""
        self._shape = shape_for(event.size.width, event.size.height)
        self.query_one("#too-small", Static).update(too_small_words(event.size.width, event.size.height))
        self._arrange()

    def _arrange(self) -> None:
        hopeless = self._shape is Shape.TOO_SMALL
        single = self._single and not hopeless
        seen = {self._current} if single else set() if hopeless else set(PARTS)
        for shape in Shape:
            self.set_class(shape is (Shape.SINGLE if single else self._shape), shape)
        for identity in PARTS:
            self.part(identity).display = identity in seen
        self.query_one("#left").display = bool(seen & {"facts", "due"})
        self.query_one("#right").display = bool(seen & {"history", "durations", "run"})
        self.query_one("#tabs").display = single
        self.part("why").display = not single and not hopeless
        for identity in ("#head", "#footer", "#body"):
            self.query_one(identity).display = not hopeless
        self.query_one("#too-small").display = hopeless
        self._show()

    def _fit_heights(self) -> None:
        """Give each part the lines that it needs, and what is left to due times and the run."""
        inside = _LEFT_WIDTHS.get(self._shape, self.size.width) - 4  # frame, and a blank at each side
        fitting = heights(
            self.size.height,
            why=len(self.parts.why(max(1, self.size.width - 2))),
            facts=len(self.parts.facts(inside)),
            due=len(self.details.due_times),
            history=len(self.parts.selection.entries),
        )
        self.part("why").styles.height = fitting.why
        for part in ("facts", "history", "durations"):
            self.part(part).styles.height = "1fr" if self._single else getattr(fitting, part)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Remember which part one is in, and show only it where there is room for one."""
        if event.widget.id in PARTS and event.widget.id != self._current:
            self._current = event.widget.id
            self._opened = False
            self._arrange()

    def go_to(self, identity: str) -> None:
        """Put the focus on one of the parts, and bring it to sight."""
        self._current = identity
        self._opened = False
        self._arrange()
        self.part(identity).focus()

    @on(TabBar.Chosen)
    def _tab_chosen(self, event: TabBar.Chosen) -> None:
        self.go_to(PARTS[event.index])

    @on(LineList.Chosen, "#history")
    def _entry_chosen(self, event: LineList.Chosen) -> None:
        self.parts.selection.choose_index(event.index)
        self._show()
        self._past.look()

    @on(LineList.Chosen, "#due")
    def _due_chosen(self, event: LineList.Chosen) -> None:
        self.part("due").look(event.index)

    @on(LineList.Opened, "#history")
    def _entry_opened(self) -> None:
        self.action_open()

    @on(DurationChart.Walked)
    def _walk(self, event: DurationChart.Walked) -> None:
        self.parts.selection.walk(event.step)
        self._show()
        self._past.look()

    # Looking keys.

    def action_go_to(self, identity: str) -> None:
        """Go to a part."""
        self.go_to(identity)

    def action_next_part(self, step: int) -> None:
        """Go to the next part, or the one before."""
        self.go_to(PARTS[(PARTS.index(self._current) + step) % len(PARTS)])

    def action_maximise(self) -> None:
        """Show only the part that has the focus, or all again."""
        self._maximised = not self._maximised
        self._arrange()

    @property
    def _can_open(self) -> bool:
        return self._current in ("history", "durations") and bool(self.parts.selection.entries)

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
        elif self._maximised:
            self.action_maximise()
        else:
            self.action_leave()

    def action_leave(self) -> None:
        """Go back to the tasks."""
        if self.is_active:
            self.dismiss()

    def action_search(self) -> None:
        """Type what to look for in the history."""
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
            self._past.look_for(text)
        self._show()

    def action_help(self) -> None:
        """Show the keys that apply here."""
        from taskkit_tui.screens.help import HelpScreen, key_groups

        self.app.push_screen(HelpScreen(key_groups(self)))

    def action_copy(self) -> None:
        """Copy what is selected: a due time, a run with all it left, or what is told about the task."""
        text = self.parts.copy(self._current, self.part("due").index)
        self.app.copy_to_clipboard(text)
        count = text.count("\n") + 1
        words = plural(count, "line") if count > 1 else shorten_end(harmless(text), 60)
        self.notify(f"copied: {words}", markup=False, timeout=2)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Whether a key applies now. `None` keeps it out of the footer."""
        if self.is_mounted and self.query_one(FilterBar).display:
            return None  # one types letters
        if action == "open":
            return True if self._can_open else None
        if action == "last_traceback":
            return True if self.parts.selection.failure is not None else None
        if action == "new_task" and self.read_only:
            return None
        return None if self.why_not(action) else True
