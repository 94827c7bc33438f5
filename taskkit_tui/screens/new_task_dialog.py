"""The form of a new task: a class, what its constructor takes, a name, and when it runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import ClassVar, Final

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Input, Select, Static
from textual.worker import Worker

from taskkit.operations import Offer
from taskkit_tui.formatting import harmless, shorten, shorten_end
from taskkit_tui.screens.dialog import Dialog
from taskkit_tui.viewmodel.forms.new_task import NewTask, is_name, proposed_name
from taskkit_tui.viewmodel.forms.schedule_preview import (
    WHEN_HINT,
    SchedulePreview,
    TypedSchedule,
    preview_lines,
)
from taskkit_tui.widgets.background import begin
from taskkit_tui.widgets.parameter_fields import ParameterFields

TICK_SECONDS: Final = 1.0
"""Time between two updates of the countdowns."""
PREVIEWED: Final = 5
"""Due times. With the schedule above them they are as high as `#preview`."""
_LEAST_FOR_BOTH_WAYS = 60
"""Columns."""


class NewTaskScreen(Dialog[NewTask]):
    """Answers a task that has been registered, or `None`. Whatever is typed is checked at once.

    Args:
        offers: The classes to choose from; at least one.
        taken: The names that there are.
        now: The present instant, in epoch seconds.
        register: Registers a task; returns why that failed, in words, or `None`. The form stays open, with
            all that was typed, until it succeeds.
    """

    DEFAULT_CSS = """
    NewTaskScreen {
        & > #box { width: 78; padding: 0 2; }
        .label { color: $dim; margin-top: 1; }
        #name-label { text-wrap: nowrap; text-overflow: ellipsis; }
        #summary { color: $dim; }
        #refused { color: $bad; height: auto; display: none; }
        #preview { color: $dim; height: 6; margin-top: 1; }
        Select {
            width: 1fr;
            margin-top: 1;
            border-left: outer $rule;
            & > SelectCurrent { padding: 0 1 !important; background: $background; }
            &:focus, &:focus-within {
                border-left: outer $border;
                & > SelectCurrent { background-tint: $foreground 0%; }
            }
        }
        &.-short .label, &.-short Select, &.-short #preview { margin-top: 0; }
    }
    """

    # Below this, the lines between the fields are worth less than the due times under them.
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]  # noqa: RUF012  no class variable to Textual

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+enter,ctrl+j", "send", "Register", id="new-task.send", tooltip="Register it."),
    ]

    def __init__(
        self,
        offers: Sequence[Offer],
        taken: Collection[str],
        now: Callable[[], float],
        preview: Callable[[str, int], Awaitable[SchedulePreview]],
        register: Callable[[NewTask], Awaitable[str | None]],
    ) -> None:
        super().__init__()
        self._offers = {offer.key: offer for offer in offers}
        self._offer = offers[0]
        self._taken = taken
        self._now = now
        self._ask_preview = preview
        self._register_task = register
        self._name_typed = False
        self._typed: dict[str, str] = {}  # into fields of other classes
        self._sending = False
        self._sent = False  # since one last typed; only then what is empty is missing

    def compose(self) -> ComposeResult:
        """Make the fields, from the class to the due times."""
        with VerticalScroll(id="box", can_focus=False) as box:
            box.border_title = "New task"
            # Not as strings: names of classes are foreign text, which may look like markup. Not as `Content`:
            # one chooses by typing as well, and `Select` finds nothing in that.
            options = [(Text(harmless(offer.title)), key) for key, offer in self._offers.items()]
            yield Select(options, value=self._offer.key, allow_blank=False, id="offer", compact=True)
            yield Static(id="summary", markup=False)
            yield ParameterFields(self._offer.parameters, self._offer.prefilled, id="parameters")
            yield Static("name", id="name-label", classes="label", markup=False)
            yield Input(id="name")
            yield Static(f"when   {WHEN_HINT}", classes="label", markup=False)
            yield Input("30", id="when")
            yield Static(id="refused", markup=False)
            # What is wrong with the schedule takes the place of what would come of it: the box, which is in
            # the middle, must not jump while one types.
            yield Static(id="preview", markup=False)

    def on_mount(self) -> None:
        """Check the fields, and focus the first."""
        self._check()
        self._preview()
        if len(self._offers) == 1:  # there is nothing to choose
            self.query(Input).first().focus()
        self.set_interval(TICK_SECONDS, self._preview)

    def on_resize(self, event: events.Resize) -> None:
        """Show the keys that fit, and keep the focused field visible."""
        how = "ctrl+j or ⏎ in the last field" if event.size.width >= _LEAST_FOR_BOTH_WAYS else "ctrl+j"
        self.query_one("#box").border_subtitle = f"{how} registers · esc leaves"
        if self.focused is not None:
            self.call_after_refresh(self.focused.scroll_visible, animate=False)

    @on(Select.Changed, "#offer")
    async def _choose(self, event: Select.Changed) -> None:
        offer = self._offers.get(str(event.value))
        if offer is None or offer is self._offer:
            return
        self._offer = offer
        fields = self.query_one(ParameterFields)
        self._typed |= fields.changed()
        await fields.ask_for(offer.parameters, {**offer.prefilled, **self._typed})
        self._check()
        self._preview()

    def on_key(self, event: events.Key) -> None:
        """Type into the first field while the list of classes has the focus."""
        if self._is_on_class and event.is_printable and event.character is not None:
            event.stop()
            self._type_into_first(event.character)

    def on_paste(self, event: events.Paste) -> None:
        """Paste into the first field while the list of classes has the focus."""
        if self._is_on_class and event.text:
            event.stop()
            self._type_into_first(event.text.splitlines()[0])

    @property
    def _is_on_class(self) -> bool:
        """True if the list of classes has the focus and is closed; in an open one a letter chooses."""
        return isinstance(self.focused, Select) and not self.focused.expanded

    def _type_into_first(self, text: str) -> None:
        field = self.query(Input).first()
        self.set_focus(field)
        # After the field has taken the focus, which selects what is in it.
        field.call_later(lambda: field.replace(text, *field.selection))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Check the fields at once."""
        if event.input.id == "name" and event.input.has_focus:
            self._name_typed = True
        self._show_line("#refused", "")
        self._sent = False
        self._check()
        self._preview()

    async def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go to the next field; send from the last one."""
        if event.input.id == "when":
            await self.action_send()
        else:
            self.focus_next(Input)

    async def action_send(self) -> None:
        """Register the task and answer, unless a field is invalid, or edited before the schedule was read."""
        self._sent = True
        if not self._sending:
            self._sending = True
            await begin(self, self._send, self._filled_in, holds_keys=True)

    async def _send(self, sent: Sequence[object]) -> None:
        try:
            self.workers.cancel_group(self, "preview")
            schedule = await self._show_preview()
            if sent != self._filled_in:
                self.app.bell()
                return
            new = self._check(schedule, sending=True)
            trouble = None if new is None else await self._register_task(new)
        finally:
            self._sending = False
        if new is not None and trouble is None:
            self.dismiss(new)
            return
        if trouble is not None:
            self._show_line("#refused", f"✗ {trouble}")
            self.query_one("#refused").scroll_visible(animate=False)
        self.app.bell()

    def _check(self, schedule: TypedSchedule | None = None, *, sending: bool = False) -> NewTask | None:
        """Show the errors of the fields. Return the new task if there is none, and its schedule is valid."""
        values = self.query_one(ParameterFields).values(sending=sending)
        field = self.query_one("#name", Input)
        proposal = proposed_name(self._offer, values)
        if not self._name_typed and field.value != proposal:
            with self.prevent(Input.Changed):
                field.value = proposal
            field.cursor_position = len(proposal)
        name = field.value.strip(" ")
        self.query_one("#summary", Static).update(shorten_end(harmless(self._offer.summary), 70))
        self._show_name_error(name)
        if len(values) < len(self._offer.parameters) or not is_name(name) or schedule is None:
            return None
        texts = self.query_one(ParameterFields).typed()
        return NewTask(self._offer.key, texts, name, schedule)

    def _show_name_error(self, name: str) -> None:
        """Show beside the label of the field what is wrong with the name in it."""
        words, colour = "", "$bad"
        if not name:
            words = "✗ a task needs a name" if self._sent else ""
        elif not is_name(name):
            words = "✗ a name cannot hold control characters"
        elif name in self._taken:
            words, colour = f"replaces the task {shorten(harmless(name), 40)}", "$soon"
        label = Content.assemble("name", (f"   {words}" if words else "", colour))
        self.query_one("#name-label", Static).update(label)

    def _preview(self) -> None:
        """Show the preview of the typed schedule, once it is known."""
        self.workers.cancel_group(self, "preview")
        _worker: Worker[TypedSchedule | None] = self.run_worker(self._show_preview, group="preview")

    async def _show_preview(self) -> TypedSchedule | None:
        """Show the preview of the typed schedule, or its error. Return None for an invalid one.

        If it is edited while the scheduler reads it, show nothing and return None.
        """
        shown = self.query_one("#preview", Static)
        typed = self._typed_schedule
        if not typed and not self._sent:
            shown.update("")
            return None
        preview, error = None, ""
        try:
            preview = await self._ask_preview(typed, PREVIEWED)
        except ValueError as refusal:
            error = harmless(str(refusal))
        if typed != self._typed_schedule:
            return None
        if preview is None:
            shown.update(Content.styled(f"✗ {error}", "$bad"))
            return None
        shown.update("\n".join(preview_lines(preview, self._now())))
        return TypedSchedule(typed, preview.words)

    @property
    def _typed_schedule(self) -> str:
        return self.query_one("#when", Input).value.strip()

    @property
    def _filled_in(self) -> tuple[object, ...]:
        fields = [self.query_one(field, Input).value for field in ("#name", "#when")]
        return self._offer.key, self.query_one(ParameterFields).typed(), *fields

    def _show_line(self, selector: str, words: str) -> None:
        line = self.query_one(selector, Static)
        line.update(words)
        line.display = bool(words)
