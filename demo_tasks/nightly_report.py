"""A daily task: it only does the work. The time of day is in its schedule, in `program`."""

from pathlib import Path

from demo_tasks.stories import Stories
from demo_tasks.writing import write_atomically
from taskkit import Task


class NightlyReport(Task):
    """Writes a report about the stories and the visitors."""

    def __init__(self, stories: Stories, sessions: Path, report: Path) -> None:
        """Take the database of stories, the folder of sessions, and the file to write."""
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
