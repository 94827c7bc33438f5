"""Keeps the app running where the system refuses a thread, a descriptor or memory."""

from __future__ import annotations

import errno
import sys
from importlib import import_module
from typing import Final

from taskkit.bounded_start import BoundedStartThread

_REFUSALS: Final = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN}

PRELOADED_MODULES: Final = (
    *(
        f"taskkit_tui.screens.{name}"
        for name in (
            "confirm_dialog",
            "details_screen",
            "failures_screen",
            "help_screen",
            "new_task_dialog",
            "period_dialog",
            "run_parameters_dialog",
            "schedule_dialog",
            "service_dialog",
            "traceback_screen",
            "until_dialog",
        )
    ),
    "taskkit_tui.palette",
    "taskkit_tui.palette_screen",
    "taskkit.schedules.typed_schedule",
    "taskkit.store",
    "textual.theme",
    "textual.widgets._input",
    "textual.widgets._static",
    "rich.syntax",
    "rich.traceback",
    "pygments.lexers.python",
    "pygments.lexers.text",
)
"""Modules that the first paint does not need."""


def preload_modules() -> None:
    """Import the modules of later screens on a thread: by then an import may fail for lack of descriptors."""
    try:
        BoundedStartThread(_load, name="taskkit-tui imports").start()
    except (RuntimeError, MemoryError):
        pass  # each is imported when it is needed


def _load() -> None:
    for name in PRELOADED_MODULES:
        if name not in sys.modules:
            try:
                import_module(name)
            except Exception:  # noqa: BLE001 - the import that needs it reports the error
                pass


def refusal_words(error: BaseException) -> str | None:
    """Return what the system refuses, in words; `None` for any other error."""
    if isinstance(error, MemoryError):
        return "there is not enough memory"
    if isinstance(error, OSError) and error.errno in _REFUSALS:
        return f"the system refuses it ({error.strerror})"
    if isinstance(error, RuntimeError) and "start new thread" in str(error):
        return "the system refuses a new thread"
    if isinstance(error, ImportError):
        return f"it cannot be loaded ({error})"
    return None
