"""Live, read-only mappings of names to handles."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, Mapping, ValuesView
from typing import TYPE_CHECKING

from taskkit.snapshot import TaskState

if TYPE_CHECKING:
    from taskkit.engine.core import Core
    from taskkit.engine.entry import Entry
    from taskkit.handler import TaskHandler


class HandleView(Mapping[str, "TaskHandler"]):
    """The handles in one state as they are at the moment of each question.

    Iterating goes over the handles that there were when it began, so it is safe while things change.
    """

    __slots__ = ("_core", "_state")

    def __init__(self, core: Core, state: TaskState) -> None:
        self._core = core
        self._state = state

    def __getitem__(self, name: str) -> TaskHandler:
        ledger = self._core.ledger
        with self._core.lock:
            for entry in (ledger.entries.get(name), ledger.running.get(name)):
                if entry is not None and entry.state is self._state and entry.handle is not None:
                    return entry.handle
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter([entry.name for entry in self._entries()])

    def __len__(self) -> int:
        return len(self._entries())

    def items(self) -> ItemsView[str, TaskHandler]:
        """The names and handles that there are now; they do not change any more."""
        return self._handles().items()

    def values(self) -> ValuesView[TaskHandler]:
        """The handles that there are now; they do not change any more."""
        return self._handles().values()

    def _handles(self) -> dict[str, TaskHandler]:
        return {entry.name: entry.handle for entry in self._entries() if entry.handle is not None}

    def _entries(self) -> list[Entry]:
        with self._core.lock:
            if self._state is TaskState.RUNNING:
                return list(self._core.ledger.running.values())
            return [entry for entry in self._core.ledger.entries.values() if entry.state is self._state]

    def __repr__(self) -> str:
        return f"<{self._state} handles: {list(self)}>"
