"""Reading what strangers wrote: a news feed, RSS or Atom, of bounded size and without tricks.

A document type declaration can hide a few lines that unfold into gigabytes, or name files to be read. No
feed needs one, so a feed that has one is refused.
"""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, NamedTuple
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers.expat import ExpatError, ParserCreate

OURS: Final = ("", "http://www.w3.org/2005/Atom", "http://purl.org/rss/1.0/")
"""The namespaces that are read: none, as in RSS 2.0, Atom's, and that of RSS 1.0. What extensions add under
the same names, as a picture's title, is not the entry's."""

PIECE: Final = 64 * 1024
"""Bytes that are parsed at a time; what is wrong in one keeps the following from being looked at."""


class Entry(NamedTuple):
    """One piece of news."""

    identity: str
    """What the feed tells it apart by."""
    title: str
    link: str
    """A web address, or nothing."""
    published: float | None
    """Epoch seconds, if the feed tells them."""


def read_feed(data: bytes) -> list[Entry]:
    """The entries of an RSS or Atom feed, in its order, each once.

    Raises:
        ValueError: It is no such feed, or has a document type declaration.
    """
    root = _parse(data)
    if root.tag not in {"rss", "feed", "RDF", "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}RDF"}:
        raise ValueError(f"neither RSS nor Atom: its root element is {root.tag[:60]!r}")
    entries: dict[str, Entry] = {}
    for element in root.iter():
        if element.tag in {"item", "entry"} and (entry := _entry(element)).identity:
            entries.setdefault(entry.identity, entry)
    return list(entries.values())


def _parse(data: bytes) -> Element:
    builder = TreeBuilder()
    parser = ParserCreate(namespace_separator="}")
    parser.buffer_text = True

    def start(tag: str, attributes: dict[str, str]) -> None:
        builder.start(_named(tag), attributes)

    def end(tag: str) -> None:
        builder.end(_named(tag))

    def refuse(*_declaration: object) -> None:
        raise ValueError("it has a document type declaration, which no feed needs")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = refuse
    try:
        for begin in range(0, len(data), PIECE):
            parser.Parse(data[begin : begin + PIECE], False)
        parser.Parse(b"", True)
    except (ExpatError, LookupError) as error:
        raise ValueError(f"not well-formed: {error}") from error
    return builder.close()


def _named(tag: str) -> str:
    """The bare name in the namespaces of feeds; with its namespace in any other."""
    space, _, name = tag.rpartition("}")
    return name if space in OURS else f"{{{space}}}{name}"


def _entry(element: Element) -> Entry:
    title = _text(element, "title")
    link = next((found for found in _links(element) if _is_web_address(found)), "")
    published = _seconds(
        _text(element, "pubDate") or _text(element, "published") or _text(element, "updated")
    )
    return Entry(_text(element, "guid") or _text(element, "id") or link or title, title, link, published)


def _text(element: Element, tag: str) -> str:
    """The text of a child, markup and line ends taken out; empty without such a child."""
    child = element.find(tag)
    return "" if child is None else " ".join("".join(child.itertext()).split())


def _links(element: Element) -> list[str]:
    """Where an entry leads to: RSS writes it as text, Atom as an attribute."""
    links = element.findall("link")
    alternate = [link for link in links if link.get("rel", "alternate") == "alternate"]
    return [(link.get("href") or link.text or "").strip() for link in alternate]


def _is_web_address(link: str) -> bool:
    """Whether a reader may be sent there; a `javascript:` link would run on the page."""
    try:
        address = urlsplit(link)
    except ValueError:
        return False
    return address.scheme in {"http", "https"} and bool(address.netloc)


def _seconds(written: str) -> float | None:
    """Epoch seconds, of a date as RSS or as Atom writes it; without a zone it is taken for UTC."""
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            date = read(written)
            return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            continue
    return None
