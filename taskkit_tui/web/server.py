"""The web server of the dashboard: textual-serve, hardened.

textual-serve as it is has no authentication, accepts any Host and Origin, starts its program by a shell, and
leaves programs behind. This listens on the loopback interface, checks every request (see
`taskkit_tui.web.access`), bounds the visitors and what each may send, and ends every process it starts.
"""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from asyncio import Semaphore
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from html import escape
from pathlib import Path
from string import Template
from typing import Final, cast

from aiohttp import WSCloseCode, WSMsgType, web
from aiohttp.http_exceptions import HttpProcessingError
from textual_serve.server import Server

from taskkit_tui.web.access import HEADERS, TOKEN_PARAMETER, Access, Verdict
from taskkit_tui.web.screen_size import screen_size
from taskkit_tui.web.tab_process import TabProcess

LONGEST_MESSAGE: Final = 256 * 1024
"""Bytes of a message from a page, which may be a paste."""
HEARTBEAT_SECONDS: Final = 15.0
"""Time after which a browser that does not answer counts as gone."""
SLOT_SECONDS: Final = 2.0
"""Time that a visitor waits for a place, such as that of the page it has just reloaded."""
SPARE_SECONDS: Final = 3.0
"""Time in which a page that was sent connects; the process that waits for it is ended then."""
SHUTDOWN_SECONDS: Final = 2.0
"""Time for open connections at the end."""

_STATIC: Final = Path(__file__).parent / "static"
_FONT_SIZE: Final = 15
_REFUSALS: Final = {
    Verdict.WRONG_HOST: "This server is not known by that name.",
    Verdict.WRONG_ORIGIN: "Only the page of this server may connect.",
    Verdict.UNKNOWN_BROWSER: (
        "Open the address that taskkit-tui serve has printed. It has a token, which is new at each start."
    ),
}


