"""A client of a service in another process: lost, stopped, killed, replaced, and found again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import Future
from contextlib import ExitStack, suppress
from pathlib import Path
from time import monotonic, sleep, thread_time

import pytest
from patience import PATIENCE, eventually
from served import (
    SERVICE,
    SHOP,
    Raw,
    client_of,
    no_remote_thread_left,
    running_here,
    runtime,
    service,
    socket_file,
    socket_of,
    stop_process,
    wait_for_link,
)

from taskkit import Scheduler, TaskSnapshot
from taskkit.remote import NoAnswerError, RefusedError, RemoteError, serve
from taskkit.remote.client import Client
from taskkit.remote.discovery import matching
from taskkit.remote.link import Link
from taskkit.remote.protocol import VERSION, encode
from taskkit.remote.sockets import SocketFile, listen, socket_folder, socket_path
from taskkit.remote.successors import siblings

__all__ = ["runtime"]


def run_count(client: Client) -> int:
    """How often the task `work` of the service has run."""
    answer = client.ask("describe", name="work").result(PATIENCE)["details"]
    from taskkit import TaskDetails

    return client.rows.read(TaskDetails, answer).task.run_count


def test_a_client_asks_and_is_shown_what_changes(runtime: Path) -> None:
    with service() as process, client_of(socket_of(process)) as client:
        wait_for_link(client, Link.ATTACHED)
        assert client.may_command
        names: set[str] = set()

        def take() -> bool:
            for news in client.take_news():
                for row in news.frame["rows"]:
                    task = news.rows.read(TaskSnapshot, row)
                    names.add(f"{task.name} {task.disabled}")
            return "hourly True" in names

        answer = client.ask("disable", names=["hourly"]).result(PATIENCE)
        assert answer["names"] == ["hourly"]
        eventually(take)


def test_many_rows_are_fetched_before_they_are_taken_but_not_without_end(
    runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("taskkit.remote.client.MOST_UNTAKEN", 4)
    with Scheduler() as scheduler, serve(scheduler, SHOP, strict=True) as server:
        for number in range(2_000):
            scheduler.add_on_demand_task(lambda: None, f"task {number}")
        with client_of(socket_file(server.path)) as client:
            eventually(lambda: len(client._news) == 4)
            names: set[str] = set()

            def take() -> bool:
                for news in client.take_news():
                    names.update(news.rows.read(TaskSnapshot, row).name for row in news.frame["rows"])
                return len(names) == 2_000

            eventually(take)
            assert len(client._news) <= 4


def test_frames_that_are_not_taken_in_one_go_are_kept(runtime: Path) -> None:
    with service() as process, client_of(socket_of(process)) as client:
        eventually(lambda: client._news)
        first = client._news[0]
        client._news.append(first)
        assert next(client.take_news()) is first
        assert next(client.take_news()) is first


def test_a_killed_service_is_found_again_by_its_name_within_a_second(runtime: Path) -> None:
    with service() as sibling, service() as process, client_of(socket_of(process)) as client:
        wait_for_link(client, Link.ATTACHED)
        process.kill()
        process.wait()
        wait_for_link(client, Link.NOT_CONNECTED)
        with pytest.raises(RemoteError, match="nothing was sent"):
            client.ask("run", names=["work"]).result(PATIENCE)
        sleep(0.7)  # long enough to have tried the sibling
        assert client.state.link is Link.NOT_CONNECTED
        assert [each.pid for each in siblings(client.file)] == [sibling.pid]
        with service() as successor:
            began = monotonic()
            wait_for_link(client, Link.ATTACHED)
            assert monotonic() - began < 1.0
            assert client.greeting is not None
            assert client.greeting["pid"] == successor.pid
            assert client.lives == 2


def test_a_service_of_another_name_or_target_is_no_successor(runtime: Path) -> None:
    with service(SHOP, "a:b") as process, client_of(socket_of(process)) as client:
        wait_for_link(client, Link.ATTACHED)
        process.kill()
        process.wait()
        with service("other", "a:b"), service(SHOP, "c:d"):
            sleep(0.7)
            assert client.state.link is Link.NOT_CONNECTED


def test_the_connection_comes_back_to_the_same_instance_and_undo_with_it(runtime: Path) -> None:
    with Scheduler() as scheduler:
        scheduler.add_on_demand_task(lambda: None, "work")
        server = serve(scheduler, SHOP, strict=True)
        with client_of(socket_file(server.path)) as client:
            wait_for_link(client, Link.ATTACHED)
            token = client.ask("disable", names=["work"]).result(PATIENCE)["token"]
            server.call(lambda: [server.drop(each) for each in list(server._sessions.values())])
            eventually(lambda: client.state.link is not Link.ATTACHED)
            wait_for_link(client, Link.ATTACHED)
            assert client.lives == 1
            assert client.ask("undo", token=token).result(PATIENCE)["names"] == ["work"]
        server.close()


def test_a_stopped_service_gives_no_answer_and_then_runs_nothing_in_a_burst(
    runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("taskkit.remote.client.REQUEST_SECONDS", 0.5)
    with service() as process, client_of(socket_of(process)) as client:
        wait_for_link(client, Link.ATTACHED)
        stop_process(process.pid)
        asked: list[Future[dict[str, object]]] = [client.ask("run", names=["work"]) for _ in range(20)]
        for each in asked:
            with pytest.raises(NoAnswerError, match="the effect is unknown"):
                each.result(PATIENCE)
        wait_for_link(client, Link.NO_ANSWER)
        assert client.state.seconds >= 3.0
        os.kill(process.pid, signal.SIGCONT)
        wait_for_link(client, Link.ATTACHED)
        assert client.lives == 1
        assert run_count(client) == 0


def test_attaching_to_a_stopped_service_waits_for_it(runtime: Path) -> None:
    with service() as process:
        file = socket_of(process)
        stop_process(process.pid)
        (found,) = running_here()
        assert (found.name, found.pid, found.greeting) == (SHOP, process.pid, None)
        with client_of(file) as client:
            wait_for_link(client, Link.NO_ANSWER)
            with pytest.raises(NoAnswerError, match="nothing was asked"):
                client.ask("run", names=["work"]).result(PATIENCE)
            os.kill(process.pid, signal.SIGCONT)
            wait_for_link(client, Link.ATTACHED)


def test_a_client_that_waits_costs_no_time(runtime: Path) -> None:
    with service() as process:
        stop_process(process.pid)
        times: list[float] = []
        with client_of(socket_of(process)) as client:
            client.ask("run", names=["work"])
            sleep(2.5)
            client._call_soon(lambda: times.append(thread_time()))
            sleep(1.0)
            client._call_soon(lambda: times.append(thread_time()))
            eventually(lambda: len(times) == 2)
        assert times[1] - times[0] < 0.05


def test_a_service_that_ends_says_so_and_its_successor_is_waited_for(runtime: Path) -> None:
    with ExitStack() as stack:
        process = stack.enter_context(service())
        client = stack.enter_context(client_of(socket_of(process)))
        wait_for_link(client, Link.ATTACHED)
        assert process.stdin is not None
        process.stdin.close()
        wait_for_link(client, Link.ENDED)
        process.wait()
        stack.enter_context(service())
        wait_for_link(client, Link.ATTACHED)
        assert client.lives == 2


def test_what_was_asked_of_a_killed_service_has_an_unknown_effect(runtime: Path) -> None:
    with service() as process, client_of(socket_of(process), watch=False) as client:
        wait_for_link(client, Link.ATTACHED)
        stop_process(process.pid)
        asked = client.ask("run", names=["work"])
        eventually(lambda: client._pending)
        process.kill()
        with pytest.raises(NoAnswerError, match="connection was lost"):
            asked.result(PATIENCE)


def test_a_request_that_was_cancelled_does_no_harm_when_its_answer_comes(runtime: Path) -> None:
    with service() as process, client_of(socket_of(process)) as client:
        wait_for_link(client, Link.ATTACHED)
        asked = client.ask("describe", name="work")
        asked.cancel()
        assert client.ask("clients").result(PATIENCE) == {"clients": []}


def test_a_request_that_is_too_long_is_not_sent(runtime: Path) -> None:
    with service() as process, client_of(socket_of(process)) as client:
        wait_for_link(client, Link.ATTACHED)
        with pytest.raises(RemoteError, match="too long"):
            client.ask("run", names=["x" * 300_000]).result(PATIENCE)
        with pytest.raises(RefusedError, match="does not know the request"):
            client.ask("dance").result(PATIENCE)


FORKING = SERVICE.replace(
    'print("ready", flush=True)',
    """
    import os
    print("ready", flush=True)
    sys.stdin.readline()
    if os.fork() == 0:
        time.sleep(60)
        os._exit(0)
    print("forked", flush=True)
