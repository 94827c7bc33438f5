"""The process behind one browser tab, as the server sees it: started without a shell, and ended with it."""

from __future__ import annotations

import asyncio
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from contextlib import suppress

from aiohttp import web
from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager


class TabProcess(AppService):
    """A dashboard in a process of its own, whose screen and keys go through pipes.

    It differs from its base, which starts the program by a shell, and waits for its end forever. The program
    shows nothing before it has got a size, so it can be started before there is a tab.

    Args:
        arguments: The program and its arguments.
        downloads: Passes files from the program to the browser.
    """

    def __init__(self, arguments: Sequence[str], downloads: DownloadManager) -> None:
        super().__init__(
            arguments[0],
            write_bytes=_nowhere,
            write_str=_nowhere,
            close=_to_nobody,
            download_manager=downloads,
        )
        self._arguments = tuple(arguments)

    async def prepare(self) -> None:
        """Start the process, and have it load its modules."""
        if self._process is None:
            await self._open_app_process()

    @property
    def is_usable(self) -> bool:
        """False if the process has ended."""
        return self._process is None or self._process.returncode is None

    async def serve(self, connection: web.WebSocketResponse, width: int, height: int) -> None:
        """Show the dashboard in the tab at the other end of a connection."""
        self.remote_write_bytes = connection.send_bytes
        self.remote_write_str = connection.send_str

        async def close() -> None:
            await connection.close()

        self.remote_close = close
        await self.prepare()
        self._task = asyncio.create_task(self.run())
        await self.set_terminal_size(width, height)

    async def _open_app_process(self, width: int = 80, height: int = 24) -> Process:
        self._process = process = await asyncio.create_subprocess_exec(
            *self._arguments,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            env=self._build_environment(width, height),
            start_new_session=True,  # ctrl+c in the terminal of the server is not for it
        )
        self._stdin = process.stdin
        return process

    async def run(self) -> None:
        """Pass on what the process sends, until it ends; then close the connection."""
        try:
            await super().run()
        finally:
            await self.remote_close()

    async def stop(self) -> None:
        """End the process at once. It is only attached to a scheduler, and saves nothing."""
        process, self._process = self._process, None
        task, self._task = self._task, None
        if process is not None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await task
        await self._download_manager.cancel_app_downloads(app_service_id=self.app_service_id)


async def _nowhere(_: object) -> None:
    """Stand in for the connection while there is none."""


async def _to_nobody() -> None:
    """Stand in for the end of the connection while there is none."""
