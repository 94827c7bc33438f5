"""The news collector: what it makes of feeds, its memory, and what it does not let in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import pytest

from demo_tasks import NewsCollector, news_collector
from demo_tasks.feeds import FeedEntry, read_feed
from taskkit import OutcomeKind, Scheduler

RSS = """<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/"><channel><title>The channel</title>
<item><media:title>A picture</media:title><title>Tasks, then &amp; now</title>
  <link>https://news.example/2</link><guid>two</guid><pubDate>Sat, 08 Sep 2001 21:46:40 -0400</pubDate></item>
<item><title>Nothing but a title</title></item>
</channel></rss>"""

ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><title>The feed</title>
<entry><title type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">In <b>bold</b></div></title>
  <link rel="self" href="https://news.example/self"/><link href="https://news.example/1"/>
  <id>urn:one</id><updated>2001-09-09T01:46:40Z</updated></entry></feed>"""

BOMB = """<!DOCTYPE rss [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<rss><channel><item><title>&b;</title></item></channel></rss>"""


def rss(*titles: str, **fields: str) -> str:
    more = "".join(f"<{tag}>{text}</{tag}>" for tag, text in fields.items())
    items = "".join(f"<item><title>{escape(title)}</title>{more}</item>" for title in titles)
    return f"<rss><channel>{items}</channel></rss>"


def titles_on(page: Path) -> list[str]:
    return [line[4:-5] for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("<li>")]


def collected(folder: Path, feed: str, keep: int = 20) -> list[str]:
    """The page after one more run."""
    (folder / "feed.xml").write_text(feed, encoding="utf-8")
    NewsCollector(str(folder / "feed.xml"), keep, folder).run()
    return titles_on(folder / "news.html")


def test_rss_is_read_and_what_extensions_say_under_the_same_names_is_not() -> None:
    assert read_feed(RSS.encode()) == [
        FeedEntry("two", "Tasks, then & now", "https://news.example/2", 1_000_000_000.0),
        FeedEntry("Nothing but a title", "Nothing but a title", "", None),
    ]


def test_atom_is_read_with_the_link_that_leads_to_the_page() -> None:
    assert read_feed(ATOM.encode()) == [
        FeedEntry("urn:one", "In bold", "https://news.example/1", 1_000_000_000.0)
    ]


