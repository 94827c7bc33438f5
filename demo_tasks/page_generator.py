"""One class, many tasks: what the constructor takes makes each instance a task of its own."""

from pathlib import Path
from time import localtime, strftime

from demo_tasks.pages import write_page
from taskkit import Task, current_run


class PageGenerator(Task):
    """Writes one static page, which tells when it was written."""

    def __init__(self, filename: str, folder: Path = Path()) -> None:
        """The name of the page, and the folder that it belongs in: the current one unless told."""
        self.path = folder / filename

    def run(self) -> None:
        """Write the page anew."""
        now = strftime("%Y-%m-%d %H:%M:%S", localtime(current_run().started))
        write_page(self.path, self.path.stem, f"<p>Written at {now} by {self.name}.</p>")
        print(f"wrote {self.path.name}")
