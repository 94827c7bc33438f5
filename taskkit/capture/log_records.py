"""Attribution of `logging` records: each becomes a line of the run that logs it, once, with its level.

This happens where a logger hands a record to its handlers, and not in a handler of our own. A handler on the
root logger would make the program's `logging.basicConfig()` do nothing and silence `logging.lastResort`; it
would miss the loggers that do not propagate; and it could not know which of the texts that arrive at
`sys.stderr` are the echo of a record that is a line already.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

from taskkit.capture.stream_proxies import RECORD, TEXT, StreamProxy, output_of, this_thread
from taskkit.line_assembler import finished
from taskkit.output_lines import Stream
from taskkit.run import Run, current

OWN_LOGGER: Final = "taskkit"
"""Records of this logger about a run are left out: the run's outcome has the same."""

_formatter = logging.Formatter()


class RecordHook:
    """Receives the records that pass `logging.Logger.callHandlers` while it is set."""

    def __init__(self) -> None:
        self._before: Callable[[logging.Logger, logging.LogRecord], None] | None = None
        self._hook: Callable[[logging.Logger, logging.LogRecord], None] | None = None

    def set(self) -> None:
        """Receive records from now on."""
        if self._hook is not None:
            return
        before = logging.Logger.callHandlers

        def hook(logger: logging.Logger, record: logging.LogRecord) -> None:
            run = current.get()
            if run is None:
                return before(logger, record)
            thread = this_thread.state
            if record.name != OWN_LOGGER:
                if run.finished is not None and not run.goes_on:
                    return before(logger, record)
                if thread.known != TEXT:
                    _attribute(record, run)
            thread.known, known = max(thread.known, RECORD), thread.known
            try:
                return before(logger, record)
            finally:
                thread.known = known

        self._before, self._hook = before, hook
        logging.Logger.callHandlers = hook  # type: ignore[method-assign,assignment]

    def unset(self) -> None:
        """Stop receiving records, unless another hook has been put around this one: then it stays."""
        if self._before is not None and logging.Logger.callHandlers is self._hook:
            logging.Logger.callHandlers = self._before  # type: ignore[method-assign,assignment]
            self._before = self._hook = None


def lead_handlers(proxies: Mapping[int, StreamProxy]) -> Callable[[], None]:
    """Make the handlers that write to a stream directly write to its proxy instead.

    They were made before the proxies, and would write on a console that a program draws on.

    Args:
        proxies: The proxy of each stream, by the `id` of the stream.

    Returns:
        A function that undoes it.
    """
    led: list[tuple[logging.StreamHandler[Any], Any, StreamProxy]] = []
    loggers = [logging.getLogger(), *logging.Logger.manager.loggerDict.copy().values()]
    for logger in loggers:
        for handler in logger.handlers if isinstance(logger, logging.Logger) else ():
            if isinstance(handler, logging.StreamHandler):
                proxy = proxies.get(id(handler.stream))
                if proxy is not None:
                    led.append((handler, handler.stream, proxy))
                    handler.stream = proxy

    def lead_back() -> None:
        for handler, stream, proxy in led:
            if handler.stream is proxy:
                handler.stream = stream

    return lead_back


def _attribute(record: logging.LogRecord, run: Run) -> None:
    output = run.output or output_of(run)
    for line in text_of(record).split("\n"):
        output.add(Stream.LOG, finished(line), record.levelno)


def text_of(record: logging.LogRecord) -> str:
    """Return the message of a record, with its traceback and stack if it has them."""
    try:
        text = record.getMessage()
    except Exception as error:  # noqa: BLE001 - `logging` itself lets no record fail its caller
        text = f"{record.msg!r} % {record.args!r}: {error!r}"
    # Not by `Formatter.format`, which would leave its text in the record for the handlers to find.
    if record.exc_info:
        text += "\n" + _formatter.formatException(record.exc_info)
    elif record.exc_text:
        text += "\n" + record.exc_text
    if record.stack_info:
        text += "\n" + record.stack_info
    return text
