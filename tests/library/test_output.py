"""Section 8 of the contract: what a run prints is that run's, whoever replaces `sys.stdout` meanwhile."""

from __future__ import annotations

import codecs
import contextlib
import copy
import gc
import io
import logging
import os
import subprocess
import sys
import threading
import time
import warnings
import weakref
from collections.abc import Callable, Iterator
from contextvars import Context, copy_context
from typing import Any

import pytest

from taskkit import line_assembler, take_output
from taskkit.capture.router import OutputRouter
from taskkit.capture.stream_proxies import STDOUT, StreamProxy
from taskkit.line_assembler import LONGEST_LINE, LineSource
from taskkit.outcome import Trigger
from taskkit.output import LINES_KEPT, LINES_REMEMBERED, RunOutput
from taskkit.output_lines import OutputLine, Stream
from taskkit.policies import DEFAULT_POLICIES
from taskkit.run import Run, current
from taskkit.testing import ManualClock

DEADLINE = 10.0


class Heard:
    """A listener that counts how often it was told."""

    def __init__(self) -> None:
        self.told: list[RunOutput] = []

    def output_written(self, output: RunOutput) -> None:
        self.told.append(output)

    def progressed(self, run: Run) -> None:
        pass


def a_run(name: str = "task", listener: Any = None, kind: type[Run] = Run) -> Run:
    clock = ManualClock(start=1_000.0)
    handle: Any = None
    return kind(
        name,
        None,
        DEFAULT_POLICIES,
        handle,
        1,
        Trigger.SCHEDULE,
        0.0,
        0.0,
        1,
        {},
        {},
        clock,
        listener or Heard(),
    )


def within(run: Run, body: Callable[[], object]) -> None:
    """Do `body` as a part of the run, as the runner does."""

    def perform() -> None:
        current.set(run)
        body()

    copy_context().run(perform)


def perform(router: OutputRouter, run: Run, body: Callable[[], object]) -> None:
    """A whole run: from the look at `sys.stdout` until what is left is handed over."""

    def whole() -> None:
        router.ensure()
        try:
            body()
        finally:
            router.finish(run)

    within(run, whole)
    run.finished = 2_000.0


def taken(run: Run) -> tuple[OutputLine, ...]:
    return () if run.output is None else run.output.take()[0]


def texts(run: Run) -> list[str]:
    return [line.text for line in taken(run)]


class Console(io.TextIOWrapper):
    """A text stream that remembers, as a console would show it."""

    def __init__(self, encoding: str = "utf-8") -> None:
        super().__init__(io.BytesIO(), encoding=encoding, newline="", write_through=True)

    def text(self) -> str:
        self.flush()
        raw: Any = self.buffer
        return raw.getvalue().decode(self.encoding)


class Consoles:
    def __init__(self) -> None:
        self.out = Console()
        self.err = Console()


@pytest.fixture
def stage(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Context managers to enter when the test is called: pytest sets `sys.stdout` anew after each fixture."""
    stage: list[Any] = []
    test = request.node.obj

    def staged(**fixtures: object) -> None:
        with contextlib.ExitStack() as stack:
            for context in stage:
                stack.enter_context(context)
            stack.callback(monkeypatch.undo)
            test(**fixtures)

    request.node.obj = staged
    return stage


@pytest.fixture
def consoles(stage: list[Any]) -> Consoles:
    """What `sys.stdout` and `sys.stderr` are while the test runs."""
    both = Consoles()

    @contextlib.contextmanager
    def in_place() -> Iterator[None]:
        found = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = both.out, both.err
        try:
            yield
            assert (sys.stdout, sys.stderr) == (both.out, both.err)
        finally:
            sys.stdout, sys.stderr = found

    stage.append(in_place())
    return both


@pytest.fixture
def router(consoles: Consoles, stage: list[Any]) -> OutputRouter:
    """Installed while the test runs."""
    router = OutputRouter()

    @contextlib.contextmanager
    def installed() -> Iterator[None]:
        found = logging.Logger.callHandlers
        router.install()
        try:
            yield
        finally:
            router.uninstall()
        assert logging.Logger.callHandlers is found

    stage.append(installed())
    return router


@pytest.fixture
def logger(stage: list[Any]) -> logging.Logger:
    """A logger of the test's own, without handlers: pytest adds one to each that does not propagate."""
    logger = logging.getLogger("tests.output")

    @contextlib.contextmanager
    def bare() -> Iterator[None]:
        found = logger.handlers
        logger.handlers, logger.propagate = [], False
        logger.setLevel(logging.DEBUG)
        yield
        logger.filters.clear()
        logger.handlers, logger.propagate = found, True

    stage.append(bare())
    return logger


# Whose print it is


def test_a_print_in_a_run_is_the_runs_and_goes_on_to_the_stream_beneath(router, consoles):
    run = a_run()

    perform(router, run, lambda: print("hello"))

    assert taken(run) == (OutputLine(1_000.0, Stream.STDOUT, "hello", logging.INFO),)
    assert consoles.out.text() == "hello\n"


def test_what_goes_to_stderr_counts_as_a_warning(router, consoles):
    run = a_run()

    perform(router, run, lambda: sys.stderr.write("careful\n"))

    assert taken(run) == (OutputLine(1_000.0, Stream.STDERR, "careful", logging.WARNING),)
    assert consoles.err.text() == "careful\n"
    assert consoles.out.text() == ""


def test_code_outside_any_run_prints_where_it_always_did(router, consoles):
    print("a", "b", sep="-", flush=True)
    sys.stderr.writelines(["x\n", "y\n"])

    assert consoles.out.text() == "a-b\n"
    assert consoles.err.text() == "x\ny\n"


def test_two_runs_that_print_at_once_keep_their_lines_apart(router, consoles):
    runs = [a_run(f"task {number}") for number in range(4)]
    together = threading.Barrier(len(runs))

    def body(name: str) -> None:
        together.wait(DEADLINE)
        for number in range(100):
            print(name, number)

    threads = [
        threading.Thread(target=perform, args=(router, run, lambda name=run.name: body(name))) for run in runs
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)

    for run in runs:
        assert texts(run) == [f"{run.name} {number}" for number in range(100)]
    assert len(consoles.out.text()) == sum(len(f"{r.name} {n}\n") for r in runs for n in range(100))


def test_a_helper_thread_with_the_context_is_attributed_and_one_without_is_outside(router, consoles):
    run = a_run()

    def body() -> None:
        for target in (Context().run, copy_context().run):
            thread = threading.Thread(target=target, args=(print, target.__self__.get(current) and "mine"))
            thread.start()
            thread.join(DEADLINE)

    perform(router, run, body)

    assert texts(run) == ["mine"]
    assert consoles.out.text() == "None\nmine\n"


def test_what_a_thread_prints_after_its_run_has_finished_is_outside_any_run(router, consoles):
    run = a_run()
    perform(router, run, lambda: print("in time"))

    within(run, lambda: print("too late"))

    assert texts(run) == ["in time"]
    assert consoles.out.text() == "in time\ntoo late\n"


def test_a_write_answers_the_number_of_characters(router, consoles):
    answers: list[int] = []

    perform(router, a_run(), lambda: answers.append(sys.stdout.write("four")))

    assert [*answers, sys.stdout.write("three")] == [4, 5]


def test_a_text_that_is_none_is_a_type_error_as_everywhere(router, consoles):
    def body() -> None:
        with pytest.raises(TypeError, match="must be str, not bytes"):
            sys.stdout.write(b"bytes")  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="bytes-like"):
            sys.stdout.buffer.write("text")  # type: ignore[arg-type]

    run = a_run()
    perform(router, run, body)
    with pytest.raises(TypeError, match="must be str, not bytes"):
        sys.stdout.write(b"bytes")  # type: ignore[arg-type]

    assert texts(run) == []


