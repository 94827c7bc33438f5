"""What `docs/limits.md` advises works, and its links lead somewhere."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from patience import eventually

from taskkit import OutcomeKind, Scheduler
from taskkit.store import PersistentScheduler

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "limits.md").read_text(encoding="utf-8")
(HANDING_OVER,) = re.findall(r"^```python\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """The loop of an application, which runs on a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever)
    thread.start()
    yield loop
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.mark.parametrize("how", ["timed out", "stopped", "succeeded"])
def test_a_coroutine_on_the_loop_of_the_application_is_stopped_and_times_out(
    how: str, loop: asyncio.AbstractEventLoop
) -> None:
    seen: list[str] = []

    async def work() -> str:
        seen.append("began")
        try:
            await asyncio.sleep(0 if how == "succeeded" else 60)
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise
        return "refreshed"

    names = {"loop": loop, "work": work}
    exec(HANDING_OVER, names)
    with Scheduler(on_error=lambda outcome: None) as scheduler:
        handle = scheduler.add_on_demand_task(
            names["refresh"],  # type: ignore[arg-type]
            "refresh",
            timeout=0.05 if how == "timed out" else None,
        )
        handle.demand()
        if how == "stopped":
            eventually(lambda: seen)
            handle.stop()
        eventually(lambda: handle.last_outcome)

        assert handle.last_outcome is not None
        assert handle.last_outcome.kind is OutcomeKind(how.replace(" ", "_"))
    if how == "succeeded":
        assert "refreshed" in str(handle.last_outcome.result)
    else:
        eventually(lambda: seen == ["began", "cancelled"])


def test_what_the_program_adds_while_it_runs_is_not_registered_again(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    with PersistentScheduler(path) as scheduler:
        scheduler.add_timed_task(4_000_000_000, lambda: None, "later")
    with PersistentScheduler(path) as scheduler:
        assert scheduler.handle("later") is None


@pytest.mark.parametrize("link", re.findall(r"\]\((?!https?:)([^)#]+)", TEXT))
def test_each_link_leads_somewhere(link: str) -> None:
    assert (DOCS / link).exists()
