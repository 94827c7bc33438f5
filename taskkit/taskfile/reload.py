"""What reading a file again comes to: which of its tasks are new, different, gone, or as they were."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

from taskkit.plain_text import harmless
from taskkit.spec import TaskSpec, spec_to_json
from taskkit.taskfile.problems import Problem


@dataclass(frozen=True, slots=True)
class Reload:
    """What came of reading a file again. Names are in the order of the file."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    """Nothing was done about them."""
    passed: tuple[str, ...] = ()
    """Those of `added` and `changed` that are not registered, as the one time that they were for is over."""
    problems: tuple[Problem, ...] = ()
    """Why nothing was done at all; empty if all is well."""

    @property
    def changes_anything(self) -> bool:
        """Whether something is different now."""
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
    """How the tasks of a file differ from those that were loaded."""

    added: tuple[TaskSpec, ...]
    changed: tuple[TaskSpec, ...]
    switched: tuple[TaskSpec, ...]
    """Nothing but `enabled` is different."""
    removed: tuple[str, ...]
    unchanged: tuple[str, ...]

    @classmethod
    def between(cls, before: Mapping[str, TaskSpec], after: Mapping[str, TaskSpec]) -> Self:
        """From the specs that were loaded to those that are to be, by name."""
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
    """Compared as they are written, as to Python `true` and `1` are equal, and to a task perhaps not."""
    return _written(one) == _written(other)


def _written(spec: TaskSpec) -> str:
    return json.dumps(spec_to_json(replace(spec, enabled=True)), sort_keys=True)
