"""Live, read-only mappings of names to old handles."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, Mapping, ValuesView
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from taskkit.handler import TaskHandler as ModernHandler
    from taskkit.webware.handler import TaskHandler


class HandlerView(Mapping[Any, "TaskHandler"]):
    """The handles in one state, as they are at the moment of each question. Safe while things change.

    Args:
        handles: The modern view of the same.
        handler_of: From a modern handle to the old one.
        text_of: From an old name to the modern one.
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
        """The names and handles that there are now."""
        return self.copy().items()

    def values(self) -> ValuesView[TaskHandler]:
        """The handles that there are now."""
        return self.copy().values()

    def copy(self) -> dict[Any, TaskHandler]:
        """As a dictionary of its own."""
        found = [self._handles.get(text) for text in list(self._handles)]
        handlers = [self._handler_of(handle) for handle in found if handle is not None]
        return {handler.name(): handler for handler in handlers}

    def __repr__(self) -> str:
        return repr(self.copy())
