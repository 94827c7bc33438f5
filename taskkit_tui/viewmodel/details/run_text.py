"""Shows one run: its facts, its traceback in colours, and its output."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Final

from taskkit import Outcome, OutcomeKind, RunSnapshot, Skip, TaskDetails
from taskkit.words.durations import ago, duration
from taskkit.words.outcomes import kind_words, skip_counts, skip_words, trigger_words
from taskkit.words.times import exact_time
from taskkit_tui.formatting import harmless, plural
from taskkit_tui.log.ansi import spans
from taskkit_tui.tones import Tone
from taskkit_tui.viewmodel.details.history_rows import HistoryEntry, Restart, entry_words, glyph_of
from taskkit_tui.viewmodel.text_lines import (
    BLANK,
    Line,
    Piece,
    folded,
    line,
    line_text,
    listed,
    ruled,
    wrapped,
)

LONGEST_COLOURED: Final = 30_000
"""The most characters of a coloured traceback; a longer one stays plain, as colours would cost too much."""

_TONES: Final = (
    ("Token.Generic.Error", Tone.BAD),
    ("Token.Generic.Traceback", Tone.DIM),
    ("Token.Punctuation.Marker", Tone.BAD),
    ("Token.Name.Builtin.Pseudo", Tone.CHANGED),
    ("Token.Name.Exception", Tone.BAD),
    ("Token.Keyword", Tone.CHANGED),
    ("Token.Operator.Word", Tone.CHANGED),
    ("Token.Literal.String", Tone.GOOD),
    ("Token.Literal.Number", Tone.SOON),
    ("Token.Comment", Tone.DIM),
    ("Token.Text", Tone.DIM),
)
"""The tones of token kinds; the first prefix that matches counts."""


def last_failure(shown: Iterable[HistoryEntry]) -> Outcome | None:
    """Return the newest run with a traceback; `shown` is newest first."""
    return next((entry for entry in shown if isinstance(entry, Outcome) and entry.traceback), None)


def run_title(entry: HistoryEntry | None) -> str:
    """Return the title of the part."""
    match entry:
        case None:
            return "Run"
        case Skip():
            return "Skipped"
        case Restart():
            return "Restarted"
        case RunSnapshot():
            return f"Run {entry.number} · running"
        case Outcome():
            return f"Run {entry.run} · {kind_words(entry.kind)}"


def run_lines(
    entry: HistoryEntry | None,
    details: TaskDetails,
    now: float,
    width: int,
    failure: Outcome | None = None,
    *,
    complete: bool = True,
) -> list[Line]:
    """Return everything about one entry of the history, in lines of at most `width` cells.

    Args:
        entry: The entry; `None` if there is none.
        details: The task's details.
        now: The present time, in epoch seconds.
        width: Cells.
        failure: The newest run with a traceback; it is shown below an entry that did not fail.
        complete: True if the entry has everything that is stored; otherwise its output may be missing here.
    """
    match entry:
        case None:
            return [line(row, Tone.DIM) for row in wrapped("No runs yet.", width)]
        case RunSnapshot():
            # Its output comes last: the view follows the end.
            return [*_running_lines(entry, width), *_output_lines(details.output, 0, width)]
        case Skip():
            lines = _skip_lines(entry, width)
        case Restart():
            lines = _restart_lines(entry, width)
        case Outcome():
            lines = _outcome_lines(entry, width, complete=complete)
    # Below a failed run, the traceback of another one would look like its own.
    if failure is not None and not (isinstance(entry, Outcome) and glyph_of(entry)[1] is Tone.BAD):
        title = f"last traceback · run {failure.run} · {ago(failure.finished, now)}"
        lines += [BLANK, ruled(title, width), *traceback_lines(failure.traceback or "", width)]
    return lines


def run_copy(entry: HistoryEntry, details: TaskDetails, now: float) -> str:
    """Return the text to copy for an entry: its row, and a run's traceback and output as they were."""
    output: Sequence[str] = ()
    traceback = ""
    if isinstance(entry, Outcome):
        traceback, output = entry.traceback or "", entry.output
    elif isinstance(entry, RunSnapshot):
        output = details.output
    return "\n".join(filter(None, (entry_words(entry, now), traceback.rstrip("\n"), *output)))


def _skip_lines(skip: Skip, width: int) -> list[Line]:
    times = "1 due time" if skip.count == 1 else f"{skip.count:,} due times"
    words = f"{times} {'was' if skip.count == 1 else 'were'} skipped."
    reason = skip_words(skip.reason)
    span = exact_time(skip.first_due)
    if skip.count > 1:
        span = f"From {span} to {exact_time(skip.last_due)}"
    shown = ((words, Tone.PLAIN), (f"{reason[0].upper()}{reason[1:]}.", Tone.SOON), (span, Tone.DIM))
    return [line(row, tone) for text, tone in shown for row in wrapped(text, width)]


