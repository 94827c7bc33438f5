"""What is said of the log, in its border and elsewhere: which lines are shown, how many, what is found."""

from __future__ import annotations

from typing import Final

from taskkit_tui.formatting import harmless, plural, shorten
from taskkit_tui.log.find import Finder
from taskkit_tui.log.view import LineFilter

LEVELS: Final = {0: "everything", 20: "info", 30: "warning", 40: "error"}
"""The least levels that one can choose, and their names."""


def title_words(shown: LineFilter, dropped: int) -> str:
    """Which lines are shown, and how many were written and are not kept."""
    title = "Log · all tasks"
    if shown.name is not None:
        title = f"Log · {shorten(harmless(shown.name), 40) or 'outside tasks'}"
    if shown.run is not None:
        title += f" · run {shown.run}"
    if dropped:
        title += f" · {plural(dropped, 'line')} dropped"
    return title


def figure_words(shown: LineFilter, count: int, *, found: str, following: bool, new: int) -> str:
    """How many lines there are, and what stands between them and a person's eye.

    Args:
        shown: Which lines are shown.
        count: How many they are.
        found: What is looked for, and where one is in it; empty for nothing.
        following: Whether the newest line stays in sight.
        new: How many came out of sight since it does not.
    """
    figures = [found] if found else []
    if shown.name is not None:
        figures.append("L shows all tasks")
    if shown.text:
        figures.append(f"only /{shorten(harmless(shown.text), 20)} · & shows all")
    if shown.level:
        figures.append(f"from {_level_name(shown.level)} up")
    if following:
        figures.append("following")
    elif new:
        figures.append(f"{new:,} new ↓")
    return " · ".join([*figures, plural(count, "line")])


def found_words(finder: Finder | None, number: int) -> str:
    """How many lines match what is looked for, and which of the matches the line of that number is."""
    if finder is None or not finder.wanted:
        return ""
    if not len(finder):
        return "not found"
    rank = finder.rank(number)
    if rank:
        return f"match {rank:,} of {len(finder):,}"
    return "1 match" if len(finder) == 1 else f"{len(finder):,} matches"


def saved_words(shown: LineFilter, count: int, name: str, wanted: str = "") -> str:
    """What is told of a file into which the lines that are shown were written.

    Args:
        shown: Which lines those are.
        count: How many they are.
        name: Of the file.
        wanted: What is looked for in them; that leaves none out.
    """
    only = []
    if shown.name is not None:
        only.append(f"of {shorten(harmless(shown.name), 40)}" if shown.name else "from outside tasks")
    if shown.run is not None:
        only.append(f"run {shown.run}")
    if shown.text:
        only.append(f"with “{shorten(harmless(shown.text), 20)}”")
    if shown.level:
        only.append(f"from {_level_name(shown.level)} up")
    words = f"Saved {plural(count, 'line')} as {name}"
    if only:
        words += f": only {', '.join(only)}"
    if wanted and wanted != shown.text:
        words += f"; also those without “{shorten(harmless(wanted), 20)}”"
    return words


def _level_name(level: int) -> str:
    return LEVELS.get(level, str(level))


def nothing_words(shown: LineFilter) -> str:
    """What stands where there is no line."""
    if not shown:
        return "Nothing was printed yet. What tasks print shows here, as they print it."
    if shown.text:
        return "No line to show here. & shows those too that do not match."
    if shown.name and not shown.level:
        # The log begins with the dashboard; what runs wrote in an earlier life is stored with them.
        return "No line of it here. ⏎ on the task opens its runs, and what they wrote."
    return "No line to show here. L shows all tasks, v changes the least level."
