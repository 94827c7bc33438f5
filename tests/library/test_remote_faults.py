"""A served scheduler when the machine misbehaves: strangers, full disks, set clocks, locked files, floods."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic

import pytest
from patience import PATIENCE, eventually
from served import Raw, client_of, runtime, service, socket_file, socket_of, wait_for_link

from taskkit import Every, Figures, Outcome, OutputLine, OutputWritten, Scheduler, Stream, TaskSnapshot
from taskkit.remote import SocketPathError, serve
from taskkit.remote.line_backlog import ChunkQueue, LineBacklog
from taskkit.remote.link import Link
from taskkit.remote.protocol import encode
from taskkit.remote.rows import RowReader, check_columns, own_columns
from taskkit.remote.sockets import found_sockets, listen, socket_folder
from taskkit.testing import InlineExecutor, ManualClock

__all__ = ["runtime"]

NOBODY = 65_534
as_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")


@pytest.fixture
def scheduler() -> Iterator[Scheduler]:
    with Scheduler() as made:
        made.add_on_demand_task(lambda: None, "work")
        yield made


def as_nobody(do: object) -> str:
    """What a function returns in a child process of another user."""
    assert callable(do)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        answer = "nothing came of it"
        with suppress(BaseException):
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            answer = do()
        os.write(writing, answer.encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    return text


@as_root
def test_another_user_cannot_reach_the_socket_and_is_refused_where_the_folder_was_opened(
    runtime: Path, scheduler: Scheduler
) -> None:
    with serve(scheduler, "shop", strict=True) as server:
        path = server.path
        assert path is not None

        def greeting() -> str:
            try:
                with socket.socket(socket.AF_UNIX) as connection:
                    connection.settimeout(PATIENCE)
                    connection.connect(str(path))
                    return connection.recv(65_536).decode()
            except OSError as error:
                return errno.errorcode[error.errno or 0]

        assert as_nobody(greeting) == "EACCES"
        for opened in (runtime, path.parent):
            opened.chmod(0o755)
        assert as_nobody(greeting) == "EACCES"
        path.chmod(0o666)
        refusal = json.loads(as_nobody(greeting))
        assert refusal == {"error": {"kind": "not_yours", "text": "this scheduler belongs to user 0"}}
        server.close()


@as_root
@pytest.mark.parametrize("kind", ["socket", "file", "folder"])
def test_what_another_user_left_in_the_place_of_the_socket_is_neither_used_nor_removed(
    runtime: Path, scheduler: Scheduler, kind: str
) -> None:
    place = runtime / "it.sock"
    if kind == "socket":
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(place))
    elif kind == "file":
        place.touch()
    else:
        place.mkdir()
    os.chown(place, NOBODY, NOBODY)
    with pytest.raises(SocketPathError, match="something is there already"):
        serve(scheduler, "shop", path=place, strict=True)
    assert place.exists()


@contextmanager
def full_folder(folder: Path) -> Iterator[Path]:
    """A folder in a file system without room for one more file."""
    made = folder / "full"
    made.mkdir()
    if shutil.which("mount") is None or os.getuid() != 0:
        pytest.skip("only root can make a full file system")
    options = ["-t", "tmpfs", "-o", "size=4k,nr_inodes=2", "none", str(made)]
    if subprocess.run(["mount", *options], check=False, capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        (made / "last").touch()
        yield made
    finally:
        subprocess.run(["umount", "-l", str(made)], check=True)


def test_where_the_disk_is_full_that_is_said_and_the_scheduler_goes_on(
    runtime: Path, scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with full_folder(runtime) as full:
        with pytest.raises(SocketPathError, match="No space left on device"):
            listen(full / "it.sock")
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(full))
        monkeypatch.setattr("taskkit.remote.sockets.sys.platform", "darwin")  # so that TMPDIR counts
        monkeypatch.setenv("TMPDIR", str(full))
        with pytest.raises(SocketPathError, match="No space left on device"):
            socket_folder()
        assert serve(scheduler, "shop").path is None
        assert "No space left on device" in caplog.text
    assert scheduler.is_running


def test_without_home_and_runtime_folder_a_process_is_found_all_the_same(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from taskkit import Scheduler\n"
        "from taskkit.remote import serve\n"
        "with Scheduler() as scheduler, serve(scheduler, 'homeless', strict=True):\n"
        "    print('ready', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "ready\n"
        [file] = [each for each in found_sockets() if each.pid == process.pid]
        with Raw(file.path) as raw:
            assert raw.greet()["name"] == "homeless"
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()
    assert not file.path.exists()


def rows_of(raw: Raw, rows: RowReader, known: dict[str, TaskSnapshot]) -> Figures:
    """Take one frame into what is known of the tasks."""
    raw.send({"next": 1})
    frame = raw.read()
    assert frame is not None
    for row in frame["rows"]:  # type: ignore[attr-defined]
        task = rows.read(TaskSnapshot, row)
        known[task.name] = task
    return rows.read(Figures, frame["figures"])


def test_all_rows_are_right_in_the_end_where_ten_thousand_runs_fall_due_while_they_are_sent(
    runtime: Path,
) -> None:
    clock = ManualClock()
    many = Scheduler(clock=clock, executor=InlineExecutor(), capture=False)
    for number in range(10_000):
        many.add_task(Every(3600, clock.time() + 60), lambda: None, f"task {number}")
    with many, serve(many, "many", strict=True) as server, Raw(server.path) as raw:
        rows = RowReader(check_columns(raw.greet(watch=True)["columns"]))
        known: dict[str, TaskSnapshot] = {}
        rows_of(raw, rows, known)
        advancing = threading.Thread(target=clock.advance, args=(60,))
        advancing.start()
        while advancing.is_alive() and len(known) < 10_000:
            rows_of(raw, rows, known)
        with Raw(server.path) as beside:
            beside.greet()
            assert beside.ask("disable", names=["task 9999"])["ok"]["names"] == ["task 9999"]  # type: ignore[index]
        advancing.join()

        def all_ran() -> bool:
            rows_of(raw, rows, known)
            return len(known) == 10_000 and all(task.run_count for task in known.values())

        eventually(all_ran)
        assert known["task 9999"].disabled


def test_a_wall_clock_that_is_set_moves_the_due_times_on_the_screen_and_refuses_no_request(
    runtime: Path,
) -> None:
    clock = ManualClock()
    with Scheduler(clock=clock, executor=InlineExecutor(), capture=False) as quiet:
        quiet.add_task(Every(7200, clock.time() + 7200), lambda: None, "slow")
        quiet.add_on_demand_task(lambda: None, "work")
        with serve(quiet, "shop", strict=True) as server, Raw(server.path) as raw:
            greeting = raw.greet(watch=True)
            rows = RowReader(check_columns(greeting["columns"]))
            known: dict[str, TaskSnapshot] = {}
            rows_of(raw, rows, known)
            before = known["slow"].next_run
            assert before is not None
            for step in (3600.0, -7200.0):
                clock.step_wall(step)
                clock.advance(1)
                before += step
                eventually(
                    lambda moved=before: rows_of(raw, rows, known) and known["slow"].next_run == moved,  # type: ignore[misc]
                    lambda: known["slow"].next_run,
                )
                by = greeting["monotonic"] + 60  # type: ignore[operator]
                assert "ok" in raw.ask("run", names=["work"], parameters={}, by=by)


def test_whatever_a_task_prints_and_returns_arrives_or_is_said_in_words(runtime: Path) -> None:
    printed = ["lone \udc80 surrogate", "nul \0 and \x1b[31mescape\x1b[0m", "x" * 65_536, "ünïcödé 🚀", ""]
    results = iter([float("nan"), float("inf"), 10**199, 10**5000, "\ud800", None])

    def odd() -> object:
        for text in printed:
            print(text)
        return next(results)

    with Scheduler() as scheduler, serve(scheduler, "odd", strict=True) as server:
        scheduler.add_on_demand_task(odd, "odd")
        with client_of(socket_file(server.path)) as client:
            wait_for_link(client, Link.ATTACHED)
            eventually(lambda: list(client.take_news()))
            last = 0
            for _ in range(6):
                asked = client.ask("await_outcome", name="odd", after=last)
                client.ask("run", names=["odd"], parameters={}).result(PATIENCE)
                outcome = client.rows.read(Outcome, asked.result(PATIENCE)["outcome"])
                last = outcome.run
                assert outcome.task == "odd"
            lines: list[str] = []

            def take() -> bool:
                for news in client.take_news():
                    lines.extend(line[3] for chunk in news.frame["log"] for line in chunk["lines"])
                return len(lines) >= 6 * len(printed)

            eventually(take, lambda: len(lines))
    assert lines == printed * 6


def test_of_two_people_who_press_the_same_key_at_once_one_did_it(runtime: Path, scheduler: Scheduler) -> None:
    with serve(scheduler, "shop", strict=True) as server, Raw(server.path) as one, Raw(server.path) as other:
        one.greet(watch=True, tty="pts/1")
        other.greet(watch=True, tty="pts/2")
        for raw in (one, other):
            raw.send({"id": 1, "do": "disable", "names": ["work"]})
        answers = [raw.read() or {} for raw in (one, other)]
        tokens = [answer["ok"]["token"] for answer in answers]  # type: ignore[index]
        assert sorted(map(str, tokens)) == ["1", "None"]
        first, second = (one, other) if tokens[0] else (other, one)
        assert second.ask("undo", token="1")["error"]
        assert first.ask("undo", token="1")["ok"]["names"] == ["work"]  # type: ignore[index]


def test_a_search_of_a_locked_or_broken_store_delays_no_command_and_is_answered(
    runtime: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from taskkit.store import PersistentScheduler, StoreError

    state = tmp_path / "state.sqlite"
    with PersistentScheduler(state) as kept, serve(kept, "kept", strict=True) as server:
        kept.add_on_demand_task(lambda: None, "work")
        with Raw(server.path) as raw:
            raw.greet()
            locking = sqlite3.connect(state, isolation_level=None)
            locking.execute("BEGIN EXCLUSIVE")
            raw.send({"id": "search", "do": "earlier", "name": None, "search": "x"})
            raw.send({"id": "disable", "do": "disable", "names": ["work"]})
            answers = {}
            while "disable" not in answers:
                answer = raw.read() or {}
                answers[answer["id"]] = answer["ok"]
            locking.execute("ROLLBACK")
            locking.close()
            if "search" not in answers:
                answers["search"] = (raw.read() or {})["ok"]
            assert answers["disable"]["names"] == ["work"]  # type: ignore[index]
            assert answers["search"] == {"rows": [], "complete": True}
            with monkeypatch.context() as patch:

                def fail(*_: object, **__: object) -> None:
                    raise StoreError("database or disk is full")

                patch.setattr(kept.store, "history", fail)
                answer = raw.ask("earlier", name=None, search="x")
            assert answer["error"] == {"kind": "failed", "text": "database or disk is full"}
            assert raw.ask("enable", names=["work"])["ok"]["names"] == ["work"]  # type: ignore[index]


def test_other_peoples_code_that_sleeps_in_a_description_delays_no_command(
    runtime: Path, scheduler: Scheduler
) -> None:
    wakes = threading.Event()

    class Sleepy:
        def __call__(self) -> None: ...

        def __repr__(self) -> str:
            wakes.wait(PATIENCE)
            return "awake"

        __str__ = __repr__

    scheduler.add_on_demand_task(Sleepy(), "sleepy", on_error=Sleepy())
    with serve(scheduler, "shop", strict=True) as server, Raw(server.path) as raw:
        raw.greet()
        raw.send({"id": "slow", "do": "describe", "name": "sleepy"})
        began = monotonic()
        assert raw.ask("stop", names=["work"])["ok"]["names"] == []  # type: ignore[index]
        assert monotonic() - began < PATIENCE / 2
        wakes.set()


@pytest.mark.parametrize("text", ["x" * 60, "y" * 3_000, "", "\u2026" * 60, "z" * 65_536])
@pytest.mark.parametrize("taken_at_once", [True, False])
def test_lines_that_wait_take_a_bounded_memory_and_are_all_counted(text: str, taken_at_once: bool) -> None:
    """They wait for a client that stalls, or for a server that has no time."""
    queue, backlog = ChunkQueue(), LineBacklog()
    written = 0
    tracemalloc.start()
    for number in range(30):
        lines = tuple(
            OutputLine(number + place / 1000, Stream.STDOUT, f"{text}{place}", 20)
            for place in range(1_000 if len(text) < 1000 else 40)
        )
        queue.put(OutputWritten(0.0, "flood", 1, lines, 3))
        written += len(lines) + 3
        for chunk in queue.take() if taken_at_once else ():
            backlog.add(chunk)
    newest = lines[-1].text
    del lines
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert held < 2.3 * 2**20

    queue.put(OutputWritten(0.0, "flood", 1, (), 5))
    queue.put(OutputWritten(0.0, "flood", 1, (OutputLine(0.0, Stream.STDOUT, newest, 20),), 0))
    for chunk in queue.take():
        backlog.add(chunk)
    place = counted = 0
    while place < backlog.end:
        chunks, dropped, place = backlog.take(place, 10**9)
        counted += dropped
        for each in map(json.loads, chunks):
            counted += len(each["lines"]) + each["dropped"]
    assert json.loads(chunks[-1])["lines"][-1][3] == newest
    assert counted == written + 6


def test_a_process_that_is_killed_and_stopped_at_any_moment_leaves_a_client_that_knows(
    runtime: Path,
) -> None:
    for _ in range(2):
        with service("shop") as process, client_of(socket_of(process)) as client:
            wait_for_link(client, Link.ATTACHED)
            os.kill(process.pid, signal.SIGSTOP)
            asked = [client.ask("run", names=["work"], parameters={}) for _ in range(3)]
            process.kill()
            for each in asked:
                with pytest.raises(Exception, match=r"unknown|nothing was sent"):
                    each.result(PATIENCE)
            wait_for_link(client, Link.NOT_CONNECTED)


GREETING = {
    "protocol": [1, 1],
    "instance": "x",
    "since": 1.0,
    "columns": own_columns(),
    "figures": [0.0, True, False, 1, 1, 0, 0, 1, None, None, None],
}


def test_one_service_that_greets_with_anything_hides_no_other_from_ps(
    runtime: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from taskkit.cli.main import main

    greetings: dict[str, bytes] = {
        "good": encode(GREETING),
        "nan": encode({**GREETING, "since": float("nan"), "figures": [float("inf")] * 11}),
        "huge": encode({**GREETING, "since": 10**400, "target": "t\x1b[31m"}),
        "early": encode({**GREETING, "since": -1e300}),
        "types": encode({"since": "soon", "figures": 3, "columns": [], "target": 7, "access": []}),
        "noise": b"\xff\n",
        "gone": b"",
    }
    folder = socket_folder()
    listeners = {name: listen(folder / f"{name}-{os.getpid()}-00000000.sock") for name in greetings}
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(folder / f"dead-{10**30}-00000000.sock"))
    ends = threading.Event()

    def greet(name: str) -> None:
        while not ends.wait(0.005):
            with suppress(OSError):
                connection, _ = listeners[name].accept()
                connection.sendall(greetings[name])
                connection.close()

    threads = [threading.Thread(target=greet, args=(name,)) for name in greetings]
    for thread in threads:
        thread.start()
    try:
        assert main(["ps"]) == 0
        shown = capsys.readouterr().out
        assert main(["ps", "--json"]) == 0
    finally:
        ends.set()
        for thread in threads:
            thread.join()
        for listener in listeners.values():
            listener.close()
    assert all(name in shown for name in greetings)
    assert "\x1b[31m" not in shown
