"""JSON output, for programs: one object a line, and the objects that describe events.

The keys are those that `docs/command.md` promises.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from math import isfinite

from taskkit.events import (
    ClockJumped,
    Event,
    OutputWritten,
    RunFinished,
    RunProgressed,
    RunSkipped,
    RunStarted,
    SchedulerPaused,
    SchedulerResumed,
    SchedulerStarted,
    SchedulerStopped,
    TaskChanged,
    TaskRegistered,
    TaskUnregistered,
)

JsonObject = dict[str, object]


def json_line(values: Mapping[str, object]) -> str:
    """Return a JSON object in ASCII, without a line end. NaN and infinities become strings."""
    return json.dumps({key: _plain(value) for key, value in values.items()}, separators=(",", ":"))


def _plain(value: object) -> object:
    if isinstance(value, float) and not isfinite(value):
        return str(value)
    if isinstance(value, str):
        return str(value)  # a StrEnum as its text
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return str(value)


def event_objects(event: Event) -> Iterator[JsonObject]:
    """Yield the objects of an event: one, or one for each line of output. Times are epoch seconds."""
    match event:
        case OutputWritten():
            yield from _output(event)
        case RunStarted():
            yield {
                **_task("run_started", event.at, event.name),
                "run": event.run,
                "trigger": event.trigger,
                "due": event.due,
                "attempt": event.attempt,
            }
        case RunFinished():
            yield _finished(event)
        case RunSkipped():
            yield {
                **_task("run_skipped", event.at, event.name),
                "reason": event.reason,
                "count": event.count,
                "first_due": event.first_due,
                "last_due": event.last_due,
                "late_by": event.late_by,
            }
        case RunProgressed(progress=progress):
            yield {
                **_task("run_progressed", event.at, event.name),
                "run": event.run,
                "done": progress.done,
                "total": progress.total,
                "message": progress.message,
            }
        case TaskRegistered():
            yield {
                **_task("task_registered", event.at, event.name),
                "schedule": event.schedule,
                "next_run": event.next_run,
            }
        case TaskUnregistered():
            yield {
                **_task("task_unregistered", event.at, event.name),
                "why": event.why,
                "run_count": event.run_count,
            }
        case TaskChanged():
            yield {
                **_task("task_changed", event.at, event.name),
                "what": event.what,
                "before": event.before,
                "after": event.after,
                "until": event.until,
            }
        case ClockJumped():
            yield {**_all("clock_jumped", event.at), "seconds": event.seconds}
        case SchedulerStarted():
            yield _all("scheduler_started", event.at)
        case SchedulerPaused():
            yield _all("scheduler_paused", event.at)
        case SchedulerResumed():
            yield _all("scheduler_resumed", event.at)
        case SchedulerStopped():
            yield {
                **_all("scheduler_stopped", event.at),
                "abandoned": event.abandoned,
                "dropped": event.dropped,
            }


def outside_line_object(at: float, text: str) -> JsonObject:
    """Return the object of a line that was printed outside all runs."""
    return {**_all("output", at), "task": None, "run": None, "stream": "stdout", "level": 20, "text": text}


def lost_events_object(at: float, count: int) -> JsonObject:
    """Return the object that replaces events which came faster than they were read."""
    return {**_all("events_lost", at), "count": count}


def _all(event: str, at: float) -> JsonObject:
    return {"event": event, "time": at}


def _task(event: str, at: float, name: str) -> JsonObject:
    return {"event": event, "time": at, "task": name}


def _output(event: OutputWritten) -> Iterator[JsonObject]:
    if event.dropped:
        yield {**_task("output_dropped", event.at, event.name), "run": event.run, "count": event.dropped}
    for line in event.lines:
        if not line.text.endswith("\r"):
            yield {
                **_task("output", line.time, event.name),
                "run": event.run,
                "stream": line.stream,
                "level": line.level,
                "text": line.text,
            }


def _finished(event: RunFinished) -> JsonObject:
    outcome = event.outcome
    return {
        **_task("run_finished", event.at, event.name),
        "run": event.run,
        "outcome": outcome.kind,
        "trigger": outcome.trigger,
        "attempt": outcome.attempt,
        "last_try": outcome.last_try,
        "due": outcome.due,
        "started": outcome.started,
        "finished": outcome.finished,
        "duration": outcome.duration,
        "lateness": outcome.lateness,
        "result": outcome.result,
        "exception": outcome.exception,
        "traceback": outcome.traceback,
    }
