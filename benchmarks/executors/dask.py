"""A Dask cluster of two workers on this machine, beside a bare `submit`."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median
from time import monotonic

from distributed import Client, LocalCluster

from benchmarks.executors import jobs
from benchmarks.executors.observed import Observed, milliseconds, observed
from taskkit.executors import DaskExecutor

RUNS = 50
ROUNDS = 10


def figures() -> Iterator[tuple[str, str, str, str]]:
    """Yield rows: what, taskkit's figure, the bare one, the goal."""
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        observed(cluster=DaskExecutor(cluster.scheduler_address)) as here,
        Client(cluster, set_as_default=False) as client,
    ):
        nothing = here.add(jobs.nothing, "cluster")
        for _ in range(10):
            here.run(nothing)
            client.submit(jobs.nothing, pure=False).result()
        ours = [here.run(nothing)[0] for _ in range(RUNS)]
        bare = [_submit(client) for _ in range(RUNS)]
        beyond = (median(ours) - median(bare)) * 1e3
        yield (
            "from the demand to the end",
            milliseconds(ours),
            milliseconds(bare),
            f"bare + 15 ms, is + {beyond:.1f}",
        )
        yield (
            "from a stop until `proceed()` is false",
            milliseconds([_stop(here) for _ in range(ROUNDS)]),
            "–",
            "< 50 ms",
        )
        yield (
            "from a report of progress to its event, as of a line",
            milliseconds(list(here.lags)),
            "–",
            "< 300 ms",
        )


def _submit(client: Client) -> float:
    began = monotonic()
    client.submit(jobs.nothing, pure=False).result()
    return monotonic() - began


def _stop(here: Observed) -> float:
    handle = here.add(jobs.seen_at, "cluster")
    seen = len(here.lags)
    here.ended.clear()
    handle.demand()
    while len(here.lags) == seen:
        pass
    asked = monotonic()
    handle.stop()
    outcome = here.wait(here.ended)[1]
    assert isinstance(outcome.result, float)
    return outcome.result - asked
