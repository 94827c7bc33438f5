"""Writing a file so that a reader sees the old one or the new one, and never half of it."""

import os
from pathlib import Path
from threading import get_ident


def write_atomically(path: Path, text: str, modified: float | None = None) -> None:
    """Write `text` as UTF-8 beside `path`, then put it in its place in one step.

    The folder is made if it is not there. Whatever fails, the file at `path` is left as it was.

    Args:
        path: Where the file belongs.
        text: What it shall hold.
        modified: When it was modified, in epoch seconds, if not by the machine's clock.
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