def test_warnings_are_attributed(router, consoles, monkeypatch):
    def show(message: warnings.WarningMessage) -> None:  # what pytest replaces
        sys.stderr.write(warnings.formatwarning(message.message, message.category, "task.py", 3))

    monkeypatch.setattr(warnings, "_showwarnmsg_impl", show)
    run = a_run()

    def body() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn("old spelling", stacklevel=1)

    perform(router, run, body)

    assert [(line.stream, line.text) for line in taken(run)] == [
        (Stream.STDERR, "task.py:3: UserWarning: old spelling")
    ]
    assert consoles.err.text() == "task.py:3: UserWarning: old spelling\n"


def test_warnings_that_logging_captures_are_records(router, consoles):
    run = a_run()

    def body() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            logging.captureWarnings(True)
            try:
                warnings.warn("old spelling", stacklevel=1)
            finally:
                logging.captureWarnings(False)

    perform(router, run, body)

    assert {line.stream for line in taken(run)} == {Stream.LOG}


def test_the_interpreters_own_streams_are_left_alone(router, consoles):
    for stream in (sys.__stdout__, sys.__stderr__):
        assert not isinstance(stream, StreamProxy)


# Lines


def test_pieces_are_put_together_per_stream(router, consoles):
    run = a_run()

    def body() -> None:
        print("out", end="")
        sys.stderr.write("err")
        print("put")
        sys.stderr.write("or\n")

    perform(router, run, body)

    assert texts(run) == ["output", "error"]


def test_pieces_are_put_together_per_thread(router, consoles):
    run = a_run()
    turn, other = threading.Semaphore(0), threading.Semaphore(0)

    def helper() -> None:
        print("hel", end="")
        turn.release()
        assert other.acquire(timeout=DEADLINE)
        print("per")

    def body() -> None:
        thread = threading.Thread(target=copy_context().run, args=(helper,))
        thread.start()
        assert turn.acquire(timeout=DEADLINE)
        print("main")
        other.release()
        thread.join(DEADLINE)

    perform(router, run, body)

    assert texts(run) == ["main", "helper"]


def test_one_write_may_hold_many_lines(router, consoles):
    run = a_run()

    perform(router, run, lambda: sys.stdout.write("one\n\nthree\r\nfour"))

    assert texts(run) == ["one", "", "three", "four"]


def test_only_a_newline_ends_a_line(router, consoles):
    run = a_run()

    perform(router, run, lambda: print("a\x0bb\x0cc\x1cd\x85e\u2028f"))

    assert texts(run) == ["a\x0bb\x0cc\x1cd\x85e\u2028f"]


def test_a_line_without_an_end_is_handed_over_when_the_run_finishes(router, consoles):
    run = a_run()

    def body() -> None:
        thread = threading.Thread(target=copy_context().run, args=(lambda: print("helper", end=""),))
        thread.start()
        thread.join(DEADLINE)
        print("open", end="")

    perform(router, run, body)

    assert sorted(texts(run)) == ["helper", "open"]
    assert run.output is not None
    assert not run.output.unfinished


