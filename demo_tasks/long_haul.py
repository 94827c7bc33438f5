"""How a long task stays friendly: it says how far it is, and asks between two steps whether to go on."""

from taskkit import Task


class LongHaul(Task):
    """Works through its blocks, one after the other, and can be stopped between any two."""

    def __init__(self, blocks: int = 24, seconds: float = 1.0) -> None:
        """How many blocks there are, and how many seconds each takes."""
        self.blocks = blocks
        self.seconds = seconds

    def run(self) -> None:
        """Haul, block by block. `sleep()` is false as soon as somebody asks the run to stop."""
        for block in range(1, self.blocks + 1):
            self.progress(block - 1, self.blocks, f"block {block}")
            if not self.sleep(self.seconds):
                print(f"asked to stop: left off at block {block} of {self.blocks}")
                return
        self.progress(self.blocks, self.blocks)
        print(f"hauled {self.blocks} blocks")
