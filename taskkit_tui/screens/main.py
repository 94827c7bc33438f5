"""The main screen: three panels of tasks, the timeline, the log, and the keys that no panel owns."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Static

from taskkit_tui.messages import AskPause
from taskkit_tui.screens.layout import HEIGHT_FOR_TIMELINE
from taskkit_tui.screens.main_bindings import MAIN_BINDINGS
from taskkit_tui.screens.parted_screen import PartedScreen
from taskkit_tui.settings import View
from taskkit_tui.viewmodel.columns import ON_DEMAND, PLANS, RUNNING, SCHEDULED
from taskkit_tui.viewmodel.filtering import RowFilter
from taskkit_tui.viewmodel.header import notes_on
from taskkit_tui.viewmodel.model import Sorting, TaskModel
from taskkit_tui.viewmodel.part import Part
from taskkit_tui.viewmodel.row import Place, TaskRow
from taskkit_tui.viewmodel.timeline import ZOOMS, timeline_marks
from taskkit_tui.widgets.filter_bar import FilterBar
from taskkit_tui.widgets.footer_bar import FooterBar
from taskkit_tui.widgets.header_bar import HeaderBar
from taskkit_tui.widgets.log_pane import LogPane
from taskkit_tui.widgets.tab_bar import TabBar
from taskkit_tui.widgets.task_panel import TaskPanel
from taskkit_tui.widgets.timeline_strip import TimelineStrip

if TYPE_CHECKING:
    from taskkit_tui.screens.help import KeyGroup

_TOLD = ("run_now", "stop", "disable", "enable", "period", "as_registered", "details")
"""The actions on a task whose keys come and go in the footer."""


class MainScreen(PartedScreen, inherit_bindings=False):
    """Shows a model; asks the app for everything else.

    Args:
        model: The rows and figures; the app keeps it up to date and calls `look`.
        read_only: Whether commands are refused.
    """

    AUTO_FOCUS = "#scheduled"
    FIRST = "scheduled"
    PARTS = (
        Part("scheduled", "Scheduled", "Sched"),
        Part("running", "Running", "Run"),
        Part("on-demand", "On demand", "Demand"),
        Part("log", "Log", "Log"),
    )
    BARS = ("header", "footer")

    BINDINGS: ClassVar[list[BindingType]] = MAIN_BINDINGS

    class Ready(Message):
        """The screen can show something."""

    def __init__(self, model: TaskModel, *, read_only: bool = False) -> None:
        super().__init__()
        self.model = model
        self.read_only = read_only
        self.warnings: tuple[str, ...] = ()
        """What a person is to know as long as it is so."""
        self.zoom_index = 0
        self._panels: dict[Place, TaskPanel] = {}
        self._applicable: tuple[bool, ...] = ()
        self._moment: tuple[int, bool] | None = None

    def compose(self) -> ComposeResult:
        """All there is; the shape decides what of it is seen."""
        yield HeaderBar(id="header")
        yield TabBar(id="tabs")
        with Horizontal(id="panels"):
            yield self._panel(SCHEDULED.place, "scheduled")
            with Vertical(id="side"):
                yield self._panel(RUNNING.place, "running")
                yield self._panel(ON_DEMAND.place, "on-demand")
        yield TimelineStrip(ZOOMS[self.zoom_index], id="timeline")
        yield LogPane(id="log")
        yield FilterBar(id="filter")
        yield FooterBar(id="footer")
        yield Static(id="too-small", markup=False)

    def _panel(self, place: Place, identity: str) -> TaskPanel:
        panel = TaskPanel(PLANS[place], self.model.panel(place), id=identity)
        panel.read_only = self.read_only
        self._panels[place] = panel
        return panel

    def on_mount(self) -> None:
        """Everything is there."""
        self.post_message(self.Ready())

    @property
    def log_pane(self) -> LogPane:
        """The log."""
        return self.query_one(LogPane)

    def panel(self, place: Place) -> TaskPanel:
        """The panel of a place."""
        return self._panels[place]

    @property
    def panels(self) -> tuple[TaskPanel, ...]:
        """The three panels of tasks."""
        return tuple(self._panels.values())

    @property
    def last_panel(self) -> TaskPanel:
        """The panel of tasks that has the focus, else the first one."""
        return self.focused_panel or self.panel(Place.SCHEDULED)

    @property
    def focused_panel(self) -> TaskPanel | None:
        """The panel that has the focus, if it is one of tasks."""
        return self.focused if isinstance(self.focused, TaskPanel) else None

    # Looking again.

    def look(self) -> None:
        """Show the model as it is. The app calls this whenever it has changed, and once a second."""
        now = self.model.figures.time
        self._follow_selection()
        for panel in self.panels:
            panel.show(now)
        self._look_at_figures()
        moment = (int(now), self.model.figures.paused)
        if moment != self._moment:
            self._moment = moment
            self._look_at_timeline()
        self._refresh_footer()

    def _look_at_figures(self) -> None:
        notes = notes_on(
            self.model.filter, len(self.model.marked), warnings=self.warnings, read_only=self.read_only
        )
        self.query_one(HeaderBar).show(self.model.figures, notes)
        self.look_at_tabs()

    def counts(self) -> dict[str, int]:
        """How many rows there are in the panels of tasks."""
        return {panel.id or "": len(panel.rows) for panel in self.panels}

    def view(self) -> View:
        """How a person has arranged the screen."""
        return View(
            filter=self.model.filter.text,
            only_failing=self.model.filter.only_failing,
            zoom=self.zoom_index,
            maximised=self.maximised,
            sorted_by={place: self.model.sorting(place).column.key for place in Place},
            reversed=[place for place in Place if self.model.sorting(place).reverse],
        )

    def arrange_as(self, view: View) -> None:
        """Arrange the screen as a person left it; what there no longer is, is left out."""
        for place in Place:
            for column in PLANS[place].sortable():
                if column.key == view.sorted_by.get(place):
                    self.model.sort(place, Sorting(column, place in view.reversed))
        self.zoom_index = max(0, min(view.zoom, len(ZOOMS) - 1))
        self.maximised = view.maximised
        self.model.show_only(RowFilter(view.filter, view.only_failing))

    def _look_at_timeline(self) -> None:
        strip = self.query_one(TimelineStrip)
        if not strip.display or not strip.columns:
            return
        zoom = ZOOMS[self.zoom_index]
        if self.model.figures.paused:
            strip.show(zoom, {}, paused=True)
            return
        now = self.model.figures.time
        panel = self.focused_panel
        selected = panel.selected if panel is not None else None
        rows = self.model.due_until(now + zoom.seconds)
        number = None if selected is None else selected.number
        strip.show(zoom, timeline_marks(rows, now, zoom, strip.columns, number))

    def _follow_selection(self) -> None:
        """If the selected task went to another panel, go with it."""
        panel = self.focused_panel
        number = None if panel is None else panel.number
        if panel is None or number is None or panel.rows.position(number) is not None:
            return
        # One that was added again under its name has another number.
        self._go_to_row(self.model.row(number) or self.model.named(panel.task_name))

    def _refresh_footer(self) -> None:
        """Have the footer look again if what applies, here or to the selected row, has changed."""
        panel = self.focused_panel
        of_task = () if panel is None else tuple(panel.why_not(action) is None for action in _TOLD)
        applicable = (*of_task, self._narrowed)
        if applicable != self._applicable:
            self._applicable = applicable
            self.refresh_bindings()

    # Shape.

    def arranged(self) -> None:
        """Show the timeline where there is room for it, and the figures of what is seen now."""
        self.query_one(TimelineStrip).display = len(self.seen) > 1 and self.size.height >= HEIGHT_FOR_TIMELINE
        self._moment = None
        self._look_at_figures()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:  # noqa: ARG002
        """Let the footer tell the keys of what has the focus now."""
        self._applicable = ()
        self._refresh_footer()

    def go_to_task(self, name: str) -> None:
        """Select a task, and go to its panel; nothing if it is gone, or not shown."""
        self._go_to_row(self.model.named(name))

    def _go_to_row(self, row: TaskRow | None) -> None:
        if row is not None and self.panel(row.place).rows.position(row.number) is not None:
            self.panel(row.place).select(row.number)
            self.go_to(self.panel(row.place).id or "")

    # Keys.

    @property
    def _narrowed(self) -> bool:
        """Whether there is anything that `esc` leaves."""
        return self.model.filter.active or bool(self.model.marked) or self.maximised

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Whether a key applies now. `None` keeps it out of the footer."""
        return None if action == "back" and not self._narrowed else True

    def tell_why_not(self, key: str) -> bool:
        """Say why a key does not apply to the selected task. Returns whether there was anything to say."""
        panel = self.focused_panel
        active = self.active_bindings.get(key)
        if panel is None or active is None or active.enabled or active.node is not panel:
            return False
        reason = panel.why_not(active.binding.action)
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
        self._look_at_timeline()

    def action_filter(self) -> None:
        """Type what to show."""
        self.query_one(FilterBar).open(self.model.filter.text)

    def action_only_failing(self) -> None:
        """Show only what fails, or all."""
        self._show_only(RowFilter(self.model.filter.text, not self.model.filter.only_failing))

    def action_back(self) -> None:
        """Leave the filter, then the marks, then the maximised panel."""
        if self.model.filter.active:
            self.query_one(FilterBar).close()
            self._show_only(RowFilter())
        elif self.model.marked:
            self.model.marked.clear()
            self.look()
        elif self.maximised:
            self.action_maximise()

    def _show_only(self, wanted: RowFilter) -> None:
        self.model.show_only(wanted)
        self.look()

    def key_groups(self) -> tuple[KeyGroup, ...]:
        """The keys, and the signs that do not explain themselves."""
        from taskkit_tui.screens.help import SIGNS

        return (*super().key_groups(), SIGNS)

    def action_pause(self) -> None:
        """Ask whether everything is to be paused, or resumed."""
        self.post_message(AskPause())

    # What panels tell.

    @on(TaskPanel.Highlighted)
    def _selection_moved(self) -> None:
        self._refresh_footer()
        self._look_at_timeline()

    @on(TaskPanel.MarkToggled)
    def _toggle_marks(self, event: TaskPanel.MarkToggled) -> None:
        if self.model.marked.issuperset(event.numbers):
            self.model.marked.difference_update(event.numbers)
        else:
            self.model.marked.update(event.numbers)
        self.look()

    @on(TaskPanel.SortAsked)
    def _sort(self, event: TaskPanel.SortAsked) -> None:
        self.model.sort(event.panel.plan.place, event.sorting)
        self.look()

    @on(TaskPanel.LogAsked)
    def _show_log_of(self, event: TaskPanel.LogAsked) -> None:
        self.log_pane.show_only(event.name)

    @on(FilterBar.Changed)
    def _filter_typed(self, event: FilterBar.Changed) -> None:
        self._show_only(RowFilter(event.text, self.model.filter.only_failing))

    @on(FilterBar.Closed)
    def _filter_closed(self) -> None:
        self.go_to(self.current)