def test_a_task_that_prints_nothing_keeps_nothing(router, consoles):
    run = a_run()

    perform(router, run, lambda: None)

    assert run.output is None


def test_a_flush_shows_a_line_whose_end_has_not_come(router, consoles):
    run = a_run()

    def body() -> None:
        print("loading …", end="", flush=True)
        assert texts(run) == ["loading …\r"]
        sys.stdout.flush()
        assert texts(run) == []
        print(" done")

    perform(router, run, body)

    assert texts(run) == ["loading … done"]
    assert run.output is not None
    assert run.output.remembered() == ("loading … done",)


@pytest.mark.parametrize("form", ["\r{}%", "{}%\r"])
def test_each_step_of_a_progress_line_takes_the_place_of_the_one_before(router, consoles, form):
    run = a_run()
    seen: list[str] = []

    def body() -> None:
        for done in (10, 20, 30):
            print(form.format(done), end="")
            seen.extend(texts(run))
        print()

    perform(router, run, body)

    assert seen == ["10%\r", "20%\r", "30%\r"]
    assert texts(run) == ["30%"]
    assert run.output is not None
    assert run.output.remembered() == ("30%",)


def test_a_progress_line_that_is_not_taken_costs_one_line(router, consoles):
    run = a_run()

    def body() -> None:
        print("before")
        for done in range(5_000):
            print(f"\r{done}", end="")
        print("\rdone")

    perform(router, run, body)

    assert run.output is not None
    assert run.output.take() == (
        tuple(OutputLine(1_000.0, Stream.STDOUT, text, logging.INFO) for text in ("before", "done")),
        0,
    )


def test_a_progress_line_goes_on_where_so_much_was_written_that_it_fell_out(router, consoles):
    run = a_run()

    def body() -> None:
        print("10%", end="\r")
        for number in range(LINES_KEPT):
            sys.stderr.write(f"{number}\n")
        print("20%", end="\r")

    perform(router, run, body)

    assert texts(run)[-1] == "20%"


def test_a_return_within_a_line_written_at_once_stays_in_its_text(router, consoles):
    run = a_run()

    perform(router, run, lambda: sys.stdout.write("10%\r20%\r30%\n"))

    assert texts(run) == ["10%\r20%\r30%"]


def test_a_newline_after_a_return_in_two_writes_is_one_line_end(router, consoles):
    run = a_run()

    def body() -> None:
        sys.stdout.write("windows\r")
        sys.stdout.write("\n")

    perform(router, run, body)

    assert texts(run) == ["windows"]


@pytest.mark.parametrize("end", ["\n", ""])
def test_a_line_of_a_million_characters_is_cut_and_the_rest_is_counted(router, consoles, end):
    run = a_run()

    perform(router, run, lambda: sys.stdout.write("x" * 1_000_000 + end))

    assert texts(run) == ["x" * LONGEST_LINE + " … 934,464 more characters"]
    assert len(consoles.out.text()) == 1_000_000 + len(end)


def test_a_million_writes_of_one_character_cost_no_more_than_their_number():
    def seconds(writes: int) -> float:
        output = RunOutput("task", 1, lambda: 0.0, lambda output: None)
        began = time.perf_counter()
        for _ in range(writes):
            line_assembler.write(output, None, STDOUT, ".")
            line_assembler.flush(output, None, STDOUT)
        line_assembler.finish(output)
        took = time.perf_counter() - began
        assert max(len(line) for line in output.remembered()) < LONGEST_LINE + 40
        return took

    few = min(seconds(50_000) for _ in range(3))

    # Their square would be four hundred times as much.
    assert seconds(1_000_000) < 100 * max(few, 0.005)


# Bytes


def test_bytes_are_decoded_however_they_are_cut(router, consoles):
    run = a_run()

    def body() -> None:
        for byte in "grün ✓\n".encode():
            assert sys.stdout.buffer.write(bytes([byte])) == 1
        sys.stdout.buffer.writelines([b"two", bytearray(b" pieces\n")])
        sys.stdout.buffer.flush()

    perform(router, run, body)

    assert texts(run) == ["grün ✓", "two pieces"]
    assert consoles.out.text() == "grün ✓\ntwo pieces\n"


def test_bytes_that_are_no_text_are_made_readable(router, consoles):
    run = a_run()

    perform(router, run, lambda: sys.stdout.buffer.write(b"\xff\n\xe2\x9c"))

    assert texts(run) == ["\\xff", "\\xe2\\x9c"]


def test_bytes_outside_any_run_go_where_they_always_did(router, consoles):
    assert sys.stdout.buffer.write(memoryview(b"\xff raw\n")) == 6

    raw: Any = consoles.out.buffer
    assert raw.getvalue() == b"\xff raw\n"


def test_a_task_may_write_bytes_where_the_stream_beneath_takes_none(router, monkeypatch):
    text = io.StringIO()
    monkeypatch.setattr(sys, "stdout", text)
    run = a_run()

    perform(router, run, lambda: sys.stdout.buffer.write(b"bytes\n"))

    assert texts(run) == ["bytes"]
    assert text.getvalue() == "bytes\n"
    assert not hasattr(sys.stdout, "buffer")


# Logging


