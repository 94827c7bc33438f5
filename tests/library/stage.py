"""An old program, run as it is, on a manual clock: its `time`, `sleep` and `localtime` are that clock's.

The program is on the main thread and its tasks are on threads of their own, as ever. While the main thread
sleeps, the clock goes on by small steps, and after each step every task is left to do what it does until it
has ended or sleeps in its turn. So what is printed is the same each time, and a minute takes no time.
"""

from __future__ import annotations

import builtins
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any, Final

import pytest
from patience import eventually

from taskkit import webware
from taskkit.run import current
from taskkit.testing import ManualClock

STEP: Final = 0.25
"""Seconds of the clock."""


class Stage:
    """Where one program runs.

    Args:
        clock: Its time.
        modules: Modules that only this program can import, by name: their source.
    """

    def __init__(self, clock: ManualClock, modules: Mapping[str, str] | None = None) -> None:
        self.clock = clock
        self.schedulers: list[webware.Scheduler] = []
        self._sources = dict(modules or {})
        self._modules: dict[str, ModuleType] = {"time": self._time_module()}

    def run(self, source: str, name: str = "__main__") -> ModuleType:
        """Run a program from its source. Whatever it started and left is stopped by `staged`."""
        module = ModuleType(name)
        vars(module)["__builtins__"] = {**vars(builtins), "__import__": self._import}
        exec(compile(source, f"<{name}>", "exec"), vars(module))
        return module

    def sleep(self, seconds: float) -> None:
        """What the program has for `time.sleep`."""
        run = current.get()
        if run is not None:
            self.clock.gate().wait(seconds)
            return
        end = self.clock.monotonic() + seconds
        self.settle()
        while (left := end - self.clock.monotonic()) > 0:
            self.clock.advance(min(STEP, left))
            self.settle()

    def settle(self) -> None:
        """Wait until every run has ended or sleeps."""
        eventually(lambda: self.clock.sleeping == sum(len(each.runningTasks()) for each in self.schedulers))

    def _import(self, name: str, *details: Any) -> ModuleType:
        if name in self._sources and name not in self._modules:
            self._modules[name] = self.run(self._sources[name], name)
        found = self._modules.get(name)
        return builtins.__import__(name, *details) if found is None else found

    def _time_module(self) -> ModuleType:
        module = ModuleType("time")
        vars(module).update(vars(time))
        module.time = self.clock.time
        module.sleep = self.sleep
        module.localtime = lambda instant=None: time.localtime(
            self.clock.time() if instant is None else instant
        )
        module.asctime = lambda shown=None: time.asctime(module.localtime() if shown is None else shown)
        return module


@contextmanager
def staged(
    clock: ManualClock, monkeypatch: pytest.MonkeyPatch, modules: Mapping[str, str] | None = None
) -> Iterator[Stage]:
    """A stage on which `TaskKit` is ours, with schedulers that live by the clock."""
    stage = Stage(clock, modules)
    usual = webware.Scheduler

    class Staged(usual):  # type: ignore[misc, valid-type]
        def __init__(self, *arguments: Any, **keywords: Any) -> None:
            super().__init__(*arguments, clock=clock, capture=False, **keywords)
            stage.schedulers.append(self)

    webware.install()
    monkeypatch.setattr(sys.modules["TaskKit.Scheduler"], "Scheduler", Staged)
    try:
        yield stage
    finally:
        for scheduler in stage.schedulers:
            scheduler.stop()
        webware.uninstall()
