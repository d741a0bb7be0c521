"""The HTTP process of a service: a FastAPI app with the parts that all services share."""

import contextlib
import gc
import sys
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any, TypeVar

import httpx
import uvicorn
from fastapi import APIRouter, FastAPI, Request, Response
from uvicorn.config import STARTUP_FAILURE

from chassis import me_api, parking_api, problems
from chassis.access import ROUTES as ROUTES_OF_EVERY_SERVICE
from chassis.auth import TokenVerifier
from chassis.clock import Clock, SystemClock
from chassis.commands import NO_HEADERS, AlreadyReplied, CommandHeaders, Reply
from chassis.database import Database
from chassis.docs_page import docs_routes
from chassis.errors_page import errors_route
from chassis.graceful_shutdown import GracefulServer
from chassis.guard import guard
from chassis.health import health_routes
from chassis.http_limits import HttpLimits, Impatient
from chassis.openapi import Documentation
from chassis.rate_limits import RequestRate, StreamSeats
from chassis.recovery import pause_api
from chassis.settings import Settings
from chassis.subscribe import Subscription
from chassis.telemetry import note_build, set_up_logs
from chassis.tracing import set_up_traces
from chassis.unit_of_work import UnitOfWork
from chassis.wakeup import APPLIED, Wakeup
from contracts.access import AccessTable
from contracts.message import Actor
from contracts.version import VERSION

U = TypeVar("U", bound=UnitOfWork)

_LEFT_OUT: dict[str, Any] = {
    # FastAPI's own spans show queries, and queries hold people's names and numbers; see `tracing`.
    "telemetry": {"tracing": False, "metrics": False, "logs": False},
    # A path with a slash too many is a mistake to be told of, not a redirect that loses the body.
    "redirect_slashes": False,
    "docs_url": None,
    "redoc_url": None,
}


def create_app(
    service: str,
    settings: Settings,
    routers: list[APIRouter],
    *,
    description: str,
    access: AccessTable,
    subscriptions: list[Subscription] = [],  # noqa: B006
    find_subscription: Callable[[str], Subscription | None] = lambda _: None,
    clock: Clock | None = None,
    prepare: Callable[[FastAPI], None] | None = None,
    documentation: Documentation = Documentation(),
) -> FastAPI:
    """The app of a service; `find_subscription` knows those that come and go, by topic.

    Its state has `settings`, `db`, `wakeup`, `clock`, `unit_of_work`, `verifier`, `http` and what `prepare` adds.
    `prepare` may fill `traced_parameters`: by parameter of a path, the attribute that a request's span gets from it.
    `access` has a row for each route of these routers; raises `RouteNotInTable` where one is missing.
    """

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with contextlib.AsyncExitStack() as stack:
            app.state.http = await stack.enter_async_context(httpx.AsyncClient(timeout=5))
            app.state.verifier = _verifier(settings, app.state.http)
            app.state.db = Database(
                settings.database_url, pool_size=settings.database_pool_size, application_name=f"linework {service}"
            )
            stack.push_async_callback(app.state.db.close)
            app.state.wakeup = await stack.enter_async_context(Wakeup(settings.database_url, hears=APPLIED).running())
            if prepare is not None:
                prepare(app)
            yield

    app = FastAPI(
        title=f"Linework {service}",
        version=VERSION,
        description=description,
        lifespan=lifespan,
        **_LEFT_OUT,
    )
    _fill_state(app, service, settings, documentation, clock or SystemClock())
    app.state.find_subscription = lambda topic: (
        next((one for one in subscriptions if one.topic.name == topic), None) or find_subscription(topic)
    )
    problems.install(app)
    note_build(service)

    @app.exception_handler(AlreadyReplied)
    async def on_already_answered(request: Request, repeated: AlreadyReplied) -> Response:
        reply: Reply = await app.state.answer_again(repeated.reply, request)
        return reply.response()

    of_every_service = [me_api.router, parking_api.router, pause_api.router, health_routes()]
    _fence(app, [*routers, *of_every_service], {**access, **ROUTES_OF_EVERY_SERVICE})
    return app


def _fill_state(app: FastAPI, service: str, settings: Settings, documentation: Documentation, clock: Clock) -> None:
    """What needs no connection."""
    state = app.state
    state.service, state.settings, state.documentation, state.clock = service, settings, documentation, clock
    state.drain_seconds = settings.drain_seconds
    state.answer_again = _as_it_was
    state.traced_parameters = {}
    state.unit_of_work = partial(unit_of_work, app, UnitOfWork)


def _verifier(settings: Settings, client: httpx.AsyncClient) -> TokenVerifier:
    return TokenVerifier(settings.oidc_issuer, settings.oidc_audience, client, claims=settings.claims)


def _fence(app: FastAPI, routers: list[APIRouter], access: AccessTable) -> None:
    """Each route behind its guard, the app behind its limits."""
    settings: Settings = app.state.settings
    app.state.request_rate = RequestRate(settings.requests_per_second_limit)
    app.state.stream_seats = StreamSeats(settings.streams_limit)
    pages = [*docs_routes(app.title), errors_route()]
    routes = [*app.router.routes, *pages, *(route for router in routers for route in router.routes)]
    guard(app, app.state.service, routes, access)
    app.add_middleware(HttpLimits, limit=settings.request_bytes_limit, root_path=settings.root_path)


def unit_of_work(
    app: FastAPI,
    kind: type[U],
    actor: Actor,
    headers: CommandHeaders = NO_HEADERS,
    areas: tuple[str, ...] | None = None,
    **more: Any,
) -> U:
    """The unit of work of one command of this actor, with what its kind needs besides."""
    state = app.state
    return kind(
        service=state.service,
        db=state.db,
        clock=state.clock,
        wakeup=state.wakeup,
        actor=actor,
        areas=areas,
        headers=headers,
        **more,
    )


async def _as_it_was(answer: Reply, _: Request) -> Reply:
    """What a service does with a remembered answer before it is sent again; `prepare` may put another in its place."""
    return answer


def _spare_the_collector() -> None:
    # Modules, routes and models live as long as the process: looking through them again and again, in the
    # middle of a request, finds nothing. What a request leaves behind is mostly freed without the collector.
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def serve(service: str, app: FastAPI, settings: Settings, *, port: int) -> None:
    """Runs the process until SIGTERM; an HTTP process then drains, and both finish what they have begun."""
    set_up_logs(service, settings.log_level)
    set_up_traces(service, settings)
    config = uvicorn.Config(
        app,
        host=settings.http_host,
        port=port,
        access_log=False,
        log_config=None,
        server_header=False,
        http=Impatient,
        # No route asks for the address of the client or the scheme, so what a proxy says of them is not read.
        proxy_headers=False,
        timeout_graceful_shutdown=15,
        # Longer than clients and proxies keep an idle connection, so that it is they who close it.
        timeout_keep_alive=75,
    )
    _spare_the_collector()
    server = GracefulServer(config, app, getattr(app.state, "drain_seconds", 0.0))
    server.run()
    if not server.started:
        sys.exit(STARTUP_FAILURE)
