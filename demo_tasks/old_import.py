"""A task that is disabled from the start: it is shown, and one key enables it."""

import csv
from datetime import datetime
from pathlib import Path

from demo_tasks.stories import Stories
from taskkit import Task


class OldImport(Task):
    """Imports the stories of an old site."""

    def __init__(self, archive: Path, stories: Stories) -> None:
        """Take a CSV file with the columns `published` (as in 2001-05-14) and `title`, and the database."""
        self.archive = archive
        self.stories = stories

    def run(self) -> None:
        """Add the stories that are not in the database yet."""
        new = 0
        with self.archive.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                if not self.proceed():
                    break
                new += self.stories.add([row["title"]], datetime.fromisoformat(row["published"]).timestamp())
        print(f"new stories in {self.archive.name}: {new}")
