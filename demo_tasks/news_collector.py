"""A task with a memory outlives its program: what it has collected stands in a file, not in the object."""

import json
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from time import localtime, strftime
from typing import ClassVar, Final, NamedTuple
from urllib.parse import urlsplit

from demo_tasks.feeds import Entry, read_feed
from demo_tasks.pages import write_page
from demo_tasks.writing import write_atomically
from taskkit import Task

LARGEST_FEED: Final = 4_000_000
"""Bytes."""
TIMEOUT: Final = 10.0
"""Seconds without a word from the server."""
USER_AGENT: Final = "taskkit-demo (news collector)"


class NewsCollector(Task):
    """Keeps a page of the newest entries of a news feed, longer than the feed itself keeps them.

    Each page belongs to one collector; beside it stands a JSON file, from which the next run goes on.
    """

    run_parameters: ClassVar[Mapping[str, object] | None] = {}

    def __init__(self, feed: str, keep: int = 20, folder: Path = Path(), page: str = "news.html") -> None:
        """Say what to read, and what to write.

        Args:
            feed: An RSS or Atom feed: a web address, or the path of a file.
            keep: How many entries the page holds.
            folder: The folder of the page.
            page: The name of the page.

        Raises:
            TypeError: `keep` is not a whole number.
            ValueError: There is no feed, it is an address that cannot be read, `keep` is less than 1, or the
                page is not the name of an HTML file.
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
        """Read the feed, and write the page anew if there is something new in it.

        Raises:
            OSError: The feed cannot be read; that it took too long included.
            ValueError: It is no feed, or too large.
        """
        data = self._fetch() if _is_on_the_web(self.feed) else self._read()
        if data is None:
            return  # asked to stop
        try:
            entries = read_feed(data)
        except ValueError as error:
            raise ValueError(f"{self.feed} is no feed: {error}") from error
        shelf = _Shelf.load(self._shelf)
        fresh = shelf.fresh(entries)
        for entry in fresh:
            print(entry.title)
        if fresh or not (self.folder / self.page).exists():
            shelf = _Shelf([*fresh, *shelf.kept][: self.keep], {entry.identity for entry in entries})
            write_page(self.folder / self.page, "News", _as_html(shelf.kept))
            shelf.save(self._shelf)
        print(f"new: {len(fresh)} of {len(entries)}")

    @property
    def _shelf(self) -> Path:
        return (self.folder / self.page).with_suffix(".json")

    def _read(self) -> bytes:
        with Path(self.feed).open("rb") as file:
            return _bounded(file.read(LARGEST_FEED + 1), self.feed)

    def _fetch(self) -> bytes | None:
        """What the server answers; `None` if this run is asked to stop meanwhile."""
        from http.client import HTTPException
        from urllib.request import Request, urlopen  # half of what this module would cost to import

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


class _Shelf(NamedTuple):
    """What was collected so far."""

    kept: list[Entry]
    seen: set[str]
    """What the feed held the last time. It may have been more than is kept, and is not new for that."""

    @classmethod
    def load(cls, path: Path) -> "_Shelf":
        try:
            saved = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return cls([], set())
        except ValueError as error:
            raise ValueError(f"{path} was not written by a news collector: {error}") from error
        return cls([Entry(*fields) for fields in saved["kept"]], set(saved["seen"]))

    def save(self, path: Path) -> None:
        text = json.dumps({"kept": self.kept, "seen": sorted(self.seen)}, ensure_ascii=False, indent=1)
        write_atomically(path, text + "\n")

    def fresh(self, entries: Iterable[Entry]) -> list[Entry]:
        """Those that were never here; the latest first, if the feed tells of each when it was."""
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


def _as_html(entries: Iterable[Entry]) -> str:
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
    except (ValueError, OverflowError, OSError):  # a year that the system's calendar does not reach
        return ""
