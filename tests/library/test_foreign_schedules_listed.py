"""`list` and `next` of a target with schedules and time zones of somebody's own, which raise."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from taskkit.cli.main import main

TARGET = """
from datetime import timedelta, tzinfo
from taskkit import Schedule, Scheduler


class Mute(Schedule):
    follows_wall_clock = True
    repeats = True

    def next_after(self, instant):
        return instant + 3600

    @property
    def zone(self):
        raise {error}("no zone")

    def __str__(self):
        raise {error}("no words")


class Forgetful(Mute):
    def __init__(self):
        self.asked = 0

    def next_after(self, instant):
        self.asked += 1
        if self.asked > 2:
            raise {error}("no idea")
        return instant + 3600


class Nowhere(tzinfo):
    lost = False

    def utcoffset(self, when):
        if self.lost:
            raise {error}("no offset")
        return timedelta(hours=1)

    def dst(self, when):
        raise {error}("no summer")

    def tzname(self, when):
        raise {error}("no name")

    def fromutc(self, when):
        return when + self.utcoffset(when)

    def __str__(self):
        raise {error}("no words")


scheduler = Scheduler()
scheduler.add_task(Mute(), lambda: None, "mute")
scheduler.add_task(Forgetful(), lambda: None, "forgetful")
scheduler.add_daily_task(3, 30, lambda: None, "nowhere", tz=Nowhere())
scheduler.add_periodic_task(None, 3600, lambda: None, "plain")
Nowhere.lost = True
"""


@pytest.mark.parametrize("error", ["RuntimeError", "SystemExit", "KeyboardInterrupt"])
@pytest.mark.parametrize("command", ["list", "next"])
@pytest.mark.usefixtures("own_imports")
def test_tells_the_others_and_of_these_what_it_can(
    own_folder: Path, capsys: pytest.CaptureFixture[str], command: str, error: str
) -> None:
    (own_folder / f"own_{error.lower()}.py").write_text(TARGET.format(error=error), encoding="utf-8")
    target = f"own_{error.lower()}:scheduler"

    assert main([command, target]) == 0
    told = capsys.readouterr().out
    assert "plain" in told
    assert "mute" in told
    if command == "list":
        assert "<Mute>" in told
        assert "<Daily>" in told

    assert main([command, target, "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {line["task"] for line in lines} >= {"plain", "mute", "nowhere"}
