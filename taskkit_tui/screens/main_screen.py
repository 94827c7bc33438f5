"""The main screen: three panels of tasks, the timeline, the log, and the keys that no panel owns."""

from __future__ import annotations

from asyncio import sleep
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, ClassVar, Final

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Static
from textual.worker import Worker

from taskkit_tui.keys.bindings import bindings_of, rows_of
from taskkit_tui.keys.command import HIDDEN, AppliesTo, Place
from taskkit_tui.keys.key_order import KEYS_WAIT
from taskkit_tui.messages import ShowFailures, ShowLog
from taskkit_tui.screens.main_layout import HEIGHT_FOR_TIMELINE
from taskkit_tui.screens.parted_screen import PartedScreen
from taskkit_tui.settings import SavedView
from taskkit_tui.viewmodel.filtering import RowFilter
from taskkit_tui.viewmodel.header import notes_on
from taskkit_tui.viewmodel.model import TaskModel
from taskkit_tui.viewmodel.panel_order import Sorting
from taskkit_tui.viewmodel.panels.columns import ON_DEMAND, PLANS, RUNNING, SCHEDULED
from taskkit_tui.viewmodel.row import Panel, TaskRow
from taskkit_tui.viewmodel.screen_part import ScreenPart
from taskkit_tui.viewmodel.timeline import ZOOMS, TimelineMark, marks_of_selected, timeline_marks
from taskkit_tui.widgets.filter_bar import FilterBar
from taskkit_tui.widgets.footer_bar import FooterBar
from taskkit_tui.widgets.header_bar import HeaderBar
from taskkit_tui.widgets.log_pane import LogPane
from taskkit_tui.widgets.tab_bar import TabBar
from taskkit_tui.widgets.task_commands import TaskCommands
from taskkit_tui.widgets.task_panel import TaskPanel
from taskkit_tui.widgets.timeline_strip import TimelineStrip, axis_columns

if TYPE_CHECKING:
    from taskkit_tui.screens.help_screen import KeyGroup

WORK_SECONDS: Final = 0.02
"""Longest time that sorting and filtering many rows keep a key waiting."""

PAUSE_SECONDS: Final = 0.001
"""Time for keys in between."""

_COMING_AND_GOING = tuple(
    command
    for command in rows_of(Place.PANEL)
    if command.footer != HIDDEN and command.applies_to is not AppliesTo.NOTHING
)
"""The commands whose keys come and go in the footer, as they apply to the selected task or not."""


