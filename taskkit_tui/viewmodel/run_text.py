"""All there is to read of one run: its traceback in colours, and what it wrote."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Final

from taskkit import Outcome, OutcomeKind, RunSnapshot, Skip, TaskDetails
from taskkit.words import kind_words
from taskkit_tui.formatting import ago, duration, harmless, plural
from taskkit_tui.log.ansi import spans
from taskkit_tui.viewmodel.history_rows import (
    SKIP_WORDS,
    Entry,
    Restart,
    entry_words,
    mark_of,
    trigger_words,
)
from taskkit_tui.viewmodel.moments import exact_moment
from taskkit_tui.viewmodel.pieces import Piece, Tone
from taskkit_tui.viewmodel.text_lines import BLANK, Line, folded, line, line_text, listed, ruled, wrapped

LONGEST_COLOURED: Final = 30_000
"""Characters of a traceback beyond which it stays plain: colours would cost more than they tell."""

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
"""What the kinds of tokens mean to the eye; the first that a kind begins with counts."""


def last_failure(told: Iterable[Entry]) -> Outcome | None:
    """The newest run that left a traceback; what is told comes newest first."""
    return next((entry for entry in told if isinstance(entry, Outcome) and entry.traceback), None)


def run_title(entry: Entry | None) -> str:
    """What stands above the text."""
    match entry:
        case None:
            return "Run"
        case Skip():
            return "Skipped"
        case Restart():
            return "Restarted"
        case RunSnapshot():
            return f"Run {entry.number} · going on"
        case Outcome():
            return f"Run {entry.run} · {kind_words(entry.kind)}"


def run_lines(
    entry: Entry | None,
    details: TaskDetails,
    now: float,
    width: int,
    failure: Outcome | None = None,
    *,
    complete: bool = True,
) -> list[Line]:
    """Everything about one entry of the history, in lines of at most `width` cells.

    Args:
        entry: What is told; `None` where there is nothing.
        details: How the task stands.
        now: The present instant, in epoch seconds.
        width: Cells.
        failure: The newest run that left a traceback: it is shown beneath what did not fail.
        complete: Whether all that is stored of the entry is told; otherwise it may have written something.
    """
    match entry:
        case None:
            return [line(row, Tone.DIM) for row in wrapped("It has never run.", width)]
        case RunSnapshot():
            # What it writes comes at the end, where one looks for it.
            return [*_running_lines(entry, width), *_output_lines(details.output, 0, width)]
        case Skip():
            lines = _skip_lines(entry, width)
        case Restart():
            lines = _restart_lines(entry, width)
        case Outcome():
            lines = _outcome_lines(entry, width, complete=complete)
    # Beneath a run that failed, the traceback of another one would be taken for its own.
    if failure is not None and not (isinstance(entry, Outcome) and mark_of(entry)[1] is Tone.BAD):
        title = f"last traceback · run {failure.run} · {ago(failure.finished, now)}"
        lines += [BLANK, ruled(title, width), *traceback_lines(failure.traceback or "", width)]
    return lines


def run_copy(entry: Entry, details: TaskDetails, now: float) -> str:
    """What copying an entry gives: its row; of a run its traceback and output as well, as they were."""
    output: Sequence[str] = ()
    traceback = ""
    if isinstance(entry, Outcome):
        traceback, output = entry.traceback or "", entry.output
    elif isinstance(entry, RunSnapshot):
        output = details.output
    return "\n".join(filter(None, (entry_words(entry, now), traceback.rstrip("\n"), *output)))


def _skip_lines(skip: Skip, width: int) -> list[Line]:
    times = "1 due time" if skip.count == 1 else f"{skip.count:,} due times"
    words = f"{times} passed without a run of {'its' if skip.count == 1 else 'their'} own."
    reason = SKIP_WORDS[skip.reason]
    span = exact_moment(skip.first_due)
    if skip.count > 1:
        span = f"From {span} to {exact_moment(skip.last_due)}"
    told = ((words, Tone.PLAIN), (f"{reason[0].upper()}{reason[1:]}.", Tone.SOON), (span, Tone.DIM))
    return [line(row, tone) for text, tone in told for row in wrapped(text, width)]


def _restart_lines(restart: Restart, width: int) -> list[Line]:
    what = "a new one" if restart.times == 1 else f"others, {restart.times:,} in all,"
    words = f"The process ended, and {what} went on. Of the life before, this is known last:"
    told = (
        (words, Tone.PLAIN),
        (exact_moment(restart.before), Tone.DIM),
        ("and of the life after it first:", Tone.PLAIN),
        (exact_moment(restart.after), Tone.DIM),
    )
    return [line(row, tone) for text, tone in told for row in wrapped(text, width)]


def _running_lines(run: RunSnapshot, width: int) -> list[Line]:
    words = [trigger_words(run.trigger, run.attempt), f"due {exact_moment(run.due)}"]
    if run.started is not None:
        words.append(f"late {duration(max(0.0, run.started - run.due))}")
    lines = [line(row, Tone.DIM) for row in listed(words, width)]
    if run.progress is not None:
        done = f"{run.progress.done:g}" + (f" of {run.progress.total:g}" if run.progress.total else "")
        told = harmless(f"{done} {run.progress.message}".rstrip())
        lines += [line(row, Tone.BUSY) for row in wrapped(told, width)]
    return lines


def _outcome_lines(run: Outcome, width: int, *, complete: bool) -> list[Line]:
    when = exact_moment(run.finished if run.started is None else run.started)
    words = [when, trigger_words(run.trigger, run.attempt), f"late {duration(run.lateness)}"]
    if run.kind is OutcomeKind.INTERRUPTED:
        words.append(f"last known to go on at {exact_moment(run.finished)}")
    else:
        words.append("never started" if run.started is None else f"took {duration(run.duration)}")
    if run.skipped:
        passed = ", ".join(f"{count:,} {reason}" for reason, count in run.skipped.items())
        words.append(f"before it, without a run: {passed}")
    lines = [line(row, Tone.DIM) for row in listed(words, width)]
    if run.exception:
        lines += [line(row, mark_of(run)[1]) for row in wrapped(harmless(run.exception), width)]
    if run.result is not None:
        lines += [line(row) for row in wrapped(f"→ {harmless(str(run.result))}", width)]
    if run.traceback:
        lines += [BLANK, ruled("traceback", width), *traceback_lines(run.traceback, width)]
    if run.output or (complete and run.kind is not OutcomeKind.INTERRUPTED):  # what that wrote went with it
        lines += _output_lines(run.output, run.output_dropped, width)
    return lines


def _output_lines(output: Sequence[str], dropped: int, width: int) -> list[Line]:
    if not output:
        return [BLANK, line("Nothing was written.", Tone.DIM)]
    title = f"output · {plural(len(output), 'line')}"
    if dropped:
        title += f", {plural(dropped, 'earlier one')} dropped"
    rows = [row for written in output for row in _output_rows(written, width)]
    return [BLANK, ruled(title, width), *rows]


@lru_cache(maxsize=512)
def _output_rows(written: str, width: int) -> tuple[Line, ...]:
    """One line of output; kept, since a run that goes on is looked at every second."""
    return tuple(folded(tuple(spans(written)), width))


@lru_cache(maxsize=8)
def traceback_lines(text: str, width: int) -> tuple[Line, ...]:
    """A traceback with the colours of its syntax, if it is not huge."""
    safe = "\n".join(harmless(row.expandtabs(8)) for row in text.rstrip("\n").split("\n"))
    lines = coloured(safe) if len(safe) <= LONGEST_COLOURED else [line(row) for row in safe.split("\n")]
    return tuple(row for each in lines for row in folded(each, width))


def coloured(text: str) -> list[Line]:
    """The lines of a traceback, with the tones of its tokens. The text itself is not changed."""
    lines: list[list[Piece]] = [[]]
    for kind, token in _tokens(f"{text}\n"):
        tone = next((tone for begin, tone in _TONES if kind.startswith(begin)), Tone.PLAIN)
        first, *others = token.split("\n")
        if first:
            lines[-1].append(Piece(first, tone))
        lines += [[Piece(part, tone)] if part else [] for part in others]
    told: list[Line] = [tuple(pieces) for pieces in lines[:-1]]
    if [line_text(each) for each in told] != text.split("\n"):
        return [line(row) for row in text.split("\n")]  # rather no colours than another text
    return told


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    # Costs tens of milliseconds to load, and most runs do not fail.
    from rich.syntax import Syntax

    lexer = Syntax("", "pytb").lexer
    if lexer is None:
        yield "", text
        return
    lexer.stripnl = lexer.ensurenl = False
    for kind, token in lexer.get_tokens(text):
        yield str(kind), token