""",
)


def test_a_forked_child_keeps_neither_the_socket_nor_the_clients_alive(runtime: Path) -> None:
    children: list[int] = []
    try:
        with service(program=FORKING) as process, client_of(socket_of(process)) as client:
            wait_for_link(client, Link.ATTACHED)
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write("\n")
            process.stdin.flush()
            assert process.stdout.readline() == "forked\n"
            found = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
            children = [int(each) for each in found.split()]
            assert client.ask("run", names=["work"]).result(PATIENCE)["names"] == ["work"]
            assert [each.pid for each in running_here()] == [process.pid]
            process.kill()
            process.wait()
            wait_for_link(client, Link.NOT_CONNECTED)
            assert running_here() == []
            assert list((socket_folder()).iterdir()) == []
    finally:
        for each in children:
            os.kill(each, signal.SIGKILL)


def test_many_forks_leave_the_clients_attached(runtime: Path) -> None:
    with Scheduler() as scheduler:
        scheduler.add_on_demand_task(lambda: None, "work")
        server = serve(scheduler, SHOP, strict=True)
        with client_of(socket_file(server.path)) as client:
            wait_for_link(client, Link.ATTACHED)
            program = "import sys; sys.exit(0)"
            for _ in range(20):
                child = os.fork()
                if child == 0:
                    os._exit(0 if server.path is None and not server._sessions else 1)
                assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
            subprocess.run([sys.executable, "-c", program], check=True)
            # Its link may say “no answer” by now: it asks for no frame as long as nobody takes the last one.
            assert client.ask("run", names=["work"]).result(PATIENCE)["names"] == ["work"]
        server.close()


def test_a_forked_child_cannot_serve_the_scheduler_of_its_parent(runtime: Path) -> None:
    from taskkit import ForkedSchedulerError

    with Scheduler() as scheduler:
        child = os.fork()
        if child == 0:
            try:
                serve(scheduler, "child")
            except ForkedSchedulerError:
                os._exit(0 if list((socket_folder()).iterdir()) == [] else 2)
            os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


class Fake:
    """A service that greets and answers as a test wants."""

    def __init__(self, **greeting: object) -> None:
        self.file = SocketFile(socket_path(socket_folder(), "fake", None, os.getpid()), "fake", 1, "0" * 8)
        self._listener = listen(self.file.path)
        self._listener.setblocking(True)
        self._greeting = {"protocol": [1, VERSION], "columns": {}, "instance": "x", **greeting}
        self._connections: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        try:
            while True:
                connection, _ = self._listener.accept()
                self._connections.append(connection)
                connection.sendall(encode(self._greeting))
        except OSError:
            return

    def send(self, data: bytes) -> None:
        """Send bytes to all clients."""
        for each in self._connections:
            with suppress(OSError):  # it was closed before all was sent
                each.sendall(data)

    def __enter__(self) -> Fake:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in self._connections:
            each.close()
        self.file.path.unlink()


@pytest.mark.parametrize(
    ("versions", "which"), [([7, 9], "taskkit here"), ([0, 0], "taskkit in the service")]
)
def test_versions_without_overlap_name_the_side_to_upgrade(
    runtime: Path, versions: list[int], which: str
) -> None:
    with Fake(protocol=versions) as fake, client_of(fake.file) as client:
        wait_for_link(client, Link.UNUSABLE)
        assert which in client.state.text
        with pytest.raises(RemoteError, match="upgrade"):
            client.ask("run", names=["x"]).result(PATIENCE)


@pytest.mark.parametrize("data", [b"\xff\n", b"hello\n", b"x" * 5_000_000])
def test_what_cannot_be_read_closes_the_connection_and_it_is_tried_again(runtime: Path, data: bytes) -> None:
    with Fake() as fake, client_of(fake.file) as client:
        wait_for_link(client, Link.ATTACHED)
        threading.Thread(target=fake.send, args=(data,), daemon=True).start()
        eventually(lambda: len(fake._connections) >= 2)
        wait_for_link(client, Link.ATTACHED)


def test_a_newer_service_with_things_unknown_here_can_be_used(runtime: Path) -> None:
    with Fake(protocol=[1, 99], columns={"new": ["a"]}, new={"a": 1}) as fake, client_of(fake.file) as client:
        wait_for_link(client, Link.ATTACHED)
        fake.send(b'{"weather": "fine"}\n')
        sleep(0.1)
        assert client.state.link is Link.ATTACHED


def test_a_name_a_pid_a_path_and_a_target_all_find_it(runtime: Path) -> None:
    with service(SHOP, "a:b") as one, service("jobs", "tasks.toml") as other:
        found = running_here()
        assert [each.pid for each in matching(SHOP, found)] == [one.pid]
        assert [each.pid for each in matching(str(other.pid), found)] == [other.pid]
        assert [each.pid for each in matching("a:b", found)] == [one.pid]
        assert [each.pid for each in matching(str(Path("tasks.toml").absolute()), found)] == [other.pid]
        assert [each.pid for each in matching(str(socket_of(one).path), found)] == [one.pid]
        assert matching("nothing", found) == []


def test_a_client_leaves_no_thread(runtime: Path) -> None:
    with no_remote_thread_left(), service() as process:
        for _ in range(20):
            with client_of(socket_of(process)) as client:
                client.ask("clients").result(PATIENCE)


def test_many_attach_and_detach_and_the_service_is_as_before(runtime: Path) -> None:
    with service() as process:
        path = socket_of(process).path
        folder = Path(f"/proc/{process.pid}/fd")
        before = len(list(folder.iterdir()))
        for _ in range(300):
            with Raw(path) as raw:
                raw.greet(watch=True)
                raw.send({"next": 1})
                raw.read()
        eventually(lambda: len(list(folder.iterdir())) == before)


WORKERS = """
import os, sys, time
from taskkit import Scheduler
from taskkit.remote import serve
ready, readies = os.pipe()
for _ in range(3):
    if os.fork() == 0:
        scheduler = Scheduler()
        scheduler.add_on_demand_task(lambda: None, "work")
        with scheduler, serve(scheduler, sys.argv[1], strict=True):
            os.write(readies, b".")
            sys.stdin.read()
        os._exit(0)
