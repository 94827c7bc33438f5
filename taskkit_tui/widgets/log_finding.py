"""Finding text in the log: what one types for it, and going from match to match."""

from __future__ import annotations

from textual import events
from textual.actions import SkipAction

from taskkit_tui.widgets.log_prompt import FindPrompt, Typed
from taskkit_tui.widgets.log_scroll import LogScroll


class LogFinding(LogScroll):
    """The lines of the log, with those marked in which a text was found.

    Args:
        most_lines: How many lines are kept.
        id: As for every widget.
    """

    def check_consume_key(self, key: str, character: str | None) -> bool:  # noqa: ARG002 - Textual's shape
        """While one types what to find, letters are text."""
        return self._prompt is not None and character is not None and character.isprintable()

    def on_key(self, event: events.Key) -> None:
        """While one types what to find, keys change that text."""
        if self._prompt is None:
            return
        match self._prompt.press(event):
            case Typed.NOTHING:
                return
            case Typed.TEXT:
                self._search(self._prompt.text)
                self._go_to_nearest_match()
            case Typed.DONE:
                self._close_prompt()
            case Typed.CANCELLED:
                self._search("")
                self._close_prompt()
                self._go_to(self._view.position_of(self._origin))
            case Typed.NEXT:
                self.action_find_next()
            case Typed.PREVIOUS:
                self.action_find_previous()
        event.stop()
        event.prevent_default()

    def on_paste(self, event: events.Paste) -> None:
        """Find what is pasted."""
        if self._prompt is not None:
            event.stop()
            self._prompt.paste(event.text)
            self._search(self._prompt.text)
            self._go_to_nearest_match()

    def on_blur(self) -> None:
        """Whoever goes elsewhere has typed enough."""
        self._close_prompt()

    def _close_prompt(self) -> None:
        if self._prompt is not None:
            self._prompt = None
            self.refresh()
            self._name_border()

    def _go_to_nearest_match(self) -> None:
        """From where one began, upwards first: what one looks for has happened."""
        finder = self._finder
        if finder is None or not len(finder):
            return
        found: int | None = self._origin
        if not finder.rank(self._origin):
            found = finder.before(self._origin)
            if found is not None and found > self._origin:  # it went round: there is none above
                found = finder.after(self._origin)
        self._go_to_number(found)

    def action_find(self) -> None:
        """Type what to find, in all lines."""
        self.show_matching("")
        self._prompt = FindPrompt()
        self._origin = self._cursor
        self.refresh()
        self._name_border()

    def action_only_matching(self) -> None:
        """Show only the lines that match what was looked for, or all again."""
        if self.shows.text:
            self.show_matching("")
        elif self._finder is None:
            self._tell_that_nothing_is_wanted()
        else:
            self.show_matching(self._finder.wanted)

    def _tell_that_nothing_is_wanted(self) -> None:
        self.notify("Nothing to find yet: / asks for it", severity="warning")

    def action_find_next(self) -> None:
        """Go to the next line that holds what was looked for."""
        if self._finder is None:
            self._tell_that_nothing_is_wanted()
            return
        self._go_to_number(self._finder.after(self._cursor))

    def action_find_previous(self) -> None:
        """Go back to the line before that holds what was looked for."""
        if self._finder is None:
            self._tell_that_nothing_is_wanted()
            return
        self._go_to_number(self._finder.before(self._cursor))

    def action_cancel(self) -> None:
        """End the search; with none, the key is for others."""
        if self._finder is None:
            raise SkipAction
        self._search("")
        self.show_matching("")
