"""Events as plain values, for programs: the keys are those that `docs/command.md` promises."""

from __future__ import annotations

from collections.abc import Iterator

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

Values = dict[str, object]


def values_of(event: Event) -> Iterator[Values]:
    """What an event tells: one object, of output one for each line. Times are epoch seconds."""
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


def outside_values(at: float, text: str) -> Values:
    """A line that was printed outside every run."""
    return {**_all("output", at), "task": None, "run": None, "stream": "stdout", "level": 20, "text": text}


def lost_values(at: float, count: int) -> Values:
    """Events that could not be kept until they could be written."""
    return {**_all("events_lost", at), "count": count}


def _all(event: str, at: float) -> Values:
    return {"event": event, "time": at}


def _task(event: str, at: float, name: str) -> Values:
    return {"event": event, "time": at, "task": name}


def _output(event: OutputWritten) -> Iterator[Values]:
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


def _finished(event: RunFinished) -> Values:
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
