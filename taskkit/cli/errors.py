"""What ends a command before its work is done."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from difflib import get_close_matches
from typing import Final

from taskkit.cli.statuses import USAGE
from taskkit.errors import TaskkitError
from taskkit.plain_text import cut_end, harmless

_LONGEST: Final = 300
_MOST_LISTED: Final = 10


class CommandLineError(TaskkitError):
    """The command cannot do what it was asked for. The message is one harmless line."""

    def __init__(self, message: str, status: int = USAGE) -> None:
        super().__init__(message)
        self.status = status


def unknown_task(target: str, name: str, names: Collection[str]) -> CommandLineError:
    """What is raised where a target has no task of that name, but those of `names`."""
    return CommandLineError(
        f"{quoted(target)} has no task {quoted(name)}{did_you_mean(name, names) or _there_are(names)}"
    )


def _there_are(names: Collection[str]) -> str:
    if not names:
        return ", nor any other"
    listed = ", ".join(map(harmless, list(names)[:_MOST_LISTED]))
    return f"; it has {listed}{' …' if len(names) > _MOST_LISTED else ''}"


def quoted(text: str) -> str:
    """Foreign text in a message."""
    return f"“{cut_end(harmless(text), _LONGEST)}”"


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """The end of a message about `word`: the one of `words` that it looks like, or nothing."""
    by_folded = {each.casefold(): each for each in words}
    found = get_close_matches(word.casefold()[:_LONGEST], by_folded, 1)
    return f"; did you mean {quoted(by_folded[found[0]])}?" if found else ""
