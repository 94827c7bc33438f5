"""Tasks on a Dask cluster of two workers, which are real processes."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import warnings
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from threading import Thread
from typing import Any, Final

import process_jobs as jobs
import pytest
from elsewhere import Place, new_name, snapshot_of
from patience import eventually

from taskkit import OnDemand, OutcomeKind, Recipe, Scheduler, TaskSpec
from taskkit.errors import DaskMissingError

distributed = pytest.importorskip("distributed", reason="distributed, of the extra dask, is not installed")

from taskkit.executors import DaskExecutor, dask, dask_worker  # noqa: E402 - they import distributed
from taskkit.testing import ManualClock  # noqa: E402

WORKERS: Final = 2


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # it reports each worker that is killed
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with distributed.LocalCluster(
            n_workers=WORKERS, threads_per_worker=1, dashboard_address=None, host="127.0.0.1"
        ) as cluster:
            yield cluster


@pytest.fixture(scope="module")
def place(cluster: Any) -> Iterator[Place]:
    with Scheduler(executors={"workers": DaskExecutor(cluster.scheduler_address)}) as scheduler:
        yield Place(scheduler)


def begun(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith("begun")]


def test_a_task_has_on_a_cluster_what_it_has_on_a_thread(place: Place) -> None:
    handle = place.begin(jobs.Everything(), {"word": "given"})
    outcome = place.end(handle)
    assert outcome.kind is OutcomeKind.SUCCEEDED, outcome.traceback
    assert outcome.result == f"{handle.name} {outcome.run} 1 demand"
    assert {f"print {handle.name} given 1", "error", "record 7"} <= {*outcome.output}
    assert outcome.output.count("record 7") == 1


def test_stop_abandons_a_run_that_does_not_see_it(cluster: Any, tmp_path: Path) -> None:
    scheduler = Scheduler(executors={"workers": DaskExecutor(cluster.scheduler_address)})
    place = Place(scheduler)
    scheduler.start()
    deaf = place.begin(jobs.Deaf(str(tmp_path)))
    place.wait_for_line(deaf, "computing")
    polite = place.begin(jobs.computes)  # now on the other worker, as this one is known to be busy
    place.wait_for_line(polite, "computing")
    assert scheduler.stop(timeout=0.3) == [deaf.name]
    (tmp_path / "end").touch()
    assert place.outcomes[polite.name][0].kind is OutcomeKind.STOPPED
    assert place.outcomes[deaf.name][0].kind is OutcomeKind.ABANDONED


def test_two_runs_of_the_same_task_are_two_runs(place: Place, tmp_path: Path) -> None:
    """By default Dask takes the second of two equal calls for the first one."""
    (tmp_path / "end").touch()
    handle = place.begin(jobs.Marks(str(tmp_path)))
    place.end(handle)
    handle.demand()
    assert place.end(handle, 2).result == "ended"
    assert len(begun(tmp_path)) == 2


def test_the_run_says_on_which_worker_it_is_and_sees_a_stop(place: Place) -> None:
    handle = place.begin(jobs.computes)
    place.wait_for_line(handle, "computing")
    run = snapshot_of(place.scheduler, handle.name).run
    assert run is not None
    assert (run.where or "").startswith("worker tcp://127.0.0.1:")
    handle.stop()
    outcome = place.end(handle)
    assert (outcome.kind, outcome.exception) == (OutcomeKind.STOPPED, None)
    assert outcome.output == ("computing", "saw the stop")


def test_a_timeout_asks_it_to_stop(place: Place) -> None:
    outcome = place.outcome(jobs.computes, timeout=0.05)
    assert outcome.kind is OutcomeKind.TIMED_OUT


def test_a_run_that_is_stopped_before_it_begins_has_ended_at_once_and_never_begins(
    place: Place, tmp_path: Path
) -> None:
    busy = [place.begin(jobs.computes) for _ in range(WORKERS)]
    for each in busy:
        place.wait_for_line(each, "computing")
    waiting = place.begin(jobs.Marks(str(tmp_path)))
    assert "waits for the cluster" in waiting.explain()
    waiting.stop()
    outcome = place.end(waiting)
    assert (outcome.kind, outcome.started) == (OutcomeKind.STOPPED, None)
    for each in busy:
        each.stop()
        place.end(each)
    assert place.outcome(jobs.pid).kind is OutcomeKind.SUCCEEDED
    assert begun(tmp_path) == []


def test_a_run_whose_worker_dies_has_failed_and_does_not_begin_again(place: Place, tmp_path: Path) -> None:
    """Dask begins it again on the other worker, where it is refused."""
    handle = place.begin(jobs.Marks(str(tmp_path)))
    place.wait_for_line(handle, "computing")
    os.kill(int(begun(tmp_path)[0].split()[-1]), signal.SIGKILL)
    outcome = place.end(handle)
    assert outcome.kind is OutcomeKind.FAILED
    assert "its worker tcp://" in (outcome.exception or "")
    assert outcome.output == ("computing",)
    # Both workers have time again, and take what is there.
    assert [place.outcome(jobs.pid).kind for _ in range(WORKERS)] == [OutcomeKind.SUCCEEDED] * WORKERS
    assert len(begun(tmp_path)) == 1


def test_a_worker_is_free_soon_where_the_program_is_gone_before_it_has_let_a_run_begin(
    cluster: Any, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    async def die(cluster: object, client: object, key: str, run: object, worker: str) -> None:
        asked.append(worker)

    def wait_for_ever() -> None:
        dask_worker.ANSWER_SECONDS = 1e6  # type: ignore[misc]

    with distributed.Client(cluster) as client:
        client.run(wait_for_ever)
    with monkeypatch.context() as patch:
        patch.setattr(dask._Cluster, "_answer", die)
        with Scheduler(executors={"workers": DaskExecutor(cluster.scheduler_address)}) as scheduler:
            gone = Place(scheduler)
            for count in range(1, WORKERS + 1):  # one after the other, so that each goes to a free worker
                gone.begin(jobs.Marks(str(tmp_path)))
                eventually(lambda count=count: len(asked) == count)
    assert place.outcome(jobs.pid).kind is OutcomeKind.SUCCEEDED
    assert begun(tmp_path) == []


@pytest.mark.parametrize(
    ("task", "kind", "words"),
    [
        (jobs.returns_lock, OutcomeKind.SUCCEEDED, "<unlocked _thread.lock"),
        (jobs.returns_rude, OutcomeKind.SUCCEEDED, "<Rude>"),
        (jobs.raises_two_words, OutcomeKind.FAILED, "TwoWordsError: one"),
        (jobs.exits, OutcomeKind.FAILED, "SystemExit: leaving"),
        (jobs.asks_handle, OutcomeKind.FAILED, "is in the process of its scheduler"),
        (jobs.is_async, OutcomeKind.SUCCEEDED, "awaited"),
    ],
)
def test_what_a_task_returns_or_raises_comes_back_as_plain_data(
    place: Place, task: Any, kind: OutcomeKind, words: str
) -> None:
    outcome = place.outcome(task)
    assert outcome.kind is kind, outcome.exception
    assert words in str(outcome.result if kind is OutcomeKind.SUCCEEDED else outcome.exception)


def test_a_record_of_logging_reaches_the_handlers_of_the_program(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    place.outcome(jobs.logs_once)
    assert [record.getMessage() for record in caplog.records if record.name == "process_jobs"] == [
        "to the handlers"
    ]


def test_what_no_worker_could_import_is_refused_when_it_is_registered(place: Place) -> None:
    with pytest.raises(TypeError, match="define it with a name at the top level"):
        place.scheduler.add_on_demand_task(lambda: None, "refused", executor="workers")
    with pytest.raises(TypeError, match="cannot pickle"):
        place.scheduler.add_on_demand_task(jobs.NeedsLock("x"), "refused", executor="workers")
    assert place.scheduler.handle("refused") is None
    recipe = Recipe("process_jobs:NeedsLock", {"word": "made"})
    handle = place.scheduler.add_spec(TaskSpec(new_name(), OnDemand(), recipe, executor="workers"))
    handle.demand()
    assert place.end(handle).result == "made"


def test_a_worker_of_another_version_refuses_in_words(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_worker, "PROTOCOL", 99)
    outcome = place.outcome(jobs.pid)
    assert outcome.kind is OutcomeKind.FAILED
    assert "the worker speaks version 1 of taskkit's protocol, and the program 99" in (
        outcome.exception or ""
    )


def test_a_cluster_that_cannot_be_reached_fails_the_run_and_its_policies_retry_it(
    unused_tcp_port: int,
) -> None:
    executor = DaskExecutor(f"tcp://127.0.0.1:{unused_tcp_port}", connect_timeout=0.1)
    with Scheduler(executors={"workers": executor}) as scheduler:
        place = Place(scheduler)
        handle = place.begin(jobs.pid, retries=1, retry_delay=0)
        outcome = place.end(handle, 2)
    assert outcome.kind is OutcomeKind.FAILED
    assert (outcome.exception or "").startswith("the cluster cannot be reached: ")


class Relay:
    """Stands between the program and the cluster, so that their connection can be cut."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"tcp://127.0.0.1:{self._listener.getsockname()[1]}"
        Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """End all connections; new ones are possible."""
        for each in self._open:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self._open.clear()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near = self._listener.accept()[0]
                far = socket.create_connection(("127.0.0.1", self._port))
                self._open += [near, far]
                for pair in ((near, far), (far, near)):
                    Thread(target=self._pass_on, args=pair, daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                target.sendall(data)
        for each in (source, target):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        source.close()


def test_a_connection_that_is_lost_interrupts_the_run_and_the_next_one_connects_again(
    cluster: Any, tmp_path: Path
) -> None:
    """It is not tried again by itself, as it may still go on there."""
    relay = Relay(int(cluster.scheduler_address.rpartition(":")[2]))
    with closing(relay), Scheduler(executors={"workers": DaskExecutor(relay.address)}) as scheduler:
        place = Place(scheduler)
        handle = place.begin(jobs.Marks(str(tmp_path)), retries=3, retry_delay=0)
        place.wait_for_line(handle, "computing")
        relay.cut()
        outcome = place.end(handle)
        (tmp_path / "end").touch()
        assert outcome.kind is OutcomeKind.INTERRUPTED, outcome.exception
        assert (outcome.exception or "").startswith("the connection to the cluster was lost")
        assert place.outcome(jobs.pid).kind is OutcomeKind.SUCCEEDED
        assert len(begun(tmp_path)) == 1


def test_a_connection_that_is_lost_while_nothing_runs_is_made_anew(cluster: Any) -> None:
    relay = Relay(int(cluster.scheduler_address.rpartition(":")[2]))
    with closing(relay), Scheduler(executors={"workers": DaskExecutor(relay.address)}) as scheduler:
        place = Place(scheduler)
        assert place.outcome(jobs.pid).kind is OutcomeKind.SUCCEEDED
        relay.cut()
        outcome = place.outcome(jobs.pid, retries=20, retry_delay=0.05)
        runs = len(place.outcomes[outcome.task])
        eventually(lambda: place.outcomes[outcome.task][-1].kind is OutcomeKind.SUCCEEDED, runs)


def test_a_manual_clock_is_refused(clock: ManualClock) -> None:
    with pytest.raises(ValueError, match="manual clock"):
        Scheduler(clock=clock, executors={"cluster": DaskExecutor("tcp://127.0.0.1:1")})


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        ({"address": 7}, "address must be a string"),
        ({"address": " "}, "address must be that of a Dask scheduler"),
        ({"connect_timeout": 0}, "connect_timeout"),
        ({"security": "tls"}, "security must be a distributed.Security"),
        ({"tls_ca": "ca.pem"}, "tls_cert must be given together with tls_ca"),
        ({"tls_ca": "/no/ca.pem", "tls_cert": "/no/c", "tls_key": "/no/k"}, "tls_ca must be a file"),
    ],
)
def test_bad_arguments_are_refused(keywords: dict[str, Any], words: str) -> None:
    with pytest.raises((TypeError, ValueError)) as raised:
        DaskExecutor(**{"address": "tcp://127.0.0.1:1", **keywords})
    assert words in str(raised.value)


def test_without_distributed_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(DaskMissingError, match="pip install 'taskkit-tui\\[dask\\]'"):
        DaskExecutor("tcp://127.0.0.1:1")
