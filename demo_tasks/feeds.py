"""Reading untrusted input: a news feed, RSS or Atom, without the dangerous parts of XML.

A document type declaration can define a few lines that expand to gigabytes, or name local files to include.
No feed needs one, so a feed that has one is refused.
"""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, NamedTuple
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers.expat import ExpatError, ParserCreate

OURS: Final = ("", "http://www.w3.org/2005/Atom", "http://purl.org/rss/1.0/")
"""The namespaces that are read: none, as in RSS 2.0, that of Atom, and that of RSS 1.0. Extensions use the
same names in other namespaces, for the title of a picture for example."""

PIECE: Final = 64 * 1024
"""The bytes that are parsed at a time. After an error in one piece the next is not parsed."""


class FeedEntry(NamedTuple):
    """One piece of news."""

    identity: str
    """The id by which the feed knows it."""
    title: str
    link: str
    """A web address, or an empty text."""
    published: float | None
    """Epoch seconds; `None` if the feed has no date."""


def read_feed(data: bytes) -> list[FeedEntry]:
    """Return the entries of an RSS or Atom feed in its order, each once.

    Raises:
        ValueError: The data is no such feed, or has a document type declaration.
    """
    root = _parse(data)
    if root.tag not in {"rss", "feed", "RDF", "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}RDF"}:
        raise ValueError(f"neither RSS nor Atom: its root element is {root.tag[:60]!r}")
    entries: dict[str, FeedEntry] = {}
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
    """Return the bare name of a tag in `OURS`, and the name with its namespace of any other tag."""
    space, _, name = tag.rpartition("}")
    return name if space in OURS else f"{{{space}}}{name}"


def _entry(element: Element) -> FeedEntry:
    title = _text(element, "title")
    link = next((found for found in _links(element) if _is_web_address(found)), "")
    published = _seconds(
        _text(element, "pubDate") or _text(element, "published") or _text(element, "updated")
    )
    return FeedEntry(_text(element, "guid") or _text(element, "id") or link or title, title, link, published)


def _text(element: Element, tag: str) -> str:
    """Return the text of a child without markup and line ends; empty if there is no such child."""
    child = element.find(tag)
    return "" if child is None else " ".join("".join(child.itertext()).split())


def _links(element: Element) -> list[str]:
    """Return the links of an entry: RSS writes them as text, Atom as an attribute."""
    links = element.findall("link")
    alternate = [link for link in links if link.get("rel", "alternate") == "alternate"]
    return [(link.get("href") or link.text or "").strip() for link in alternate]


def _is_web_address(link: str) -> bool:
    """True for a web address. A `javascript:` link would run code on the page."""
    try:
        address = urlsplit(link)
    except ValueError:
        return False
    return address.scheme in {"http", "https"} and bool(address.netloc)


def _seconds(written: str) -> float | None:
    """Return a date of RSS or Atom in epoch seconds. A date without a zone is in UTC."""
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            date = read(written)
            return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            continue
    return None
