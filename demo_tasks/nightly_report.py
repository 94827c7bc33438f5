"""A daily task: it says what to do, and knows nothing of the hour; that is its schedule's affair."""

from pathlib import Path

from demo_tasks.stories import Stories
from demo_tasks.writing import write_atomically
from taskkit import Task


class NightlyReport(Task):
    """Writes down how the stories and the visitors are."""

    def __init__(self, stories: Stories, sessions: Path, report: Path) -> None:
        """Where the stories and the sessions are, and the file to write."""
        self.stories = stories
        self.sessions = sessions
        self.report = report

    def run(self) -> None:
        """Count, and write the report."""
        stories = self.stories.all()
        lines = [
            f"stories: {len(stories)}, dead: {sum(story.dead for story in stories)}",
            f"comments: {sum(story.comments for story in stories)}",
            f"open sessions: {len(list(self.sessions.glob('*.json')))}",
        ]
        write_atomically(self.report, "\n".join(lines) + "\n")
        print(*lines, sep="\n")
