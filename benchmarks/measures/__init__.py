"""The measures, in the order of the report."""

from __future__ import annotations

from typing import Final

from benchmarks.measures import (
    burst,
    busy,
    commands,
    demand,
    drift,
    lateness,
    memory,
    printing,
    rest,
    sleepers,
)
from benchmarks.measures.measure import Measure

MEASURES: Final[dict[str, Measure]] = {
    each.MEASURE.name: each.MEASURE
    for each in (burst, busy, demand, memory, commands, lateness, sleepers, drift, rest, printing)
}
