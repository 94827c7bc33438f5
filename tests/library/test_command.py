"""Commands as tasks: real processes, on the scheduler's real threads."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from typing import ClassVar

import pytest
from never_beginning import threads_never_begin

from taskkit import CommandError, CommandTask, Outcome, OutcomeKind, OutputWritten, RunFinished, Scheduler
from taskkit.engine import process_group

DEADLINE = 20.0
"""Seconds after which a test gives up; none is expected to take more than a fraction of it."""


STUBBORN = "trap '' TERM; echo on $$; while :; do sleep 0.01; done"
"""A command that will not end when it is asked to."""


class Impatient(CommandTask):
    """One that does not wait long before it kills."""

    grace: ClassVar[float] = 0.2


class Lines:
    """What runs write, as it comes, and how they end."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._changed = threading.Condition()
        self.lines: list[tuple[str, str]] = []
        """Stream and text."""
        self.dropped = 0
        self.outcomes: dict[str, Outcome] = {}
        scheduler.subscribe(self._hear)

    def _hear(self, event: object) -> None:
        with self._changed:
            if isinstance(event, OutputWritten):
                self.lines += [(line.stream.value, line.text) for line in event.lines]
                self.dropped += event.dropped
            elif isinstance(event, RunFinished):
                self.outcomes[event.name] = event.outcome
            self._changed.notify_all()

    def wait_for(self, text: str) -> None:
        """Wait until a line with this text was written."""
        with self._changed:
            assert self._changed.wait_for(lambda: any(text in line for _, line in self.lines), DEADLINE), (
                f"no {text!r} in {self.lines}"
            )

    def outcome(self, name: str = "it") -> Outcome:
        """Wait until the task has run, and say how."""
        with self._changed:
            assert self._changed.wait_for(lambda: name in self.outcomes, DEADLINE), f"{name} goes on"
        return self.outcomes[name]


@pytest.fixture
def scheduler() -> Iterator[Scheduler]:
    with Scheduler() as scheduler:
        yield scheduler


@pytest.fixture
def lines(scheduler: Scheduler) -> Lines:
    return Lines(scheduler)


@pytest.fixture(autouse=True)
def _leaves_nothing_behind() -> Iterator[None]:
    """No descriptor stays open, no child stays unreaped, and nothing is closed by the garbage collector."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        before = descriptors()
        yield
        gc.collect()
        wait_until(lambda: descriptors() <= before, "a descriptor stays open")
        with pytest.raises(ChildProcessError):
            os.waitpid(-1, os.WNOHANG)


def descriptors() -> int:
    return len(list(Path("/dev/fd").iterdir()))


def wait_until(condition: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.005)


def is_alive(pid: int) -> bool:
    """Whether it has not ended; one that nobody has reaped yet has."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def python(program: str) -> list[str]:
    return [sys.executable, "-c", dedent(program)]


def run(scheduler: Scheduler, lines: Lines, task: CommandTask) -> Outcome:
    """Run it to its end."""
    scheduler.add_on_demand_task(task, "it")
    assert scheduler.run_task_now("it")
    return lines.outcome()


