"""Run one measure of one peer in a process of its own, and print the figures as JSON."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace

from benchmarks.measures import MEASURES
from benchmarks.peers import make


def main() -> None:
    measure_name, quick, case_number, peer_name = sys.argv[1:]
    measure = MEASURES[measure_name]
    case = (measure.quick if quick == "quick" else measure.cases)[int(case_number)]
    figures = measure.run(make(peer_name), replace(case, peers=(peer_name,)))
    sys.stdout.write(json.dumps(figures) + "\n")
    sys.stdout.flush()
    os._exit(0)  # some peers leave threads behind, for which Python would wait


if __name__ == "__main__":
    main()
