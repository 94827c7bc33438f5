"""The tables `[executors.NAME]` of a task file, and the key `executor` of a task, which names one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from taskkit.taskfile.problems import nearest
from taskkit.taskfile.toml_table import TomlTable

if TYPE_CHECKING:
    from taskkit.executor import Executor

EXECUTORS: Final = "executors"
"""The table of the executors, next to that of the tasks."""
EXECUTOR: Final = "executor"
"""The key of a task that names one."""

BUILT_IN: Final = ("thread", "loop", "process")
TLS_KEYS: Final = ("tls_ca", "tls_cert", "tls_key")
EXECUTOR_KEYS: Final = ("processes", "kill_after", "dask", *TLS_KEYS)


@dataclass(frozen=True, slots=True)
class ExecutorSpec:
    """An executor as plain data: processes of this machine, or a Dask cluster."""

    processes: int | None = None
    """The most processes at once."""
    kill_after: float | None = None
    """Seconds between asking a run to stop and killing its process; `None` for the default."""
    dask: str | None = None
    """The address of the scheduler of a Dask cluster; `None` for processes."""
    tls_ca: str | None = None
    tls_cert: str | None = None
    tls_key: str | None = None
    """Paths of the files for a TLS connection to the cluster."""

    def make(self) -> Executor:
        """Make the executor.

        Raises:
            ImportError: The package that it needs is not installed.
        """
        if self.dask is not None:
            from taskkit.executors import DaskExecutor

            return DaskExecutor(self.dask, tls_ca=self.tls_ca, tls_cert=self.tls_cert, tls_key=self.tls_key)
        from taskkit.executors import ProcessExecutor

        if self.kill_after is None:
            return ProcessExecutor(self.processes)
        return ProcessExecutor(self.processes, kill_after=self.kill_after)


def read_executors(document: TomlTable, folder: Path) -> Mapping[str, ExecutorSpec]:
    """Return the executors of a file by name, without those with problems.

    Args:
        document: The whole file.
        folder: The folder of the file, to which paths are relative.
    """
    tables = document.table(EXECUTORS)
    found = {}
    for name in () if tables is None else tables.data:
        assert tables is not None
        table = tables.table(name)
        if table is None:
            continue
        if not name.isprintable() or not name:
            tables.wrong(name, "the name of an executor must be of printable characters")
        elif name in ("thread", "loop"):
            tables.wrong(name, "is built in, and has nothing to set; choose another name")
        elif (spec := _executor(table, name, folder)) is not None:
            found[name] = spec
    return found


def _executor(table: TomlTable, name: str, folder: Path) -> ExecutorSpec | None:
    table.refuse_unknown(EXECUTOR_KEYS, "an executor")
    address = table.text("dask", 'an address, such as "tcp://scheduler:8786"')
    processes = table.whole("processes", least=1)
    kill_after = table.seconds("kill_after")
    given = [table.text(key, "the path of a file") for key in TLS_KEYS]
    tls = [None if path is None else str(folder / Path(path).expanduser()) for path in given]
    if "dask" in table:
        if name == "process":
            table.wrong("dask", "has no meaning for the executor process; choose another name")
            return None
        for key in ("processes", "kill_after"):
            if key in table:
                table.wrong(key, "has no meaning with dask; it belongs to processes")
        if address is None:
            return None
        if "://" not in address:
            table.wrong("dask", 'must be an address, such as "tcp://scheduler:8786"', address)
        return ExecutorSpec(None, None, address, *tls)
    for key in TLS_KEYS:
        if key in table:
            table.wrong(key, "has no meaning without dask")
    if "processes" not in table and not (name == "process" and "kill_after" in table):
        if not table.suggested:
            table.wrong(None, "needs processes, their number, or dask, the address of a cluster")
        return None
    return ExecutorSpec(processes, kill_after)


def read_executor(table: TomlTable, known: Collection[str]) -> str | None:
    """Return the executor that a task names.

    Args:
        table: The task's table.
        known: The names that there are.
    """
    name = table.text(EXECUTOR, "the name of an executor")
    if name is None:
        return None
    if "command" in table:
        table.wrong(EXECUTOR, "has no meaning with command, which runs in a process of its own anyway")
    elif name not in known:
        meant = nearest(name, known)
        message = (
            f"is not an executor; there are {', '.join(sorted(known))}, and [{EXECUTORS}.NAME] adds others"
        )
        table.wrong(EXECUTOR, message, name, None if meant is None else f'"{meant}"')
    return name
