"""A task for one occasion: registered on demand with `keep=False`, it is gone once it has run."""

from time import localtime, strftime

from taskkit import Task, current_run


class SimpleTask(Task):
    """Prints its name and the time."""

    def run(self) -> None:
        """Say both, unless it was asked to stop before it came to it."""
        if self.proceed():
            print(self.name, strftime("%Y-%m-%d %H:%M:%S", localtime(current_run().started)))
