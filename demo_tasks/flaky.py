"""A task that fails: the traceback is kept, the scheduler goes on, and `retries=` tries again."""

from typing import Final
from xml.etree import ElementTree

from taskkit import Task

FEED: Final = "<feed><entry>Webware 3 is out</entry><entry>Tasks, then and now</entry></feed>"


class Flaky(Task):
    """Reads a feed that arrives cut short every third time."""

    def __init__(self) -> None:
        """A feed that has not been read yet."""
        self.reads = 0

    def run(self) -> None:
        """Read the feed.

        Raises:
            ConnectionError: It came only in part.
        """
        for title in self.titles():
            print(title)

    def titles(self) -> list[str]:
        """The titles of the feed's entries."""
        text = self.fetch()
        try:
            feed = ElementTree.fromstring(text)
        except ElementTree.ParseError as error:
            raise ConnectionError("feed is down") from error
        return [entry.text or "" for entry in feed.iter("entry")]

    def fetch(self) -> str:
        """What came over the wire: all of it, or every third time the first half."""
        self.reads += 1
        return FEED if self.reads % 3 else FEED[: len(FEED) // 2]
