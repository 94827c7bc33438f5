"""What ends a command before its work is done."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

from taskkit.cli.statuses import USAGE
from taskkit.errors import TaskkitError
from taskkit.plain_text import cut_end, harmless

_LONGEST: Final = 300


class CommandLineError(TaskkitError):
    """The command cannot do what it was asked for. The message is one harmless line."""

    def __init__(self, message: str, status: int = USAGE) -> None:
        super().__init__(message)
        self.status = status


def quoted(text: str) -> str:
    """Foreign text in a message."""
    return f"“{cut_end(harmless(text), _LONGEST)}”"


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """The end of a message about `word`: the one of `words` that it looks like, or nothing."""
    by_folded = {each.casefold(): each for each in words}
    found = get_close_matches(word.casefold()[:_LONGEST], by_folded, 1)
    return f"; did you mean {quoted(by_folded[found[0]])}?" if found else ""
