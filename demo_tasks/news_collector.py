"""A task that remembers: what it has collected is in a file, so that it survives a restart."""

import json
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from time import localtime, strftime
from typing import ClassVar, Final, NamedTuple
from urllib.parse import urlsplit

from demo_tasks.feeds import FeedEntry, read_feed
from demo_tasks.pages import write_page
from demo_tasks.writing import write_atomically
from taskkit import Task

LARGEST_FEED: Final = 4_000_000
"""The most bytes of a feed that are read."""
TIMEOUT: Final = 10.0
"""The longest wait for an answer of the server, in seconds."""
USER_AGENT: Final = "taskkit-demo (news collector)"


class NewsCollector(Task):
    """Writes a page with the newest entries of a news feed, and keeps them longer than the feed does.

    Each page belongs to one collector. The entries are saved in a JSON file beside it, for the next run.
    """

    run_parameters: ClassVar[Mapping[str, object] | None] = {}

    def __init__(self, feed: str, keep: int = 20, folder: Path = Path(), page: str = "news.html") -> None:
        """Take the feed to read and the page to write, and check them.

        Args:
            feed: An RSS or Atom feed: a web address, or the path of a file.
            keep: The number of entries on the page.
            folder: The folder of the page.
            page: The file name of the page.

        Raises:
            TypeError: `keep` is not a whole number.
            ValueError: `feed` is empty or an address of another kind, `keep` is less than 1, or `page` is not
                the name of an HTML file.
        """
        if not isinstance(keep, int) or isinstance(keep, bool):
            raise TypeError(f"keep must be a whole number, not {keep!r}")
        if keep < 1:
            raise ValueError(f"keep must be at least 1, not {keep!r}")
        if not feed.strip() or not feed.isprintable():
            raise ValueError(f"feed must be a web address or the path of a file, not {feed!r}")
        if "://" in feed and not _is_on_the_web(feed):
            raise ValueError(f"feed must begin with http:// or https://, or be a path, not {feed!r}")
        if Path(page).name != page or Path(page).suffix != ".html":
            raise ValueError(f"page must be a name such as news.html, not {page!r}")
        self.feed = feed.strip()
        self.keep = keep
        self.folder = folder
        self.page = page

    def run(self) -> None:
        """Read the feed, and write the page again if there is something new in it.

        Raises:
            OSError: The feed cannot be read, or not in time.
            ValueError: It is not a feed, or too large.
        """
        data = self._fetch() if _is_on_the_web(self.feed) else self._read()
        if data is None:
            return  # asked to stop
        try:
            entries = read_feed(data)
        except ValueError as error:
            raise ValueError(f"{self.feed} is not a feed: {error}") from error
        archive = _Archive.load(self._archive_path)
        fresh = archive.fresh(entries)
        for entry in fresh:
            print(entry.title)
        if fresh or not (self.folder / self.page).exists():
            archive = _Archive([*fresh, *archive.kept][: self.keep], {entry.identity for entry in entries})
            write_page(self.folder / self.page, "News", _as_html(archive.kept))
            archive.save(self._archive_path)
        print(f"new: {len(fresh)} of {len(entries)}")

    @property
    def _archive_path(self) -> Path:
        return (self.folder / self.page).with_suffix(".json")

    def _read(self) -> bytes:
        with Path(self.feed).open("rb") as file:
            return _bounded(file.read(LARGEST_FEED + 1), self.feed)

    def _fetch(self) -> bytes | None:
        """Return the answer of the server; `None` if this run is asked to stop meanwhile."""
        from http.client import HTTPException
        from urllib.request import Request, urlopen  # half of the import time of this module

        data = b""
        try:
            with urlopen(Request(self.feed, headers={"User-Agent": USER_AGENT}), timeout=TIMEOUT) as answer:
                while piece := answer.read1(64 * 1024):
                    if not self.proceed():
                        return None
                    data = _bounded(data + piece, self.feed)
        except (OSError, HTTPException) as error:
            raise ConnectionError(f"{self.feed}: {error}") from error
        return data


class _Archive(NamedTuple):
    """The entries that were collected so far."""

    kept: list[FeedEntry]
    """The newest entries: those on the page."""
    seen: set[str]
    """The ids of all entries in the feed the last time. They are not new, even if they are not kept."""

    @classmethod
    def load(cls, path: Path) -> "_Archive":
        try:
            saved = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return cls([], set())
        except ValueError as error:
            raise ValueError(f"{path} was not written by a news collector: {error}") from error
        return cls([FeedEntry(*fields) for fields in saved["kept"]], set(saved["seen"]))

    def save(self, path: Path) -> None:
        text = json.dumps({"kept": self.kept, "seen": sorted(self.seen)}, ensure_ascii=False, indent=1)
        write_atomically(path, text + "\n")

    def fresh(self, entries: Iterable[FeedEntry]) -> list[FeedEntry]:
        """Return the entries that are new; the latest first if all of them have a date."""
        known = self.seen | {entry.identity for entry in self.kept}
        fresh = [entry for entry in entries if entry.identity not in known]
        if all(entry.published is not None for entry in fresh):
            fresh.sort(key=lambda entry: -(entry.published or 0))
        return fresh


def _is_on_the_web(feed: str) -> bool:
    return urlsplit(feed.strip()).scheme.lower() in {"http", "https"} and "://" in feed


def _bounded(data: bytes, feed: str) -> bytes:
    if len(data) > LARGEST_FEED:
        raise ValueError(f"{feed} is larger than {LARGEST_FEED // 1_000_000} MB")
    return data


def _as_html(entries: Iterable[FeedEntry]) -> str:
    items = []
    for entry in entries:
        title = escape(entry.title or entry.link or entry.identity)
        linked = f'<a href="{escape(entry.link)}">{title}</a>' if entry.link else title
        items.append(f"<li>{linked}{_date(entry.published)}</li>")
    return "\n".join(["<ul>", *items, "</ul>"])


def _date(published: float | None) -> str:
    if published is None:
        return ""
    try:
        return strftime(" <small>%Y-%m-%d %H:%M</small>", localtime(published))
    except (ValueError, OverflowError, OSError):  # a year beyond the system's calendar
        return ""
