"""A served scheduler: what raw connections can do to it, and what they cannot."""

from __future__ import annotations

import errno
import logging
import os
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from patience import PATIENCE, eventually
from served import Raw, listens, no_remote_thread_left, runtime

from taskkit import Every, Scheduler
from taskkit.remote import Server, SocketPathError, serve
from taskkit.remote import listener as listener_module
from taskkit.remote.protocol import MOST_BYTES_TO_SERVER, MOST_CLIENTS, MOST_WAITING_REQUESTS
from taskkit.remote.requests import REQUESTS, Request

__all__ = ["runtime"]


@pytest.fixture
def scheduler() -> Iterator[Scheduler]:
    with Scheduler() as made:
        made.add_on_demand_task(lambda: print("worked"), "work")
        made.add_task(Every(3600), lambda: None, "hourly")
        yield made


@pytest.fixture
def server(runtime: Path, scheduler: Scheduler) -> Iterator[Server]:
    made = serve(scheduler, "shop", strict=True)
    yield made
    made.close()


def error_of(message: dict[str, object] | None) -> dict[str, str]:
    assert message is not None
    error = message["error"]
    assert isinstance(error, dict)
    return error


def test_importing_the_library_does_not_import_what_serves() -> None:
    import subprocess

    program = (
        "import sys, taskkit; print([each for each in sys.modules if each.startswith('taskkit.remote')])"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"


def test_a_client_is_greeted_and_commands_the_scheduler(server: Server, scheduler: Scheduler) -> None:
    with Raw(server.path) as raw:
        greeting = raw.greet()
        assert greeting["name"] == "shop"
        assert greeting["pid"] == os.getpid()
        assert raw.ask("disable", names=["hourly", "no such"])["ok"] == {"names": ["hourly"], "token": "1"}
    handle = scheduler.handle("hourly")
    assert handle is not None
    assert handle.disabled


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"[1]\n",
        b"\xff\xfe\n",
        b'{"hello": 1}\n{"hello": 1}\n',
        b'{"hello": "1"}\n',
        b'{"hello": 1}\n{"do": "run"}\n',
        b'{"do": "run", "id": 1}\n',
        b'{"hello": 1}\n' + b"[" * 10_000 + b"\n",
        b'{"hello": 1, "a": ' + b'{"a":' * 40 + b"1" + b"}" * 41 + b"\n",
        b"x" * (MOST_BYTES_TO_SERVER + 70_000),
        b"\n",
    ],
)
def test_what_is_not_the_protocol_is_answered_with_one_error_and_closed(server: Server, data: bytes) -> None:
    with Raw(server.path) as raw:
        assert raw.read() is not None
        raw.send_bytes(data)
        assert error_of(raw.read())["kind"] == "protocol"
        assert raw.read() is None


def test_a_hundred_megabytes_without_a_newline_are_not_kept(server: Server) -> None:
    with Raw(server.path) as raw:
        raw.greet()
        for _ in range(100):
            raw.send_bytes(b"x" * 1_000_000)
        assert error_of(raw.read())["kind"] == "protocol"
    with Raw(server.path) as raw:
        raw.greet()
        assert "ok" in raw.ask("clients")


