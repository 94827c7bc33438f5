"""The dashboard in a real browser: what one sees, what the keys do, and what a page may not do."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator

import pytest

pytest.importorskip("textual_serve", reason='needs textual-serve: pip install "taskkit-tui[web]"')

from browser import Page
from served_page import ServedPage, wait_for

from screenshots.chromium import CHROMIUM, Chromium
from taskkit import Scheduler, TaskHandler
from taskkit.remote import serve

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with Chromium(tmp_path_factory.mktemp("profile")) as started:
        yield started


@pytest.fixture(scope="module")
def scheduler() -> Iterator[Scheduler]:
    """A served scheduler with a task that counts down, one to run by hand, and many lines in its log."""
    scheduler = Scheduler()
    scheduler.add_periodic_task(
        None, 3600, lambda: print("\n".join(f"line {n}" for n in range(300))), "hourly"
    )
    scheduler.add_on_demand_task(lambda: print("done by hand"), "by hand")
    with scheduler, serve(scheduler, f"browser-{os.getpid()}"):
        yield scheduler


@pytest.fixture(scope="module")
def viewed(scheduler: Scheduler, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedPage]:
    with ServedPage(f"browser-{os.getpid()}", folder=tmp_path_factory.mktemp("web")) as page:
        yield page


@pytest.fixture(scope="module")
def controlled(scheduler: Scheduler, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedPage]:
    with ServedPage("--control", f"browser-{os.getpid()}", folder=tmp_path_factory.mktemp("web")) as page:
        yield page


def by_hand(scheduler: Scheduler) -> TaskHandler:
    handle = scheduler.handle("by hand")
    assert handle is not None
    return handle


def test_the_panels_appear_a_countdown_falls_and_nothing_comes_from_elsewhere(
    browser: Chromium, viewed: ServedPage
) -> None:
    with Page(browser, viewed.address) as page:
        page.wait_for("Scheduled 1", "hourly", "On demand 1", "by hand", "read-only")
        before = page.text
        page.wait_until(lambda: page.text != before, "a countdown that falls")
        own = (f"http://127.0.0.1:{viewed.port}/", f"ws://127.0.0.1:{viewed.port}/", "data:")
        assert [url for url in page.requests if not url.startswith(own)] == []
        assert page.complaints == []
        assert page.evaluate("location.href") == f"http://127.0.0.1:{viewed.port}/"
        assert colours_of(page.picture()) > 20  # a blank page has one


def test_a_key_changes_nothing_unless_the_server_allows_it(
    browser: Chromium, viewed: ServedPage, scheduler: Scheduler
) -> None:
    with Page(browser, viewed.address) as page:
        select_by_hand(page)
        page.press("r")
        page.wait_for("read-only: the tasks run, and no key changes them")
    assert by_hand(scheduler).run_count == 0


def test_a_key_runs_a_task_where_the_server_allows_it(
    browser: Chromium, controlled: ServedPage, scheduler: Scheduler
) -> None:
    before = by_hand(scheduler).run_count
    with Page(browser, controlled.address) as page:
        select_by_hand(page)
        page.press("r")
        page.wait_for("done by hand")
    assert by_hand(scheduler).run_count == before + 1


def test_the_log_follows_and_scrolls(browser: Chromium, viewed: ServedPage, scheduler: Scheduler) -> None:
    with Page(browser, viewed.address) as page:
        page.wait_for("Scheduled 1")
        scheduler.run_task_now("hourly")
        page.wait_for("line 299")
        page.press("4", "g")
        page.wait_for("line 0")


def test_the_screen_fills_a_window_of_another_size(browser: Chromium, viewed: ServedPage) -> None:
    with Page(browser, viewed.address) as page:
        page.wait_for("Scheduled 1")
        page.resize(700, 500)
        page.wait_until(lambda: 10 < len(page.text.splitlines()) < 30, "a smaller screen")
        page.wait_for("hourly")
        assert max(map(len, page.text.splitlines())) < 80


def test_a_page_that_is_reloaded_again_and_again_connects_and_leaves_no_process(
    browser: Chromium, viewed: ServedPage
) -> None:
    with Page(browser, viewed.address) as page:
        page.wait_for("Scheduled 1")
        for count in range(1, 6):
            page.reload()
            page.wait_until(lambda count=count: page.connections > count, "a connection")
        assert page.text == ""
        page.wait_for("Scheduled 1")
    wait_for(lambda: not viewed.tabs(), "the end of the processes")


def test_leaving_ends_the_session_and_enter_opens_it_again(browser: Chromium, viewed: ServedPage) -> None:
    with Page(browser, viewed.address) as page:
        page.wait_for("Scheduled 1")
        page.press("q")
        page.wait_until(lambda: page.evaluate("document.activeElement.id") == "again", "the link")
        page.press("enter")
        page.wait_until(
            lambda: "-first-byte" in str(page.evaluate("document.body.className")), "a new screen"
        )


def test_a_wrong_token_is_refused_in_words(browser: Chromium, viewed: ServedPage) -> None:
    # Under its other name, as the browser has the cookie of this one.
    with Page(browser, f"http://localhost:{viewed.port}/?token=wrong") as page:
        words = "Open the address that taskkit-tui serve has printed"
        page.wait_until(lambda: words in page.evaluate("document.body.innerText"), words)


def test_the_page_of_another_origin_cannot_connect(
    browser: Chromium, viewed: ServedPage, controlled: ServedPage
) -> None:
    """The browser sends the cookie all the same, as a port is part of the origin and not of the site."""
    with Page(browser, viewed.address) as page:
        page.wait_for("Scheduled 1")
        browser_has_cookie_of(controlled, browser)
        foreign = (
            f"new Promise(done => {{ const s = new WebSocket('ws://127.0.0.1:{controlled.port}/ws');"
            " s.onopen = () => done('opened'); s.onerror = () => done('refused'); })"
        )
        page.call("Page.setBypassCSP", enabled=True)
        page.reload()
        page.wait_for("Scheduled 1")
        assert page.evaluate(foreign) == "refused"
        assert not controlled.tabs()


def select_by_hand(page: Page) -> None:
    """Select the task that is run by hand."""
    page.wait_for("by hand")
    page.press("3")


def browser_has_cookie_of(page: ServedPage, browser: Chromium) -> None:
    """Let the browser exchange the token of a page."""
    with Page(browser, page.address) as opened:
        opened.wait_for("Scheduled 1")
    wait_for(lambda: not page.tabs(), "the end of the process")


def colours_of(png: bytes) -> int:
    """Return the number of different bytes in a picture: more than a few where there is text."""
    data, at = b"", 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        if png[at + 4 : at + 8] == b"IDAT":
            data += png[at + 8 : at + 8 + length]
        at += 12 + length
    return len(set(zlib.decompress(data)))
