"""What is remembered from one session to the next.

One file, `settings.json`, in the folder that the platform has for such. It is not needed, and a broken one
is as good as none.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

APP_NAME: Final = "taskkit-tui"
_MOST_VIEWS: Final = 50


@dataclass
class View:
    """How a person left the main screen of one target."""

    filter: str = ""
    only_failing: bool = False
    zoom: int = 0
    maximised: bool = False
    sorted_by: dict[str, str] = field(default_factory=dict)
    """Place → key of a column."""
    reversed: list[str] = field(default_factory=list)
    """The places that are sorted the other way round."""


@dataclass
class Settings:
    """All that is remembered."""

    theme: str = ""
    view: View = field(default_factory=View)


class Memory:
    """Keeps settings in a file. A file that cannot be read or written costs the settings, nothing else.

    Args:
        path: The file.
        target: What the dashboard shows; each target has a view of its own.
    """

    def __init__(self, path: Path, target: str) -> None:
        self._path = path
        self._target = target

    def recall(self) -> Settings:
        """What was kept; the defaults for whatever was not, or does not make sense."""
        kept = self._read()
        views = kept.get("views")
        view = views.get(self._target) if isinstance(views, dict) else None
        theme = kept.get("theme")
        return Settings(theme if isinstance(theme, str) else "", _view_from(view))

    def keep(self, settings: Settings) -> None:
        """Write the settings down, whole or not at all."""
        kept = self._read()
        views = kept.get("views")
        views = dict(views) if isinstance(views, dict) else {}
        views.pop(self._target, None)
        views[self._target] = asdict(settings.view)
        newest = dict(list(views.items())[-_MOST_VIEWS:])
        text = json.dumps({"theme": settings.theme, "views": newest}, indent=2, ensure_ascii=False)
        new = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            new.write_text(text, encoding="utf-8")
            new.replace(self._path)
        except (OSError, UnicodeError):
            return  # a full disk or a read-only home is no reason to trouble a person who leaves

    def _read(self) -> dict[str, object]:
        try:
            kept = json.loads(read_regular(self._path))
        except (OSError, ValueError, RecursionError):
            return {}
        return kept if isinstance(kept, dict) else {}


def _view_from(kept: object) -> View:
    view = View()
    if not isinstance(kept, Mapping):
        return view
    for name, default in asdict(view).items():
        value = kept.get(name)
        if type(value) is type(default):
            setattr(view, name, value)
    view.sorted_by = {str(place): str(key) for place, key in view.sorted_by.items()}
    view.reversed = [str(place) for place in view.reversed]
    return view


def read_regular(path: Path) -> str:
    """What a file says; one that would make its reader wait, as a pipe would, is refused.

    Raises:
        OSError: It cannot be read, or is no regular file.
        UnicodeDecodeError: It is not in UTF-8.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError("it is not a regular file")
    return path.read_text(encoding="utf-8")


def settings_path() -> Path:
    """Where settings are kept."""
    from platformdirs import user_state_path

    return user_state_path(APP_NAME) / "settings.json"
