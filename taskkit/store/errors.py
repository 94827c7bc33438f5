"""What is raised when a store cannot be had."""

from __future__ import annotations

from taskkit.errors import TaskkitError


class StoreError(TaskkitError):
    """A store cannot be opened, read or attached; the message names the file and the reason."""


class StoreInUseError(StoreError):
    """A process has the store open: until it ends, others can only look into it."""
