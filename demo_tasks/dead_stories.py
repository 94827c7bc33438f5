"""One task can demand another: this one finds dead stories, and leaves their pages to “story page”."""

from demo_tasks.stories import Stories
from taskkit import Scheduler, Task


class DeadStories(Task):
    """Marks stories without new comments as dead, and demands their pages.

    An active story is shown from the database. A dead one does not change any more, so a static page is
    enough. A new comment brings it back to life.
    """

    def __init__(
        self, stories: Stories, scheduler: Scheduler, then: str = "story page", silent_seconds: float = 90
    ) -> None:
        """Take the stories, and the task to demand.

        Args:
            stories: The database of stories.
            scheduler: The scheduler that has the task to demand.
            then: The name of the task to demand after stories have died or come back.
            silent_seconds: The seconds without a comment after which a story is dead.
        """
        self.stories = stories
        self.scheduler = scheduler
        self.then = then
        self.silent_seconds = silent_seconds

    def run(self) -> None:
        """Check all stories once."""
        died, revived = self.stories.mark_dead(self.silent_seconds)
        for story in died:
            print(f"dead: “{story.title}”")
        for story in revived:
            print(f"back to life: “{story.title}”")
        if died or revived:
            self.scheduler.demand_task(self.then)
