"""One class, many tasks: each instance is a task, with the arguments of its constructor."""

from pathlib import Path
from time import localtime, strftime

from demo_tasks.pages import write_page
from taskkit import Task, current_run


class PageGenerator(Task):
    """Writes one static page, with the time at which it was written."""

    def __init__(self, filename: str, folder: Path = Path()) -> None:
        """Take the file name of the page, and its folder; the current folder by default."""
        self.path = folder / filename

    def run(self) -> None:
        """Write the page."""
        now = strftime("%Y-%m-%d %H:%M:%S", localtime(current_run().started))
        write_page(self.path, self.path.stem, f"<p>Written at {now} by {self.name}.</p>")
        print(f"wrote {self.path.name}")
