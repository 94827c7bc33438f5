"""Write the tables of keys in docs/keys.md and docs/dashboard.md from the dashboard's table of commands.

Run it as `python docs/make_keys.py`. With `--check` it changes nothing, and exits with 1 if a table is out of
date.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from textual.binding import Binding
from textual.keys import key_to_character

from taskkit_tui.keys.bindings import FIRST_OF_TWO, rows_of
from taskkit_tui.keys.command import WITH_NEXT, Command, Place
from taskkit_tui.keys.command_table import COMMANDS

ROOT: Final = Path(__file__).resolve().parents[1]

SECTIONS: Final = {
    "Everywhere": Place.APP,
    "On the main screen": Place.MAIN,
    "In a panel of tasks": Place.PANEL,
    "In the log": Place.LOG,
    "In the details": Place.DETAILS | Place.LINES | Place.CHART,
    "In the tour": Place.TOUR,
}
"""The tables of docs/keys.md by their titles."""

_LISTS: Final = "arrows, `j` `k` `g` `G`, page keys or `ctrl+d` `ctrl+u` in every list"
_BRIEF_BEGIN: Final = "<!-- keys: made by docs/make_keys.py -->\n"
_BRIEF_END: Final = "<!-- end of the keys -->\n"


def written(key: str) -> str:
    """Return a key as a person writes it into a keymap file."""
    character = {"slash": "/", "plus": "+", "minus": "-"}.get(key) or key_to_character(key) or key
    return character if character.isprintable() and not character.isspace() else key


def key_table(commands: Iterable[Command]) -> str:
    """Return the rows of docs/keys.md for some commands, one for each id."""
    rows: dict[str, tuple[list[str], str]] = {}
    for command in commands:
        keys, _ = rows.setdefault(command.id, ([], command.tooltip))
        keys += [f"`{written(each.key)}`" for each in Binding.make_bindings([Binding(command.keys, "")])]
    return "".join(
        f"| `{identity}` | {' '.join(dict.fromkeys(keys))} | {tooltip} |\n"
        for identity, (keys, tooltip) in rows.items()
    )


def brief(commands: Iterable[Command]) -> str:
    """Return some commands in a few words each, for one cell of the table of docs/dashboard.md."""
    entries: list[str] = []
    keys = ""
    for command in commands:
        if not command.brief:
            continue
        names = command.keys.split(",")
        if command.display and command.display not in "⏎":
            names = [FIRST_OF_TWO.get(command.display, command.display)]
        keys += (" " if keys else "") + " or ".join(
            f"`{written(each).replace('escape', 'esc')}`" for each in names
        )
        if command.brief != WITH_NEXT:
            entries.append(f"{keys} {command.brief}")
            keys = ""
    return " · ".join(entries)


def brief_table() -> str:
    """Return the table of keys of docs/dashboard.md."""
    details = [each for each in rows_of(Place.DETAILS) if Place.PANEL not in each.where]
    cells = {
        "everywhere": f"{brief([*rows_of(Place.MAIN), *rows_of(Place.APP)])} · {_LISTS}",
        "on a task": brief(rows_of(Place.PANEL)),
        "in the log": brief(rows_of(Place.LOG)),
        "in the details": f"the keys on a task · {brief(details)}",
    }
    rows = "".join(f"| {where} | {keys} |\n" for where, keys in cells.items())
    return f"| where | keys |\n|---|---|\n{rows}"


def keys_page(page: str) -> str:
    """Return docs/keys.md with its tables as the code is now.

    Raises:
        ValueError: A section is missing, or has no table.
    """
    for title, places in SECTIONS.items():
        table = key_table(command for command in COMMANDS if command.where & places)
        pattern = rf"(\n### {re.escape(title)}\n.*?\n\|---\|---\|---\|\n)(?:\|[^\n]*\n)*"
        page, count = re.subn(pattern, lambda found, table=table: found[1] + table, page, count=1, flags=re.S)
        if not count:
            raise ValueError(f"docs/keys.md needs a section {title!r} with a table")
    return page


def dashboard_page(page: str) -> str:
    """Return docs/dashboard.md with its table of keys as the code is now.

    Raises:
        ValueError: It has no place for the table.
    """
    before, begin, rest = page.partition(_BRIEF_BEGIN)
    _, end, after = rest.partition(_BRIEF_END)
    if not begin or not end:
        raise ValueError(f"docs/dashboard.md needs the lines {_BRIEF_BEGIN!r} and {_BRIEF_END!r}")
    return f"{before}{begin}{brief_table()}{end}{after}"


def main() -> int:
    """Write the tables, or check them. Returns the exit status."""
    status = 0
    for name, made in (("keys.md", keys_page), ("dashboard.md", dashboard_page)):
        path = ROOT / "docs" / name
        page = path.read_text(encoding="utf-8")
        if (fresh := made(page)) == page:
            continue
        if "--check" in sys.argv[1:]:
            print(f"{path.name}: the keys are out of date; run `python docs/make_keys.py`")
            status = 1
        else:
            path.write_text(fresh, encoding="utf-8")
    return status


if __name__ == "__main__":
    sys.exit(main())
