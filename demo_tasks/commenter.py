"""A task that gives the others something to do: tasks need not know each other to work together."""

from itertools import cycle

from demo_tasks.stories import Stories
from taskkit import Task


class Commenter(Task):
    """Has a word for the story that waited longest for one, so that the dead come back."""

    def __init__(self, stories: Stories) -> None:
        """Where the stories are."""
        self.stories = stories
        self.words = cycle(["I remember this.", "Is there more?", "Well told.", "I was there, it is true."])

    def run(self) -> None:
        """Leave one comment."""
        for story in self.stories.all()[:1]:
            self.stories.comment(story.id, next(self.words))
            print(f"a word for “{story.title}”")
