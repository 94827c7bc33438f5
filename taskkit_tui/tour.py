"""The dashboard with a tour: a line says what to press, and goes to the next step once that is done.

The tour only watches: requests go their usual way, and it takes no key of the dashboard.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from time import monotonic
from typing import Any, ClassVar, Final

from textual import events
from textual.app import SystemCommand
from textual.binding import BindingType
from textual.screen import Screen

from taskkit_tui.app import TaskkitApp
from taskkit_tui.keys.bindings import bindings_of
from taskkit_tui.keys.command import Place
from taskkit_tui.messages import CommandAsked, ShowDetails, ShowLog
from taskkit_tui.screens.main_layout import Shape, shape_for
from taskkit_tui.viewmodel.tour_steps import Tour, TourAction
from taskkit_tui.widgets.log_pane import LogPane
from taskkit_tui.widgets.tour_caption import TourCaption

_OF_A_PERIOD: Final = frozenset({"task.slower", "task.faster"})


class TouredApp(TaskkitApp):
    """The dashboard with a tour; it takes the arguments of the dashboard.

    Args:
        clock: Seconds since some fixed instant, for the steps that stay a while.
    """

    # A toast would cover the line that says what to press next.
    CSS = "ToastRack { margin-bottom: 2; }"

    BINDINGS: ClassVar[list[BindingType]] = bindings_of(Place.TOUR)

    def __init__(
        self,
        *arguments: Any,
        keymap: Mapping[str, str] | None = None,
        clock: Callable[[], float] = monotonic,
        **options: Any,
    ) -> None:
        super().__init__(*arguments, keymap=keymap, **options)
        self._tour_clock = clock
        self.tour = Tour(self.shown_keys)
        self.caption = TourCaption(self.tour.caption, id="tour")

    def begin(self) -> None:
        """Begin the tour as well."""
        self.main.mount(self.caption, before="#footer")
        super().begin()

    def look(self) -> None:
        """Take what has happened, and go to the next step if this one is done."""
        super().look()
        if self.is_running and self.screen_stack:
            self.tour.update(self.model.named, self._tour_clock())
            self._look_at_tour()

    def on_resize(self, event: events.Resize) -> None:
        """Hide the line where there is no room for it."""
        self._show_caption(shape_for(*event.size))

    def _look_at_tour(self) -> None:
        self._show_caption(shape_for(*self.size))
        self.caption.show()

    def _show_caption(self, shape: Shape) -> None:
        self.caption.display = not self.tour.left and shape is not Shape.TOO_SMALL

    def _note(self, action: TourAction, *names: str) -> None:
        self.tour.note(action, names)
        self._look_at_tour()

    # Requests: noted here, carried out by the dashboard.

    async def on_command_asked(self, request: CommandAsked) -> None:
        """Note a change of a period, and an undo if there is anything to undo."""
        if request.command in _OF_A_PERIOD or (request.command == "task.period" and request.answers):
            self._note(TourAction.PERIOD, *request.names)
        elif request.command == "task.undo" and self.commands.can_undo:
            self._note(TourAction.UNDO)

    async def on_show_details(self, request: ShowDetails) -> None:
        """Note that details are opened."""
        self._note(TourAction.DETAILS, request.name)

    def on_log_pane_traceback_opened(self, message: LogPane.TracebackOpened) -> None:
        """Note that a failure is opened from the log."""
        self._note(TourAction.DETAILS, message.line.name)

    def on_show_log(self, message: ShowLog) -> None:
        """Note that the log shows one task."""
        if message.name is not None:
            self._note(TourAction.LOG, message.name)

    # The keys of the tour.

    def action_tour_step(self, steps: int) -> None:
        """Go to the next step, or to the previous one."""
        self.tour.go(steps)
        self._look_at_tour()

    def action_tour_leave(self) -> None:
        """End the tour."""
        self.tour.leave()
        self._look_at_tour()

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Yield the entries of the palette, with those of the tour."""
        yield from super().get_system_commands(screen)
        if not self.tour.left:
            yield SystemCommand("Tour: skip", "Go to its next step.", lambda: self.action_tour_step(1))
            yield SystemCommand("Tour: back", "Go to the previous step.", lambda: self.action_tour_step(-1))
            yield SystemCommand("Tour: end", "End the tour.", self.action_tour_leave)
