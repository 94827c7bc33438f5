"""Begins work that may wait for the scheduler, without making a key wait for it; it ends with its screen."""

from __future__ import annotations

from asyncio import sleep
from collections.abc import Callable, Coroutine
from typing import Any

from textual.dom import DOMNode
from textual.worker import Worker

from taskkit import TaskkitError
from taskkit_tui.formatting import harmless
from taskkit_tui.keys.key_order import KEYS_WAIT


async def begin(
    node: DOMNode,
    work: Callable[..., Coroutine[Any, Any, None]],
    *arguments: object,
    holds_keys: bool = False,
) -> None:
    """Call `work` as a task that ends with the node.

    An error of taskkit's own, such as a service that does not answer, is shown; any other ends the app.

    Work that need not wait, as with a scheduler of this process, is done when this returns: so the next key
    finds what the one before it did. Waiting work continues on its own.

    Args:
        node: A widget, a screen or the app.
        work: An `async` function or method.
        arguments: What it is called with.
        holds_keys: Keep back the keys that follow until the work is done, or for `KEY_SECONDS`: for work
            that opens or closes a screen, so that what is typed after it acts there.
    """

    async def guarded() -> None:
        try:
            await work(*arguments)
        except TaskkitError as error:
            node.app.notify(harmless(str(error)), severity="error", markup=False)

    _worker: Worker[None] = node.run_worker(guarded, group=KEYS_WAIT if holds_keys else "default")
    await sleep(0)


def end_work(node: DOMNode) -> None:
    """Cancel the workers of a screen; to be called before its widgets are removed.

    Textual cancels them only after that, and a worker that goes on in between finds no widgets.
    """
    node.workers.cancel_node(node)