class TestTheEnd:
    def test_exit_status_0_is_a_success(self, scheduler: Scheduler, lines: Lines) -> None:
        outcome = run(scheduler, lines, CommandTask(["true"]))
        assert (outcome.kind, outcome.result) == (OutcomeKind.SUCCEEDED, 0)

    def test_another_exit_status_is_a_failure_that_says_it(self, scheduler: Scheduler, lines: Lines) -> None:
        outcome = run(scheduler, lines, CommandTask("exit 3"))
        assert outcome.kind is OutcomeKind.FAILED
        assert outcome.exception == "CommandError: exit 3 ended with exit status 3"

    def test_so_is_a_signal(self, scheduler: Scheduler, lines: Lines) -> None:
        outcome = run(scheduler, lines, CommandTask("kill -SEGV $$"))
        assert outcome.exception == "CommandError: kill -SEGV $$ was ended by SIGSEGV"

    def test_a_signal_without_a_name_is_given_by_its_number(self) -> None:
        assert str(CommandError("it", -50)) == "it was ended by signal 50"

    def test_a_long_command_does_not_hide_how_it_ended(self, scheduler: Scheduler, lines: Lines) -> None:
        outcome = run(scheduler, lines, CommandTask(f"exit 3 # {'x' * 10_000}"))
        assert outcome.exception is not None
        assert outcome.exception.endswith("… ended with exit status 3")

    @pytest.mark.parametrize("capture", [True, False])
    def test_a_command_that_is_not_there_fails_and_is_named(self, capture: bool) -> None:
        with Scheduler(capture=capture) as scheduler:
            outcome = run(scheduler, Lines(scheduler), CommandTask(["no-such-command", "-v"]))
        assert outcome.kind is OutcomeKind.FAILED
        assert outcome.exception == (
            "FileNotFoundError: [Errno 2] No such file or directory: 'no-such-command'"
        )

    def test_so_does_a_folder_that_is_not_there(
        self, scheduler: Scheduler, lines: Lines, tmp_path: Path
    ) -> None:
        outcome = run(scheduler, lines, CommandTask(["true"], cwd=tmp_path / "nowhere"))
        assert outcome.kind is OutcomeKind.FAILED
        assert "nowhere" in str(outcome.exception)

    def test_a_failed_command_is_tried_again(
        self, scheduler: Scheduler, lines: Lines, tmp_path: Path
    ) -> None:
        command = CommandTask("test -e tried && exit 0; touch tried; exit 1", cwd=tmp_path)
        scheduler.add_on_demand_task(command, "it", retries=1, retry_delay=0)
        scheduler.run_task_now("it")
        wait_until(lambda: lines.outcome().attempt == 2, "it is not tried again")
        assert lines.outcome().kind is OutcomeKind.SUCCEEDED


