"""The words that appear for some seconds: what came of a command, and which task began to fail."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from textual.app import App
from textual.notifications import SeverityLevel

from taskkit import RunFinished
from taskkit.words import kind_words
from taskkit_tui.backend import Told
from taskkit_tui.formatting import harmless, shorten, shorten_end
from taskkit_tui.screens.layout import Shape, shape_for
from taskkit_tui.viewmodel.model import TaskModel

_MOST_FAILURES: Final = 3
"""Failures told at one look; there may be a thousand."""


class Toasts:
    """Shows them on an app. For the app's thread only.

    Args:
        app: Where they are shown.
        model: How things stand: whether a task that failed is failing still.
    """

    def __init__(self, app: App[Any], model: TaskModel) -> None:
        self._app = app
        self._model = model
        self._told_failing: set[str] = set()

    def say(self, told: Told) -> None:
        """Say what came of a command."""
        severity: SeverityLevel = "warning" if told.is_trouble else "information"
        self._app.notify(told.text, severity=severity, markup=False, timeout=3)

    def tell_failures(self, failures: Sequence[RunFinished]) -> None:
        """One toast for each task that began to fail; a further try, or the next failure, is no news."""
        for name in [name for name in self._told_failing if not self._is_failing(name)]:
            self._told_failing.discard(name)
        if shape_for(*self._app.size) not in {Shape.WIDE, Shape.COMPACT}:
            return  # a toast would cover the screen; the row is red
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
        self._told_failing.update(failure.name for failure in fresh)

    def _is_failing(self, name: str) -> bool:
        row = self._model.named(name)
        return row is not None and row.failing

    def _is_news(self, failure: RunFinished) -> bool:
        row = self._model.named(failure.name)
        return failure.name not in self._told_failing and (row is None or row.task.retry is None)
