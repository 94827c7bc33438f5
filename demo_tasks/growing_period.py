"""A task may change its own schedule: this one waits longer after each run, and starts over at a ceiling."""

from taskkit import Task


class GrowingPeriod(Task):
    """Lengthens its own period."""

    def __init__(self, shortest: float = 4, longest: float = 20, step: float = 2) -> None:
        """All three in seconds."""
        self.shortest = shortest
        self.longest = longest
        self.step = step

    def run(self) -> None:
        """Tell the period, and set the next one."""
        period = self.handle.period
        if period is None:
            print("no period to lengthen: this handle is not periodic")
            return
        longer = period + self.step
        if longer > self.longest:
            longer = self.shortest
        self.handle.set_period(longer)
        print(f"period was {period:g} s, is now {longer:g} s")