class TestWhatItIsGiven:
    def test_no_shell_sees_a_sequence(self, scheduler: Scheduler, lines: Lines) -> None:
        outcome = run(scheduler, lines, CommandTask(["echo", "$HOME", "; exit 1"]))
        assert outcome.output == ("$HOME ; exit 1",)

    def test_a_string_is_a_line_for_the_shell(self, scheduler: Scheduler, lines: Lines) -> None:
        outcome = run(scheduler, lines, CommandTask("printf 'b\\na\\n' | sort; echo $((2 + 3))"))
        assert outcome.output == ("a", "b", "5")

    def test_its_folder_and_variables_are_as_asked_and_the_others_stay(
        self, scheduler: Scheduler, lines: Lines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        task = CommandTask('pwd; echo "$OF_ITS_OWN $OF_OURS"', cwd=tmp_path, env={"OF_ITS_OWN": "one"})
        monkeypatch.setenv("OF_OURS", "two")  # also where it is set only after the task was made
        outcome = run(scheduler, lines, task)
        assert outcome.output == (str(tmp_path.resolve()), "one two")

    def test_it_reads_nothing_and_has_no_terminal(self, scheduler: Scheduler, lines: Lines) -> None:
        outcome = run(scheduler, lines, CommandTask("cat; (: < /dev/tty) 2>/dev/null || echo none"))
        assert outcome.output == ("none",)

    def test_it_leads_a_group_of_its_own(self, scheduler: Scheduler, lines: Lines) -> None:
        outcome = run(scheduler, lines, CommandTask(python("import os; print(os.getpgid(0) - os.getpid())")))
        assert outcome.output == ("0",)

    @pytest.mark.parametrize(
        ("arguments", "error", "words"),
        [
            (("",), ValueError, "command must not be empty, not ''"),
            (("  ",), ValueError, "command must not be empty, not '  '"),
            (([],), ValueError, r"command must not be empty, not \[\]"),
            (([""],), ValueError, r"command must not be empty, not \[''\]"),
            ((b"ls",), TypeError, "command must be a string or a sequence of strings, not b'ls'"),
            ((None,), TypeError, "command must be a string or a sequence of strings, not None"),
            ((["ls", 1],), TypeError, "command must be made of strings or paths, not 1"),
            ((["ls", "a\0b"],), ValueError, r"command must hold no NUL, as 'a\\x00b' does"),
            (("ls", 1), TypeError, "cwd must be made of strings or paths, not 1"),
            (("ls", None, ["A=1"]), TypeError, "env must be a mapping of names to values"),
            (("ls", None, {"A": 1}), TypeError, "env must hold strings only, not 1"),
            (("ls", None, {"A=": "1"}), ValueError, "env must have names without '=', not 'A='"),
            (("ls", None, {"A": "\0"}), ValueError, "env must hold no NUL"),
        ],
    )
    def test_bad_input_is_refused_where_it_is_given(
        self, arguments: tuple[object, ...], error: type[Exception], words: str
    ) -> None:
        """Section 9."""
        with pytest.raises(error, match=words):
            CommandTask(*arguments)  # type: ignore[arg-type]

    def test_it_cannot_be_changed_by_changing_what_it_was_given(self) -> None:
        words, variables = ["echo", "a"], {"A": "1"}
        task = CommandTask(words, env=variables)
        words[1], variables["A"] = "b", "2"
        assert (task.command, task.env, task.words) == (("echo", "a"), {"A": "1"}, "echo a")

    def test_a_form_has_nothing_to_ask_for_a_run(self, scheduler: Scheduler) -> None:
        scheduler.add_on_demand_task(CommandTask("true"), "it")
        details = scheduler.describe("it")
        assert details is not None
        assert details.parameters == ()


class TestWhatItWrites:
    @pytest.mark.parametrize("capture", [True, False])
    def test_its_lines_are_those_of_the_run_stream_by_stream(
        self, capture: bool, capfd: pytest.CaptureFixture[str]
    ) -> None:
        """Section 8: also without `capture`; and they go on to the stream beneath."""
        with Scheduler(capture=capture) as scheduler:
            lines = Lines(scheduler)
            outcome = run(scheduler, lines, CommandTask("echo out; echo err >&2"))
        assert sorted(lines.lines) == [("stderr", "err"), ("stdout", "out")]
        assert sorted(outcome.output) == ["err", "out"]
        assert (capfd.readouterr()) == ("out\n", "err\n")

    def test_a_line_comes_while_the_command_goes_on(self, scheduler: Scheduler, lines: Lines) -> None:
        scheduler.add_on_demand_task(CommandTask("echo first; exec sleep 60"), "it")
        scheduler.run_task_now("it")
        lines.wait_for("first")
        scheduler.stop_task("it")
        lines.outcome()

    def test_so_does_one_without_an_end(self, scheduler: Scheduler, lines: Lines) -> None:
        scheduler.add_on_demand_task(CommandTask("printf 'please wait '; exec sleep 60"), "it")
        scheduler.run_task_now("it")
        lines.wait_for("please wait \r")
        scheduler.stop_task("it")
        assert lines.outcome().output == ("please wait ",)

    def test_the_last_line_needs_no_end(self, scheduler: Scheduler, lines: Lines) -> None:
        assert run(scheduler, lines, CommandTask("printf 'a\\nb'")).output == ("a", "b")

    def test_bytes_that_are_no_text_are_made_readable(self, scheduler: Scheduler, lines: Lines) -> None:
        task = CommandTask(python(r"import os; os.write(1, b'a\xff\xc3\xa4\n\xe2\x82')"))
        assert run(scheduler, lines, task).output == ("a\\xffä", "\\xe2\\x82")

    def test_a_character_may_come_in_pieces(self, scheduler: Scheduler, lines: Lines) -> None:
        program = """
            import os, time
            for byte in "ä€😀".encode() + b"\\n":
                os.write(1, bytes([byte]))
                time.sleep(0.01)
        """
        assert run(scheduler, lines, CommandTask(python(program))).output == ("ä€😀",)

    def test_a_flood_is_captured_or_counted_to_the_last_line(
        self, scheduler: Scheduler, lines: Lines
    ) -> None:
        outcome = run(scheduler, lines, CommandTask("yes | head -n 200000; echo last"))
        assert outcome.output[-1] == "last"
        assert len(outcome.output) + outcome.output_dropped == 200_001
        wait_until(lambda: len(lines.lines) + lines.dropped >= 200_001, "lines are missing")

    def test_a_line_of_megabytes_is_bounded(self, scheduler: Scheduler, lines: Lines) -> None:
        outcome = run(scheduler, lines, CommandTask("head -c 5000000 /dev/zero | tr '\\0' x"))
        (line,) = outcome.output
        assert line.endswith(" … 4,934,464 more characters")

    def test_outside_any_run_it_is_printed(self, capfd: pytest.CaptureFixture[str]) -> None:
        assert CommandTask("echo out; echo err >&2").run() == 0
        assert capfd.readouterr() == ("out\n", "err\n")

    def test_outside_any_run_it_fails_by_raising(self) -> None:
        with pytest.raises(CommandError, match="exit 3 ended with exit status 3") as caught:
            CommandTask("exit 3").run()
        assert caught.value.status == 3

    def test_a_console_that_is_gone_ends_it_outside_any_run(self, monkeypatch: pytest.MonkeyPatch) -> None:
        class Gone:
            def write(self, text: str) -> int:
                raise BrokenPipeError

        monkeypatch.setattr(sys, "stdout", Gone())
        with pytest.raises(BrokenPipeError):
            CommandTask("echo one; exec sleep 60").run()


class TestStopping:
    def test_it_is_terminated_at_once(self, scheduler: Scheduler, lines: Lines) -> None:
        """R3."""
        program = """
            import signal, sys, time
            signal.signal(signal.SIGTERM, lambda *_: sys.exit("bye"))
            print("on", flush=True)
            time.sleep(60)
        """
        scheduler.add_on_demand_task(CommandTask(python(program)), "it")
        scheduler.run_task_now("it")
        lines.wait_for("on")
        scheduler.stop_task("it")
        outcome = lines.outcome()
        assert (outcome.kind, outcome.exception, outcome.output) == (OutcomeKind.STOPPED, None, ("on", "bye"))

    def test_nothing_is_waited_for_longer_than_it_takes(self, scheduler: Scheduler, lines: Lines) -> None:
        """Neither the end of a process nor a request to stop is found out by looking now and then."""
        scheduler.add_on_demand_task(CommandTask("echo on; exec sleep 60"), "it")
        took = []
        for _ in range(5):
            lines.lines.clear()
            lines.outcomes.clear()
            scheduler.run_task_now("it")
            lines.wait_for("on")
            asked = time.monotonic()
            scheduler.stop_task("it")
            lines.outcome()
            took.append(time.monotonic() - asked)
        assert min(took) < 0.1

    def test_so_is_whatever_it_started(self, scheduler: Scheduler, lines: Lines) -> None:
        scheduler.add_on_demand_task(CommandTask("sleep 60 & echo pid $!; wait"), "it")
        scheduler.run_task_now("it")
        lines.wait_for("pid ")
        child = int(lines.lines[-1][1].split()[1])
        scheduler.stop_task("it")
        assert lines.outcome().kind is OutcomeKind.STOPPED
        wait_until(lambda: not is_alive(child), "its child lives on")

    def test_one_that_will_not_end_is_killed_after_the_grace(
        self, scheduler: Scheduler, lines: Lines
    ) -> None:
        scheduler.add_on_demand_task(Impatient(STUBBORN), "it")
        scheduler.run_task_now("it")
        lines.wait_for("on")
        scheduler.stop_task("it")
        outcome = lines.outcome()
        assert outcome.kind is OutcomeKind.STOPPED
        assert outcome.result == -signal.SIGKILL

    def test_a_flood_does_not_put_that_off(self, scheduler: Scheduler, lines: Lines) -> None:
        scheduler.add_on_demand_task(Impatient("trap '' TERM; yes & while :; do echo on; done"), "it")
        scheduler.run_task_now("it")
        lines.wait_for("on")
        scheduler.stop_task("it")
        assert lines.outcome().kind is OutcomeKind.STOPPED

    def test_members_of_the_group_that_ignore_it_are_killed_too(
        self, scheduler: Scheduler, lines: Lines
    ) -> None:
        stubborn = "trap '' TERM; echo pid \\$\\$; while :; do sleep 0.01; done"
        scheduler.add_on_demand_task(Impatient(f'sh -c "{stubborn}" & wait'), "it")
        scheduler.run_task_now("it")
        lines.wait_for("pid ")
        child = int(lines.lines[-1][1].split()[1])
        scheduler.stop_task("it")
        assert lines.outcome().kind is OutcomeKind.STOPPED
        wait_until(lambda: not is_alive(child), "its child lives on")

    def test_those_that_print_nothing_too(self, scheduler: Scheduler, lines: Lines) -> None:
        silent = "trap '' TERM; echo pid \\$\\$; exec >&- 2>&-; while :; do sleep 0.01; done"
        scheduler.add_on_demand_task(Impatient(f'sh -c "{silent}" & wait'), "it")
        scheduler.run_task_now("it")
        lines.wait_for("pid ")
        child = int(lines.lines[-1][1].split()[1])
        scheduler.stop_task("it")
        lines.outcome()
        wait_until(lambda: not is_alive(child), "its child lives on")

    def test_one_whose_time_is_over_is_stopped_like_any_other(
        self, scheduler: Scheduler, lines: Lines
    ) -> None:
        scheduler.add_on_demand_task(CommandTask("exec sleep 60"), "it", timeout=0.05)
        scheduler.run_task_now("it")
        assert lines.outcome().kind is OutcomeKind.TIMED_OUT

    def test_one_that_was_stopped_before_is_not_started(self, tmp_path: Path) -> None:
        class Stopped(CommandTask):
            def run(self) -> int:
                self.handle.stop()
                return super().run()

        with Scheduler() as scheduler:
            outcome = run(scheduler, Lines(scheduler), Stopped("touch it", cwd=tmp_path))
        assert outcome.kind is OutcomeKind.STOPPED
        assert list(tmp_path.iterdir()) == []

    def test_many_stops_at_once_stop_it_once(self, scheduler: Scheduler, lines: Lines) -> None:
        count = "n=0; trap 'n=$((n+1)); echo told $n' TERM"
        line = f"{count}; echo on; while :; do sleep 0.01; done"
        scheduler.add_on_demand_task(Impatient(line), "it")
        scheduler.run_task_now("it")
        lines.wait_for("on")
        threads = [threading.Thread(target=scheduler.stop_task, args=("it",)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        # The shell may add a line on its own about the `sleep` that was terminated with it.
        assert [line for line in lines.outcome().output if line.startswith("told")] == ["told 1"]

    def test_stopping_the_scheduler_abandons_no_command_that_can_be_killed(self) -> None:
        """O5: the grace and what follows take less than the three seconds that `stop` waits."""
        with Scheduler() as scheduler:
            lines = Lines(scheduler)
            scheduler.add_on_demand_task(CommandTask(STUBBORN), "it")
            scheduler.run_task_now("it")
            lines.wait_for("on")
            assert scheduler.stop() == []
        assert lines.outcome().kind is OutcomeKind.STOPPED


class TestWhatItLeavesBehind:
    def test_a_process_in_the_background_holds_up_no_run(self, scheduler: Scheduler, lines: Lines) -> None:
        outcome = run(scheduler, lines, CommandTask("sleep 60 & echo pid $!"))
        child = int(outcome.output[0].split()[1])
        try:
            assert outcome.kind is OutcomeKind.SUCCEEDED
            assert outcome.duration < 10
            assert is_alive(child)
        finally:
            os.kill(child, signal.SIGKILL)

    def test_its_last_words_are_waited_for(self, scheduler: Scheduler, lines: Lines) -> None:
        outcome = run(scheduler, lines, CommandTask("(sleep 0.05; echo late) & echo early"))
        assert outcome.output == ("early", "late")

    def test_what_was_written_before_the_end_is_read_however_late_one_looks(
        self, scheduler: Scheduler, lines: Lines, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # As if this thread was starved for that long.
        monkeypatch.setattr(process_group, "LAST_OUTPUT_SECONDS", -1.0)
        outcome = run(scheduler, lines, CommandTask("yes | head -n 30000; echo last >&2"))
        assert len(outcome.output) + outcome.output_dropped == 30_001

    def test_one_that_left_the_group_holds_up_no_stop(self, scheduler: Scheduler, lines: Lines) -> None:
        program = """
            import os, subprocess, time
            child = subprocess.Popen(["sleep", "60"], start_new_session=True)
            os.write(1, f"pid {child.pid}\\n".encode())
            time.sleep(60)
        """
        scheduler.add_on_demand_task(Impatient(python(program)), "it")
        scheduler.run_task_now("it")
        lines.wait_for("pid ")
        scheduler.stop_task("it")
        outcome = lines.outcome()
        os.kill(int(outcome.output[0].split()[1]), signal.SIGKILL)
        assert outcome.kind is OutcomeKind.STOPPED

    def test_the_traceback_of_one_that_failed_is_a_line(self, scheduler: Scheduler, lines: Lines) -> None:
        outcome = run(scheduler, lines, CommandTask("exit 3"))
        assert outcome.traceback == "taskkit.command.CommandError: exit 3 ended with exit status 3\n"

    def test_one_that_closes_its_output_is_waited_for(self, scheduler: Scheduler, lines: Lines) -> None:
        outcome = run(scheduler, lines, CommandTask("exec >&- 2>&-; sleep 0.1; exit 4"))
        assert outcome.exception is not None
        assert outcome.exception.endswith("ended with exit status 4")

    def test_a_program_that_ends_takes_its_commands_along(self) -> None:
        program = f"""
            import sys
            from taskkit import CommandTask, Scheduler
            scheduler = Scheduler()
            scheduler.add_on_demand_task(CommandTask({STUBBORN!r}), "it")
            scheduler.start()
            scheduler.run_task_now("it")
            sys.stdin.readline()
        """
        with subprocess.Popen(
            python(program), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            pid = int(process.stdout.readline().split()[1])
            assert is_alive(pid)
            process.communicate("\n", timeout=DEADLINE)
        wait_until(lambda: not is_alive(pid), "the command lives on")

    def test_it_needs_no_thread_that_stays(self, scheduler: Scheduler, lines: Lines) -> None:
        run(scheduler, lines, CommandTask("true"))
        before = set(threading.enumerate())
        for _ in range(3):
            lines.outcomes.clear()
            scheduler.run_task_now("it")
            lines.outcome()
        assert {thread.name for thread in set(threading.enumerate()) - before} <= {"it"}
        wait_until(lambda: threading.active_count() <= len(before) + 1, "threads stay")


class TestVariables:
    def test_they_are_replaced_at_each_start_of_a_run(
        self, scheduler: Scheduler, lines: Lines, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        (tmp_path / "first").mkdir()
        monkeypatch.setenv("PLACE", "first")
        monkeypatch.setenv("WORD", "one ${PLACE}")
        task = CommandTask(
            ["sh", "-c", 'echo "$1 $SAID $(basename "$PWD")"', "sh", "${WORD}"],
            cwd="${PLACE}",
            env={"SAID": "${NONE:-nothing}"},
            folder=tmp_path,
            expand_variables=True,
        )
        run(scheduler, lines, task)
        lines.wait_for("one ${PLACE} nothing first")
        assert task.words.endswith("'${WORD}'")

    def test_they_come_from_the_process_the_file_and_env_in_this_order(
        self, scheduler: Scheduler, lines: Lines, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("A", "process")
        monkeypatch.setenv("B", "process")
        monkeypatch.setenv("C", "process")
        (tmp_path / ".env").write_text("B=file ${A}\nC=file")
        run(scheduler, lines, CommandTask("echo $A, $B, $C", env={"C": "env"}, env_file=tmp_path / ".env"))
        lines.wait_for("process, file process, env")

    def test_a_folder_that_is_missing_is_named_as_it_is_written(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SECRET", "/no-such-folder")
        with pytest.raises(FileNotFoundError, match=r"'\$\{SECRET\}/in'"):
            CommandTask(["true"], cwd="${SECRET}/in", expand_variables=True).start("it")

    def test_one_that_is_not_set_fails_the_run_by_name(self, scheduler: Scheduler, lines: Lines) -> None:
        task = CommandTask(["true"], env={"A": "${NOT_SET_HERE}"}, expand_variables=True)
        outcome = run(scheduler, lines, task)
        assert outcome.kind is OutcomeKind.FAILED
        assert "env.A needs the variable NOT_SET_HERE, which is not set" in str(outcome.exception)

    def test_no_value_is_in_an_error(
        self, scheduler: Scheduler, lines: Lines, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SECRET", "/hidden/xyzzy")
        for number, task in enumerate(
            (
                CommandTask(["${SECRET}"], expand_variables=True),
                CommandTask(["false", "${SECRET}"], expand_variables=True),
                CommandTask(["true"], cwd="${SECRET}", expand_variables=True),
                CommandTask(["true"], env_file="${SECRET}", expand_variables=True),
            )
        ):
            scheduler.add_on_demand_task(task, f"it {number}")
            scheduler.run_task_now(f"it {number}")
            outcome = lines.outcome(f"it {number}")
            assert outcome.kind is OutcomeKind.FAILED
            assert "xyzzy" not in f"{outcome.exception}{outcome.traceback}"

    def test_without_the_flag_nothing_is_replaced(self, scheduler: Scheduler, lines: Lines) -> None:
        run(scheduler, lines, CommandTask(["echo", "${HOME}"]))
        lines.wait_for("${HOME}")


def whole(lines: Lines) -> list[tuple[str, str]]:
    """Return the lines without those that were shown before their end."""
    return [line for line in lines.lines if not line[1].endswith("\r")]


class TestATerminal:
    def test_it_is_one_of_120_columns_for_both_streams(self, scheduler: Scheduler, lines: Lines) -> None:
        program = """
            import os, sys
            print(os.get_terminal_size(1).columns, os.isatty(1), os.isatty(2), sys.stdin.read() == "")
            print("problem", file=sys.stderr)
        """
        run(scheduler, lines, CommandTask(python(program), terminal=True))
        assert whole(lines) == [("stdout", "120 True True True"), ("stdout", "problem")]

    def test_what_a_killed_command_had_printed_is_kept(self, scheduler: Scheduler, lines: Lines) -> None:
        scheduler.add_on_demand_task(
            Impatient("trap '' TERM; printf 'half a li'; while :; do sleep 0.01; done", terminal=True), "it"
        )
        scheduler.run_task_now("it")
        lines.wait_for("half a li")
        assert scheduler.stop_task("it")
        assert lines.outcome().kind is OutcomeKind.STOPPED
        assert whole(lines) == [("stdout", "half a li")]

    def test_carriage_returns_before_newlines_are_no_part_of_a_line(
        self, scheduler: Scheduler, lines: Lines
    ) -> None:
        run(scheduler, lines, CommandTask(r"printf 'a\r\nb\n'", terminal=True))
        assert [text for _, text in whole(lines)] == ["a", "b"]


def test_python_programs_print_at_once_unless_told_otherwise(scheduler: Scheduler, lines: Lines) -> None:
    run(scheduler, lines, CommandTask("echo [$PYTHONUNBUFFERED]"))
    lines.wait_for("[1]")
    scheduler.add_on_demand_task(CommandTask("echo {$PYTHONUNBUFFERED}", env={"PYTHONUNBUFFERED": ""}), "own")
    scheduler.run_task_now("own")
    lines.wait_for("{}")


class TestTheIdentity:
    def test_umask_and_niceness_are_those_of_the_whole_command(
        self, scheduler: Scheduler, lines: Lines
    ) -> None:
        own = os.getpriority(os.PRIO_PROCESS, 0)
        before = os.umask(0o022)
        os.umask(before)
        run(scheduler, lines, CommandTask(["sh", "-c", "nice; umask"], umask="027", nice=own + 3))
        lines.wait_for("0027")
        lines.wait_for(str(own + 3))
        assert os.umask(before) == before
        assert os.getpriority(os.PRIO_PROCESS, 0) == own

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can run a command as another user")
    def test_another_user_has_a_home_and_groups(self, scheduler: Scheduler, lines: Lines) -> None:
        run(scheduler, lines, CommandTask('echo "$(id -un) $(id -Gn) $HOME $USER $LOGNAME"', user="daemon"))
        lines.wait_for("daemon daemon /usr/sbin daemon daemon")

    def test_a_user_that_does_not_exist_fails_the_run(self, scheduler: Scheduler, lines: Lines) -> None:
        outcome = run(scheduler, lines, CommandTask("true", user="nobody-here"))
        assert "user must be a user of this machine, not 'nobody-here'" in str(outcome.exception)

    def test_who_is_not_root_is_refused_in_words(
        self, scheduler: Scheduler, lines: Lines, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(os, "geteuid", lambda: 54321)
        outcome = run(scheduler, lines, CommandTask("true", user="root"))
        assert "user = 'root' needs root: only root can run a command as another user" in str(
            outcome.exception
        )
        scheduler.add_on_demand_task(CommandTask("true", nice=-20), "nicer")
        scheduler.run_task_now("nicer")
        assert "nice = -20 needs root" in str(lines.outcome("nicer").exception)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"nice": 20}, "nice must be from -20 to 19, not 20"),
        ({"nice": "10"}, "nice must be a whole number, not '10'"),
        ({"nice": True}, "nice must be a whole number, not True"),
        ({"umask": "28"}, "umask must be three octal digits, as '027', not '28'"),
        ({"umask": 0o27}, "umask must be a string of octal digits, as '027', not 23"),
        ({"user": ""}, "user must be the name of a user, not ''"),
        ({"user": 0}, "user must be the name of a user, not 0"),
        ({"terminal": 1}, "terminal must be True or False, not 1"),
        ({"expand_variables": None}, "expand_variables must be True or False, not None"),
        ({"env_file": b".env"}, "env_file must be made of strings or paths, not b'.env'"),
        ({"folder": 1}, "folder must be made of strings or paths, not 1"),
    ],
)
def test_a_wrong_argument_is_refused_by_name(arguments: dict[str, object], words: str) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        CommandTask("true", **arguments)  # type: ignore[arg-type]
    assert str(caught.value) == words


def test_a_command_whose_thread_never_begins_fails_and_leaves_no_process() -> None:
    """The system gives the thread, and then lacks the memory to begin it."""
    group = process_group.ProcessGroup(("sleep", "1000"), None, os.environ, "it")
    with threads_never_begin(), pytest.raises(RuntimeError, match="it never began"):
        group.follow(1)
    assert group._process.returncode == -signal.SIGKILL
