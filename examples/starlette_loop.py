"""A Starlette application whose async tasks use its pool of connections: `uvicorn starlette_loop:app`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from taskkit import Scheduler


class Connection:
    """Stands for a connection to a database: it works only on the loop that it was made on."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()

    async def query(self, words: str) -> str:
        """Answer after a moment."""
        answer = self._loop.create_future()
        self._loop.call_later(0.001, answer.set_result, f"answer to {words}")
        return str(await answer)


class Pool:
    """One connection, which those who want it wait for."""

    def __init__(self) -> None:
        self._connection = Connection()
        self._free = asyncio.Lock()

    async def query(self, words: str) -> str:
        """Query when the connection is free."""
        async with self._free:
            return await self._connection.query(words)


async def refresh_cache() -> str:
    """Fill the cache of the application, on its loop and with its pool."""
    app.state.cache = await app.state.pool.query("refresh")
    return str(app.state.cache)


scheduler = Scheduler()
scheduler.add_periodic_task(None, 60, refresh_cache, "refresh cache")


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    """Make the pool, and run the tasks as long as the application; the same works with FastAPI."""
    app.state.pool = Pool()
    app.state.cache = ""
    async with scheduler:
        yield


async def show(request: Request) -> JSONResponse:
    """Show the cache, and ask the pool."""
    answer = await request.app.state.pool.query("request")
    return JSONResponse({"cache": request.app.state.cache, "answer": answer})


app = Starlette(routes=[Route("/", show)], lifespan=lifespan)