class MainScreen(PartedScreen, TaskCommands, inherit_bindings=False):
    """Shows a model; everything else is requested from the app.

    Args:
        model: The rows and figures; the app updates it, then calls `look`.
        read_only: Refuse commands.
        when_arranged: Called once, when the screen can show the model, before it is laid out and painted.
    """

    AUTO_FOCUS = "#scheduled"
    FIRST = "scheduled"
    PARTS = (
        ScreenPart("scheduled", "Scheduled", "Sched"),
        ScreenPart("running", "Running", "Run"),
        ScreenPart("on-demand", "On demand", "Demand"),
        ScreenPart("log", "Log", "Log"),
    )
    BARS = ("header", "footer")

    BINDINGS: ClassVar[list[BindingType]] = bindings_of(Place.MAIN)

    def __init__(
        self, model: TaskModel, *, read_only: bool = False, when_arranged: Callable[[], object]
    ) -> None:
        super().__init__()
        self._when_arranged = when_arranged
        self.model = model
        self.read_only = read_only
        self.warnings: tuple[str, ...] = ()
        self._connection = ("", True)
        """Lasting conditions for the header, as in “state not stored”."""
        self.zoom_index = 0
        self._panels: dict[Panel, TaskPanel] = {}
        self._is_behind = False  # True if there was a change that is not shown yet
        self._applicable: tuple[bool, ...] = ()
        self._moment: tuple[int, bool] | None = None
        self._timeline: tuple[float, Mapping[int, TimelineMark]] = (0.0, {})
        """The time of the timeline, and its marks without the selected task."""

    def compose(self) -> ComposeResult:
        """Make all parts; the layout decides which are visible."""
        yield HeaderBar(id="header")
        yield TabBar(id="tabs")
        with Horizontal(id="panels"):
            yield self._panel(SCHEDULED.panel, "scheduled")
            with Vertical(id="side"):
                yield self._panel(RUNNING.panel, "running")
                yield self._panel(ON_DEMAND.panel, "on-demand")
        yield TimelineStrip(ZOOMS[self.zoom_index], id="timeline")
        yield LogPane(id="log")
        yield FilterBar(id="filter")
        yield FooterBar(id="footer")
        yield Static(id="too-small", markup=False)

    def _panel(self, place: Panel, identity: str) -> TaskPanel:
        panel = TaskPanel(PLANS[place], self.model.rows_in(place), id=identity)
        panel.read_only = self.read_only
        self._panels[place] = panel
        return panel

    @property
    def log_pane(self) -> LogPane:
        """The log."""
        return self.query_one(LogPane)

    def panel(self, place: Panel) -> TaskPanel:
        """The panel of a place."""
        return self._panels[place]

    @property
    def panels(self) -> tuple[TaskPanel, ...]:
        """The three panels of tasks."""
        return tuple(self._panels.values())

    @property
    def last_panel(self) -> TaskPanel:
        """The panel of tasks that has the focus, else the first one."""
        return self.focused_panel or self.panel(Panel.SCHEDULED)

    @property
    def focused_panel(self) -> TaskPanel | None:
        """The panel that has the focus, if it is one of tasks."""
        return self.focused if isinstance(self.focused, TaskPanel) else None

    # Updates.

    def look(self) -> None:
        """Show the model. The app calls this whenever it has changed, and once a second.

        Under a dialog it is shown once a second, as each change makes Textual paint the dialog again; under a
        screen that covers it, as soon as it can be seen again.
        """
        now = self.model.figures.time
        self._is_behind = self.app.screen is not self and not (self.is_current and self._is_next_second)
        if self._is_behind:
            return
        self._follow_selection()
        for panel in self.panels:
            panel.show(now)
        self._look_at_figures()
        if self._is_next_second:
            self._moment = (int(now), self.model.figures.paused)
            self._count_timeline()
        self._refresh_footer()

    @property
    def _is_next_second(self) -> bool:
        """True if another second is to be shown, or the scheduler was paused or resumed."""
        return (int(self.model.figures.time), self.model.figures.paused) != self._moment

    def on_screen_resume(self) -> None:
        """Show what has changed under another screen."""
        if self._is_behind:
            self.look()

    def show_connection(self, words: str, *, is_connected: bool) -> None:
        """Show the state of the connection in the header; dim the rows while they are out of date."""
        if (words, is_connected) != self._connection:
            self._connection = (words, is_connected)
            self.set_class(not is_connected, "-disconnected")
            self._look_at_figures()

    def _look_at_figures(self) -> None:
        words, is_connected = self._connection
        notes = notes_on(
            self.model.filter,
            len(self.model.marked),
            warnings=self.warnings,
            read_only=self.read_only,
            connection=words,
            is_connected=is_connected,
        )
        self.query_one(HeaderBar).show(self.model.figures, notes)
        self.look_at_tabs()

    def counts(self) -> dict[str, int]:
        """Return the number of rows of each panel of tasks."""
        return {panel.id or "": len(panel.rows) for panel in self.panels}

    def view(self) -> SavedView:
        """Return how a person has arranged the screen."""
        return SavedView(
            zoom=self.zoom_index,
            maximised=self.maximised,
            sorted_by={place: self.model.sorting(place).column.key for place in Panel},
            reversed=[place for place in Panel if self.model.sorting(place).reverse],
        )

    def arrange_as(self, view: SavedView) -> None:
        """Arrange the screen as a person left it; ignore columns that no longer exist."""
        for place in Panel:
            for column in PLANS[place].sortable():
                if column.key == view.sorted_by.get(place):
                    self.model.sort(place, Sorting(column, place in view.reversed))
        self.zoom_index = max(0, min(view.zoom, len(ZOOMS) - 1))
        self.maximised = view.maximised

    def _count_timeline(self) -> None:
        """Find again what falls due when."""
        strip = self.query_one(TimelineStrip)
        if strip.display and not self.model.figures.paused:
            now, zoom = self.model.figures.time, ZOOMS[self.zoom_index]
            rows = self.model.due_until(now + zoom.seconds)
            self._timeline = now, timeline_marks(rows, now, zoom, axis_columns(self.room.width))
        self._look_at_timeline()

    def _look_at_timeline(self) -> None:
        """Show what falls due, and the selected task over it."""
        strip = self.query_one(TimelineStrip)
        if not strip.display:
            return
        zoom = ZOOMS[self.zoom_index]
        if self.model.figures.paused:
            strip.show(zoom, {}, paused=True)
            return
        now, marks = self._timeline
        panel = self.focused_panel
        if panel is not None and (selected := panel.selected) is not None:
            columns = axis_columns(self.room.width)
            marks = {**marks, **marks_of_selected(selected, now, zoom, columns, self.model.named)}
        strip.show(zoom, marks)

    def _follow_selection(self) -> None:
        """Follow the selected task to another panel."""
        panel = self.focused_panel
        number = None if panel is None else panel.number
        if panel is None or number is None or panel.rows.position(number) is not None:
            return
        # One that was added again under its name has another number.
        self._go_to_row(self.model.row(number) or self.model.named(panel.task_name))

    def _refresh_footer(self) -> None:
        """Refresh the footer if other commands apply now, here or to the selected row."""
        panel = self.focused_panel
        of_task = (
            () if panel is None else tuple(panel.why_not(command) is None for command in _COMING_AND_GOING)
        )
        applicable = (*of_task, self._narrowed)
        if applicable != self._applicable:
            self._applicable = applicable
            self.refresh_bindings()

    # Shape.

    def arranged_first(self) -> None:
        """Have the model filled, so that its rows are in the first paint."""
        self._when_arranged()

    def arranged(self) -> None:
        """Show the timeline where there is room for it, and the figures."""
        self.query_one(TimelineStrip).display = len(self.seen) > 1 and self.room.height >= HEIGHT_FOR_TIMELINE
        self._moment = None
        self._look_at_figures()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:  # noqa: ARG002
        """Show the keys of the focused widget in the footer."""
        self._applicable = ()
        self._refresh_footer()

    def go_to_task(self, name: str) -> None:
        """Select a task, and go to its panel. Do nothing if it is gone or hidden."""
        self._go_to_row(self.model.named(name))

    def _go_to_row(self, row: TaskRow | None) -> None:
        if row is not None and self.panel(row.panel).rows.position(row.number) is not None:
            self.panel(row.panel).select(row.number)
            self.go_to(self.panel(row.panel).id or "")

    # Keys.

    @property
    def _narrowed(self) -> bool:
        """True if there is a filter, a mark or a maximised panel, which `esc` leaves."""
        return self.model.filter.active or bool(self.model.marked) or self.maximised

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Return True if a key applies now. None keeps it out of the footer."""
        return None if action == "back" and not self._narrowed else True

    def say_why_not(self, key: str) -> bool:
        """Say why a key does not apply to the selected task. Return False if there is nothing to say."""
        panel = self.focused_panel
        active = self.active_bindings.get(key)
        if panel is None or active is None or active.enabled or active.node is not panel:
            return False
        command = next(each for each in rows_of(Place.PANEL) if each.id == active.binding.id)
        reason = panel.why_not(command)
        if reason is not None:
            self.notify(reason, title=active.binding.description, severity="warning", markup=False, timeout=3)
        return reason is not None

    def action_maximise(self) -> None:
        """Show only the panel that has the focus, or all again."""
        super().action_maximise()
        self._refresh_footer()

    def action_zoom(self, step: int) -> None:
        """Show more time on the timeline, or less."""
        self.zoom_index = max(0, min(self.zoom_index + step, len(ZOOMS) - 1))
        self._count_timeline()

    def action_filter(self) -> None:
        """Open the field for a filter."""
        self.query_one(FilterBar).open(self.model.filter.text)

    def action_only_failing(self) -> None:
        """Show only what fails, or all."""
        self._show_only(RowFilter(self.model.filter.text, not self.model.filter.only_failing))

    def action_failures(self) -> None:
        """List what failed lately, of all tasks."""
        self.post_message(ShowFailures())

    def action_back(self) -> None:
        """Leave the filter, then the marks, then the maximised panel."""
        if self.model.filter.active:
            self.query_one(FilterBar).close()
            self._show_only(RowFilter())
        elif self.model.marked:
            self.model.clear_marks()
            self.look()
        elif self.maximised:
            self.action_maximise()

    def _show_only(self, wanted: RowFilter) -> None:
        self.model.show_only(wanted, WORK_SECONDS)
        self._look_at_work()

    def _look_at_work(self) -> None:
        """Show what the model has done, and let it continue between two keys."""
        self.look()
        if self.model.has_work:
            self.set_timer(PAUSE_SECONDS, self._go_on)
            if not self.query_one(FilterBar).display:
                self._hold_keys()

    def _hold_keys(self) -> None:
        """Keep back keys until rows are filtered and sorted: a command is for the row shown then."""
        _worker: Worker[None] = self.run_worker(self._work_done, group=KEYS_WAIT)

    async def _work_done(self) -> None:
        while self.model.has_work:
            await sleep(PAUSE_SECONDS)

    def _go_on(self) -> None:
        if self.model.work(WORK_SECONDS):
            self.look()
        else:
            self.set_timer(PAUSE_SECONDS, self._go_on)

    def key_groups(self) -> tuple[KeyGroup, ...]:
        """Return the groups of the help: the keys, and the signs that need an explanation."""
        from taskkit_tui.screens.help_screen import SIGNS

        return (*super().key_groups(), SIGNS)

    # Messages of the panels.

    @on(TaskPanel.Highlighted)
    def _selection_moved(self) -> None:
        self._refresh_footer()
        self._look_at_timeline()

    @on(TaskPanel.MarkToggled)
    def _toggle_marks(self, event: TaskPanel.MarkToggled) -> None:
        self.model.toggle_marks(event.numbers)
        self.look()

    @on(TaskPanel.SortAsked)
    def _sort(self, event: TaskPanel.SortAsked) -> None:
        self.model.sort(event.panel.plan.panel, event.sorting, WORK_SECONDS)
        self._look_at_work()

    @on(ShowLog)
    def _show_log_of(self, event: ShowLog) -> None:
        self.log_pane.show_only(event.name)

    @on(FilterBar.Changed)
    def _filter_typed(self, event: FilterBar.Changed) -> None:
        self._show_only(RowFilter(event.text, self.model.filter.only_failing))

    @on(FilterBar.Closed)
    def _filter_closed(self) -> None:
        if self.model.has_work:
            self._hold_keys()
        self.go_to(self.current)
