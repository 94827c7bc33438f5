"""`taskkit-tui serve`, without a browser: what it answers, what it refuses, and how it ends."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("textual_serve", reason='needs textual-serve: pip install "taskkit-tui[web]"')

from served_page import COMMAND, ServedPage, wait_for, wait_until_gone

from taskkit import Scheduler
from taskkit.remote import serve
from taskkit_tui.web.access import Access
from taskkit_tui.web.server import WebServer

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/cmdline").exists(), reason="looks for processes in /proc"
)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedPage]:
    """A page of a scheduler that this process runs."""
    scheduler = Scheduler()
    scheduler.add_on_demand_task(lambda: None, "by hand")
    name = f"web-{os.getpid()}"
    with (
        scheduler,
        serve(scheduler, name),
        ServedPage(name, folder=tmp_path_factory.mktemp("web")) as started,
    ):
        yield started


def test_it_says_what_it_serves_where_and_how_to_end_it(page: ServedPage) -> None:
    assert f"web-{os.getpid()} (process {os.getpid()}) in a browser, view only:" in page.printed
    assert "Ctrl+c stops serving; the tasks keep running." in page.printed


def test_without_the_token_nothing_is_answered(page: ServedPage) -> None:
    paths = ["/", "/?token=wrong", "/static/js/textual.js", "/page/page.css", "/download/x", "/ws", "/none"]
    assert {page.get(path).status for path in paths} == {403}
    assert page.connect().status == 403


def test_the_cookie_opens_the_page_and_its_files_and_nothing_else(page: ServedPage) -> None:
    cookie = page.cookie()
    paths = ["/", "/static/js/textual.js", "/static/css/xterm.css", "/page/page.js", "/page/page.css"]
    assert {page.get(path, Cookie=cookie).status for path in paths} == {200}
    for path in ("/none", "/download/x", "/static/", "/static/../server.py", "/page/%2e%2e/server.py"):
        assert page.get(path, Cookie=cookie).status in (403, 404)


def test_the_cookie_is_for_this_page_only(page: ServedPage) -> None:
    answer = page.get("/?" + page.address.partition("?")[2])
    assert answer.headers["Location"] == "/"
    assert "HttpOnly; Path=/; SameSite=Strict" in answer.headers["Set-Cookie"]


def test_every_answer_has_the_headers_that_keep_others_out(page: ServedPage) -> None:
    for answer in (
        page.get("/"),
        page.get("/", Cookie=page.cookie()),
        page.get("/none", Cookie=page.cookie()),
    ):
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert answer.headers["X-Frame-Options"] == "DENY"


def test_parameters_that_the_script_would_follow_are_taken_away(page: ServedPage) -> None:
    answer = page.get("/?ping=http://evil.example/", Cookie=page.cookie())
    assert (answer.status, answer.headers["Location"]) == (303, "/")


def test_another_host_and_another_origin_are_refused(page: ServedPage) -> None:
    cookie = page.cookie()
    wait_for(lambda: not page.tabs(), "the end of the processes")
    assert page.get("/", Cookie=cookie, Host="evil.example").status == 403
    assert page.connect(Cookie=cookie, Host=f"evil.example:{page.port}").status == 403
    assert page.connect(Cookie=cookie, Origin="http://evil.example").status == 403
    assert not page.tabs()


def test_a_process_begins_with_a_connection_and_ends_with_it(page: ServedPage) -> None:
    assert page.connect(Cookie=page.cookie()).status == 101
    wait_for(lambda: not page.tabs(), "the end of the process")


def test_a_process_waits_for_the_tab_of_a_page_and_ends_if_none_comes(page: ServedPage) -> None:
    cookie = page.cookie()
    wait_for(lambda: not page.tabs(), "the end of the processes")
    page.get("/", Cookie=cookie)
    page.get("/", Cookie=cookie)
    wait_for(page.tabs, "a process")
    (pid,) = page.tabs()
    with page.open_socket() as connection:
        assert connection.receive()
        assert page.tabs() == {pid}
    wait_for(lambda: not page.tabs(), "its end")
    page.get("/", Cookie=cookie)
    wait_for(page.tabs, "a process")
    wait_for(lambda: not page.tabs(), "the end of a process that no tab has taken")


def test_a_hundred_connections_that_break_off_leave_no_process(page: ServedPage) -> None:
    cookie = page.cookie()
    for _ in range(100):
        assert page.connect(Cookie=cookie).status == 101
    wait_for(lambda: not page.tabs(), "the end of the processes")


def test_more_tabs_than_allowed_are_turned_away_until_one_is_closed(page: ServedPage) -> None:
    with ServedPage("--visitors", "1", f"web-{os.getpid()}", folder=page.folder) as small:
        with small.open_socket() as first:
            assert first.receive()
            with small.open_socket() as second:
                assert b"1 tab is open, which is the maximum" in second.receive()
                second.wait_until_closed()
            assert len(small.tabs()) == 1
        with small.open_socket() as third:
            assert b"which is the maximum" not in third.receive()


@pytest.mark.parametrize(
    "message", [b"x", b"[]", b'{"a": 1}', b'["stdin"]', b'["resize", {}]', b'["quit"]', b"[" * 60_000]
)
def test_a_message_that_is_none_ends_the_connection(page: ServedPage, message: bytes) -> None:
    with page.open_socket() as connection:
        connection.send(message)
        connection.wait_until_closed()
    wait_for(lambda: not page.tabs(), "the end of the process")


def test_a_process_that_is_killed_ends_its_connection_and_no_other(page: ServedPage) -> None:
    with page.open_socket() as killed:
        wait_for(page.tabs, "a process")
        (pid,) = page.tabs()
        with page.open_socket() as other:
            wait_for(lambda: len(page.tabs()) == 2, "another process")
            os.kill(pid, signal.SIGKILL)
            killed.wait_until_closed()
            assert other.receive()
    wait_for(lambda: not page.tabs(), "the end of the process")


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ((120, 36), (120, 36)),
        (("120", "36"), (120, 36)),
        ((9000, 5000), (500, 200)),
        ((0, -1), (1, 1)),
        (("x", None), (80, 24)),
        (("9" * 5000, [1]), (80, 24)),
    ],
)
def test_a_screen_has_bounds(asked: tuple[object, object], given: tuple[int, int]) -> None:
    from taskkit_tui.web.screen_size import screen_size

    assert screen_size(*asked) == given


def test_a_port_that_is_in_use_is_refused_with_the_remedy(page: ServedPage, tmp_path: Path) -> None:
    command = [COMMAND, "serve", f"web-{os.getpid()}", "--port", str(page.port)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert ended.returncode == 2
    assert (
        f"cannot listen on port {page.port}: Address already in use; --port 0 takes a free one"
        in ended.stderr
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--port", "65536"), "must be a whole number from 0 to 65535, not '65536'"),
        (("--visitors", "0"), "must be a whole number from 1 to 100, not '0'"),
        (("--public-url", "x"), "must be an address such as https://tasks.example.org/jobs, not 'x'"),
    ],
)
def test_a_wrong_option_is_refused_in_words(
    options: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from taskkit_tui.web.serve import build_parser

    with pytest.raises(SystemExit) as caught:
        build_parser().parse_args(options)
    assert caught.value.code == 2
    assert words in capsys.readouterr().err


def test_a_target_that_nobody_runs_is_run_and_ends_with_the_page(tmp_path: Path) -> None:
    (tmp_path / "tasks.toml").write_text('[tasks.tick]\ncommand = "true"\nevery = "1h"\n')
    with ServedPage("tasks.toml", folder=tmp_path) as page:
        assert "tasks (process" in page.printed
        assert "Ctrl+c stops serving, and stops the tasks." in page.printed
        (runs,) = children_of(page.process.pid)
        assert page.connect(Cookie=page.cookie()).status == 101
        page.process.send_signal(signal.SIGTERM)
        assert page.process.wait(60) == 0
    assert not Path(f"/proc/{runs}").exists()


def test_a_target_that_cannot_run_is_reported_and_nothing_is_served(tmp_path: Path) -> None:
    (tmp_path / "tasks.toml").write_text("[tasks.tick]\n")
    command = [COMMAND, "serve", "tasks.toml", "--port", "0"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, timeout=60)
    assert ended.returncode == 2
    assert "tasks.toml is not running, so there is nothing to serve" in ended.stderr
    assert not ended.stdout


def test_a_killed_server_leaves_no_process(tmp_path: Path) -> None:
    (tmp_path / "tasks.toml").write_text('[tasks.tick]\ncommand = "true"\nevery = "1h"\n')
    with ServedPage("tasks.toml", folder=tmp_path) as page, page.open_socket():
        wait_for(page.tabs, "a process behind the tab")
        left = children_of(page.process.pid)
        assert len(left) == 2
        page.process.kill()
        page.process.wait()
    wait_until_gone(left)


def children_of(parent: int) -> set[int]:
    """Return the process ids of the children of a process."""
    return {
        int(pid)
        for task in Path(f"/proc/{parent}/task").iterdir()
        for pid in (task / "children").read_text().split()
    }


async def test_a_process_that_the_system_refuses_is_said_on_the_screen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from aiohttp.test_utils import TestClient, TestServer

    from taskkit_tui.web.access import Access
    from taskkit_tui.web.server import WebServer

    async def refuse(*_: object, **__: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr("asyncio.create_subprocess_exec", refuse)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        access = Access(listener.getsockname()[1])
        server = WebServer(listener, access, ["program"], title="shop", most_visitors=1)
        host = {"Host": f"127.0.0.1:{access.port}"}
        cookies = {access.cookie_name: access.cookie}
        client = TestClient(TestServer(await server._make_app()), cookies=cookies)
        async with client:
            assert (await client.get("/", headers=host)).status == 200
            for _ in range(2):  # a place is free again
                headers = {**host, "Origin": f"http://127.0.0.1:{access.port}"}
                connection = await client.ws_connect("/ws", headers=headers)
                words = await connection.receive_bytes()
                assert b"cannot be started: Resource temporarily unavailable" in words
                await connection.close()


async def test_a_request_that_is_no_http_is_answered_and_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        server = WebServer(listener, Access(port), ["true"], title="shop", most_visitors=1)
        done = asyncio.Event()
        serving = asyncio.create_task(server.run(done.wait()))
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        assert b" 400 " in await reader.readline()
        writer.close()
        done.set()
        await serving
    assert not caplog.records
