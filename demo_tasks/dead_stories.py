"""One task can demand another: this one looks for what has changed, and leaves the work to “story page”."""

from demo_tasks.stories import Stories
from taskkit import Scheduler, Task


class DeadStories(Task):
    """Marks the stories that nobody talks about as dead, and demands their pages.

    A story that still moves is shown from the database; a dead one does not change any more, so a static
    page will do. A comment brings it back.
    """

    def __init__(
        self, stories: Stories, scheduler: Scheduler, then: str = "story page", patience: float = 90
    ) -> None:
        """Say where the stories are and what to demand.

        Args:
            stories: Where the stories are.
            scheduler: Whom to ask.
            then: The name of the task to demand when stories died or came back.
            patience: How many seconds of silence make a story dead.
        """
        self.stories = stories
        self.scheduler = scheduler
        self.then = then
        self.patience = patience

    def run(self) -> None:
        """Look at all stories once."""
        died, revived = self.stories.judge(self.patience)
        for story in died:
            print(f"dead: “{story.title}”")
        for story in revived:
            print(f"back to life: “{story.title}”")
        if died or revived:
            self.scheduler.demand_task(self.then)
