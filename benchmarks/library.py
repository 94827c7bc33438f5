"""Measure taskkit beside the schedulers that one would use instead, and beside what Python itself can do.

Each answer comes from a fresh process. In each round every peer is asked once, the order turning from round
to round, so that a busy moment of the machine does not always hit the same one; the table shows the medians
of the rounds. `taskkit` is measured with everything on: a subscriber, outcomes, output routing; `taskkit
bare` with nobody looking. The columns × are ratios to `taskkit`. Figures differ from machine to machine and
from hour to hour; the ratios are what to read.
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

LONGEST = 180.0
"""Seconds after which a peer is given up."""


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
            done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST, check=False)
        except subprocess.TimeoutExpired:
            result.failures[peer] = f"no answer in {LONGEST:.0f} s"
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
    """The peers once a round, each round beginning with another."""
    for turn in range(case.rounds):
        first = turn * 3 % len(case.peers)
        yield case.peers[first:] + case.peers[:first]


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    main()