while len(os.read(ready, 1)) and not os.environ.setdefault("N", "") == "..":
    os.environ["N"] += "."
print("ready", flush=True)
sys.stdin.read()
for _ in range(3):
    os.wait()
"""


def test_the_workers_of_a_web_server_have_a_socket_each(runtime: Path) -> None:
    with service(program=WORKERS) as process:
        found = running_here()
        assert len({each.pid for each in found}) == 3
        assert process.pid not in {each.pid for each in found}
        assert {each.name for each in found} == {SHOP}
        assert process.stdin is not None
        process.stdin.close()
        eventually(lambda: not running_here())


LEAVING = SERVICE.replace("with scheduler, serve", "scheduler.start()\nserver = serve").replace(
    "strict=True):", "strict=True)\nif True:"
)


def test_a_program_that_ends_without_stopping_says_goodbye_and_leaves_no_socket(runtime: Path) -> None:
    with service(program=LEAVING) as process, client_of(socket_of(process)) as client:
        wait_for_link(client, Link.ATTACHED)
        assert process.stdin is not None
        process.stdin.close()
        wait_for_link(client, Link.ENDED)
        assert process.wait(PATIENCE) == 0
        assert list(socket_folder().iterdir()) == []


HOLDING = SERVICE.replace(
    'print("worked")',
    """
    import re
    re.match("(a?){27}a{27}", "a" * 27)  # holds the interpreter for seconds
