"""Base of all dialogs: a framed box in the middle, and `esc` to leave."""

from __future__ import annotations

from math import inf
from typing import ClassVar, Generic, TypeVar

from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from taskkit_tui.widgets.background import end_work

Answer = TypeVar("Answer")


class Dialog(ModalScreen[Answer], Generic[Answer]):
    """A question in a box, above the screen that asked it."""

    DEFAULT_CSS = """
    Dialog {
        align: center middle;
        background: $background 60%;

        & > #box {
            width: 64;
            max-width: 100%;
            height: auto;
            max-height: 100%;
            background: $bar;
            border: round $border;
            border-title-color: $next;
            border-title-style: bold;
            border-subtitle-color: $dim;
            padding: 1 2;
        }
        .dim { color: $dim; }
        .bad { color: $bad; }
        .good { color: $good; }
        Input {
            border: none;
            border-left: outer $rule;
            height: 1;
            padding: 0 1;
            background: $background;
            &:focus { border: none; border-left: outer $border; background-tint: $foreground 0%; }
        }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", id="dialog.cancel", tooltip="Leave, and change nothing."),
    ]

    answers_from: float = -inf
    """Keys and clicks from before this monotonic time are not for this dialog; they are dropped."""

    def _on_prune(self) -> None:
        end_work(self)

    def dismiss(self, result: Answer | None = None) -> AwaitComplete:
        """Leave with an answer. A second click that is on its way does not close the screen below."""
        return super().dismiss(result) if self.is_active else AwaitComplete()

    def action_cancel(self) -> None:
        """Leave, and change nothing."""
        self.dismiss(None)
