"""A task for one run: it is registered on demand with `keep=False`, so it is gone after its run."""

from time import localtime, strftime

from taskkit import Task, current_run


class SimpleTask(Task):
    """Prints its name and the time."""

    def run(self) -> None:
        """Print both, unless the run was asked to stop already."""
        if self.proceed():
            print(self.name, strftime("%Y-%m-%d %H:%M:%S", localtime(current_run().started)))