def _restart_lines(restart: Restart, width: int) -> list[Line]:
    times = "" if restart.times == 1 else f" {restart.times:,} times"
    words = f"The process ended, and was started again{times}. Last known time before:"
    shown = (
        (words, Tone.PLAIN),
        (exact_time(restart.before), Tone.DIM),
        ("First known time after:", Tone.PLAIN),
        (exact_time(restart.after), Tone.DIM),
    )
    return [line(row, tone) for text, tone in shown for row in wrapped(text, width)]


def _running_lines(run: RunSnapshot, width: int) -> list[Line]:
    words = [trigger_words(run.trigger, run.attempt), f"due {exact_time(run.due)}"]
    if run.started is not None:
        words.append(f"late {duration(max(0.0, run.started - run.due))}")
    lines = [line(row, Tone.DIM) for row in listed(words, width)]
    if run.progress is not None:
        done = f"{run.progress.done:g}" + (f" of {run.progress.total:g}" if run.progress.total else "")
        shown = harmless(f"{done} {run.progress.message}".rstrip())
        lines += [line(row, Tone.BUSY) for row in wrapped(shown, width)]
    return lines


def _outcome_lines(run: Outcome, width: int, *, complete: bool) -> list[Line]:
    when = exact_time(run.finished if run.started is None else run.started)
    words = [when, trigger_words(run.trigger, run.attempt), f"late {duration(run.lateness)}"]
    if run.kind is OutcomeKind.INTERRUPTED:
        words.append(f"last seen running at {exact_time(run.finished)}")
    else:
        words.append("never started" if run.started is None else f"took {duration(run.duration)}")
    if run.skipped:
        words.append(f"skipped before it: {skip_counts(run.skipped)}")
    lines = [line(row, Tone.DIM) for row in listed(words, width)]
    if run.exception:
        lines += [line(row, glyph_of(run)[1]) for row in wrapped(harmless(run.exception), width)]
    if run.result is not None:
        lines += [line(row) for row in wrapped(f"→ {harmless(str(run.result))}", width)]
    if run.traceback:
        lines += [BLANK, ruled("traceback", width), *traceback_lines(run.traceback, width)]
    if run.output or (
        complete and run.kind is not OutcomeKind.INTERRUPTED
    ):  # its output was lost with the process
        lines += _output_lines(run.output, run.output_dropped, width)
    return lines


def _output_lines(output: Sequence[str], dropped: int, width: int) -> list[Line]:
    if not output:
        return [BLANK, line("No output.", Tone.DIM)]
    title = f"output · {plural(len(output), 'line')}"
    if dropped:
        title += f", {plural(dropped, 'earlier one')} dropped"
    rows = [row for written in output for row in _output_rows(written, width)]
    return [BLANK, ruled(title, width), *rows]


@lru_cache(maxsize=512)
def _output_rows(written: str, width: int) -> tuple[Line, ...]:
    """Return one line of output as rows; cached, because a running run is shown again every second."""
    return tuple(folded(tuple(spans(written)), width))


@lru_cache(maxsize=8)
def traceback_lines(text: str, width: int) -> tuple[Line, ...]:
    """Return a traceback with syntax colours, unless it is huge."""
    safe = "\n".join(harmless(row.expandtabs(8)) for row in text.rstrip("\n").split("\n"))
    lines = coloured(safe) if len(safe) <= LONGEST_COLOURED else [line(row) for row in safe.split("\n")]
    return tuple(row for each in lines for row in folded(each, width))


def coloured(text: str) -> list[Line]:
    """Return the lines of a traceback with the tones of its tokens. The text itself does not change."""
    lines: list[list[Piece]] = [[]]
    for kind, token in _tokens(f"{text}\n"):
        tone = next((tone for begin, tone in _TONES if kind.startswith(begin)), Tone.PLAIN)
        first, *others = token.split("\n")
        if first:
            lines[-1].append(Piece(first, tone))
        lines += [[Piece(part, tone)] if part else [] for part in others]
    shown: list[Line] = [tuple(pieces) for pieces in lines[:-1]]
    if [line_text(each) for each in shown] != text.split("\n"):
        return [line(row) for row in text.split("\n")]  # no colours are better than a changed text
    return shown


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    # The import takes tens of milliseconds, and most runs do not fail.
    from rich.syntax import Syntax

    lexer = Syntax("", "pytb").lexer
    if lexer is None:
        yield "", text
        return
    lexer.stripnl = lexer.ensurenl = False
    for kind, token in lexer.get_tokens(text):
        yield str(kind), token
