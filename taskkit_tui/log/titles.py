"""Writes the words of the log: its title, its counts, its search, and what an empty log says."""

from __future__ import annotations

from typing import Final

from taskkit_tui.formatting import harmless, plural, shorten
from taskkit_tui.log.finder import Finder
from taskkit_tui.log.log_view import LineFilter

LEVELS: Final = {0: "everything", 20: "info", 30: "warning", 40: "error"}
"""The lowest levels to choose from, and their names."""


def title_words(shown: LineFilter, dropped: int) -> str:
    """Return the title: which lines are shown, and how many were dropped."""
    title = "Log · all tasks"
    if shown.name is not None:
        title = f"Log · {shorten(harmless(shown.name), 40) or 'outside tasks'}"
    if shown.run is not None:
        title += f" · run {shown.run}"
    if dropped:
        title += f" · {plural(dropped, 'line')} dropped"
    return title


def figure_words(shown: LineFilter, count: int, *, found: str, following: bool, new: int) -> str:
    """Return the counts for the border: lines, matches, filters, new lines.

    Args:
        shown: The filter.
        count: The number of lines that pass it.
        found: The search and the present match, in words; empty without a search.
        following: True if the newest line stays in sight.
        new: The number of lines that came since following ended.
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
    """Return how many lines match, and which match the line of that number is."""
    if finder is None or not finder.wanted:
        return ""
    if not len(finder):
        return "searching …" if finder.is_incomplete else "not found"
    rank = finder.rank(number)
    if rank:
        return f"match {rank:,} of {len(finder):,}"
    return "1 match" if len(finder) == 1 else f"{len(finder):,} matches"


def saved_words(shown: LineFilter, count: int, name: str, wanted: str = "") -> str:
    """Return the toast about a saved file: its lines, and which filters applied.

    Args:
        shown: The filter.
        count: The number of saved lines.
        name: The name of the file.
        wanted: The text of the search; it leaves no lines out.
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
        words += f"; including lines without “{shorten(harmless(wanted), 20)}”"
    return words


def _level_name(level: int) -> str:
    return LEVELS.get(level, str(level))


def nothing_words(shown: LineFilter) -> str:
    """Return what an empty log says."""
    if not shown:
        return "Nothing printed yet. The output of tasks appears here as they print it."
    if shown.text:
        return "No matching lines. & shows all lines again."
    if shown.name and not shown.level:
        # The log starts with the dashboard; the output of earlier sessions is stored with their runs.
        return "No lines of this task yet. ⏎ on the task opens its earlier runs."
    return "No lines to show. L shows all tasks, v changes the lowest level."
