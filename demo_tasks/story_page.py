"""An on-demand task: it has no due times, and runs when a person or another task demands it."""

from pathlib import Path

from demo_tasks.pages import write_page
from demo_tasks.stories import Stories
from taskkit import Task


class StoryPage(Task):
    """Writes a static page for every dead story, and removes the pages of stories that came back."""

    def __init__(self, stories: Stories, site: Path) -> None:
        """Take the database of stories, and the folder of the pages."""
        self.stories = stories
        self.site = site

    def run(self) -> None:
        """Bring the pages up to date."""
        for story in self.stories.all():
            if not self.proceed():
                return
            page = self.site / f"story-{story.id}.html"
            if story.dead and not page.exists():
                write_page(page, story.title, f"<p>Comments: {story.comments}</p>")
                print(f"wrote {page.name}")
            elif not story.dead and page.exists():
                page.unlink()
                print(f"removed {page.name}")
