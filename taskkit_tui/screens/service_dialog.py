"""Asks which of several running schedulers to attach to, with live figures."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from time import monotonic

from textual import events, on
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from taskkit_tui.screens.dialog import Dialog
from taskkit_tui.viewmodel.services import ServiceChoice, service_line


class ServiceScreen(Dialog[str]):
    """Answers the key of a scheduler, or None.

    It opens unasked, so keys that were typed before it was painted are not meant for it.

    Args:
        choices: The running schedulers.
        reason: Why it is asked.
        leaving: What `esc` does.
    """

    DEFAULT_CSS = """
    ServiceScreen > #box {
        width: 110;
        & > OptionList {
            height: auto; border: none; background: $bar; padding: 0; margin-top: 1;
            &:focus { border: none; background-tint: $foreground 0%; }
            & > .option-list--option-highlighted { background: $rule; color: $foreground; text-style: bold; }
        }
    }
    """

    def __init__(self, choices: Sequence[ServiceChoice], *, reason: str, leaving: str) -> None:
        super().__init__()
        self.answers_from = inf  # until it is painted
        self._choices = tuple(choices)
        # A number stays with its scheduler: one may end just before its number is pressed.
        self._numbers = {each.key: number for number, each in enumerate(self._choices, start=1)}
        self._reason = reason
        self._leaving = leaving

    def compose(self) -> ComposeResult:
        """Make the list."""
        with VerticalScroll(id="box", can_focus=False) as box:
            box.border_title = "Attach to which?"
            box.border_subtitle = f"⏎ or its number: attach · esc {self._leaving}"
            yield Static(self._reason, classes="dim", markup=False)
            yield OptionList(*self._options())

    def on_mount(self) -> None:
        """Take answers as soon as it is painted."""
        self.call_after_refresh(self._painted)

    def _painted(self) -> None:
        self.answers_from = monotonic()

    def show(self, choices: Sequence[ServiceChoice]) -> None:
        """Show the present figures. The cursor stays on its scheduler, or vanishes with it."""
        if tuple(choices) == self._choices or not self.is_mounted:
            return
        before, self._choices = self._choices, tuple(choices)
        for each in choices:
            self._numbers.setdefault(each.key, len(self._numbers) + 1)
        shown = self.query_one(OptionList)
        if [each.key for each in before] == [each.key for each in choices]:
            for index, option in enumerate(self._options()):
                shown.replace_option_prompt_at_index(index, option.prompt)
            return
        selected = None if shown.highlighted is None else before[shown.highlighted].key
        shown.clear_options()
        shown.add_options(self._options())
        keys = [each.key for each in choices]
        shown.highlighted = keys.index(selected) if selected in keys else None

    def close_unanswered(self) -> None:
        """Close the question: it answers itself."""
        self.dismiss(None)

    def _options(self) -> list[Option]:
        # As content, not as a string: names are foreign text, which may look like markup.
        return [
            Option(Content(f"{self._numbers[each.key]:>2}  {service_line(each)}"), each.key)
            for each in self._choices
        ]

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option_id)

    def on_key(self, event: events.Key) -> None:
        """Choose by number."""
        chosen = [each.key for each in self._choices if str(self._numbers[each.key]) == event.key]
        if chosen:
            event.stop()
            self.dismiss(chosen[0])
