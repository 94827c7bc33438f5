"""Commands to many tasks: keys are handled meanwhile, and the answer is the same."""

from __future__ import annotations

import asyncio
import threading

import pytest
from fake_backend import dashboard, task

from taskkit import Scheduler
from taskkit_tui.bridge import Bridge
from taskkit_tui.many_tasks import AT_ONCE, carry_out
from taskkit_tui.palette import TaskkitCommands

PATIENCE = 60.0
"""Seconds."""


async def test_the_app_goes_on_while_many_tasks_are_changed() -> None:
    went_on = threading.Event()
    asyncio.get_running_loop().call_soon(went_on.set)
    assert await carry_out(lambda: went_on.wait(PATIENCE), AT_ONCE + 1)


async def test_few_tasks_are_changed_before_the_next_key() -> None:
    assert await carry_out(threading.current_thread, AT_ONCE) is threading.current_thread()


async def test_what_the_command_raises_arrives() -> None:
    def refuse() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await carry_out(refuse, AT_ONCE + 1)


async def test_without_a_thread_the_command_is_carried_out_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert await carry_out(lambda: 7, AT_ONCE + 1) == 7


async def test_all_of_many_tasks_are_disabled_and_enabled_again_by_one_undo() -> None:
    scheduler = Scheduler(capture=False)
    names = [f"task {number}" for number in range(AT_ONCE + 1)]
    handles = [scheduler.add_periodic_task(None, 60, print, name) for name in names]
    bridge = Bridge(scheduler)
    answer = await bridge.disable(names)
    assert answer.names == tuple(names)
    assert all(handle.disabled for handle in handles)
    assert answer.token is not None
    undone = await bridge.undo(answer.token)
    assert undone.names == tuple(names)
    assert not any(handle.disabled for handle in handles)


async def test_a_search_of_the_palette_lets_keys_be_handled() -> None:
    """Nothing matches, so that every entry of every task is looked at."""
    async with dashboard(*(task(number, f"task {number}") for number in range(1, 2_001))) as (app, _, _pilot):
        turns = 0

        async def count() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        counting = asyncio.create_task(count())
        hits = [hit async for hit in TaskkitCommands(app.main).search("no such task")]
        counting.cancel()
        assert hits == []
        assert turns > 10
        assert [str(hit.text) async for hit in TaskkitCommands(app.main).search("run TASK 1999")]
