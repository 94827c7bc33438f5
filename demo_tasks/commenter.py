"""Tasks that work together without knowing each other: this one writes comments, others read them."""

from itertools import cycle

from demo_tasks.stories import Stories
from taskkit import Task


class Commenter(Task):
    """Comments on the story that has waited longest for a comment. So dead stories come back to life."""

    def __init__(self, stories: Stories) -> None:
        """Take the database of stories."""
        self.stories = stories
        self.texts = cycle(["I remember this.", "Is there more?", "Well told.", "I was there, it is true."])

    def run(self) -> None:
        """Write one comment."""
        for story in self.stories.all()[:1]:
            self.stories.comment(story.id, next(self.texts))
            print(f"a word for “{story.title}”")
