"""Live, read-only mappings of names to old handles."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, Mapping, ValuesView
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from taskkit.handler import TaskHandler as ModernHandler
    from taskkit.webware.handler import TaskHandler


class HandlerView(Mapping[Any, "TaskHandler"]):
    """A live view of the handles in one state, by name. Iterating is safe while tasks change.

    Args:
        handles: The modern view of the same state.
        handler_of: Returns the old handle of a modern one.
        text_of: Returns the modern name of an old one.
    """

    def __init__(
        self,
        handles: Mapping[str, ModernHandler],
        handler_of: Callable[[ModernHandler], TaskHandler],
        text_of: Callable[[object], str],
    ) -> None:
        self._handles = handles
        self._handler_of = handler_of
        self._text_of = text_of

    def __getitem__(self, name: Any) -> TaskHandler:
        handle = self._handles.get(self._text_of(name))
        if handle is None:
            raise KeyError(name)
        return self._handler_of(handle)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.copy())

    def __len__(self) -> int:
        return len(self._handles)

    def items(self) -> ItemsView[Any, TaskHandler]:
        """Return the names and handles of this moment."""
        return self.copy().items()

    def values(self) -> ValuesView[TaskHandler]:
        """Return the handles of this moment."""
        return self.copy().values()

    def copy(self) -> dict[Any, TaskHandler]:
        """Return the names and handles of this moment as a dictionary."""
        found = [self._handles.get(text) for text in list(self._handles)]
        handlers = [self._handler_of(handle) for handle in found if handle is not None]
        return {handler.name(): handler for handler in handlers}

    def __repr__(self) -> str:
        return repr(self.copy())
