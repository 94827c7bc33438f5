"""The command `taskkit-tui serve`: the dashboard of a running scheduler, for browsers on this machine."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import closing
from typing import Final

from taskkit.bounded_start import BoundedStartThread
from taskkit.remote.discovery import is_target, matching, running_schedulers
from taskkit.remote.sockets import SocketFile
from taskkit.targets.target import TargetError
from taskkit_tui.attach import only_service_meant
from taskkit_tui.formatting import harmless
from taskkit_tui.web.access import Access, check_public_url
from taskkit_tui.web.target_process import TargetProcess

DEFAULT_PORT: Final = 8000
MOST_VISITORS: Final = 8
"""The most open tabs by default."""

_DESCRIPTION: Final = (
    "Serve the dashboard of a running scheduler to browsers on this machine. Each tab is a dashboard of its "
    "own, attached to the same scheduler. No key changes anything, unless --control is given."
)
_EPILOG: Final = (
    "It listens on 127.0.0.1 only, and the printed address has a token that is new at each start. "
    "docs/browser.md says how to reach it from another machine."
)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the options of `serve`, with their help."""
    parser = argparse.ArgumentParser(prog="taskkit-tui serve", description=_DESCRIPTION, epilog=_EPILOG)
    parser.add_argument(
        "service",
        nargs="?",
        metavar="SERVICE",
        help="the name, process id, target or socket of a running scheduler; a target that is not running "
        "is started; without it, the only scheduler there is, or a list to choose from",
    )
    parser.add_argument(
        "--port",
        type=_port,
        default=DEFAULT_PORT,
        metavar="N",
        help=f"the port to listen on, 0 for any free one (default: {DEFAULT_PORT})",
    )
    parser.add_argument("--control", action="store_true", help="let the keys change tasks")
    parser.add_argument(
        "--public-url",
        type=_public_url,
        metavar="URL",
        help="the address that browsers see, if it is behind a reverse proxy",
    )
    parser.add_argument(
        "--visitors",
        type=_visitors,
        default=MOST_VISITORS,
        metavar="N",
        help=f"the most open tabs; each is a process of about 60 MB (default: {MOST_VISITORS})",
    )
    return parser


def main(arguments: Sequence[str]) -> int:
    """Serve until ctrl+c, SIGTERM or SIGHUP. Return the exit status.

    Raises:
        TargetError: There is nothing to serve, or no place to serve it.
    """
    options = build_parser().parse_args(arguments)
    try:
        import textual_serve.server  # noqa: F401 - asked for here, before anything is started
    except ImportError:
        raise TargetError('serve needs textual-serve: pip install "taskkit-tui[web]"') from None
    with closing(_listen(options.port)) as listener:
        target = _started(options.service)
        try:
            file = only_service_meant(options.service) if target is None else target.wait_until_served()
            asyncio.run(_serve(listener, file, target, options))
        finally:
            status = 0 if target is None else target.stop()
    return status


def _started(text: str | None) -> TargetProcess | None:
    """Run the target that a text names, if no process runs it."""
    if text is None or not is_target(text) or matching(text, running_schedulers()):
        return None
    return TargetProcess(text)


def _listen(port: int) -> socket.socket:
    try:
        return socket.create_server(("127.0.0.1", port), backlog=64)
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise TargetError(f"cannot listen on port {port}: {reason}; --port 0 takes a free one") from error


async def _serve(
    listener: socket.socket, file: SocketFile, target: TargetProcess | None, options: argparse.Namespace
) -> None:
    from taskkit_tui.web.server import WebServer

    # It calls a tab that is closed early a failure. A program that cannot start says why itself.
    logging.getLogger("textual-serve").setLevel(logging.CRITICAL)
    access = Access(listener.getsockname()[1], options.public_url or "")
    program = [sys.executable, "-P", "-m", "taskkit_tui.web.tab"]
    arguments = [*program, "--socket", str(file.path), "--parent", str(os.getpid())]
    if options.control:
        arguments.append("--control")
    server = WebServer(
        listener, access, arguments, title=f"taskkit: {file.name}", most_visitors=options.visitors
    )
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, ended.set)
    if target is not None:
        _notice_end(target, loop, ended)
    rights = "its keys change tasks" if options.control else "view only"
    print(f"{harmless(file.name)} (process {file.pid}) in a browser, {rights}:")
    print(f"  {access.printed_address}")
    print(
        "Ctrl+c stops serving; the tasks keep running."
        if target is None
        else "Ctrl+c stops serving, and stops the tasks.",
        flush=True,
    )
    await server.run(ended.wait())


def _notice_end(target: TargetProcess, loop: asyncio.AbstractEventLoop, ended: asyncio.Event) -> None:
    """Stop serving when the target ends by itself."""

    def wait() -> None:
        target.wait()
        try:
            loop.call_soon_threadsafe(ended.set)
        except RuntimeError:
            pass  # the loop has ended first

    BoundedStartThread(wait, name="target").start()


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 65_535):
        raise argparse.ArgumentTypeError(f"must be a whole number from 0 to 65535, not {text!r}")
    return int(text)


def _visitors(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 100):
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 to 100, not {text!r}")
    return int(text)


def _public_url(text: str) -> str:
    try:
        return check_public_url(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