""",
)


def test_a_task_that_holds_the_interpreter_gives_no_answer_for_a_while(
    runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("taskkit.remote.client.SILENCE_SECONDS", 0.5)
    with service(program=HOLDING) as process, client_of(socket_of(process)) as client:
        wait_for_link(client, Link.ATTACHED)
        client.ask("run", names=["work"])
        wait_for_link(client, Link.NO_ANSWER)
        process.kill()
        process.wait()
        wait_for_link(client, Link.NOT_CONNECTED)


def test_a_goodbye_counts_though_a_request_was_unread_when_the_service_closed(runtime: Path) -> None:
    """The kernel then resets the connection, after the last words."""
    path = socket_path(socket_folder(), SHOP, None, 17)
    with listen(path) as listener:
        listener.setblocking(True)
        listener.settimeout(PATIENCE)
        with client_of(SocketFile(path, SHOP, 17, "0" * 8)) as client:
            connection, _ = listener.accept()
            connection.settimeout(PATIENCE)
            connection.sendall(encode({"protocol": [1, VERSION], "columns": {}, "instance": "x"}))
            wait_for_link(client, Link.ATTACHED)
            assert connection.recv(1)  # the hello is there, and the rest of it stays unread
            connection.sendall(encode({"bye": "stopped"}))
            connection.close()
            listener.close()
            wait_for_link(client, Link.ENDED)
            eventually(lambda: client._connection is None)
            assert client.state.link is Link.ENDED