def test_a_client_that_says_nothing_is_sent_away(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("taskkit.remote.session.GREETING_SECONDS", 0.05)
    with Raw(server.path) as raw:
        assert raw.read() is not None
        assert error_of(raw.read()) == {"kind": "protocol", "text": "no hello came in time"}
        assert raw.read() is None


def test_half_a_line_is_waited_for(server: Server) -> None:
    with Raw(server.path) as raw:
        raw.greet()
        raw.send_bytes(b'{"id": 7, "do": "cli')
        sleep(0.05)
        raw.send_bytes(b'ents"}\n')
        assert raw.read() == {"id": 7, "ok": {"clients": []}}


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
KEYS = (
    *("names", "parameters", "periods", "schedule", "token", "most", "at_once", "seconds", "name"),
    *("due_times", "run", "limit", "before", "search", "kinds", "offer", "values", "by", "of"),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from([*REQUESTS, "cancel", "clients"]) | ANYTHING,
    st.dictionaries(st.sampled_from(KEYS), ANYTHING | st.just(["hourly"])),
)
def test_whatever_values_a_request_has_it_is_answered(
    server: Server, request_name: object, arguments: dict[str, object]
) -> None:
    from taskkit.remote.protocol import encode

    with Raw(server.path) as raw:
        raw.greet()
        raw.send_bytes(encode({"id": "x", "do": request_name, **arguments}))
        answer = raw.read()
        assert answer is not None
        assert answer["id"] == "x"
        assert ("ok" in answer) != ("error" in answer)
        assert raw.ask("clients")["ok"] == {"clients": []}


def test_a_request_that_is_read_too_late_is_refused(server: Server, scheduler: Scheduler) -> None:
    with Raw(server.path) as raw:
        greeting = raw.greet()
        assert isinstance(greeting["monotonic"], float)
        answer = raw.ask("run", names=["work"], by=greeting["monotonic"] - 0.001)
        assert error_of(answer)["kind"] == "too_late"
        later = greeting["monotonic"] + 60
        assert raw.ask("run", names=["work"], by=later)["ok"] == {"names": ["work"], "token": None}
    eventually(lambda: scheduler.snapshot().tasks[0].run_count == 1)


def test_a_socket_for_looking_refuses_every_command(runtime: Path, scheduler: Scheduler) -> None:
    server = serve(scheduler, "look", access="view", strict=True)
    try:
        with Raw(server.path) as raw:
            assert raw.greet()["access"] == "view"
            for name, request in REQUESTS.items():
                kind = raw.ask(name).get("error")
                is_refused = isinstance(kind, dict) and kind["kind"] == "view_only"
                assert is_refused is request.changes_something, name
            explained = raw.ask("explain", name="hourly")["ok"]
            assert isinstance(explained, dict)
            assert explained["explanation"]
    finally:
        server.close()


def test_where_sixteen_watch_four_can_still_command(server: Server) -> None:
    watching = [Raw(server.path) for _ in range(16)]
    try:
        for each in watching:
            each.greet(watch=True)
        with Raw(server.path) as one_more:
            one_more.greet(watch=True)
            text = "16 dashboards watch it already"
            assert error_of(one_more.read()) == {"kind": "too_many", "text": text}
        with Raw(server.path) as raw:
            raw.greet()
            assert raw.ask("stop", names=["work"])["ok"] == {"names": [], "token": None}
    finally:
        for each in watching:
            each.__exit__()


def test_a_hundred_connections_at_once_leave_nothing_behind(server: Server) -> None:
    before = len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").exists() else 0
    made = []
    for _ in range(100):
        raw = Raw(server.path)
        made.append(raw)
    answers = [each.read() for each in made]
    assert sum(each is not None and "protocol" in each for each in answers) == MOST_CLIENTS
    for each in made:
        each.__exit__()
    eventually(lambda: not server._sessions)
    if before:
        eventually(lambda: len(list(Path("/proc/self/fd").iterdir())) == before)


def test_frames_tell_all_rows_and_then_what_changes(server: Server, scheduler: Scheduler) -> None:
    for number in range(500):
        scheduler.add_on_demand_task(lambda: None, f"task {number}")
    with Raw(server.path) as raw:
        raw.greet(watch=True)
        rows: set[object] = set()
        rest = 1
        while rest:
            raw.send({"next": 1})
            frame = raw.read()
            assert frame is not None
            assert isinstance(frame["rows"], list)
            assert isinstance(frame["rest"], int)
            assert len(frame["rows"]) <= 200
            rows |= {row[0] for row in frame["rows"]}
            rest = frame["rest"]
        assert len(rows) == 502
        raw.send({"next": 1})
        scheduler.disable_task("task 7")
        while not any(row[1] == "task 7" for row in (raw.read() or {})["rows"]):  # type: ignore[attr-defined]
            raw.send({"next": 1})


def test_no_frame_comes_that_was_not_granted(server: Server, scheduler: Scheduler) -> None:
    with Raw(server.path) as raw:
        raw.greet(watch=True)
        raw.send({"next": 1})
        assert raw.read() is not None
        scheduler.disable_task("hourly")
        raw.socket.settimeout(0.4)
        with pytest.raises(TimeoutError):
            raw.socket.recv(1)


def test_a_client_that_asks_all_the_time_is_sent_ten_frames_a_second(
    server: Server, scheduler: Scheduler
) -> None:
    scheduler.add_task(Every(0.01), lambda: print("ran"), "often")
    with Raw(server.path) as raw:
        raw.greet(watch=True)
        raw.send({"next": 1})
        raw.read()
        began, frames = monotonic(), 0
        while monotonic() - began < 0.6:
            raw.send({"next": 1})
            assert raw.read() is not None
            frames += 1
        assert frames <= 10 * (monotonic() - began) + 2


def test_many_rows_come_as_quickly_as_they_are_read(server: Server, scheduler: Scheduler) -> None:
    for number in range(3_000):
        scheduler.add_on_demand_task(lambda: None, f"task {number}")
    for _ in range(2):  # the first client, and one for whom the rows are there already
        with Raw(server.path) as raw:
            raw.greet(watch=True)
            frames: list[float] = []
            rest = 1
            while rest:
                raw.send({"next": 1})
                rest = int(str((raw.read() or {})["rest"]))
                frames.append(monotonic())
            assert len(frames) > 10
            assert frames[-1] - frames[0] < 0.1 * len(frames)


def test_a_huge_row_and_huge_failures_fit_into_a_message(server: Server, scheduler: Scheduler) -> None:
    def fail() -> None:
        raise RuntimeError("\U0001f600" * 2_000_000)

    scheduler.add_on_demand_task(fail, "fails", description="\udcff\0" * 3_000_000)
    with Raw(server.path) as raw:
        raw.greet(watch=True)
        scheduler.demand_task("fails")
        seen: list[object] = []
        while not seen:
            raw.send({"next": 1})
            line = raw._file.readline()
            assert len(line) < 512 * 1024
            import json

            seen += json.loads(line)["failures"]
        answer = raw.ask("describe", name="fails")
        assert "ok" in answer


def test_lines_that_nobody_reads_are_dropped_and_counted(server: Server, scheduler: Scheduler) -> None:
    def flood() -> None:
        for number in range(60_000):
            print(number)
            if number % 1000 == 0:
                sleep(0.02)

    scheduler.add_on_demand_task(flood, "flood")
    with Raw(server.path) as raw:
        raw.greet(watch=True)
        raw.send({"next": 1})
        assert raw.read() is not None
        scheduler.demand_task("flood")
        eventually(lambda: (handle := scheduler.handle("flood")) is not None and handle.last_outcome)
        sleep(0.3)
        count, deadline = 0, monotonic() + PATIENCE
        while count < 60_000 and monotonic() < deadline:
            raw.send({"next": 1})
            frame = raw.read() or {}
            count += int(str(frame["dropped"]))
            for chunk in frame["log"]:  # type: ignore[attr-defined]
                count += chunk["dropped"] + len(chunk["lines"])
        assert count == 60_000


def test_others_are_shown_who_did_what_and_it_is_logged_once(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "taskkit")
    with Raw(server.path) as one, Raw(server.path) as other:
        one.greet(watch=True, tty="pts/3")
        other.greet(watch=True, tty="pts/4\x1b[2J")
        one.send({"next": 1})
        assert one.read() is not None
        other.ask("disable", names=["hourly"])
        notices: list[object] = []
        while not notices:
            one.send({"next": 1})
            notices = (one.read() or {})["notices"]  # type: ignore[assignment]
        ((_, text),) = notices  # type: ignore[misc]
        assert text.endswith(r"disabled hourly")  # type: ignore[has-type]
        assert "\x1b" not in text  # type: ignore[has-type]
        assert [each.getMessage() for each in caplog.records if "disabled" in each.getMessage()] == [text]  # type: ignore[has-type]


def test_undo_belongs_to_the_client_and_refuses_after_a_change(server: Server) -> None:
    secret = "0123456789abcdef"
    with Raw(server.path) as one, Raw(server.path) as other:
        one.greet(client=secret)
        other.greet()
        first = one.ask("disable", names=["hourly"])["ok"]
        assert isinstance(first, dict)
        answer = other.ask("undo", token=first["token"])
        assert error_of(answer) == {"kind": "cannot_undo", "text": "it was changed from another dashboard"}
        other.ask("enable", names=["hourly"])
        assert error_of(one.ask("undo", token=first["token"]))["text"] == "the task was changed since"
        second = one.ask("disable", names=["hourly"])["ok"]
        assert isinstance(second, dict)
    with Raw(server.path) as again:  # the same client, connected anew
        again.greet(client=secret)
        assert again.ask("undo", token=second["token"])["ok"] == {"names": ["hourly"], "token": None}


def test_a_deleted_socket_is_made_anew(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    path = server.path
    assert path is not None
    monkeypatch.setattr(listener_module, "HOUSEKEEPING_SECONDS", 0.05)
    server.call(lambda: None)
    path.unlink()
    eventually(lambda: listens(path))
    with Raw(path) as raw:
        assert raw.greet()["name"] == "shop"
    path.unlink()
    path.parent.rmdir()
    eventually(path.exists)
    assert path.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("kind", ["file", "symlink", "live"])
def test_what_is_in_the_place_of_the_socket_is_left_alone(
    runtime: Path, scheduler: Scheduler, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    place = runtime / "it.sock"
    listener = socket.socket(socket.AF_UNIX)
    if kind == "file":
        place.write_text("mine")
    elif kind == "symlink":
        (runtime / "other").write_text("mine")
        place.symlink_to(runtime / "other")
    else:
        listener.bind(str(place))
        listener.listen(1)
    with pytest.raises(SocketPathError, match="something is there already"):
        serve(scheduler, "shop", path=place, strict=True)
    made = serve(scheduler, "shop", path=place)
    assert made.path is None
    assert "cannot be seen by other processes" in caplog.text
    made.close()
    listener.close()
    assert place.exists()


def test_a_stale_socket_is_replaced(runtime: Path, scheduler: Scheduler) -> None:
    place = runtime / "it.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(place))
    server = serve(scheduler, "shop", path=place, strict=True)
    with Raw(place) as raw:
        raw.greet()
    server.close()
    assert not place.exists()


def test_without_descriptors_it_waits_instead_of_trying_all_the_time(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener_module, "PAUSE_SECONDS", 0.3)
    tries: list[float] = []

    class Exhausted:
        def __init__(self, listener: socket.socket) -> None:
            self._listener = listener

        def accept(self) -> tuple[socket.socket, object]:
            tries.append(monotonic())
            if len(tries) < 3:
                raise OSError(errno.EMFILE, "Too many open files")
            return self._listener.accept()

        def __getattr__(self, name: str) -> object:
            return getattr(self._listener, name)

    listener = server._listener._socket
    assert listener is not None
    server._listener._socket = Exhausted(listener)  # type: ignore[assignment]
    with Raw(server.path) as raw:
        raw.greet()
    assert len(tries) >= 3  # others that look for schedulers connect, too
    assert tries[2] - tries[0] > 0.5


def test_a_request_that_raises_what_it_likes_ends_neither_the_client_nor_the_server(
    server: Server, scheduler: Scheduler
) -> None:
    class Strange:
        def __call__(self) -> None: ...

        def __str__(self) -> str:
            raise SystemExit("no")

    scheduler.add_on_demand_task(Strange(), "strange")
    with Raw(server.path) as raw:
        raw.greet()
        raw.ask("describe", name="strange")
        assert "ok" in raw.ask("clients")


def test_of_the_requests_of_one_client_only_so_many_wait_whatever_their_ids(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, release = threading.Event(), threading.Event()

    def wait(*_arguments: object) -> object:
        begun.set()
        release.wait(PATIENCE)
        return {}

    monkeypatch.setitem(REQUESTS, "wait", Request(wait, slow=True))
    with Raw(server.path) as raw:
        raw.greet()
        for _ in range(MOST_WAITING_REQUESTS + 3):
            raw.send({"id": 1, "do": "wait"})
        assert [error_of(raw.read())["kind"] for _ in range(3)] == ["too_much"] * 3
        assert begun.wait(PATIENCE)
        assert raw.ask("cancel", of=1)["ok"] == {"cancelled": True}
        release.set()
        answers = [raw.read() for _ in range(MOST_WAITING_REQUESTS)]
        assert answers[0] == {"id": 1, "ok": {}}  # it had begun
        assert {error_of(each)["kind"] for each in answers[1:]} == {"cancelled"}


def test_a_client_that_has_gone_leaves_no_thread_of_its_slow_requests(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("taskkit.remote.session._IDLE_SECONDS", 2 * PATIENCE)
    with Raw(server.path) as raw:
        raw.greet()
        assert "ok" in raw.ask("explain", name="work")
    eventually(lambda: not any(each.name == "taskkit remote requests" for each in threading.enumerate()))


@pytest.mark.parametrize("seconds", [-1, 0, 1e-300, 0.0009, 1e308, 10**400])
def test_a_period_is_bounded_over_the_socket_as_where_it_is_typed(
    server: Server, scheduler: Scheduler, seconds: float
) -> None:
    hourly = scheduler.handle("hourly")
    assert hourly is not None
    before = hourly.period
    with Raw(server.path) as raw:
        raw.greet()
        assert error_of(raw.ask("set_periods", periods={"hourly": seconds}))["kind"] == "bad_request"
    assert hourly.period == before


def test_stopping_says_what_was_abandoned_and_goodbye(runtime: Path) -> None:
    release = threading.Event()
    with no_remote_thread_left():
        scheduler = Scheduler()
        scheduler.add_on_demand_task(lambda: release.wait(PATIENCE), "stubborn")
        scheduler.start()
        server = serve(scheduler, "shop", strict=True)
        path = server.path
        assert path is not None
        with Raw(path) as raw:
            raw.greet(watch=True)
            scheduler.demand_task("stubborn")
            eventually(lambda: scheduler.figures().running == 1)
            scheduler.stop(0.1)
            message: dict[str, object] | None = {}
            while message is not None and "bye" not in message:
                raw.send({"next": 1})
                message = raw.read()
            assert message == {"bye": "stopped", "abandoned": ["stubborn"]}
            assert not path.exists()
        release.set()


@pytest.mark.parametrize("where", ["task", "subscriber"])
def test_a_scheduler_may_be_stopped_from_inside_while_clients_watch(runtime: Path, where: str) -> None:
    with no_remote_thread_left():
        scheduler = Scheduler()
        stopped = threading.Event()

        def stop(_event: object = None) -> None:
            scheduler.stop(1)
            stopped.set()

        scheduler.add_on_demand_task(stop if where == "task" else lambda: None, "stops")
        if where == "subscriber":
            from taskkit import RunFinished

            scheduler.subscribe(stop, kinds=(RunFinished,))
        scheduler.start()
        server = serve(scheduler, "shop", strict=True)
        with Raw(server.path) as raw:
            raw.greet(watch=True)
            assert raw.ask("run", names=["stops"])["ok"] == {"names": ["stops"], "token": None}
            message: dict[str, object] | None = {}
            while message is not None and "bye" not in message:
                raw.send({"next": 1})
                message = raw.read()
            assert message is not None
        assert stopped.wait(PATIENCE)


def test_leaving_the_with_block_first_leaves_the_closing_to_the_scheduler(runtime: Path) -> None:
    with no_remote_thread_left(), Scheduler() as scheduler, serve(scheduler, "shop", strict=True) as server:
        path = server.path
    assert path is not None
    eventually(lambda: not path.exists())


def test_nobody_who_watches_costs_no_time(server: Server) -> None:
    assert server._timeout() > listener_module.HOUSEKEEPING_SECONDS - 10


def test_two_schedulers_of_one_name_in_one_process_need_two_targets(
    runtime: Path, scheduler: Scheduler
) -> None:
    with Scheduler() as second:
        one = serve(scheduler, "shop", target="a:b", strict=True)
        two = serve(second, "shop", target="c:d", strict=True)
        with pytest.raises(SocketPathError, match="take another name"):
            serve(second, "shop", target="c:d", strict=True)
        assert one.path != two.path
        one.close()
        two.close()


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"scheduler": "no"}, TypeError),
        ({"name": 4}, TypeError),
        ({"name": "4711"}, ValueError),
        ({"target": 4}, TypeError),
        ({"access": "write"}, ValueError),
    ],
)
def test_wrong_arguments_are_refused(
    runtime: Path, scheduler: Scheduler, arguments: dict[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        serve(**{"scheduler": scheduler, **arguments})  # type: ignore[arg-type]


def test_a_fault_of_the_server_ends_the_serving_in_order_and_not_the_scheduler(
    server: Server, scheduler: Scheduler, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_text: str) -> None:
        raise RuntimeError("broken")

    path = server.path
    assert path is not None
    server.on_notice = fail
    with Raw(path) as raw:
        raw.greet()
        raw.ask("disable", names=["hourly"])
        assert raw.read() is None
    eventually(lambda: not path.exists())
    assert "serving to other processes ended" in caplog.text
    assert scheduler.is_running
    server.close()


def test_a_client_that_reads_nothing_does_not_delay_the_end(runtime: Path) -> None:
    scheduler = Scheduler()
    for number in range(2000):
        scheduler.add_on_demand_task(lambda: None, f"task {number}", description="x" * 2000)
    scheduler.start()
    server = serve(scheduler, "shop", strict=True)
    with Raw(server.path) as raw:
        raw.greet(watch=True)
        for _ in range(100):
            raw.send({"next": 1})
        began = monotonic()
        scheduler.stop()
        assert monotonic() - began < PATIENCE / 2  # it would wait without end
