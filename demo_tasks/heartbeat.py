"""The smallest task: subclass `Task` and override `run()`. What it prints is shown under its name."""

from time import localtime, strftime

from taskkit import Task, current_run


class Heartbeat(Task):
    """Prints its name and the time."""

    def run(self) -> None:
        """Say that the scheduler is alive."""
        print(f"{self.name}: it is", strftime("%H:%M:%S", localtime(current_run().started)))
