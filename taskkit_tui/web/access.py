"""Decides which requests of browsers are answered: by a token, a cookie, and the names of the server.

The server listens on the loopback interface only, which every user and every web page of this machine can
reach all the same:

- The token is in the address that is printed once. It keeps other users out. The first page exchanges it for
  a cookie, so that it stays out of the history and of `Referer`.
- The `Host` header must name this server. A page of another site whose name was made to resolve to 127.0.0.1
  (DNS rebinding) has the name of that site there.
- The `Origin` of a WebSocket must be a page of this server, because browsers send cookies with the
  connections of any page.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final
from urllib.parse import SplitResult, urlsplit

TOKEN_PARAMETER: Final = "token"
"""The parameter of the printed address."""

HEADERS: Final[Mapping[str, str]] = {
    # xterm.js sets the styles of its elements itself.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; "
        "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "Cache-Control": "no-cache",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""Sent with every answer: nothing is loaded from other hosts, and no other page shows this one."""


class Verdict(Enum):
    """The answer to a request."""

    ALLOWED = auto()
    EXCHANGE_TOKEN = auto()
    """The token is right: set the cookie, and send the browser to the address without the token."""
    WRONG_HOST = auto()
    WRONG_ORIGIN = auto()
    UNKNOWN_BROWSER = auto()
    """Neither the token nor the cookie is right."""


@dataclass(frozen=True)
class Access:
    """The secrets and the names of one server.

    Args:
        port: The port that it listens on.
        public_url: The address that a reverse proxy gives it, such as `https://tasks.example.org/jobs`; empty
            without one.
    """

    port: int
    public_url: str = ""
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    cookie: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)

    @property
    def cookie_name(self) -> str:
        """The name of the cookie. Cookies are shared by all ports of a host, so the port is in it."""
        return f"taskkit-{self.port}"

    @property
    def page(self) -> str:
        """The address of the page, as a person opens it, without the token. Ends in a slash."""
        return (self.public_url or f"http://127.0.0.1:{self.port}").rstrip("/") + "/"

    @property
    def printed_address(self) -> str:
        """The address to print: that of the page, with the token."""
        return f"{self.page}?{TOKEN_PARAMETER}={self.token}"

    @property
    def is_secure(self) -> bool:
        """True if browsers reach it by HTTPS only, through a proxy."""
        return self.public_url.startswith("https:")

    @property
    def path(self) -> str:
        """The path of the page, as browsers see it."""
        return urlsplit(self.page).path

    def verdict(self, headers: Mapping[str, str], cookies: Mapping[str, str], token: str | None) -> Verdict:
        """Return what to answer to a request for a page or a file.

        Args:
            headers: The headers of the request.
            cookies: Its cookies.
            token: The token in its address; None without one.
        """
        if headers.get("Host", "").lower() not in self._hosts():
            return Verdict.WRONG_HOST
        if token is not None:
            return Verdict.EXCHANGE_TOKEN if _same(token, self.token) else Verdict.UNKNOWN_BROWSER
        if not _same(cookies.get(self.cookie_name, ""), self.cookie):
            return Verdict.UNKNOWN_BROWSER
        return Verdict.ALLOWED

    def verdict_on_socket(self, headers: Mapping[str, str], cookies: Mapping[str, str]) -> Verdict:
        """Return what to answer to a request for a WebSocket: it must come from a page of this server."""
        verdict = self.verdict(headers, cookies, None)
        if verdict is Verdict.ALLOWED and headers.get("Origin", "").lower() not in self._origins():
            return Verdict.WRONG_ORIGIN
        return verdict

    def socket_address(self, host: str) -> str:
        """Return the address of the WebSocket for a page that was asked for under this `Host`."""
        public = urlsplit(self.public_url)
        if self.public_url and host.lower() == public.netloc.lower():
            return f"{'wss' if self.is_secure else 'ws'}://{host}{self.path}ws"
        return f"ws://{host}/ws"

    def _hosts(self) -> set[str]:
        public = urlsplit(self.public_url).netloc.lower()
        return {f"127.0.0.1:{self.port}", f"localhost:{self.port}"} | ({public} if public else set())

    def _origins(self) -> set[str]:
        public = urlsplit(self.public_url.lower())
        own = {f"http://127.0.0.1:{self.port}", f"http://localhost:{self.port}"}
        return own | ({f"{public.scheme}://{public.netloc}"} if public.netloc else set())


def check_public_url(text: str) -> str:
    """Return the address of a reverse proxy, if it can be one.

    Raises:
        ValueError: It cannot be; the message says why.
    """
    try:
        parts = urlsplit(text)
        has_port = parts.port is not None
    except ValueError:
        parts, has_port = SplitResult("", "", "", "", ""), False
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(f"must be an address such as https://tasks.example.org/jobs, not {text!r}")
    if parts.username is not None:
        raise ValueError(f"must not have a user name, as {text!r} has")
    default = 443 if parts.scheme == "https" else 80
    if has_port and parts.port == default:  # browsers leave it out of `Host` and `Origin`
        return text.replace(f":{default}", "", 1)
    return text


def _same(given: str, secret: str) -> bool:
    """Compare in a time that does not depend on the first wrong letter."""
    return secrets.compare_digest(given.encode(errors="replace"), secret.encode())
