"""Base of the dialogs with one text that the scheduler reads while a person types, such as a schedule."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, Generic, TypeVar

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static
from textual.worker import Worker

from taskkit_tui.formatting import harmless, shorten
from taskkit_tui.screens.dialog import Answer, Dialog
from taskkit_tui.viewmodel.row import TaskRow
from taskkit_tui.widgets.background import begin

TICK_SECONDS: Final = 1.0
"""Time between two updates of the preview."""

Preview = TypeVar("Preview")


class PreviewDialog(Dialog[Answer], Generic[Answer, Preview]):
    """A field, and how the scheduler reads it.

    Args:
        rows: The tasks that it is about; at least one.
        now: The present instant, in epoch seconds.
    """

    DEFAULT_CSS = """
    PreviewDialog #preview { margin-top: 1; height: 4; }
    """

    def __init__(self, rows: Sequence[TaskRow], now: Callable[[], float]) -> None:
        super().__init__()
        self.rows = tuple(rows)
        self.now = now
        self._sent = False  # since one last typed; only then what is empty is missing

    @abstractmethod
    def field(self) -> Input:
        """Make the field."""

    @abstractmethod
    def headings(self, which: str) -> tuple[str, str, str]:
        """Return the title for these tasks, in words; the verb of the enter key; and a hint at the texts."""

    @abstractmethod
    async def read(self, typed: str) -> Preview:
        """Return how the scheduler reads a text.

        Raises:
            ValueError: It is invalid, or there is no answer; the message says why.
        """

    @abstractmethod
    def lines(self, preview: Preview) -> Sequence[str]:
        """Return the words of a preview."""

    @abstractmethod
    def answer(self, typed: str, preview: Preview) -> Answer:
        """Return the answer of the dialog for a text."""

    def compose(self) -> ComposeResult:
        """Make a field, and a preview under it."""
        name = shorten(self.rows[0].shown_name, 40)
        heading, verb, hint = self.headings(name if len(self.rows) == 1 else f"{len(self.rows)} tasks")
        with VerticalScroll(id="box", can_focus=False) as box:
            # As content, not as a string: names are foreign text, which may look like markup.
            box.border_title = Content(heading)
            box.border_subtitle = f"⏎ {verb} · esc leave"
            yield Static(hint, classes="dim", markup=False)
            yield self.field()
            yield Static(id="preview", markup=False)

    def on_mount(self) -> None:
        """Show the preview, and update it as time passes."""
        self._preview()
        self.set_interval(TICK_SECONDS, self._preview)

    def on_input_changed(self) -> None:
        """Update the preview."""
        self._sent = False
        self._preview()

    async def on_input_submitted(self) -> None:
        """Answer, unless the text is invalid, or is edited before the scheduler has read it."""
        self._sent = True
        self.workers.cancel_group(self, "preview")
        await begin(self, self._send, self._typed, holds_keys=True)

    async def _send(self, typed: str) -> None:
        preview = await self._show_preview(typed)
        if preview is None:
            self.app.bell()
        else:
            self.dismiss(self.answer(typed, preview))

    @property
    def _typed(self) -> str:
        return self.query_one(Input).value.strip()

    def _preview(self) -> None:
        """Show the preview of what was typed; nothing for an empty field that was not sent."""
        self.workers.cancel_group(self, "preview")
        if self._typed or self._sent:
            show = partial(self._show_preview, self._typed)
            _worker: Worker[Preview | None] = self.run_worker(show, group="preview")
        else:
            self.query_one("#preview", Static).update("")

    async def _show_preview(self, typed: str) -> Preview | None:
        """Show the preview of a text, or its error. Return None for an invalid one.

        If the text is edited while the scheduler reads it, show nothing and return None.
        """
        shown = self.query_one("#preview", Static)
        preview, error = None, ""
        try:
            preview = await self.read(typed)
        except ValueError as refusal:
            error = harmless(str(refusal))
        if typed != self._typed:
            return None
        if preview is None:
            shown.set_classes("bad")
            shown.update(f"✗ {error}")
            return None
        shown.set_classes("dim")
        shown.update("\n".join(self.lines(preview)))
        return preview