def test_a_record_is_attributed_once_with_its_level_and_printed_once(router, consoles, logger):
    logger.addHandler(logging.StreamHandler())  # holds the proxy
    run = a_run()

    perform(router, run, lambda: logger.error("no %s", "feed"))

    assert taken(run) == (OutputLine(1_000.0, Stream.LOG, "no feed", logging.ERROR),)
    assert consoles.err.text() == "no feed\n"


def test_a_record_is_attributed_where_its_handler_holds_the_old_stream(router, consoles, logger):
    logger.addHandler(logging.StreamHandler(consoles.err))
    run = a_run()

    perform(router, run, lambda: logger.info("hello"))

    assert [(line.stream, line.level) for line in taken(run)] == [(Stream.LOG, logging.INFO)]
    assert consoles.err.text() == "hello\n"


def test_a_record_without_any_handler_is_attributed_and_the_last_resort_still_prints_it(
    router, consoles, logger
):
    run = a_run()

    perform(router, run, lambda: logger.warning("nobody listens"))

    assert texts(run) == ["nobody listens"]
    assert consoles.err.text() == "nobody listens\n"


def test_a_record_below_the_level_or_filtered_is_not_attributed(router, consoles, logger):
    logger.setLevel(logging.WARNING)
    logger.addFilter(lambda record: "secret" not in record.getMessage())
    run = a_run()

    def body() -> None:
        logger.info("too quiet")
        logger.error("secret")

    perform(router, run, body)

    assert texts(run) == []


def test_the_root_logger_keeps_its_level_and_its_handlers(consoles):
    level, handlers = logging.root.level, list(logging.root.handlers)
    router = OutputRouter()
    router.install()
    try:
        assert (logging.root.level, logging.root.handlers) == (level, handlers)
    finally:
        router.uninstall()


def test_a_record_brings_its_traceback_line_by_line(router, consoles, logger):
    logger.addHandler(logging.NullHandler())
    run = a_run()

    def body() -> None:
        try:
            raise ValueError("no such feed")
        except ValueError:
            logger.exception("failed")

    perform(router, run, body)

    told = taken(run)
    assert [told[0].text, told[1].text] == ["failed", "Traceback (most recent call last):"]
    assert told[-1].text == "ValueError: no such feed"
    assert {line.level for line in told} == {logging.ERROR}


def test_a_record_is_left_as_it_was_for_its_handlers(router, consoles, logger):
    class Terse(logging.Formatter):
        def formatException(self, exception: Any) -> str:  # noqa: N802 - logging's name
            return "(shortened)"

    handler = logging.StreamHandler(consoles.err)
    handler.setFormatter(Terse())
    logger.addHandler(handler)

    def body() -> None:
        try:
            raise ValueError
        except ValueError:
            logger.exception("failed")

    perform(router, a_run(), body)

    assert consoles.err.text() == "failed\n(shortened)\n"


def test_a_record_that_cannot_be_formatted_does_no_harm(router, consoles, logger):
    logger.addHandler(logging.NullHandler())
    run = a_run()

    perform(router, run, lambda: logger.info("%d", "x"))

    assert "TypeError" in texts(run)[0]


def test_what_a_record_prints_while_it_is_formatted_is_the_runs_too(router, consoles, logger):
    class Talkative:
        def __str__(self) -> str:
            print("formatting")
            return "me"

    logger.addHandler(logging.StreamHandler())
    run = a_run()

    perform(router, run, lambda: logger.info("%s", Talkative()))

    assert texts(run) == ["formatting", "me"]


def test_a_stream_that_logs_what_is_printed_doubles_nothing(router, consoles, logger, monkeypatch):
    logger.addHandler(logging.StreamHandler(consoles.err))

    class ToLogger(io.TextIOBase):
        def write(self, text: str) -> int:
            if text.strip():
                logger.info(text)
            return len(text)

    monkeypatch.setattr(sys, "stdout", ToLogger())
    run = a_run()

    perform(router, run, lambda: print("hello"))

    assert texts(run) == ["hello"]
    assert consoles.err.text() == "hello\n"


def test_what_taskkit_logs_about_a_run_is_not_output_of_it(router, consoles):
    logger = logging.getLogger("taskkit")
    handler = logging.StreamHandler()
    logger.addHandler(handler)
    run = a_run()

    def body() -> None:
        logger.error("task failed")
        run.finished = 1_001.0
        logger.error("task failed")

    try:
        perform(router, run, body)
    finally:
        logger.removeHandler(handler)

    assert texts(run) == []
    assert consoles.err.text() == "task failed\n" * 2


def test_a_record_outside_any_run_is_handled_as_ever(router, consoles, logger):
    logger.addHandler(logging.StreamHandler())

    logger.info("outside")

    assert consoles.err.text() == "outside\n"


def test_a_hook_that_others_put_around_ours_is_left_alone(consoles, logger):
    before = logging.Logger.callHandlers
    router = OutputRouter()
    router.install()
    ours: Any = logging.Logger.callHandlers
    seen: list[str] = []

    def theirs(self: logging.Logger, record: logging.LogRecord) -> None:
        seen.append(record.getMessage())
        ours(self, record)

    logging.Logger.callHandlers = theirs  # type: ignore[method-assign]
    router.uninstall()
    router.install()
    logger.addHandler(logging.StreamHandler(consoles.err))
    run = a_run()
    perform(router, run, lambda: logger.info("once"))
    router.uninstall()
    logging.Logger.callHandlers = ours  # type: ignore[method-assign]
    router.install()
    router.uninstall()
    assert logging.Logger.callHandlers is before

    assert (seen, texts(run), consoles.err.text()) == (["once"], ["once"], "once\n")


