"""Records of the scheduler itself, on the logger `taskkit`; writing one never raises.

A filter or a handler of `logging` is foreign code and may raise, but the caller here has more to do.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from types import TracebackType
from typing import Final

Raised = BaseException | tuple[type[BaseException], BaseException, TracebackType | None]
"""An exception, or what `sys.exc_info()` returns for one."""

_logger: Final = logging.getLogger("taskkit")


def warning(message: str, *args: object) -> None:
    """Log a warning."""
    _log(logging.WARNING, message, args, None, None)


def error(
    message: str, *args: object, raised: Raised | None = None, extra: Mapping[str, object] | None = None
) -> None:
    """Log an error.

    Args:
        message: Has a place for each of `args`, as in `logging`.
        args: The values for those places.
        raised: An exception, to be logged with its traceback.
        extra: Attributes for the record.
    """
    _log(logging.ERROR, message, args, raised, extra)


def critical(message: str, raised: BaseException) -> None:
    """Log that the scheduler itself fails; on standard error if the log is broken or disabled."""
    if _log(logging.CRITICAL, message, (), raised, None):
        return
    try:
        print(f"taskkit: {message}: {type(raised).__name__}", file=sys.__stderr__, flush=True)
    except BaseException:  # noqa: BLE001 - as below
        pass


def _log(
    level: int,
    message: str,
    args: tuple[object, ...],
    raised: Raised | None,
    extra: Mapping[str, object] | None,
) -> bool:
    """Return True if it was logged, as far as `logging` can say."""
    try:
        _logger.log(level, message, *args, exc_info=raised, extra=extra, stacklevel=3)
        return _logger.isEnabledFor(level)
    except BaseException:  # noqa: BLE001 - there is no other place to report it
        return False
