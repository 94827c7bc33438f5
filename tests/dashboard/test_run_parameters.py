"""Running a task with parameters: what is asked, refused, sent and recalled."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from textual.app import App
from textual.widgets import Input

from taskkit import Parameter, parse_parameter
from taskkit_tui.screens.run_parameters_dialog import RunParametersScreen
from taskkit_tui.themes import MIDNIGHT, derived_colours
from taskkit_tui.widgets.parameter_fields import label_of, text_of

STEP = Parameter("step", "float", default=2.0)
FEED = Parameter("feed", "str", required=True)
FEED_TOO = Parameter("feed_too", "str", required=True)


class Asking(App[None]):
    """Shows the dialog and keeps the answer."""

    answer: Mapping[str, object] | None = None
    answered = False

    def __init__(self, screen: RunParametersScreen) -> None:
        super().__init__()
        self.register_theme(MIDNIGHT)
        self.theme = MIDNIGHT.name
        self.dialog = screen

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return derived_colours(self.current_theme)

    def on_mount(self) -> None:
        self.push_screen(self.dialog, self.keep)

    def keep(self, answer: Mapping[str, object] | None) -> None:
        self.answered, self.answer = True, answer


async def test_each_field_is_prefilled_and_its_value_is_typed() -> None:
    app = Asking(RunParametersScreen("it", [STEP, FEED], {}))
    async with app.run_test() as pilot:
        await pilot.press("ctrl+u", *"0.5", "enter", *"news", "enter")
    assert app.answer == {"step": 0.5, "feed": "news"}
    assert app.dialog.typed == {"step": "0.5", "feed": "news"}


async def test_what_was_typed_the_last_time_is_there_again() -> None:
    app = Asking(RunParametersScreen("it", [STEP], {"step": "7"}))
    async with app.run_test() as pilot:
        assert app.dialog.query_one(Input).value == "7"
        await pilot.press("enter")
    assert app.answer == {"step": 7.0}


@pytest.mark.parametrize("nonsense", ["much", "nan", "1e999"])
async def test_nonsense_is_refused_in_words_and_nothing_is_sent(nonsense: str) -> None:
    app = Asking(RunParametersScreen("it", [STEP], {}))
    async with app.run_test() as pilot:
        await pilot.press("ctrl+u", *nonsense, "enter")
        await pilot.pause()
        assert not app.answered
        assert "step" in str(app.dialog.query_one("#wrong-0").render())


async def test_the_first_field_that_is_wrong_gets_the_focus_when_sent() -> None:
    app = Asking(RunParametersScreen("it", [STEP, FEED, FEED_TOO], {}))
    async with app.run_test() as pilot:
        await pilot.press("ctrl+j")
        await pilot.pause()
        assert app.focused is app.dialog.query_one("#field-1")
        assert "feed must not be empty" in str(app.dialog.query_one("#wrong-1").render())
        assert not app.answered


def test_a_field_says_in_words_what_can_be_typed_and_holds_what_can_be_read_again() -> None:
    loud = Parameter("loud", "bool", default=True)
    assert label_of(loud) == "loud  (yes or no, optional)"
    assert label_of(FEED) == "feed  (text)"
    assert label_of(Parameter("mode", "choice", ("fast", "slow"), required=True)) == "mode  (fast, slow)"
    assert (text_of(loud), text_of(STEP), text_of(FEED)) == ("yes", "2.0", "")
    assert parse_parameter(loud, text_of(loud)) is True


async def test_a_default_that_a_terminal_would_obey_is_made_visible_and_sent_as_it_is() -> None:
    app = Asking(RunParametersScreen("it", [Parameter("between", "str", default="\x1b[2J")], {}))
    async with app.run_test() as pilot:
        assert app.dialog.query_one(Input).value == "␛[2J"
        await pilot.press("enter")
    assert app.answer == {"between": "\x1b[2J"}


async def test_leaving_sends_nothing() -> None:
    app = Asking(RunParametersScreen("it", [FEED], {}))
    async with app.run_test() as pilot:
        await pilot.press(*"news", "escape")
    assert app.answered
    assert app.answer is None


@pytest.mark.parametrize("size", [(1, 1), (10, 3), (40, 10), (80, 24)])
async def test_names_are_foreign_text_at_every_size(size: tuple[int, int]) -> None:
    app = Asking(RunParametersScreen("[bold]it[/nope]\x1b[2J", [Parameter("[red]a", "str")], {}))
    async with app.run_test(size=size) as pilot:
        await pilot.press(*"x", "enter")
    assert app.answer == {"[red]a": "x"}
