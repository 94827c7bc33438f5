"""The part of `taskkit run --standby` that waits for the state, which another process has."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from taskkit.cli.command_line_errors import CommandLineError
from taskkit.cli.foreground import Foreground
from taskkit.cli.run_report import RunReport, start_message
from taskkit.errors import StoreInUseError
from taskkit.targets.target import Target
from taskkit.words.plain_text import harmless

if TYPE_CHECKING:
    from taskkit.remote.server import Server
    from taskkit.store import Store


class Standby:
    """Waits for the state of a target, which another process has open.

    Args:
        target: Its scheduler is not started.
        path: The file of the state.
        report: Writes messages.
        foreground: Hears of a failure.
    """

    def __init__(self, target: Target, path: Path, report: RunReport, foreground: Foreground) -> None:
        self._target = target
        self._path = path
        self._report = report
        self._foreground = foreground
        self.store: Store | None = None
        """The store, once it has taken over."""
        self.server: Server | None = None
        """Serves the scheduler, if that is wanted."""
        self.error: BaseException | None = None
        """The reason why it could not take over."""

    def begin(self, in_use: StoreInUseError) -> None:
        """Begin to wait, and return."""
        from taskkit.store import Store
        from taskkit.store.standby import stand_by

        self._report.write_message(f"on standby: {harmless(str(in_use))}")
        stand_by(
            self._target.scheduler, self._path, lambda: Store.open(self._path), self._take_over, self._failed
        )
        if self._target.follower is not None:
            self._target.follower.watch()

    def _take_over(self, store: Store) -> None:
        self.store = store
        store.attach(self._target.scheduler)
        store.restore()
        self._report.write_message(f"taking over: {start_message(self._target, store)}")
        self._target.scheduler.start()
        if self.server is not None:
            self.server.operations.store = store

    def _failed(self, error: BaseException) -> None:
        self.error = error
        self._foreground.on_failed_take_over()


def check_standby(options: argparse.Namespace, target: Target, path: Path | None) -> None:
    """Raise if `--standby` has no meaning here.

    Raises:
        CommandLineError: No state is saved, or the target saves it itself.
    """
    if not options.standby:
        return
    if target.scheduler.is_persistent:
        from taskkit.store import PersistentScheduler

        if not (isinstance(target.scheduler, PersistentScheduler) and target.scheduler.standby):
            raise CommandLineError(
                f"{harmless(target.text)} saves its state itself: write standby=True there, without --standby"
            )
    elif path is None:
        raise CommandLineError("--standby waits for the state of another process, and there is none here")
