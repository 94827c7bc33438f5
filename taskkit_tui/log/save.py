"""Saves lines of the log to a file."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from logging import getLevelName
from pathlib import Path

from taskkit.private_files import make_private_file
from taskkit_tui.formatting import harmless
from taskkit_tui.log.ansi import shown
from taskkit_tui.log.log_line import LogLine


def save(lines: Iterable[LogLine], folder: Path, now: float) -> Path:
    """Write `lines` to a new file in `folder`, named after `now` (epoch seconds); never overwrite a file.

    Each line begins with its time, level, task and run; a traceback follows its failure. Only this user can
    read the file, because the output of tasks may be private.

    Returns:
        The path of the file.

    Raises:
        OSError: It cannot be written.
    """
    stem = f"taskkit-log-{datetime.fromtimestamp(now):%Y%m%d-%H%M%S}"
    for attempt in range(1, 1_000):
        path = folder / (f"{stem}.txt" if attempt == 1 else f"{stem}-{attempt}.txt")
        if not make_private_file(path):
            continue
        with path.open("w", encoding="utf-8") as file:
            file.writelines(map(_written, lines))
        return path
    raise FileExistsError(f"too many files named {stem} in {folder}")


def _written(line: LogLine) -> str:
    when = datetime.fromtimestamp(line.time).isoformat(" ", "milliseconds")
    who = f"{harmless(line.name)} #{line.run}" if line.run is not None else harmless(line.name) or "-"
    text = f"{when}  {getLevelName(line.level):<7}  {who}  {shown(line.text)}\n"
    if line.traceback:
        text += "".join(f"    {harmless(row)}\n" for row in line.traceback.splitlines())
    return text