# Who else replaces sys.stdout


def test_what_was_there_is_put_back(consoles):
    router = OutputRouter()
    router.install()
    router.install()
    router.uninstall()
    assert isinstance(sys.stdout, StreamProxy)

    router.uninstall()

    assert (sys.stdout, sys.stderr) == (consoles.out, consoles.err)
    router.uninstall()  # once too often


def test_what_others_put_there_meanwhile_is_not_touched(consoles, monkeypatch):
    monkeypatch.setattr(sys, "stdout", consoles.out)
    router = OutputRouter()
    router.install()
    theirs = sys.stdout = io.StringIO()

    router.uninstall()

    assert sys.stdout is theirs
    assert sys.stderr is consoles.err


def test_a_run_after_sys_stdout_was_replaced_is_attributed(router, consoles, monkeypatch):
    theirs = io.StringIO()
    monkeypatch.setattr(sys, "stdout", theirs)
    run = a_run()

    perform(router, run, lambda: print("hello"))

    assert texts(run) == ["hello"]
    assert theirs.getvalue() == "hello\n"
    assert consoles.out.text() == ""


def test_redirections_that_come_and_go_build_no_chain(router, consoles):
    ours = sys.stdout
    for _ in range(50):
        with contextlib.redirect_stdout(io.StringIO()) as theirs:
            run = a_run()
            perform(router, run, lambda: print("in"))
            assert (texts(run), theirs.getvalue()) == (["in"], "in\n")
        assert sys.stdout is ours
        run = a_run()
        perform(router, run, lambda: print("out"))
        assert texts(run) == ["out"]
        assert sys.stdout is ours

    gc.collect()
    assert consoles.out.text() == "out\n" * 50
    assert len(router._proxies) == 2
    assert ours.original is consoles.out  # type: ignore[attr-defined]


def test_an_older_stream_that_comes_back_gets_its_proxy_back(router, consoles, monkeypatch):
    """As a test's capture does that was entered before the router was installed."""
    ours = sys.stdout
    monkeypatch.setattr(sys, "stdout", consoles.out)
    run = a_run()

    perform(router, run, lambda: print("hello"))

    assert sys.stdout is ours
    assert texts(run) == ["hello"]
    assert consoles.out.text() == "hello\n"


def test_a_stream_that_hands_on_to_ours_doubles_no_line(router, consoles, monkeypatch):
    class Tee(io.TextIOBase):
        def __init__(self, beneath: Any) -> None:
            self.beneath = beneath

        def write(self, text: str) -> int:
            return int(self.beneath.write(text))

        def flush(self) -> None:
            self.beneath.flush()

    run = a_run()
    monkeypatch.setattr(sys, "stdout", Tee(sys.stdout))

    perform(router, run, lambda: print("in", flush=True))
    print("out")

    assert texts(run) == ["in"]
    assert consoles.out.text() == "in\nout\n"


@pytest.mark.parametrize(
    "writer",
    [
        lambda: io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8"),
        lambda: io.TextIOWrapper(sys.stdout.detach(), encoding="utf-8"),  # type: ignore[attr-defined]
        lambda: codecs.getwriter("utf-8")(sys.stdout.buffer),
    ],
    ids=["wrapper", "detached", "codecs"],
)
def test_a_writer_around_our_own_buffer_doubles_and_loses_nothing(router, consoles, monkeypatch, writer):
    """The old idiom to get UTF-8, in a task that leaves it behind."""
    monkeypatch.setattr(sys, "stdout", sys.stdout)  # whatever becomes of it, it is put back
    first, second, third = a_run(), a_run(), a_run()
    left: list[Any] = []

    def body() -> None:
        sys.stdout = writer()
        left.append(sys.stdout)
        print("grün")

    perform(router, first, body)
    perform(router, second, lambda: print("später"))
    perform(router, third, lambda: left[0].flush())
    print("outside", flush=True)

    assert (texts(first), texts(second), texts(third)) == (["grün"], ["später"], [])
    assert consoles.out.text() == "grün\nspäter\noutside\n"


def test_writers_around_our_own_buffer_build_no_chain(router, consoles, monkeypatch):
    monkeypatch.setattr(sys, "stdout", sys.stdout)

    def body() -> None:
        sys.stdout = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8")

    for _ in range(20):
        perform(router, a_run(), body)
    router.ensure()

    buffer: Any = sys.stdout.buffer
    assert buffer.beneath is consoles.out.buffer


def test_a_task_that_redirects_gets_what_it_asked_for(router, consoles):
    run = a_run()
    caught: list[str] = []

    def body() -> None:
        with contextlib.redirect_stdout(io.StringIO()) as buffer:
            print("caught")
        caught.append(buffer.getvalue())
        print("seen")

    perform(router, run, body)

    assert caught == ["caught\n"]
    assert texts(run) == ["seen"]


