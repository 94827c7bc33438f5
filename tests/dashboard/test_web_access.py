"""Which requests of browsers are answered: the token, the cookie, the names and the origins."""

from __future__ import annotations

import pytest

from taskkit_tui.web.access import Access, Verdict, check_public_url

ACCESS = Access(8000)
PROXIED = Access(8000, "https://tasks.example.org/jobs")
COOKIES = {ACCESS.cookie_name: ACCESS.cookie}


def test_the_right_token_is_exchanged_for_a_cookie() -> None:
    assert ACCESS.verdict({"Host": "127.0.0.1:8000"}, {}, ACCESS.token) is Verdict.EXCHANGE_TOKEN


@pytest.mark.parametrize(
    "token",
    ["", "x", ACCESS.cookie, ACCESS.token[:-1], ACCESS.token + "x", "ü\ud800"],
    ids=["none", "short", "the cookie", "cut", "longer", "foreign"],  # each process has tokens of its own
)
def test_a_wrong_token_is_refused_with_or_without_the_cookie(token: str) -> None:
    assert ACCESS.verdict({"Host": "127.0.0.1:8000"}, {}, token) is Verdict.UNKNOWN_BROWSER
    assert ACCESS.verdict({"Host": "127.0.0.1:8000"}, COOKIES, token) is Verdict.UNKNOWN_BROWSER


@pytest.mark.parametrize(
    "cookie", ["", "x", ACCESS.token, ACCESS.cookie + "x"], ids=["none", "short", "the token", "longer"]
)
def test_a_wrong_cookie_is_refused(cookie: str) -> None:
    host = {"Host": "127.0.0.1:8000"}
    assert ACCESS.verdict(host, {}, None) is Verdict.UNKNOWN_BROWSER
    assert ACCESS.verdict(host, {ACCESS.cookie_name: cookie}, None) is Verdict.UNKNOWN_BROWSER
    assert ACCESS.verdict(host, {"taskkit-8001": ACCESS.cookie}, None) is Verdict.UNKNOWN_BROWSER


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "LocalHost:8000"])
def test_its_own_names_are_allowed(host: str) -> None:
    assert ACCESS.verdict({"Host": host}, COOKIES, None) is Verdict.ALLOWED


@pytest.mark.parametrize(
    "host",
    ["", "127.0.0.1", "127.0.0.1:8001", "evil.example:8000", "localhost:8000.evil.example", "0.0.0.0:8000"],
)
def test_another_host_is_refused_even_with_the_token(host: str) -> None:
    assert ACCESS.verdict({"Host": host}, COOKIES, None) is Verdict.WRONG_HOST
    assert ACCESS.verdict({"Host": host}, {}, ACCESS.token) is Verdict.WRONG_HOST


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "null",
        "https://127.0.0.1:8000",
        "http://127.0.0.1",
        "http://127.0.0.1:8001",
        "http://evil.example",
    ],
)
def test_a_socket_is_refused_to_the_page_of_another_origin(origin: str) -> None:
    headers = {"Host": "127.0.0.1:8000", **({"Origin": origin} if origin else {})}
    assert ACCESS.verdict_on_socket(headers, COOKIES) is Verdict.WRONG_ORIGIN


def test_a_socket_needs_the_cookie_and_its_own_page() -> None:
    headers = {"Host": "127.0.0.1:8000", "Origin": "http://127.0.0.1:8000"}
    assert ACCESS.verdict_on_socket(headers, COOKIES) is Verdict.ALLOWED
    assert ACCESS.verdict_on_socket(headers, {}) is Verdict.UNKNOWN_BROWSER


def test_behind_a_proxy_its_public_name_is_allowed_and_used() -> None:
    cookies = {PROXIED.cookie_name: PROXIED.cookie}
    headers = {"Host": "tasks.example.org", "Origin": "https://tasks.example.org"}
    assert PROXIED.verdict_on_socket(headers, cookies) is Verdict.ALLOWED
    assert PROXIED.verdict_on_socket({**headers, "Origin": "http://tasks.example.org"}, cookies) is (
        Verdict.WRONG_ORIGIN
    )
    assert PROXIED.printed_address.startswith("https://tasks.example.org/jobs/?token=")
    assert PROXIED.socket_address("tasks.example.org") == "wss://tasks.example.org/jobs/ws"
    assert PROXIED.socket_address("127.0.0.1:8000") == "ws://127.0.0.1:8000/ws"
    assert PROXIED.is_secure
    assert not ACCESS.is_secure
    assert PROXIED.path == "/jobs/"
    assert ACCESS.path == "/"


def test_the_secrets_are_not_printed_by_accident_and_differ_each_time() -> None:
    assert ACCESS.token not in repr(ACCESS)
    assert ACCESS.cookie not in repr(ACCESS)
    assert len({ACCESS.token, ACCESS.cookie, PROXIED.token, PROXIED.cookie}) == 4


@pytest.mark.parametrize(
    "url",
    [
        "",
        "tasks.example.org",
        "ftp://tasks.example.org",
        "https://",
        "https://tasks.example.org:no",
        "https://tasks.example.org/?x=1",
        "https://tasks.example.org/#x",
        "https://ada@tasks.example.org",
    ],
)
def test_what_is_no_address_of_a_proxy_is_refused_by_name(url: str) -> None:
    with pytest.raises(ValueError, match=r"^must ") as caught:
        check_public_url(url)
    assert repr(url) in str(caught.value)


def test_the_default_port_is_left_out_as_browsers_do() -> None:
    assert check_public_url("https://tasks.example.org:443/x") == "https://tasks.example.org/x"
    assert check_public_url("https://tasks.example.org:8443") == "https://tasks.example.org:8443"
