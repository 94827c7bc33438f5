"""A task that fails: its traceback is kept, the others are not affected, and `retries=` tries it again."""

from typing import Final
from xml.etree import ElementTree

from taskkit import Task

FEED: Final = "<feed><entry>Webware 3 is out</entry><entry>Tasks, then and now</entry></feed>"


class Flaky(Task):
    """Reads a feed that arrives cut short every third time."""

    def __init__(self) -> None:
        """Start with a feed that was not read yet."""
        self.reads = 0

    def run(self) -> None:
        """Read the feed.

        Raises:
            ConnectionError: The feed was cut short.
        """
        for title in self.titles():
            print(title)

    def titles(self) -> list[str]:
        """Return the titles of the feed's entries."""
        text = self.fetch()
        try:
            feed = ElementTree.fromstring(text)
        except ElementTree.ParseError as error:
            raise ConnectionError("feed is down") from error
        return [entry.text or "" for entry in feed.iter("entry")]

    def fetch(self) -> str:
        """Return the whole feed, or every third time only its first half."""
        self.reads += 1
        return FEED if self.reads % 3 else FEED[: len(FEED) // 2]
