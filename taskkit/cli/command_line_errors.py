"""Errors of the command line, and the suggestions in their messages."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from difflib import get_close_matches
from typing import Final

from taskkit.cli.exit_statuses import USAGE
from taskkit.errors import TaskkitError
from taskkit.words.name_forms import ShownNames, names_meant
from taskkit.words.plain_text import cut_end, harmless

_LONGEST: Final = 300
_MAX_NAMES: Final = 10
_MAX_NAME_COLUMNS: Final = 60


class CommandLineError(TaskkitError):
    """Ends the command with a message of one harmless line, and an exit status."""

    def __init__(self, message: str, status: int = USAGE) -> None:
        super().__init__(message)
        self.status = status


def resolve_task_name(name: str, names: Collection[str]) -> str | None:
    """Return the task that `name` means, typed as it is or as it is shown; `None` if there is none.

    Raises:
        CommandLineError: Several tasks fit; the message says how to type each.
    """
    found = names_meant(name, names)
    if len(found) > 1:
        raise CommandLineError(f"{quoted(name)} fits several tasks: type one of {name_list(found)}")
    return found[0] if found else None


def unknown_task_error(target: str, name: str, names: Collection[str]) -> CommandLineError:
    """Return the error for a name that is not one of the tasks of a target."""
    return CommandLineError(
        f"{quoted(target)} has no task {quoted(name)}{did_you_mean(name, names) or _there_are(names)}"
    )


def _there_are(names: Collection[str]) -> str:
    return f"; it has {name_list(names)}" if names else ", nor any other"


def name_list(names: Collection[str]) -> str:
    """Return the first few names for a message, harmless."""
    first = list(names)[:_MAX_NAMES]
    shown = ", ".join(cut_end(each, _MAX_NAME_COLUMNS) for each in map(ShownNames(names).of, first))
    return f"{shown}{' …' if len(names) > _MAX_NAMES else ''}"


def quoted(text: str) -> str:
    """Return foreign text for a message: harmless, shortened, in quotes."""
    return f"“{cut_end(harmless(text), _LONGEST)}”"


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """Return “; did you mean …?” with the one of `words` that `word` looks like; empty if there is none."""
    by_folded = {each.casefold(): each for each in words}
    found = get_close_matches(word.casefold()[:_LONGEST], by_folded, 1)
    return f"; did you mean {quoted(by_folded[found[0]])}?" if found else ""
