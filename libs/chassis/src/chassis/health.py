"""Probes and metrics, the same for HTTP processes and workers."""

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from chassis.database import is_transient
from chassis.graceful_shutdown import is_leaving
from chassis.parking import count_parked_keys
from chassis.telemetry import METRICS

Check = Callable[[], str | None]
"""What is wrong, or None."""


def health_routes(*, is_alive: Check = lambda: None, is_ready: Check = lambda: None) -> APIRouter:
    router = APIRouter(tags=["health"], include_in_schema=False)

    @router.get("/livez")
    async def livez() -> Response:
        """200 while the process works; 503 when a restart would help."""
        return _answer(is_alive())

    @router.get("/readyz")
    async def readyz(request: Request) -> Response:
        """200 when the process can do its work: the database answers, a worker has its partitions, none is leaving."""
        leaving = "it is leaving" if is_leaving(request.app) else None
        return _answer(leaving or is_ready() or await _database_fault(request))

    @router.get("/metrics")
    async def metrics(request: Request) -> Response:
        is_alive()  # which measures the lag and the age of the last poll on its way
        await _measure(request)
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return router


def _answer(fault: str | None) -> Response:
    return Response(fault or "ok", status_code=503 if fault else 200, media_type="text/plain")


async def _database_fault(request: Request) -> str | None:
    async def ask() -> None:
        async with request.app.state.db.statements() as statements:
            await statements.fetchval("select 1")

    return await _fault(ask)


async def _measure(request: Request) -> None:
    async def ask() -> None:
        async with request.app.state.db.statements() as statements:
            row = await statements.fetchrow(
                "select count(*) as rows, coalesce(extract(epoch from now() - min(created_at)), 0) as age from outbox"
            )
            METRICS.outbox_rows.set(row["rows"])
            METRICS.outbox_age_seconds.set(float(row["age"]))
            METRICS.parked_keys.set(await count_parked_keys(statements))

    METRICS.is_database_away.set(await _fault(ask) is not None)


async def _fault(ask: Callable[[], Awaitable[None]]) -> str | None:
    try:
        await ask()
    except Exception as error:
        if not is_transient(error):
            raise
        return f"the database does not answer: {type(error).__name__}"
    return None
