"""The reports of a run in a worker to the program, as plain values: lines, `logging` records, progress.

In the worker, `forward_records` has records come here as well as to its own handlers, of which it usually has
none. In the program, `pass_on` forwards everything as if the run were on a thread there: a record of
`logging` reaches the handlers of the program.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Sequence
from contextvars import Context
from typing import Any, Final

from taskkit.capture.log_records import text_of
from taskkit.capture.stream_proxies import TEXT, this_thread
from taskkit.executor import Body, BodyResult
from taskkit.outcome import OutcomeKind
from taskkit.output_lines import OutputLine, Stream
from taskkit.run import Run, current

PlainLine = tuple[float, str, str, int]
"""Time in epoch seconds, stream, text and level, as in `OutputLine`."""

PlainRecord = tuple[Any, ...]
"""The values of `_RECORD_FIELDS` of a `logging.LogRecord`."""

PlainProgress = tuple[float, float | None, str]
"""Done, total and message, as in `Progress`."""

Batch = tuple[list[PlainLine], int, list[PlainRecord], PlainProgress | None]
"""Lines, the number of lines that were lost before them, records, and the progress if that is new."""

_RECORD_FIELDS: Final = (
    "name",
    "levelno",
    "levelname",
    "created",
    "pathname",
    "lineno",
    "funcName",
    "threadName",
)


PlainResult = tuple[str, object, str | None, str | None] | None
"""The fields of a `BodyResult`; `None` if the body did not begin."""


def plain_result(result: BodyResult | None) -> PlainResult:
    """Return a result as plain values."""
    return None if result is None else (result.kind.value, result.result, result.exception, result.traceback)


def result_of(values: PlainResult) -> BodyResult | None:
    """Return the result that `plain_result` made plain."""
    return None if values is None else BodyResult(OutcomeKind(values[0]), *values[1:])


def plain(text: str) -> str:
    """Return the text as a `str`, if it is of a subclass of that."""
    return "".join((text,))


def forward_records(forward: Callable[[Run, PlainRecord], None]) -> None:
    """Have the records that runs log in this process go to `forward`, too. Call it once."""
    before = logging.Logger.callHandlers

    def hook(logger: logging.Logger, record: logging.LogRecord) -> None:
        run = current.get()
        if run is not None:
            values = (getattr(record, field) for field in _RECORD_FIELDS)
            forward(run, (text_of(record), *map(_plain_value, values)))
        before(logger, record)

    logging.Logger.callHandlers = hook  # type: ignore[method-assign,assignment]


def pass_on(
    body: Body,
    lines: Sequence[PlainLine],
    lost: int,
    records: Sequence[PlainRecord],
    progress: PlainProgress | None,
) -> None:
    """Pass on what a run reports. In the program, on a thread that may wait for a slow handler."""
    if lines or lost:
        body.add_output(
            [OutputLine(at, Stream(stream), text, level) for at, stream, text, level in lines], lost
        )
    for record in records:
        Context().run(_handle, body.run, record)
    if progress is not None:
        body.run.progress(*progress)


def write_outside(name: str, text: str) -> None:
    """Write to this process's stream of that name what a worker wrote outside its runs."""
    try:
        getattr(sys, name).write(text)
    except Exception:  # noqa: BLE001 - a stream of the program
        pass


def _handle(run: Run, values: PlainRecord) -> None:
    text, *fields = values
    record = logging.makeLogRecord(
        {"msg": text, "args": None, **dict(zip(_RECORD_FIELDS, fields, strict=True))}
    )
    current.set(run)
    thread = this_thread.state
    thread.known, before = TEXT, thread.known  # its lines have come already
    try:
        logger = logging.getLogger(record.name)
        if logger.isEnabledFor(record.levelno):  # its level here may have changed
            logger.handle(record)
    except Exception:  # noqa: BLE001 - a filter of the program
        pass
    finally:
        thread.known = before


def _plain_value(value: object) -> object:
    if isinstance(value, str):
        return plain(value)
    return value if type(value) in (int, float, type(None)) else str(value)
