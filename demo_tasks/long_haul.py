"""A long task that reports its progress, and stops between two steps when it is asked to."""

from taskkit import Task


class LongHaul(Task):
    """Works through its blocks, one after the other, and can be stopped between any two."""

    def __init__(self, blocks: int = 24, seconds: float = 1.0) -> None:
        """Take the number of blocks, and the seconds that each block takes."""
        self.blocks = blocks
        self.seconds = seconds

    def run(self) -> None:
        """Haul the blocks one by one. `sleep()` returns false as soon as the run is asked to stop."""
        for block in range(1, self.blocks + 1):
            self.progress(block - 1, self.blocks, f"block {block}")
            if not self.sleep(self.seconds):
                print(f"asked to stop: left off at block {block} of {self.blocks}")
                return
        self.progress(self.blocks, self.blocks)
        print(f"hauled {self.blocks} blocks")