@pytest.mark.parametrize("is_taken", [False, True])
def test_it_gets_that_also_while_other_runs_begin(router, consoles, is_taken):
    release = router.take(lambda stream, text: None) if is_taken else lambda: None
    other = a_run("other")
    caught: list[str] = []

    def body() -> None:
        with contextlib.redirect_stdout(io.StringIO()) as buffer:
            print("before")
            perform(router, other, lambda: None)
            print("after")
        caught.append(buffer.getvalue())

    perform(router, a_run(), body)
    release()

    assert caught == ["before\nafter\n"]


def test_a_task_that_replaces_sys_stdout_and_forgets_does_not_blind_the_next(router, consoles, monkeypatch):
    monkeypatch.setattr(sys, "stdout", sys.stdout)

    def body() -> None:
        sys.stdout = io.StringIO()
        print("for itself")

    perform(router, a_run(), body)
    run = a_run()
    perform(router, run, lambda: print("seen"))

    assert texts(run) == ["seen"]


def test_a_task_that_closes_sys_stdout_closes_nothing(router, consoles):
    def body() -> None:
        with sys.stdout:
            pass
        sys.stdout.close()
        sys.stdout.buffer.close()
        sys.stderr.close()

    perform(router, a_run(), body)
    run = a_run()
    perform(router, run, lambda: print("seen"))
    print("outside")

    assert texts(run) == ["seen"]
    assert consoles.out.text() == "seen\noutside\n"


