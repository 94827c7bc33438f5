"""The keys of the tour, each with an id that a keymap file can name."""

from __future__ import annotations

from typing import Final

from textual.binding import Binding, BindingType

TOUR_BINDINGS: Final[list[BindingType]] = [
    Binding("ctrl+n", "tour_step(1)", "Skip", id="tour.next", tooltip="The next step.", show=False),
    Binding("ctrl+r", "tour_step(-1)", "Step back", id="tour.back", tooltip="The step before.", show=False),
    Binding("ctrl+t", "tour_leave", "End the tour", id="tour.leave", tooltip="No more steps.", show=False),
]
