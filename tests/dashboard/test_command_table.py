"""The table of commands: a row is enough for a key, a hint, a line of help and entries of the palette."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from taskkit_tui.commands import Commands
from taskkit_tui.dialogs import Dialogs
from taskkit_tui.keys.bindings import TO_THE_SCHEDULER
from taskkit_tui.keys.command import STAYS, Place
from taskkit_tui.keys.command_table import COMMANDS

A_NEW_ROW = """
import asyncio
from taskkit_tui.keys import command_table
from taskkit_tui.keys.command import STAYS, Command, Place, AppliesTo

polish = Command(
    "task.polish", "f7", "Polish", "Make the task shine.", Place.PANEL | Place.DETAILS, footer=STAYS,
    verb="Polish", synonyms="wax", applies_to=AppliesTo.MARKED, changes=True,
    obstacle=lambda row: "shines already" if row.task.disabled else None,
)
command_table.COMMANDS = (polish, *command_table.COMMANDS)

from fake_backend import dashboard, screen_text, task, toasts
from taskkit_tui.backend import Notice
from taskkit_tui.commands import Commands
from taskkit_tui.keys.bindings import BINDING_IDS
from taskkit_tui.palette import TaskkitCommands


async def carry_out(self, names):
    return Notice(f"polished {', '.join(names)}")


Commands.polish = carry_out


async def main():
    async with dashboard(task(1, "heartbeat"), task(2, "shiny", disabled=True)) as (app, _, pilot):
        assert "f7 Polish" in screen_text(app)[-1]
        await pilot.press("f7")
        await pilot.pause()
        assert toasts(app)[-1] == "polished heartbeat"
        found = [str(hit.text) async for hit in TaskkitCommands(app.main).search("wax")]
        assert found == ["Polish heartbeat"]
        await pilot.press("question_mark")
        await pilot.pause()
        assert any("f7" in line and "Make the task shine." in line for line in screen_text(app))
        await pilot.press("escape", "down", "f7")
        await pilot.pause()
        assert toasts(app)[-1] == "shiny shines already"
    assert "task.polish" in BINDING_IDS


asyncio.run(main())
"""


def test_a_new_row_is_a_key_a_hint_a_line_of_help_and_entries_of_the_palette() -> None:
    done = subprocess.run(
        [sys.executable, "-c", A_NEW_ROW],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr


def test_every_command_to_the_scheduler_has_the_methods_that_carry_it_out() -> None:
    for command in TO_THE_SCHEDULER.values():
        if command.request is None and command.id != "task.new":  # whose form registers the task itself
            assert callable(getattr(Commands, command.method)), command.id
        if command.asks:
            assert callable(getattr(Dialogs, command.method)), command.id


def test_every_row_has_words_and_a_rank_that_there_is() -> None:
    for command in COMMANDS:
        assert command.words, command.id
        assert command.tooltip.endswith("."), command.id
        assert 0 <= command.footer <= STAYS


def test_an_id_is_at_each_place_only_once_but_that_to_quit() -> None:
    for place in Place:
        ids = [command.id for command in COMMANDS if place in command.where and command.keys != "ctrl+q"]
        assert len(ids) == len(set(ids)), place