def test_without_a_console_runs_are_attributed_all_the_same(consoles, monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    router = OutputRouter()
    router.install()
    run = a_run()

    perform(router, run, lambda: print("hello", flush=True))
    print("nowhere")
    router.uninstall()

    assert texts(run) == ["hello"]
    assert sys.stdout is None


def test_runs_are_not_captured_after_the_last_uninstall(consoles):
    router = OutputRouter()
    router.install()
    router.uninstall()

    perform(router, a_run(), lambda: print("hello"))

    assert sys.stdout is consoles.out


def test_installing_from_many_threads_leaves_one_proxy(consoles):
    router = OutputRouter()
    together = threading.Barrier(8)

    def body() -> None:
        together.wait(DEADLINE)
        for _ in range(100):
            router.install()
            router.ensure()
            router.uninstall()

    threads = [threading.Thread(target=body) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)

    assert (sys.stdout, sys.stderr) == (consoles.out, consoles.err)


# The stream beneath


class Broken(io.StringIO):
    """Fails at everything that reaches it."""

    def write(self, text: str) -> int:
        raise BrokenPipeError

    def flush(self) -> None:
        raise BrokenPipeError


def test_a_broken_stream_hurts_no_run_and_outside_it_is_as_broken_as_ever(router, monkeypatch):
    monkeypatch.setattr(sys, "stdout", Broken())
    run = a_run()

    perform(router, run, lambda: print("hello", flush=True))

    assert texts(run) == ["hello"]
    with pytest.raises(BrokenPipeError):
        print("outside")
    with pytest.raises(BrokenPipeError):
        sys.stdout.flush()


def test_a_closed_stream_hurts_no_run(router, monkeypatch):
    closed = Console()
    closed.close()
    monkeypatch.setattr(sys, "stdout", closed)
    run = a_run()

    def body() -> None:
        print("text", flush=True)
        sys.stdout.close()
        with contextlib.suppress(ValueError):
            sys.stdout.buffer.write(b"bytes\n")

    perform(router, run, body)

    assert "text" in texts(run)
    with pytest.raises(ValueError, match="closed"):
        print("outside")


def test_a_character_that_the_stream_beneath_lacks_is_escaped_there(router, monkeypatch):
    ascii_only = Console("ascii")
    monkeypatch.setattr(sys, "stdout", ascii_only)
    run = a_run()

    perform(router, run, lambda: print("✓ grün"))

    assert texts(run) == ["✓ grün"]
    assert ascii_only.text() == "\\u2713 gr\\xfcn\n"
    with pytest.raises(UnicodeEncodeError):
        print("✓")


def test_the_proxy_has_what_the_stream_beneath_has(router, consoles):
    out: Any = sys.stdout
    assert isinstance(out, io.TextIOBase)
    assert isinstance(out.buffer, io.BufferedIOBase)
    assert (out.encoding, out.errors, out.closed) == ("utf-8", "strict", False)
    assert (out.isatty(), out.writable(), out.line_buffering) == (False, True, False)
    with pytest.raises(io.UnsupportedOperation):
        out.fileno()

    out.reconfigure(line_buffering=True, errors="replace")

    assert consoles.out.line_buffering
    assert out.errors == "replace"
    with pytest.raises(AttributeError):
        out.no_such_thing  # noqa: B018


def test_a_stream_written_by_hand_lacks_nothing_that_tasks_ask_for(router, monkeypatch):
    class Bare:
        def write(self, text: str) -> None:
            pass

        def flush(self) -> None:
            pass

    monkeypatch.setattr(sys, "stdout", Bare())
    asked: list[object] = []

    def body() -> None:
        out: Any = sys.stdout
        out.reconfigure(line_buffering=True)
        asked.extend([out.encoding, out.errors, out.closed, out.write("abc")])

    perform(router, a_run(), body)

    assert asked == ["utf-8", "backslashreplace", False, 3]


def test_a_subprocess_can_be_given_the_proxy(consoles, monkeypatch, tmp_path):
    with (tmp_path / "out").open("w") as file:
        monkeypatch.setattr(sys, "stdout", file)
        router = OutputRouter()
        router.install()
        subprocess.run([sys.executable, "-c", "print('child')"], stdout=sys.stdout, check=True, timeout=60)
        router.uninstall()
    assert (tmp_path / "out").read_text() == "child\n"


def test_a_proxy_that_is_copied_half_made_fails_cleanly(router, consoles):
    half = StreamProxy.__new__(StreamProxy)
    with pytest.raises(AttributeError):
        half.name  # noqa: B018
    assert copy.copy(sys.stdout).original is consoles.out  # type: ignore[attr-defined]


def test_a_print_within_a_print_neither_hangs_nor_loses_a_line(router, monkeypatch):
    """As a signal handler or a finalizer does it, at any moment."""
    run = a_run()

    class Interrupting(io.StringIO):
        def write(self, text: str) -> int:
            if text == "outer":
                within(run, lambda: sys.stderr.write("from the handler\n"))
            return super().write(text)

    class Told(Heard):
        def output_written(self, output: RunOutput) -> None:
            print("told")

    talkative = a_run(listener=Told())
    monkeypatch.setattr(sys, "stdout", Interrupting())

    perform(router, run, lambda: print("outer"))
    perform(router, talkative, lambda: print("hello"))

    assert texts(run) == ["outer"]
    assert texts(talkative) == ["hello", "told"]


# Output that is taken


@pytest.fixture
def outside() -> list[tuple[Stream, str]]:
    return []


@pytest.fixture
def take(router, outside, stage) -> Callable[[], None]:
    """Gives back the output, which is taken while the test runs."""
    releases: list[Callable[[], None]] = []

    @contextlib.contextmanager
    def taken() -> Iterator[None]:
        releases.append(router.take(lambda stream, text: outside.append((stream, text))))
        yield
        releases[0]()

    stage.append(taken())
    return lambda: releases[0]()


def test_while_output_is_taken_runs_print_to_their_events_only(router, consoles, take, outside):
    run = a_run()

    perform(router, run, lambda: print("mine", flush=True))

    assert texts(run) == ["mine"]
    assert consoles.out.text() == ""
    assert outside == []


def test_while_output_is_taken_other_code_gives_whole_lines(consoles, take, outside):
    print("one", end="")
    assert outside == []
    print(" line")
    sys.stderr.buffer.write("grün\n".encode())

    assert outside == [(Stream.STDOUT, "one line"), (Stream.STDERR, "grün")]
    assert (consoles.out.text(), consoles.err.text()) == ("", "")


def test_what_was_taken_is_given_back_and_a_line_without_an_end_is_handed_over(
    router, consoles, take, outside
):
    print("open", end="")

    take()
    take()
    print("outside")
    run = a_run()
    perform(router, run, lambda: print("mine"))

    assert outside == [(Stream.STDOUT, "open")]
    assert texts(run) == ["mine"]
    assert consoles.out.text() == "outside\nmine\n"


def test_taking_installs_and_giving_back_puts_things_back(consoles):
    release = take_output(lambda stream, text: None)
    assert isinstance(sys.stdout, StreamProxy)

    release()

    assert (sys.stdout, sys.stderr) == (consoles.out, consoles.err)


def test_giving_back_leaves_alone_what_is_no_longer_in_place(consoles, monkeypatch):
    """A terminal application puts back `sys.stdout` before or after it gives back the output."""
    router = OutputRouter()
    router.install()
    with contextlib.redirect_stdout(io.StringIO()) as application:
        release = router.take(lambda stream, text: None)
        print("taken")
    release()
    print("outside")
    router.uninstall()

    assert application.getvalue() == ""
    assert consoles.out.text() == "outside\n"
    assert sys.stdout is consoles.out


def test_of_two_who_take_output_the_later_gets_it_until_it_gives_back(router, consoles, take, outside):
    later: list[str] = []
    release = router.take(lambda stream, text: later.append(text))
    print("later")
    release()
    print("first")
    again = router.take(lambda stream, text: later.append(text))
    take()
    print("still later")
    again()
    print("nobody")

    assert later == ["later", "still later"]
    assert outside == [(Stream.STDOUT, "first")]
    assert consoles.out.text() == "nobody\n"


def test_a_taker_that_raises_or_prints_is_not_felt(router, consoles):
    def tell(stream: Stream, text: str) -> None:
        print("told:", text)
        sys.stderr.buffer.write(b"told\n")
        raise RuntimeError

    release = router.take(tell)
    print("hello")
    release()

    assert consoles.out.text() == ""


def test_what_cannot_be_called_takes_no_output(router, consoles):
    with pytest.raises(TypeError, match="outside must be callable, not 3"):
        router.take(3)

    print("hello")

    assert consoles.out.text() == "hello\n"


def test_a_record_is_in_the_run_and_not_outside_while_output_is_taken(router, consoles, logger, outside):
    logger.addHandler(logging.StreamHandler(consoles.err))  # from before the router
    logger.addHandler(logging.StreamHandler())
    release = router.take(lambda stream, text: outside.append((stream, text)))
    run = a_run()

    perform(router, run, lambda: logger.error("mine"))
    assert (texts(run), outside) == (["mine"], [])
    logger.error("outside")
    assert outside == [(Stream.STDERR, "outside")] * 2  # once for each handler
    assert consoles.err.text() == ""

    release()
    assert isinstance(logger.handlers[0], logging.StreamHandler)
    assert logger.handlers[0].stream is consoles.err


def test_a_task_that_puts_back_the_old_stream_does_not_reach_the_console(router, consoles, take, monkeypatch):
    """`sys.stdout = sys.__stdout__` is a common way to undo a redirection."""
    monkeypatch.setattr(sys, "stdout", consoles.out)
    run = a_run()

    perform(router, run, lambda: print("mine"))

    assert texts(run) == ["mine"]
    assert consoles.out.text() == ""


# The kept lines


def test_a_flood_costs_one_announcement_a_batch(router, consoles):
    heard = Heard()
    run = a_run(listener=heard)

    def body() -> None:
        for _ in range(3):
            for number in range(200):
                print(number)
            assert len(texts(run)) == 200

    perform(router, run, body)

    assert heard.told == [run.output] * 3


def test_the_newest_lines_are_kept_and_the_others_counted(router, consoles):
    run = a_run()

    def body() -> None:
        for number in range(LINES_KEPT + 500):
            print(number)

    perform(router, run, body)

    assert run.output is not None
    told, lost = run.output.take()
    assert [line.text for line in told] == [str(number) for number in range(500, LINES_KEPT + 500)]
    assert lost == 500
    assert run.output.take() == ((), 0)
    assert run.output.remembered() == tuple(str(n) for n in range(1_400, 1_500))
    assert run.output.dropped == LINES_KEPT + 500 - LINES_REMEMBERED


def test_while_many_write_and_one_takes_every_line_is_delivered_or_counted():
    writers, each = 4, 20_000
    wanted = threading.Semaphore(0)
    output = RunOutput("task", 1, lambda: 0.0, lambda output: wanted.release())
    ended = threading.Event()
    told = lost = 0

    def write(writer: int) -> None:
        for number in range(each):
            output.add(Stream.STDOUT, f"{writer} {number}", logging.INFO)

    def take() -> None:
        nonlocal told, lost
        while wanted.acquire(timeout=DEADLINE):
            if ended.is_set():
                return
            batch, more = output.take()
            assert more >= 0
            assert len(batch) <= LINES_KEPT
            told += len(batch)
            lost += more

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        taker = threading.Thread(target=take)
        threads = [threading.Thread(target=write, args=(writer,)) for writer in range(writers)]
        for thread in (taker, *threads):
            thread.start()
        for thread in threads:
            thread.join(DEADLINE)
        # Whatever was announced is taken without any further call.
        until = time.monotonic() + DEADLINE
        while told + lost < writers * each and time.monotonic() < until:
            time.sleep(0.001)
        ended.set()
        wanted.release()
        taker.join(DEADLINE)
    finally:
        sys.setswitchinterval(interval)

    assert told + lost == writers * each
    assert output.take() == ((), 0)


def test_the_first_lines_of_two_threads_at_once_are_both_kept(router, consoles):
    class SlowToOpen(Run):
        def open_output(self) -> RunOutput:
            time.sleep(0.05)  # so that the others come meanwhile
            return super().open_output()

    run = a_run(kind=SlowToOpen)
    together = threading.Barrier(4)

    def body() -> None:
        together.wait(DEADLINE)
        print("hello")

    threads = [threading.Thread(target=within, args=(run, body)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)

    assert texts(run) == ["hello"] * 4


def test_what_is_remembered_can_be_read_while_lines_are_added():
    output = RunOutput("task", 1, lambda: 0.0, lambda output: None)
    ended = threading.Event()

    def write() -> None:
        while not ended.is_set():
            output.add(Stream.STDOUT, "line", logging.INFO)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for _ in range(2_000):
            assert len(output.remembered()) <= LINES_REMEMBERED
    finally:
        ended.set()
        thread.join(DEADLINE)


# A forked child


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.parametrize("is_taken", [False, True])
def test_a_forked_child_prints_to_the_stream_beneath_without_waiting(is_taken):
    script = f"""
import contextvars, os, sys
from taskkit.capture import router
from taskkit import take_output
from taskkit.outcome import Trigger
from taskkit.policies import DEFAULT_POLICIES
from taskkit.run import Run, current
from taskkit.testing import ManualClock

class Deaf:
    def output_written(self, output):
        os.write(1, b"told\\n")

if {is_taken}:
    sys.stdout = open(os.devnull, "w")  # as a terminal application puts there a stream that shows nothing
router.install()
if {is_taken}:
    take_output(lambda stream, text: None)
run = Run(
    "task", None, DEFAULT_POLICIES, None, 1, Trigger.SCHEDULE, 0.0, 0.0, 1, {{}}, {{}}, ManualClock(), Deaf()
)
current.set(run)
child = os.fork()
if not child:
    print("child", flush=True)
    os._exit(0)
os.waitpid(child, 0)
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("child\n", "")


def test_a_source_is_itself_and_nothing_else():
    assert LineSource(Stream.STDOUT, logging.INFO) != STDOUT


def test_a_proxy_lives_until_its_thread_prints_elsewhere() -> None:
    """Else `print` would crash where another thread replaces `sys.stdout` between two of its writes."""
    proxy: StreamProxy | None = StreamProxy(io.StringIO(), STDOUT)
    assert proxy is not None
    around = StreamProxy(proxy, STDOUT)  # while it writes, the one beneath is written to as well
    last = weakref.ref(around)
    around.write("a part of a line")
    del around
    gc.collect()
    assert last() is not None
    proxy.write("another part")
    gc.collect()
    assert last() is None
