"""The result of reading a task file again: the tasks that are new, changed, removed, or unchanged."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

from taskkit.spec import TaskSpec, spec_to_json
from taskkit.taskfile.problems import Problem
from taskkit.words.plain_text import harmless


@dataclass(frozen=True, slots=True)
class Reload:
    """The result of a reload. Names are in the order of the file."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    """The tasks that were not touched."""
    passed: tuple[str, ...] = ()
    """The tasks of `added` and `changed` that are not registered, because their one time has passed."""
    problems: tuple[Problem, ...] = ()
    """The reasons why nothing was changed at all; empty after a success."""

    @property
    def changes_anything(self) -> bool:
        """True if the reload has changed something."""
        return bool(self.added or self.changed or self.removed)

    def __str__(self) -> str:
        if self.problems:
            more = "" if len(self.problems) == 1 else f" (and {len(self.problems) - 1} more)"
            return f"nothing is changed: {self.problems[0]}{more}"
        parts = [
            f"{word} {', '.join(names)}"
            for word in ("added", "changed", "removed")
            if (names := getattr(self, word))
        ]
        parts += [f"the time has passed for {', '.join(self.passed)}"] if self.passed else []
        return harmless("; ".join(parts) or "nothing has changed")


@dataclass(frozen=True, slots=True)
class Difference:
    """The difference between the tasks of a file and those that were loaded."""

    added: tuple[TaskSpec, ...]
    changed: tuple[TaskSpec, ...]
    switched: tuple[TaskSpec, ...]
    """The tasks of which only `enabled` is different."""
    removed: tuple[str, ...]
    unchanged: tuple[str, ...]

    @classmethod
    def between(cls, before: Mapping[str, TaskSpec], after: Mapping[str, TaskSpec]) -> Self:
        """Compare the loaded specs with the new ones; both are by name."""
        both = [(before[name], spec) for name, spec in after.items() if name in before]
        switched = [new for old, new in both if old.enabled != new.enabled and _same_but_enabled(old, new)]
        unchanged = [
            new.name for old, new in both if old.enabled == new.enabled and _same_but_enabled(old, new)
        ]
        return cls(
            added=tuple(spec for name, spec in after.items() if name not in before),
            changed=tuple(new for old, new in both if not _same_but_enabled(old, new)),
            switched=tuple(switched),
            removed=tuple(name for name in before if name not in after),
            unchanged=tuple(unchanged),
        )


def _same_but_enabled(one: TaskSpec, other: TaskSpec) -> bool:
    """Compare two specs as JSON: in Python `True == 1`, but for a task they may differ."""
    return _written(one) == _written(other)


def _written(spec: TaskSpec) -> str:
    return json.dumps(spec_to_json(replace(spec, enabled=True)), sort_keys=True)
