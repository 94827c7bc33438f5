"""Tasks in a file, `tasks.toml`: read it, check it, and follow it while it is edited.

```python
follower = TaskFileFollower(scheduler, "tasks.toml")
follower.load()
follower.watch()
```
"""

from taskkit.taskfile.follow import TaskFileFollower
from taskkit.taskfile.import_checks import check_recipes, find_hints
from taskkit.taskfile.problems import Problem, TaskFileError, UnreadableTaskFileError
from taskkit.taskfile.reader import TaskFile, example_text, read_task_file
from taskkit.taskfile.reload import Reload

__all__ = [
    "Problem",
    "Reload",
    "TaskFile",
    "TaskFileError",
    "TaskFileFollower",
    "UnreadableTaskFileError",
    "check_recipes",
    "example_text",
    "find_hints",
    "read_task_file",
]
