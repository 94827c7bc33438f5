"""Threads that the system gives, and that never begin, as they lack the memory for their first call."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def threads_never_begin() -> Iterator[None]:
    """Let no thread begin within this block."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("taskkit.bounded_start.START_SECONDS", 0.01)
        patch.setattr("threading._start_new_thread", lambda *_: 1)
        patch.setattr("threading._start_joinable_thread", lambda *_, **__: None, raising=False)
        yield