class WebServer(Server):
    """Serves one dashboard for each browser tab.

    Args:
        listener: A bound socket on the loopback interface.
        access: Decides which requests are answered.
        arguments: The program of a tab, and its arguments.
        title: The title of the page.
        most_visitors: The most tabs at a time.
    """

    def __init__(
        self,
        listener: socket.socket,
        access: Access,
        arguments: Sequence[str],
        *,
        title: str,
        most_visitors: int,
    ) -> None:
        super().__init__(arguments[0], "127.0.0.1", access.port, title=title)
        self._listener = listener
        self._access = access
        self._arguments = tuple(arguments)
        self._most_visitors = most_visitors
        self._free_places = Semaphore(most_visitors)
        self._page = Template((_STATIC / "page.html").read_text(encoding="utf-8"))
        self._connections: set[web.WebSocketResponse] = set()
        self._spare: TabProcess | None = None
        self._is_preparing = False
        self._ending: asyncio.Task[None]  # of the last process that was prepared

    async def run(self, until: Awaitable[object]) -> None:
        """Serve until `until` is done, then end all tabs."""
        runner = web.AppRunner(
            await self._make_app(), access_log=None, handle_signals=False, shutdown_timeout=SHUTDOWN_SECONDS
        )
        await runner.setup()
        logging.getLogger("aiohttp.server").addFilter(_is_a_fault_here)
        try:
            await web.SockSite(runner, self._listener).start()
            await until
        finally:
            await runner.cleanup()

    async def _make_app(self) -> web.Application:
        app = web.Application(middlewares=[self._guard])
        app.add_routes(
            [
                web.get("/", self.handle_index, name="index"),
                web.get("/ws", self.handle_websocket, name="websocket"),
                web.get("/download/{key}", self.handle_download, name="download"),
                web.static("/static", self.statics_path, name="static"),
                web.static("/page", _STATIC, name="page"),
            ]
        )
        app.on_shutdown.append(self.on_shutdown)
        return app

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Refuse a request that may not be answered, and send the headers with every answer."""
        token = request.query.get(TOKEN_PARAMETER) if request.path == "/" else None
        if request.path == "/ws":
            verdict = self._access.verdict_on_socket(request.headers, request.cookies)
        else:
            verdict = self._access.verdict(request.headers, request.cookies, token)
        if verdict is Verdict.EXCHANGE_TOKEN:
            response: web.StreamResponse = self._exchange()
        elif verdict is not Verdict.ALLOWED:
            response = web.Response(status=403, text=_REFUSALS[verdict] + "\n")
        else:
            try:
                response = await handler(request)
            except web.HTTPException as error:
                error.headers.update(HEADERS)
                raise
        if not response.prepared:
            response.headers.update(HEADERS)
        return response

    def _exchange(self) -> web.Response:
        """Set the cookie, and send the browser to the address without the token."""
        response = web.Response(status=303, headers={"Location": self._access.path})
        response.set_cookie(
            self._access.cookie_name,
            self._access.cookie,
            path=self._access.path,
            httponly=True,
            samesite="Strict",
            secure=self._access.is_secure,
        )
        return response

    async def handle_index(self, request: web.Request) -> web.Response:
        """Answer with the page."""
        if request.query:  # textual-serve's script reads addresses to call from there
            raise web.HTTPSeeOther(self._access.path)
        text = self._page.substitute(
            title=escape(str(self.title)),
            websocket=escape(self._access.socket_address(request.headers.get("Host", ""))),
            font_size=_FONT_SIZE,
        )
        await self._prepare_tab()
        return web.Response(text=text, content_type="text/html")

    async def _prepare_tab(self) -> None:
        """Start the process of a tab while the browser still loads the page."""
        if self._spare is not None or self._is_preparing or self._free_places.locked():
            return
        self._is_preparing = True
        try:
            spare = TabProcess(self._arguments, self.download_manager)
            await spare.prepare()
        except OSError:
            return  # the system refuses a process: the tab asks once more, and says so
        finally:
            self._is_preparing = False
        self._spare = spare
        self._ending = asyncio.create_task(self._end_later(spare))

    async def _end_later(self, spare: TabProcess) -> None:
        await asyncio.sleep(SPARE_SECONDS)
        await self._end(spare)

    async def _end(self, spare: TabProcess) -> None:
        """End a process that no tab has taken."""
        if self._spare is spare:
            self._spare = None
            await spare.stop()

    def _take_tab(self) -> TabProcess:
        tab, self._spare = self._spare, None
        if tab is not None and tab.is_usable:
            return tab
        return TabProcess(self._arguments, self.download_manager)

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """Run a dashboard for one tab, until either of them is gone."""
        try:
            await asyncio.wait_for(self._free_places.acquire(), SLOT_SECONDS)
        except TimeoutError:
            number = self._most_visitors
            open_now = "1 tab is" if number == 1 else f"{number} tabs are"
            words = f"{open_now} open, which is the maximum; close one, and reload this page."
            return await self._turn_away(web.WebSocketResponse(), request, words)
        connection = web.WebSocketResponse(heartbeat=HEARTBEAT_SECONDS, max_msg_size=LONGEST_MESSAGE)
        tab: TabProcess | None = None
        try:
            await connection.prepare(request)
            self._connections.add(connection)
            tab = self._take_tab()
            await tab.serve(connection, *screen_size(request.query.get("width"), request.query.get("height")))
            await self._pass_on(connection, tab)
        except OSError as error:
            words = f"The dashboard cannot be started: {error.strerror or error}."
            await self._turn_away(connection, request, words)
        finally:
            self._connections.discard(connection)
            try:
                if tab is not None:
                    await asyncio.shield(tab.stop())
            finally:
                self._free_places.release()
        return connection

    async def _turn_away(
        self, connection: web.WebSocketResponse, request: web.Request, words: str
    ) -> web.WebSocketResponse:
        """Show some words in the place of a dashboard, and close the connection."""
        with suppress(ConnectionError):
            if not connection.prepared:
                await connection.prepare(request)
            await connection.send_bytes(f"\x1b[2J\x1b[H{words}\r\n".encode())
            await connection.close(code=WSCloseCode.TRY_AGAIN_LATER)
        return connection

    async def _pass_on(self, connection: web.WebSocketResponse, tab: TabProcess) -> None:
        """Pass what the page sends on to the process. An invalid message ends the connection."""
        async for message in connection:
            if message.type is not WSMsgType.TEXT:
                await connection.close(code=WSCloseCode.UNSUPPORTED_DATA)
                return
            match _decoded(message.data):
                case ["stdin", str(data)]:
                    await tab.send_bytes(data.encode("utf-8", "replace"))
                case ["resize", {"width": width, "height": height}]:
                    await tab.set_terminal_size(*screen_size(width, height))
                case ["ping", str(data)]:
                    with suppress(ConnectionError):
                        await connection.send_json(["pong", data])
                case ["blur", *_]:
                    await tab.blur()
                case ["focus", *_]:
                    await tab.focus()
                case _:
                    await connection.close(code=WSCloseCode.POLICY_VIOLATION)
                    return

    async def on_shutdown(self, app: web.Application) -> None:  # noqa: ARG002
        """Close all connections, which ends the processes behind them, and end the one without a tab."""
        if self._spare is not None:
            await self._end(self._spare)
        for each in tuple(self._connections):
            with suppress(Exception):
                await asyncio.wait_for(each.close(code=WSCloseCode.GOING_AWAY), SHUTDOWN_SECONDS)


def _is_a_fault_here(record: logging.LogRecord) -> bool:
    """False for a request that is not HTTP: it is answered, and anyone on this machine can send such."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError)


def _decoded(text: str) -> object:
    try:
        return cast(object, json.loads(text))
    except (ValueError, RecursionError):
        return None
