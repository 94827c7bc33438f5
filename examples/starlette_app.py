"""A Starlette application with a task: run `uvicorn starlette_app:app`, and `taskkit ps` elsewhere."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from taskkit import Scheduler
from taskkit.remote import serve


def fetch_prices() -> None:
    """Fetch the prices of the shop."""
    print("prices fetched")


scheduler = Scheduler()
scheduler.add_periodic_task(None, 600, fetch_prices, "prices")


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    """Run the tasks as long as the application; the same works with FastAPI."""
    async with scheduler:
        with serve(scheduler, "shop", target="starlette_app:scheduler"):
            yield


async def refresh(request: Request) -> JSONResponse:
    """Run the task now."""
    return JSONResponse({"asked": scheduler.demand_task("prices")})


app = Starlette(routes=[Route("/refresh", refresh)], lifespan=lifespan)
