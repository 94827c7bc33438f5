"""The table of a command line's subcommands, options and arguments, as completion scripts hold it."""

from __future__ import annotations

import argparse
import re
from typing import Any, Final

_KINDS: Final = {
    "TARGET": "target",
    "SERVICE": "service",
    "TASK": "task",
    "NAME": "task",
    "FILE": "task file",
    "PATH": "file",
}
"""The kind of word to complete for an argument, by its name in the help; none for the others."""

_LONGEST_HELP: Final = 60


def completion_table(parser: argparse.ArgumentParser) -> dict[str, Any]:
    """Return what can be typed after a command, as plain data; `words.py` reads it.

    The keys are `options`: each with what its value is (`None` if it takes none) and its help; `places`: what
    each positional argument is, with `*` behind one that may be repeated; and `commands`: such a table for
    each subcommand, with its `help`.
    """
    options: dict[str, list[Any]] = {}
    places: list[Any] = []
    commands: dict[str, Any] = {}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {each.dest: each.help for each in action._choices_actions}
            for name, subparser in action.choices.items():
                commands[name] = completion_table(subparser) | {"help": short_help(helps.get(name))}
        elif action.option_strings:
            value = None if action.nargs == 0 else _kind(action)
            options |= {each: [value, short_help(action.help)] for each in action.option_strings}
        elif action.help is argparse.SUPPRESS:
            places += _places_in_usage(parser.usage or "")
        else:
            kind = _kind(action)
            places.append(f"{kind}*" if kind and action.nargs in ("*", "+") else kind)
    return {"options": options, "places": places, "commands": commands}


def _kind(action: argparse.Action) -> Any:
    """Return the choices, or the kind of the value."""
    if action.choices is not None:
        return list(action.choices)
    return _KINDS.get(str(action.metavar), "")


def _places_in_usage(usage: str) -> list[str]:
    """Return the kinds of the arguments that a usage line shows, such as `[options] [TARGET] NAME`."""
    shown = usage.partition("[options]")[2].partition("[--")[0]
    return [_KINDS.get(each, "") for each in re.findall(r"[A-Z]+", shown)]


def short_help(text: str | None) -> str:
    """Return the first clause of a help text, or of a description."""
    clause = re.split(r"[;:,(]|\.(?:\s|$)| by default", text or "", maxsplit=1)[0].strip()
    return clause if len(clause) <= _LONGEST_HELP else clause[: _LONGEST_HELP - 1] + "…"
