"""Tasks written down in a file, `tasks.toml`: read, checked, and followed while they run.

```python
follower = TaskFileFollower(scheduler, "tasks.toml")
follower.load()
follower.watch()
```
"""

from taskkit.taskfile.check import check_recipes
from taskkit.taskfile.example import example_text
from taskkit.taskfile.follow import TaskFileFollower
from taskkit.taskfile.problems import Problem, TaskFileError, UnreadableTaskFileError
from taskkit.taskfile.read import TaskFile, read_task_file
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
    "read_task_file",
]
