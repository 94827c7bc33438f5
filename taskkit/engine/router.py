"""Placeholder until the real router lands (being written)."""

from collections.abc import Callable

from taskkit.output import Stream
from taskkit.run import Run


def install() -> None: ...
def uninstall() -> None: ...
def ensure() -> None: ...
def finish(run: Run) -> None: ...
def take_output(outside: Callable[[Stream, str], None]) -> Callable[[], None]:
    return lambda: None
