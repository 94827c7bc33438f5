"""`DaskExecutor`: runs tasks on a Dask cluster, for work that is too big for one machine.

One thread with an event loop of its own talks to the cluster, for all runs; another one passes on what the
runs report, as that may have to wait for a slow handler. A message of a run comes as an event of Dask, an
answer goes as a call to its worker. `Future.cancel` of Dask ends no body that has begun.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from threading import Lock
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from taskkit._helpers.checks import check_seconds
from taskkit.bounded_start import BoundedStartThread
from taskkit.engine import runner, scheduler_log
from taskkit.engine.summaries import one_line
from taskkit.errors import DaskMissingError, SchedulerStoppedError
from taskkit.executor import Body, BodyResult
from taskkit.executors.messages import MessageReader, packed
from taskkit.executors.other_process import OtherProcessExecutor
from taskkit.executors.reports import pass_on, result_of
from taskkit.outcome import OutcomeKind
from taskkit.process import forks

if TYPE_CHECKING:
    from distributed import Client, Future

CONNECT_SECONDS: Final = 10.0
"""The default time in which the cluster must answer."""

CLOSE_SECONDS: Final = 1.0
"""Longest wait of `close`."""

REFUSAL_SECONDS: Final = 0.5
"""Time from one attempt to connect to the next."""


class DaskExecutor(OtherProcessExecutor):
    """Runs each task on a worker of a Dask cluster. Needs the extra `dask`.

    A worker must have taskkit and the module of the task. A stop asks, and the run is shown as stopping until
    its worker answers; a run that has not begun is stopped at once. If its worker dies, the run has failed;
    if the connection to the cluster is lost, it is interrupted. It never begins twice.

    Args:
        address: The address of the cluster's scheduler, as `tcp://scheduler:8786`.
        security: A `distributed.Security`, for a cluster with TLS.
        tls_ca: Instead of `security`: the file of the certificate authority.
        tls_cert: The file of this program's certificate.
        tls_key: The file of its key.
        connect_timeout: Seconds in which the cluster must answer.

    Raises:
        DaskMissingError: The package `distributed` is not installed.
        TypeError: An argument is of the wrong type.
        ValueError: An argument is out of range.
    """

    waits_for = "the cluster"

    def __init__(
        self,
        address: str,
        *,
        security: object = None,
        tls_ca: str | Path | None = None,
        tls_cert: str | Path | None = None,
        tls_key: str | Path | None = None,
        connect_timeout: float = CONNECT_SECONDS,
    ) -> None:
        super().__init__()
        if not isinstance(address, str):
            raise TypeError(f"address must be a string, as 'tcp://scheduler:8786', not {address!r}")
        if not address.strip():
            raise ValueError(f"address must be that of a Dask scheduler, not {address!r}")
        check_seconds("connect_timeout", connect_timeout, positive=True)
        self._address = address
        self._security = _security(security, {"tls_ca": tls_ca, "tls_cert": tls_cert, "tls_key": tls_key})
        self._connect_timeout = connect_timeout
        self._reset()
        forks.reset_in_child(self, DaskExecutor._reset)

    def __repr__(self) -> str:
        return f"DaskExecutor({self._address!r})"

    def _reset(self) -> None:
        self._lock = Lock()
        self._cluster: _Cluster | None = None  # guarded by _lock, as is the next
        self._closed = False

    def start(self, body: Body) -> None:
        """Let a free worker execute a run."""
        data = packed(self.job_of(body))
        with self._lock:
            if self._closed:
                raise SchedulerStoppedError
            if self._cluster is None:
                self._cluster = _Cluster(self._connect)
            cluster = self._cluster
        cluster.start(body, data)

    def close(self) -> None:
        """Release what has not begun, and leave the cluster."""
        with self._lock:
            self._closed = True
            cluster = self._cluster
        if cluster is not None:
            cluster.close()

    async def _connect(self) -> Client:
        from distributed import Client

        client = Client(
            self._address,
            asynchronous=True,
            name="taskkit",
            security=self._security,
            set_as_default=False,
            timeout=self._connect_timeout,
        )
        try:
            return await client
        except BaseException:
            await _closed(client)
            raise


class _ClusterRun:
    """A run on the cluster. Used on the thread of the loop only."""

    def __init__(self, body: Body) -> None:
        self.body = body
        self.worker: str | None = None  # its address, once the run has begun there
        self.lost: asyncio.Future[BodyResult] = asyncio.get_running_loop().create_future()
        self.is_stopped = asyncio.Event()

    def lose(self, kind: OutcomeKind, words: str) -> None:
        """Note that its end will not be reported any more."""
        if not self.lost.done():
            self.lost.set_result(BodyResult(kind, exception=words))


class _Cluster:
    """The connection to a cluster, on a thread with a loop of its own. `start` and `close`: any thread."""

    def __init__(self, connect: Callable[[], Any]) -> None:
        self._connect = connect
        self._topic = ""  # of messages to this client; another client of this program must not get them
        self._client: Client | None = None
        self._connecting = asyncio.Lock()
        self._refusal: OSError | ValueError | None = None  # of the last attempt to connect
        self._refused_until = 0.0
        self._followed: dict[str, _ClusterRun] = {}
        self._performing: set[asyncio.Task[None]] = set()
        self._reports: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self._loop = asyncio.new_event_loop()
        self._thread = BoundedStartThread(self._run_loop, name="taskkit dask")
        self._thread.start()
        BoundedStartThread(self._hand_on, name="taskkit dask reports").start()

    def start(self, body: Body, data: bytes) -> None:
        """Have a run executed."""
        self._loop.call_soon_threadsafe(self._start, body, data)

    def close(self) -> None:
        """Release what has not begun, and close the connection. Waits a second at most."""
        self._loop.call_soon_threadsafe(lambda: self._keep(self._close()))
        self._thread.join(CLOSE_SECONDS)

    # On threads of its own

    def _run_loop(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        self._loop.close()

    def _hand_on(self) -> None:
        while (report := self._reports.get()) is not None:
            try:
                report()
            except Exception as error:  # noqa: BLE001 - a stream or a handler of the program
                scheduler_log.error("a report of a run on the cluster raised", raised=error)

    # On the loop

    def _keep(self, coroutine: Any) -> None:
        task = self._loop.create_task(coroutine)
        self._performing.add(task)
        task.add_done_callback(self._performing.discard)

    def _start(self, body: Body, data: bytes) -> None:
        self._keep(self._perform(body, data))

    async def _perform(self, body: Body, data: bytes) -> None:
        try:
            result = await self._result_of(body, data)
        except asyncio.CancelledError:
            return
        except BaseException as error:  # noqa: BLE001 - whatever Dask raises ends the run, and only that
            result = runner.failure(error)
        if result is not None:
            self._reports.put(partial(body.end, result))

    async def _result_of(self, body: Body, data: bytes) -> BodyResult | None:
        try:
            client = await self._connected()
        except (OSError, ValueError) as error:
            words = f"the cluster cannot be reached: {one_line(error)}"
            return BodyResult(OutcomeKind.FAILED, exception=words)
        from taskkit.executors import dask_worker

        key = f"{body.run.name}-{body.run.number}-{uuid4().hex[:12]}"
        followed = self._followed[key] = _ClusterRun(body)
        body.run.wake_on_stop(lambda: self._loop.call_soon_threadsafe(followed.is_stopped.set))
        future = client.submit(
            dask_worker.perform, data, key, self._topic, dask_worker.PROTOCOL, key=key, pure=False
        )
        result = asyncio.ensure_future(self._value(client, future, followed))
        stopping = asyncio.ensure_future(self._stop(client, key, followed))
        try:
            ends: set[asyncio.Future[Any]] = {result, stopping, followed.lost}
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if followed.lost.done():
                return followed.lost.result()
            if result.done():
                return result.result()
            return None  # it was stopped before it began
        finally:
            self._followed.pop(key, None)
            for each in (result, stopping):
                each.cancel()
            future.release()
            if not future.done():
                await client.cancel([future])

    async def _value(self, client: Client, future: Future, followed: _ClusterRun) -> BodyResult | None:
        """Return how a run ended, as Dask says it."""
        from distributed.client import FutureCancelledError

        try:
            return result_of(MessageReader().feed(await future)[0][0])
        except FutureCancelledError as error:
            if self._client is client:
                self._client = None  # it may connect again on its own, but would get no events
                self._keep(_closed(client))
            if followed.worker is None:
                return BodyResult(
                    OutcomeKind.FAILED, exception=f"it did not begin: {error.reason.replace('-', ' ')}"
                )
            return BodyResult(
                OutcomeKind.INTERRUPTED,
                exception="the connection to the cluster was lost, so that its end is not known",
            )
        except Exception as error:  # noqa: BLE001 - as Dask tells it: no worker, no module there, version skew
            cause = error.__cause__ or error
            return BodyResult(OutcomeKind.FAILED, exception=f"the worker did not take it: {one_line(cause)}")

    async def _stop(self, client: Client, key: str, followed: _ClusterRun) -> None:
        """Wait for a stop. Return if the run had not begun; otherwise ask its worker."""
        from taskkit.executors import dask_worker

        await followed.is_stopped.wait()
        run = followed.body.run
        if followed.worker is None:
            return
        await client.run(
            dask_worker.stop,
            key,
            run.asked_to_stop or 0.0,
            run.timed_out,
            workers=[followed.worker],
            on_error="ignore",
        )
        await asyncio.Event().wait()

    async def _connected(self) -> Client:
        async with self._connecting:
            client = self._client
            if client is None or client.status not in ("running", "connecting"):
                # Runs for which the connection failed should not wait for the next attempt one after the
                # other.
                if self._refusal is not None and self._loop.time() < self._refused_until:
                    raise self._refusal
                try:
                    client = self._client = await self._connect()
                except (OSError, ValueError) as error:
                    self._refusal = error
                    self._refused_until = self._loop.time() + REFUSAL_SECONDS
                    raise
                self._topic = f"taskkit-{uuid4().hex}"
            # Each time, as a scheduler that was started again knows nothing of it.
            client.subscribe_topic(self._topic, partial(self._take, client))
            client.subscribe_topic("all", self._take_of_cluster)
            return client

    async def _take(self, client: Client, event: tuple[float, bytes]) -> None:
        """Take a message of a worker."""
        key, kind, *values = MessageReader().feed(event[1])[0]
        followed = self._followed.get(key)
        if kind == "ready":
            self._keep(self._answer(client, key, followed, values[0]))
        elif followed is not None:
            self._reports.put(partial(pass_on, followed.body, *values))

    async def _answer(self, client: Client, key: str, followed: _ClusterRun | None, worker: str) -> None:
        """Let a run begin, unless it was stopped meanwhile, or has begun before."""
        from taskkit.executors import dask_worker

        may_begin = False
        if followed is not None and followed.worker is not None:
            followed.lose(OutcomeKind.FAILED, f"its worker {followed.worker} died")
        elif followed is not None and followed.body.begin(f"worker {worker}"):
            followed.worker = worker
            may_begin = True
        word = "go" if may_begin else "skip"
        await client.run(dask_worker.answer, key, word, workers=[worker], on_error="ignore")

    async def _take_of_cluster(self, event: tuple[float, Any]) -> None:
        """Take an event of the cluster itself."""
        message = event[1]
        if isinstance(message, Mapping) and message.get("action") == "remove-worker":
            for followed in self._followed.values():
                if followed.worker == message.get("worker"):
                    followed.lose(OutcomeKind.FAILED, f"its worker {followed.worker} died")

    async def _close(self) -> None:
        client, self._client = self._client, None
        self._followed.clear()
        for task in [each for each in self._performing if each is not asyncio.current_task()]:
            task.cancel()
        if client is not None:
            await _closed(client)
        self._reports.put(None)
        self._loop.stop()


async def _closed(client: Client) -> None:
    """Close the connection. Returns soon, and never raises, as the cluster may be gone."""
    try:
        client.unsubscribe_topic("all")  # otherwise the scheduler complains that it cannot notify us
    except Exception:  # noqa: BLE001 - it never was connected
        pass
    try:
        await client.close(timeout=CLOSE_SECONDS / 2)
    except Exception:  # noqa: BLE001 - the cluster may be gone
        pass


def _security(given: object, files: Mapping[str, str | Path | None]) -> Any:
    """Return a `distributed.Security`, or `None` for a cluster without TLS."""
    try:
        from distributed import Security
    except ImportError:
        raise DaskMissingError from None
    named = {name: str(path) for name, path in files.items() if path is not None}
    if given is not None:
        if not isinstance(given, Security):
            raise TypeError(f"security must be a distributed.Security, not {given!r}")
        if named:
            raise ValueError(f"{next(iter(named))} must be left out if security is given")
        return given
    if not named:
        return None
    if missing := [name for name in files if name not in named]:
        raise ValueError(f"{missing[0]} must be given together with {next(iter(named))}")
    for name, path in named.items():
        if not Path(path).is_file():
            raise ValueError(f"{name} must be a file, not {path!r}")
    return Security(
        tls_ca_file=named["tls_ca"],
        tls_client_cert=named["tls_cert"],
        tls_client_key=named["tls_key"],
        require_encryption=True,
    )
