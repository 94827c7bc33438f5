"""A task that is disabled from the start: it stays in sight, and one key enables it."""

import csv
from datetime import datetime
from pathlib import Path

from demo_tasks.stories import Stories
from taskkit import Task


class OldImport(Task):
    """Takes over the stories of an old site."""

    def __init__(self, archive: Path, stories: Stories) -> None:
        """The CSV file with the columns `told` (as in 2001-05-14) and `title`, and where its stories go."""
        self.archive = archive
        self.stories = stories

    def run(self) -> None:
        """Add the stories that are not known yet."""
        new = 0
        with self.archive.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                if not self.proceed():
                    break
                new += self.stories.tell([row["title"]], datetime.fromisoformat(row["told"]).timestamp())
        print(f"new stories in {self.archive.name}: {new}")
