"""Measure taskkit beside other schedulers, and beside the least that Python itself can do.

Each figure comes from a new process. Each round measures every peer once, in an order that rotates, so that a
busy moment of the machine does not always hit the same peer. The table shows the medians of the rounds.
`taskkit` is measured with everything on: a subscriber, outcomes, output routing; `taskkit bare` without
subscriber and routing. The columns × are ratios to `taskkit`. Read the ratios: the figures differ from
machine to machine and from hour to hour.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

from benchmarks.measures import MEASURES
from benchmarks.measures.measure import Case, Measure
from benchmarks.report import Result, machine, save, table

MAX_SECONDS = 180.0
"""The time limit for one peer."""


def main() -> None:
    options = _options()
    about = machine()
    began = monotonic()
    _say("taskkit and its peers\n")
    for what, value in about.items():
        _say(f"  {what}: {value}")
    results = []
    for name in options.only or MEASURES:
        measure = MEASURES[name]
        _say(f"\n\n## {name}" + (f" (goal: {measure.goal})" if measure.goal else ""))
        for number, case in enumerate(measure.quick if options.quick else measure.cases):
            results.append(_ask_all(measure, case, number, options.quick))
            _say("\n" + table(measure, case, results[-1]))
    path = save(results, about, "library")
    _say(f"\n\n{monotonic() - began:.0f} s; every round is in {path}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.library",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--quick", action="store_true", help="one round of fewer cases: a minute instead of six"
    )
    parser.add_argument(
        "--only",
        action="append",
        choices=list(MEASURES),
        metavar="NAME",
        help="one measure of: " + ", ".join(MEASURES) + "; may be given several times",
    )
    return parser.parse_args()


def _ask_all(measure: Measure, case: Case, number: int, quick: bool) -> Result:
    result = Result(measure.name, case.size)
    at_once = len(case.peers) if measure.together else 1

    def ask(peer: str) -> None:
        if peer in result.failures:
            return
        command = [sys.executable, "-m", "benchmarks.child", measure.name]
        command += ["quick" if quick else "full", str(number), peer]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=MAX_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            result.failures[peer] = f"no answer in {MAX_SECONDS:.0f} s"
            return
        if done.returncode:
            result.failures[peer] = (done.stderr.strip() or f"exit status {done.returncode}").splitlines()[-1]
            return
        result.add(peer, json.loads(done.stdout))

    with ThreadPoolExecutor(at_once) as pool:
        for peers in _turning(case):
            list(pool.map(ask, peers))
    return result


def _turning(case: Case) -> Iterator[tuple[str, ...]]:
    """Yield the peers for each round, each time beginning with another one."""
    for turn in range(case.rounds):
        first = turn * 3 % len(case.peers)
        yield case.peers[first:] + case.peers[:first]


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    main()
