"""Live, read-only mappings of names to handles."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from taskkit.handler import TaskHandler
    from taskkit.snapshot import TaskState


class HandleView(Mapping[str, "TaskHandler"]):
    """The handles in one state as they are at the moment of each question.

    Iterating goes over the handles that there were when it began, so it is safe while things change.

    Args:
        find: The handles that may be meant by a name.
        every: All handles, copied.
        state: Which of them to show.
    """

    __slots__ = ("_every", "_find", "_state")

    def __init__(
        self,
        find: Callable[[str], tuple[TaskHandler | None, ...]],
        every: Callable[[], list[TaskHandler]],
        state: TaskState,
    ) -> None:
        self._find = find
        self._every = every
        self._state = state

    def __getitem__(self, name: str) -> TaskHandler:
        for handle in self._find(name):
            if handle is not None and handle.state is self._state:
                return handle
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter([handle.name for handle in self._every() if handle.state is self._state])

    def __len__(self) -> int:
        return sum(handle.state is self._state for handle in self._every())

    def __repr__(self) -> str:
        return f"<{self._state} handles: {list(self)}>"
