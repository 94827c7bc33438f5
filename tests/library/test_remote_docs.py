"""The page on the protocol is true: its example is replayed, and it names every key and every request."""

from __future__ import annotations

import json
import re
from pathlib import Path
from time import time

import pytest
from served import Raw, runtime

from taskkit import Every, Scheduler
from taskkit.remote import serve
from taskkit.remote.requests import REQUESTS
from taskkit.remote.rows import own_columns
from taskkit.remote.session import OWN_REQUESTS

__all__ = ["runtime"]

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"`(\w+)`", PAGE))


def test_the_example_is_what_happens(runtime: Path) -> None:
    (example,) = re.findall(r"^```protocol\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    with Scheduler() as scheduler:
        scheduler.add_task(Every(3600, time() + 3600), lambda: None, "backup")
        server = serve(scheduler, "shop", target="shop.tasks:scheduler", strict=True)
        with Raw(server.path) as raw:
            for line in example.splitlines():
                message = json.loads(line[2:])
                if line[0] == ">":
                    raw.send(message)
                    continue
                found = raw.read()
                assert found is not None
                assert list(found) == list(message)
                if "id" in message and "preview" not in line and "due_times" not in line:
                    assert found == message
                if "ok" in message:
                    assert list(found["ok"]) == list(message["ok"])  # type: ignore[call-overload]
        server.close()


@pytest.mark.parametrize("request_name", [*REQUESTS, *OWN_REQUESTS])
def test_every_request_is_explained(request_name: str) -> None:
    assert request_name in NAMED


def test_every_key_and_kind_of_row_is_explained(runtime: Path) -> None:
    with Scheduler() as scheduler:
        server = serve(scheduler, "shop", strict=True)
        with Raw(server.path) as raw:
            greeting = raw.greet(watch=True)
            raw.send({"next": 1})
            frame = raw.read()
        server.close()
    assert frame is not None
    assert {*greeting, *frame, *own_columns()} <= NAMED


def test_every_kind_of_error_is_explained() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "taskkit" / "remote").glob("*.py"))
    kinds = re.findall(r'(?:RefusedError|_error)\("(\w+)"', code)
    kinds += re.findall(r'_refusal\(job\.identity, "(\w+)"', code) + re.findall(r'"kind": "(\w+)"', code)
    assert kinds
    assert set(kinds) <= NAMED
