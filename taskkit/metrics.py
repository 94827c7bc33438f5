"""Metrics of a scheduler as OpenMetrics text, for Prometheus and others; taskkit opens no port for them.

`taskkit metrics` writes the text for a node exporter, and a program returns it from a `/metrics` of its own.
Only the types `counter`, `gauge` and `summary` are used, so the older text format of Prometheus reads it too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from taskkit.outcome import FAILURES, OutcomeKind, SkipReason
from taskkit.snapshot import Snapshot, TaskSnapshot

CONTENT_TYPE: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"
"""The content type of the text, for an HTTP answer."""

_LABEL: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)
_OWN_LABELS: Final = ("task", "outcome", "reason")
_ESCAPES: Final = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})

_Sample = tuple[str, Mapping[str, str], float | None]
"""The suffix of the name of a sample, its labels, and its value; `None` for no sample."""

_Metric = tuple[str, str, str, str, Iterable[_Sample]]
"""The name of a metric without `taskkit_`, its type, its unit, its help, and its samples."""


def openmetrics(snapshot: Snapshot, labels: Mapping[str, str] | None = None) -> str:
    """Return the metrics of a scheduler in the text format of OpenMetrics 1.0.

    Args:
        snapshot: As `Scheduler.snapshot()` returns it.
        labels: Labels for every sample, such as `{"service": "shop"}`.

    Raises:
        TypeError: The value of a label is not a text.
        ValueError: A label cannot have that name.
    """
    common = dict(labels or {})
    for name, value in common.items():
        check_label(name)
        if not isinstance(value, str):
            raise TypeError(f"labels must have texts as values, not {value!r} for {name}")
    return "".join(_lines(snapshot, common))


def check_label(name: str) -> str:
    """Return the name of a label if it can be one.

    Raises:
        ValueError: It cannot; the message says why.
    """
    if not _LABEL.fullmatch(name) or name.startswith("__"):
        raise ValueError(
            f"labels must have names of letters, digits and _ that begin with a letter, not {name!r}"
        )
    if name in _OWN_LABELS:
        raise ValueError(f"labels must not have the name {name!r}, which the metrics of tasks have already")
    return name


def _lines(snapshot: Snapshot, common: Mapping[str, str]) -> Iterator[str]:
    for name, kind, unit, text, samples in _metrics(snapshot):
        yield f"# TYPE taskkit_{name} {kind}\n"
        if unit:
            yield f"# UNIT taskkit_{name} {unit}\n"
        yield f"# HELP taskkit_{name} {text}\n"
        for suffix, labels, value in samples:
            if value is not None:
                yield f"taskkit_{name}{suffix}{_label_text({**common, **labels})} {_number(value)}\n"
    yield "# EOF\n"


def _metrics(snapshot: Snapshot) -> tuple[_Metric, ...]:
    """Return all metrics: of the scheduler, of the runs that have ended, and of each task now."""
    figures = snapshot.figures
    tasks = _by_label(snapshot.tasks)

    def each(value: object) -> list[_Sample]:
        """Return one sample without labels."""
        return [("", {}, float(value))]  # type: ignore[arg-type]

    return (
        ("scheduler_running", "gauge", "", "1 if the scheduler runs.", each(figures.is_running)),
        ("scheduler_paused", "gauge", "", "1 if the whole scheduler is paused.", each(figures.paused)),
        ("threads", "gauge", "", "Threads for runs, idle ones included.", each(figures.threads)),
        ("runs", "counter", "", "Runs that have ended, retries included.", _runs(tasks)),
        ("failures", "counter", "", "Runs that ended in a failure, retries included.", _failures(tasks)),
        ("run_seconds", "summary", "seconds", "How long runs took.", _run_seconds(tasks)),
        (
            "lateness_seconds",
            "summary",
            "seconds",
            "How long after their due times scheduled runs began.",
            _lateness(tasks),
        ),
        ("skipped_due_times", "counter", "", "Due times without a run.", _skipped(tasks)),
        (
            "next_due_timestamp_seconds",
            "gauge",
            "seconds",
            "The next due time.",
            _gauges(tasks, lambda task: task.next_run),
        ),
        (
            "last_end_timestamp_seconds",
            "gauge",
            "seconds",
            "The end of the last run.",
            _gauges(tasks, lambda task: task.past[-1].finished if task.past else None),
        ),
        (
            "last_success_timestamp_seconds",
            "gauge",
            "seconds",
            "The end of the last run that succeeded.",
            _gauges(tasks, lambda task: task.totals.last_success),
        ),
        (
            "task_running",
            "gauge",
            "",
            "1 if a run is going on.",
            _gauges(tasks, lambda task: task.run is not None),
        ),
        (
            "task_disabled",
            "gauge",
            "",
            "1 if the task is disabled.",
            _gauges(tasks, lambda task: task.disabled),
        ),
        (
            "task_failing",
            "gauge",
            "",
            "1 if the last run ended in a failure.",
            _gauges(tasks, lambda task: task.failing),
        ),
    )


def _by_label(tasks: Iterable[TaskSnapshot]) -> dict[str, TaskSnapshot]:
    """Return the registered tasks by what their label says, each once: else the whole text is refused."""
    found: dict[str, TaskSnapshot] = {}
    for task in tasks:
        if not task.unregistered:
            found.setdefault(task.name.encode(errors="backslashreplace").decode(), task)
    return found


def _runs(tasks: Mapping[str, TaskSnapshot]) -> Iterator[_Sample]:
    for name, task in tasks.items():
        for kind in OutcomeKind:
            yield "_total", {"task": name, "outcome": kind.value}, task.totals.runs.get(kind, 0)


def _failures(tasks: Mapping[str, TaskSnapshot]) -> Iterator[_Sample]:
    for name, task in tasks.items():
        yield "_total", {"task": name}, sum(task.totals.runs.get(kind, 0) for kind in FAILURES)


def _run_seconds(tasks: Mapping[str, TaskSnapshot]) -> Iterator[_Sample]:
    for name, task in tasks.items():
        yield "_count", {"task": name}, sum(task.totals.runs.values())
        yield "_sum", {"task": name}, task.totals.seconds


def _lateness(tasks: Mapping[str, TaskSnapshot]) -> Iterator[_Sample]:
    for name, task in tasks.items():
        yield "_count", {"task": name}, task.totals.scheduled
        yield "_sum", {"task": name}, task.totals.lateness


def _skipped(tasks: Mapping[str, TaskSnapshot]) -> Iterator[_Sample]:
    for name, task in tasks.items():
        for reason in SkipReason:
            yield "_total", {"task": name, "reason": reason.value}, task.totals.skipped.get(reason, 0)


def _gauges(
    tasks: Mapping[str, TaskSnapshot], value: Callable[[TaskSnapshot], float | None]
) -> Iterator[_Sample]:
    for name, task in tasks.items():
        yield "", {"task": name}, value(task)


def _label_text(labels: Mapping[str, str]) -> str:
    inside = ",".join(f'{name}="{value.translate(_ESCAPES)}"' for name, value in labels.items())
    return f"{{{inside}}}" if inside else ""


def _number(value: float) -> str:
    """Return a number as text; whole ones without a fraction."""
    return str(int(value)) if value == int(value) else repr(value)
