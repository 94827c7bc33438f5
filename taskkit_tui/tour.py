"""The dashboard with a tour: a line says what to press, and goes on when that has been done.

It only watches: what is asked for goes its usual way, and no key of the dashboard's own is taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from time import monotonic
from typing import Any, ClassVar

from textual import events, on
from textual.app import SystemCommand
from textual.binding import BindingType
from textual.screen import Screen

from taskkit_tui.app import TaskkitApp
from taskkit_tui.messages import ScalePeriod, SetPeriod, ShowDetails, UndoChange
from taskkit_tui.screens.layout import Shape, shape_for
from taskkit_tui.screens.main import MainScreen
from taskkit_tui.viewmodel.tour import Deed, Tour
from taskkit_tui.widgets.log_pane import LogPane
from taskkit_tui.widgets.panel_actions import PanelActions
from taskkit_tui.widgets.tour_bindings import TOUR_BINDINGS
from taskkit_tui.widgets.tour_caption import TourCaption


class TouredApp(TaskkitApp):
    """The dashboard with a tour; it takes the arguments of the dashboard."""

    # A word on a command would lie on the line that says what to press next.
    CSS = "ToastRack { margin-bottom: 2; }"

    BINDINGS: ClassVar[list[BindingType]] = TOUR_BINDINGS

    def __init__(self, *arguments: Any, keymap: Mapping[str, str] | None = None, **options: Any) -> None:
        super().__init__(*arguments, keymap=keymap, **options)
        self.tour = Tour(self.shown_keys)
        self.caption = TourCaption(self.tour.caption, id="tour")

    @on(MainScreen.Ready)
    def _begin_tour(self) -> None:
        self.main.mount(self.caption, before="#footer")
        self._look_at_tour()

    def look(self) -> None:
        """Take in what happened, and see whether the step is done."""
        super().look()
        if self.is_running and self.screen_stack:
            self.tour.look(self.model.named, monotonic())
            self._look_at_tour()

    def on_resize(self, event: events.Resize) -> None:
        """Hide the line where there is no room for it."""
        self._show_caption(shape_for(*event.size))

    def _look_at_tour(self) -> None:
        self._show_caption(shape_for(*self.size))
        self.caption.show()

    def _show_caption(self, shape: Shape) -> None:
        self.caption.display = not self.tour.left and shape is not Shape.TOO_SMALL

    def _note(self, deed: Deed, *names: str) -> None:
        self.tour.note(deed, names)
        self._look_at_tour()

    # What is asked for; the dashboard answers it.

    def on_set_period(self, request: SetPeriod) -> None:
        """A period is changed."""
        self._note(Deed.PERIOD, *request.names)

    def on_scale_period(self, request: ScalePeriod) -> None:
        """A period is doubled or halved."""
        self._note(Deed.PERIOD, *request.names)

    def on_show_details(self, request: ShowDetails) -> None:
        """Somebody looks into a task."""
        self._note(Deed.DETAILS, request.name)

    def on_log_pane_traceback_opened(self, message: LogPane.TracebackOpened) -> None:
        """Somebody looks into a failure by way of the log."""
        self._note(Deed.DETAILS, message.line.name)

    @on(PanelActions.LogAsked)
    def _log_asked(self, message: PanelActions.LogAsked) -> None:
        if message.name is not None:
            self._note(Deed.LOG, message.name)

    def on_undo_change(self, _: UndoChange) -> None:
        """Something is taken back, if there is anything."""
        if self.steering.can_undo:
            self._note(Deed.UNDO)

    # The keys of the tour.

    def action_tour_step(self, steps: int) -> None:
        """Go a step on, or back."""
        self.tour.go(steps)
        self._look_at_tour()

    def action_tour_leave(self) -> None:
        """Say no more what to press."""
        self.tour.leave()
        self._look_at_tour()

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """What the palette offers besides."""
        yield from super().get_system_commands(screen)
        if not self.tour.left:
            yield SystemCommand("Tour: skip", "Go to its next step.", lambda: self.action_tour_step(1))
            yield SystemCommand("Tour: back", "Go to the step before.", lambda: self.action_tour_step(-1))
            yield SystemCommand("Tour: end", "Say no more what to press.", self.action_tour_leave)
