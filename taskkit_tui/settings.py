"""Saves theme, sorting and layout from one session to the next.

They are in one file, `settings.json`, in the platform's folder for such state. A missing or broken file
means the defaults.
"""

from __future__ import annotations

import json
import os
import stat
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from taskkit.private_files import make_private_file, make_private_folder, tighten

APP_NAME: Final = "taskkit-tui"
_MOST_VIEWS: Final = 50


@dataclass
class SavedView:
    """The layout of the main screen for one target.

    The filter is not part of it: the next session would begin with hidden tasks.
    """

    zoom: int = 0
    maximised: bool = False
    sorted_by: dict[str, str] = field(default_factory=dict)
    """The key of a column for each panel."""
    reversed: list[str] = field(default_factory=list)
    """The panels that are sorted in reverse."""


@dataclass
class Settings:
    """All that is saved."""

    theme: str = ""
    view: SavedView = field(default_factory=SavedView)


class SettingsFile:
    """The settings file. If it cannot be read or written, only the settings are lost.

    Args:
        path: The file.
        target: The target of the dashboard; each target has its own view.
    """

    def __init__(self, path: Path, target: str) -> None:
        self._path = path
        self._target = target

    def load(self) -> Settings:
        """Return the saved settings; the defaults for missing and unusable values."""
        saved = self._read()
        views = saved.get("views")
        view = views.get(self._target) if isinstance(views, dict) else None
        theme = saved.get("theme")
        return Settings(theme if isinstance(theme, str) else "", _view_from(view))

    def save(self, settings: Settings) -> None:
        """Write the settings, completely or not at all."""
        saved = self._read()
        views = saved.get("views")
        views = dict(views) if isinstance(views, dict) else {}
        views.pop(self._target, None)
        views[self._target] = asdict(settings.view)
        newest = dict(list(views.items())[-_MOST_VIEWS:])
        text = json.dumps({"theme": settings.theme, "views": newest}, indent=2, ensure_ascii=False)
        new = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        try:
            make_private_folder(self._path.parent)
            tighten(self._path.parent)
            if not make_private_file(new):  # a process with the same number left it
                tighten(new)
            new.write_text(text, encoding="utf-8")
            new.replace(self._path)
        except (OSError, UnicodeError):
            return  # a full disk or a read-only home should not delay the exit

    def _read(self) -> dict[str, object]:
        try:
            saved = json.loads(read_regular(self._path))
        except (OSError, ValueError, RecursionError):
            return {}
        return saved if isinstance(saved, dict) else {}


def _view_from(saved: object) -> SavedView:
    view = SavedView()
    if not isinstance(saved, Mapping):
        return view
    for name, default in asdict(view).items():
        value = saved.get(name)
        if type(value) is type(default):
            setattr(view, name, value)
    view.sorted_by = {str(panel): str(key) for panel, key in view.sorted_by.items()}
    view.reversed = [str(panel) for panel in view.reversed]
    return view


def read_regular(path: Path) -> str:
    """Return the text of a file. Refuse one that could block its reader, such as a pipe.

    A byte order mark, which some editors write, distinguishes UTF-8 and UTF-16.

    Raises:
        OSError: It cannot be read, or is not a regular file.
        UnicodeDecodeError: It is neither UTF-8 nor UTF-16.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError("it is not a regular file")
    data = path.read_bytes()
    encoding = "utf-16" if data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "utf-8-sig"
    return data.decode(encoding).replace("\r\n", "\n").replace("\r", "\n")


def settings_path() -> Path:
    """Return the path of the settings file."""
    from platformdirs import user_state_path

    return user_state_path(APP_NAME) / "settings.json"
