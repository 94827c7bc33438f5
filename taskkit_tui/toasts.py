"""Shows toasts: the result of a command, and a task that began to fail."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from textual.app import App
from textual.notifications import SeverityLevel

from taskkit import RunFinished
from taskkit.words.outcomes import kind_words
from taskkit_tui.backend import Notice
from taskkit_tui.formatting import harmless, shorten, shorten_end
from taskkit_tui.screens.main_layout import Shape, shape_for
from taskkit_tui.viewmodel.model import TaskModel

_MOST_FAILURES: Final = 3
"""The most failures that are shown at once; there may be a thousand."""


class Toasts:
    """The toasts of one app. For the app's thread only.

    Args:
        app: The app.
        model: The tasks: it knows if a task still fails.
    """

    def __init__(self, app: App[Any], model: TaskModel) -> None:
        self._app = app
        self._model = model
        self._reported: set[str] = set()

    def show(self, notice: Notice) -> None:
        """Show a notice, such as the result of a command."""
        severity: SeverityLevel = "warning" if notice.is_trouble else "information"
        self._app.notify(notice.text, severity=severity, markup=False, timeout=3)

    def show_failures(self, failures: Sequence[RunFinished]) -> None:
        """Show one toast for each task that began to fail; not for a retry or the next failure."""
        for name in [name for name in self._reported if not self._is_failing(name)]:
            self._reported.discard(name)
        if shape_for(*self._app.size) not in {Shape.WIDE, Shape.COMPACT}:
            return  # a toast would cover the screen; the row is red anyway
        fresh = [failure for failure in failures if self._is_news(failure)]
        for failure in fresh[:_MOST_FAILURES]:
            reason = failure.outcome.exception or kind_words(failure.outcome.kind)
            self._app.notify(
                shorten_end(harmless(reason), 120),
                title=f"{shorten(harmless(failure.name), 40)} failed",
                severity="error",
                markup=False,
                timeout=4,
            )
        self._reported.update(failure.name for failure in fresh)

    def _is_failing(self, name: str) -> bool:
        row = self._model.named(name)
        return row is not None and row.failing

    def _is_news(self, failure: RunFinished) -> bool:
        row = self._model.named(failure.name)
        return failure.name not in self._reported and (row is None or row.task.retry is None)
