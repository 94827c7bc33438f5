"""A task that changes its own schedule: it waits longer after each run, and starts over at a limit."""

from taskkit import Task


class GrowingPeriod(Task):
    """Lengthens its own period."""

    def __init__(self, shortest: float = 4, longest: float = 20, step: float = 2) -> None:
        """Take the shortest period, the longest one, and the step between two, in seconds."""
        self.shortest = shortest
        self.longest = longest
        self.step = step

    def run(self) -> None:
        """Print the period, and set the next one."""
        period = self.handle.period
        if period is None:
            print("no period to lengthen: this handle is not periodic")
            return
        longer = period + self.step
        if longer > self.longest:
            longer = self.shortest
        self.handle.set_period(longer)
        print(f"period was {period:g} s, is now {longer:g} s")