def test_a_feed_says_in_which_encoding_it_is() -> None:
    feed = '<?xml version="1.0" encoding="iso-8859-1"?><rss><item><title>Käse</title></item></rss>'

    assert read_feed(feed.encode("iso-8859-1"))[0].title == "Käse"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_feed_with_a_document_type_declaration_is_refused(encoding: str) -> None:
    with pytest.raises(ValueError, match="document type declaration"):
        read_feed(BOMB.encode(encoding))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not well-formed: no element found"),
        (b"<rss><channel>", "not well-formed"),
        (b'<?xml version="1.0" encoding="nonsense"?><rss/>', "not well-formed"),
        (b"<html><item/></html>", "neither RSS nor Atom: its root element is 'html'"),
        (b"\x00\xff", "not well-formed"),
    ],
)
def test_what_is_no_feed_is_refused_in_words(data: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read_feed(data)


@pytest.mark.parametrize(
    "link",
    ["javascript://x/%0aalert(1)", "javascript:alert(1)", "/relative", "https://", "http://[", "file:///"],
)
def test_a_link_that_is_no_web_address_is_left_out(link: str) -> None:
    assert read_feed(rss("Title", link=link).encode())[0].link == ""


def test_what_is_new_stands_first_and_nothing_stands_twice(tmp_path: Path) -> None:
    assert collected(tmp_path, rss("two", "one", "one")) == ["two", "one"]
    assert collected(tmp_path, rss("three", "two", "one")) == ["three", "two", "one"]
    assert collected(tmp_path, rss("four", "two")) == ["four", "three", "two", "one"]


def test_no_more_is_kept_than_was_asked_for_and_what_fell_off_does_not_come_back(tmp_path: Path) -> None:
    assert collected(tmp_path, rss("four", "three", "two", "one"), keep=2) == ["four", "three"]
    assert collected(tmp_path, rss("four", "three", "two", "one"), keep=2) == ["four", "three"]
    assert collected(tmp_path, rss("five", "four", "three", "two"), keep=2) == ["five", "four"]


def test_dates_say_what_is_newest_if_every_entry_has_one(tmp_path: Path) -> None:
    old, new = (
        rss(name, pubDate=date)
        for name, date in (("old", "1 Jan 2001 10:00 GMT"), ("new", "1 Jan 2001 11:00 GMT"))
    )
    both = (old + new).replace("</channel></rss><rss><channel>", "")

    assert [line[:3] for line in collected(tmp_path, both)] == ["new", "old"]


def test_whatever_a_feed_says_is_text_on_the_page(tmp_path: Path) -> None:
    feed = rss("<script>alert(1)</script>", link="https://news.example/?a=1&amp;b=&quot;&gt;")

    (item,) = collected(tmp_path, feed)

    assert item == (
        '<a href="https://news.example/?a=1&amp;b=&quot;&gt;">&lt;script&gt;alert(1)&lt;/script&gt;</a>'
    )


def test_a_page_stays_as_it_is_while_nothing_is_new(tmp_path: Path) -> None:
    collected(tmp_path, rss("one"))
    before = (tmp_path / "news.html").stat()

    collected(tmp_path, rss("one"))

    assert (tmp_path / "news.html").stat() == before


def test_a_feed_that_is_missing_broken_or_too_large_leaves_the_page_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    collected(tmp_path, rss("one"))
    monkeypatch.setattr(news_collector, "LARGEST_FEED", 100)
    with pytest.raises(ValueError, match=r"feed.xml is larger than"):
        collected(tmp_path, rss("long" * 100))
    with pytest.raises(ValueError, match=r"feed.xml is not a feed: not well-formed"):
        collected(tmp_path, "half a f")
    (tmp_path / "feed.xml").unlink()
    with pytest.raises(FileNotFoundError, match=r"feed\.xml"):
        NewsCollector(str(tmp_path / "feed.xml"), folder=tmp_path).run()

    assert titles_on(tmp_path / "news.html") == ["one"]


def test_a_memory_that_somebody_else_wrote_is_told_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "news.json").write_text("not ours")

    with pytest.raises(ValueError, match=r"news\.json was not written by a news collector"):
        collected(tmp_path, rss("one"))


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ((" ",), ValueError, "feed must be"),
        (("a\nb",), ValueError, "feed must be"),
        (("ftp://news.example/",), ValueError, "feed must begin with http"),
        (("f", 0), ValueError, "keep must be at least 1, not 0"),
        (("f", True), TypeError, "keep must be a whole number, not True"),
        (("f", 1, Path(), "../news.html"), ValueError, "page must be a name"),
        (("f", 1, Path(), "news.json"), ValueError, "page must be a name"),
        (("f", 1, Path(), ""), ValueError, "page must be a name"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(
    arguments: Sequence[object], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        NewsCollector(*arguments)  # type: ignore[arg-type]


class Newsstand(BaseHTTPRequestHandler):
    """Serves one feed; knows nothing else."""

    feed: ClassVar[bytes] = RSS.encode()

    def do_GET(self) -> None:
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/feed")
            self.end_headers()
        elif self.path == "/feed":
            self.send_response(200)
            self.end_headers()
            self.wfile.write(self.feed)
        else:
            self.send_error(404)

    def log_request(self, *_: object) -> None: ...

    def log_error(self, *_: object) -> None: ...


@pytest.fixture
def newsstand() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Newsstand) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join(10)


@pytest.mark.parametrize("path", ["/feed", "/moved"])
def test_a_feed_is_read_from_the_web(newsstand: str, path: str, tmp_path: Path) -> None:
    NewsCollector(newsstand + path, folder=tmp_path).run()

    assert titles_on(tmp_path / "news.html")[1] == "Nothing but a title"


def test_a_server_that_has_no_such_feed_makes_a_run_fail_that_names_the_address(
    newsstand: str, tmp_path: Path
) -> None:
    with pytest.raises(ConnectionError, match=rf"{newsstand}/none: .*404"):
        NewsCollector(f"{newsstand}/none", folder=tmp_path).run()


def test_a_server_that_is_not_there_makes_a_run_fail_that_names_the_address(
    newsstand: str, tmp_path: Path
) -> None:
    with pytest.raises(ConnectionError, match=r"http://127.0.0.1:1/feed: .*refused"):
        NewsCollector("http://127.0.0.1:1/feed", folder=tmp_path).run()


def test_who_is_asked_to_stop_while_the_feed_comes_writes_nothing(
    newsstand: str, tmp_path: Path, scheduler: Scheduler
) -> None:
    task = NewsCollector(f"{newsstand}/feed", folder=tmp_path)
    task.proceed = lambda: scheduler.stop_task("news") and False  # type: ignore[method-assign]
    handle = scheduler.add_on_demand_task(task, "news")

    scheduler.demand_task("news")

    assert handle.last_outcome is not None
    assert handle.last_outcome.kind is OutcomeKind.STOPPED
    assert list(tmp_path.iterdir()) == []
