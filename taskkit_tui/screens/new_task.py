"""The form of a new task: a class, what its constructor takes, a name, and when it runs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import ClassVar, Final

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Input, Select, Static

from taskkit import Schedule
from taskkit_tui.formatting import harmless, shorten, shorten_end
from taskkit_tui.screens.dialog import Dialog
from taskkit_tui.viewmodel.new_task import NewTask, Offer, proposed_name
from taskkit_tui.viewmodel.typed_schedule import WHEN_HINT, preview_lines, read_schedule
from taskkit_tui.widgets.parameter_fields import ParameterFields

LOOK: Final = 1.0
"""Seconds after which the countdowns fall."""
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
        register: Callable[[NewTask], str | None],
    ) -> None:
        super().__init__()
        self._offers = {offer.key: offer for offer in offers}
        self._offer = offers[0]
        self._taken = taken
        self._now = now
        self._register_task = register
        self._name_typed = False
        self._sent = False  # since one last typed; only then what is empty is missing

    def compose(self) -> ComposeResult:
        """The fields, from the class to the due times."""
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
        """Say what the fields mean as they are."""
        self._check()
        if len(self._offers) == 1:  # there is nothing to choose
            self.query(Input).first().focus()
        self.set_interval(LOOK, self._schedule)

    def on_resize(self, event: events.Resize) -> None:
        """Say how one sends it in the room there is, and keep the field that one types in within sight."""
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
        await self.query_one(ParameterFields).ask_for(offer.parameters, offer.prefilled)
        self._check()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Say at once what it means."""
        if event.input.id == "name" and event.input.has_focus:
            self._name_typed = True
        self._tell("#refused", "")
        self._sent = False
        self._check()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go to the next field; from the last one, send."""
        if event.input.id == "when":
            self.action_send()
        else:
            self.focus_next(Input)

    def action_send(self) -> None:
        """Register it, unless something is wrong, and answer."""
        self._sent = True
        new = self._check(sending=True)
        if new is None:
            self.app.bell()
        elif (trouble := self._register_task(new)) is not None:
            self._tell("#refused", f"✗ {trouble}")
            self.query_one("#refused").scroll_visible(animate=False)
            self.app.bell()
        else:
            self.dismiss(new)

    def _check(self, *, sending: bool = False) -> NewTask | None:
        """Tell what is wrong, and what would come of it; the new task if nothing is wrong."""
        values = self.query_one(ParameterFields).values(sending=sending)
        field = self.query_one("#name", Input)
        proposal = proposed_name(self._offer, values)
        if not self._name_typed and field.value != proposal:
            with self.prevent(Input.Changed):
                field.value = proposal
            field.cursor_position = len(proposal)
        name = field.value.strip()
        schedule = self._schedule()
        self.query_one("#summary", Static).update(shorten_end(harmless(self._offer.summary), 70))
        self._tell_of_name(name)
        if (
            len(values) < len(self._offer.parameters)
            or not name
            or not name.isprintable()
            or schedule is None
        ):
            return None
        return NewTask(self._offer.key, values, name, schedule)

    def _tell_of_name(self, name: str) -> None:
        """Say beside the label of the field what there is to say of the name in it."""
        words, colour = "", "$bad"
        if not name:
            words = "✗ a task needs a name" if self._sent else ""
        elif not name.isprintable():
            words = "✗ a name cannot hold control characters"
        elif name in self._taken:
            words, colour = f"replaces the task {shorten(harmless(name), 40)}", "$soon"
        label = Content.assemble("name", (f"   {words}" if words else "", colour))
        self.query_one("#name-label", Static).update(label)

    def _schedule(self) -> Schedule | None:
        shown = self.query_one("#preview", Static)
        now = self._now()
        typed = self.query_one("#when", Input).value.strip()
        if not typed and not self._sent:
            shown.update("")
            return None
        try:
            schedule = read_schedule(typed, now)
        except (ValueError, TypeError) as error:
            shown.update(Content.styled(f"✗ {harmless(str(error))}", "$bad"))
            return None
        shown.update("\n".join(preview_lines(schedule, now, PREVIEWED)))
        return schedule

    def _tell(self, selector: str, words: str) -> None:
        told = self.query_one(selector, Static)
        told.update(words)
        told.display = bool(words)
