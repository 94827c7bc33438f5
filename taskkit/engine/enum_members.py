"""Members of enums that each run needs, as plain names.

Python 3.11 takes ten times as long to look a member up in its enum as to read a name: docs/performance.md.
"""

from __future__ import annotations

from typing import Final

from taskkit.outcome import OutcomeKind, SkipReason, Trigger
from taskkit.policies import Overlap
from taskkit.snapshot import TaskState

SCHEDULE: Final = Trigger.SCHEDULE
RUNNING: Final = TaskState.RUNNING
SCHEDULED: Final = TaskState.SCHEDULED
SUCCEEDED: Final = OutcomeKind.SUCCEEDED
MISSED: Final = SkipReason.MISSED
OVERLAP: Final = SkipReason.OVERLAP
SKIP: Final = Overlap.SKIP
