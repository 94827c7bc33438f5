"""What the scheduler itself says in the log: on the logger `taskkit`, and never in the way of what follows.

A filter or a handler is somebody else's code, and may raise. Whoever logs here has more to do afterwards.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from types import TracebackType
from typing import Final

Raised = BaseException | tuple[type[BaseException], BaseException, TracebackType | None]
"""An exception, or what `sys.exc_info()` tells of one."""

_logger: Final = logging.getLogger("taskkit")


def warn(message: str, *args: object) -> None:
    """Say that something is not as it should be."""
    _log(logging.WARNING, message, args, None, None)


def complain(
    message: str, *args: object, raised: Raised | None = None, extra: Mapping[str, object] | None = None
) -> None:
    """Say that something went wrong.

    Args:
        message: With a place for each of `args`, as `logging` has them.
        args: What to put there.
        raised: What is to be told with its traceback.
        extra: Attributes for the record.
    """
    _log(logging.ERROR, message, args, raised, extra)


def _log(
    level: int,
    message: str,
    args: tuple[object, ...],
    raised: Raised | None,
    extra: Mapping[str, object] | None,
) -> None:
    try:
        _logger.log(level, message, *args, exc_info=raised, extra=extra, stacklevel=3)
    except BaseException:  # noqa: BLE001 - whatever it was, there is nobody left to tell
        pass
