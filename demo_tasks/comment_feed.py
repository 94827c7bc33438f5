"""Safe XML: the feed is built from elements, not from strings, so no title can break it."""

from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from demo_tasks.stories import Stories
from demo_tasks.writing import write_atomically

NEWEST: Final = 10
"""The number of comments in the feed. A reader that wants more has to collect them."""


def write_comment_feed(stories: Stories, feed: Path) -> str:
    """Write the latest comments as an RSS 2.0 feed.

    Returns:
        A short text, which becomes the result of the run.
    """
    rss = Element("rss", version="2.0")
    channel = SubElement(rss, "channel")
    for tag, text in (
        ("title", "Comments on the stories"),
        ("link", "https://stories.example/"),
        ("description", "What people have to say."),
    ):
        SubElement(channel, tag).text = text
    comments = stories.comments(NEWEST)
    for comment in comments:
        item = SubElement(channel, "item")
        for tag, text in (
            ("title", f"“{comment.text}” on “{comment.title}”"),
            ("link", f"https://stories.example/{comment.story}#{comment.number}"),
            ("guid", f"https://stories.example/{comment.story}#{comment.number}"),
            ("pubDate", format_datetime(datetime.fromtimestamp(comment.posted, UTC))),
        ):
            SubElement(item, tag).text = text
    indent(rss)
    write_atomically(feed, f'<?xml version="1.0" encoding="utf-8"?>\n{tostring(rss, encoding="unicode")}\n')
    return f"comments: {len(comments)}"
