"""Atomic writing: a reader of the file sees the old content or the new one, and never a part."""

import os
from pathlib import Path
from threading import get_ident


def write_atomically(path: Path, text: str, modified: float | None = None) -> None:
    """Write `text` as UTF-8 into a file beside `path`, and rename that to `path` in one step.

    The folder is created if need be. If anything fails, the file at `path` stays as it was.

    Args:
        path: The file to write.
        text: The new content.
        modified: The modification time to set, in epoch seconds; now by default.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{get_ident()}")
    try:
        unfinished.write_text(text, encoding="utf-8")
        if modified is not None:
            os.utime(unfinished, (modified, modified))
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
