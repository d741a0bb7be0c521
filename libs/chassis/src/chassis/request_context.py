"""The request context: a single dependency with the caller and the resources of the process.

    @router.get("/things")
    async def list_things(context: Context) -> Things:
        return await views.things(context.db, areas=context.caller.areas)

FastAPI resolves dependencies one by one for every request, and a POST with seven of them spends more time
there than in its own code; so a single dependency without sub-dependencies provides everything on demand.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any, Protocol

import httpx
from fastapi import Depends, FastAPI, Request

from chassis.auth import TokenRefused
from chassis.clock import Clock
from chassis.commands import NO_HEADERS, CommandHeaders, command_headers, documents_command_headers
from chassis.database import Database
from chassis.graceful_shutdown import is_leaving
from chassis.guard import Caller, caller_of, hold_stream
from chassis.key_set import KeySetUnavailable
from chassis.settings import Settings
from chassis.telemetry import traceparent
from chassis.unit_of_work import UnitOfWork
from chassis.wakeup import Wakeup
from contracts.access import AccessTable
from contracts.message import Actor


class ProcessParts(Protocol):
    """The parts of a process that every service has, as they stand in `app.state`."""

    access: AccessTable
    clock: Clock
    db: Database
    http: httpx.AsyncClient
    settings: Settings
    unit_of_work: Callable[[Actor, CommandHeaders, tuple[str, ...] | None], UnitOfWork]
    wakeup: Wakeup


class RequestContext:
    """A request, its caller and the parts of the process. Cheap: everything is looked up when asked for."""

    __slots__ = ("request",)

    def __init__(self, request: Request) -> None:
        self.request = request

    @property
    def caller(self) -> Caller:
        return caller_of(self.request.scope)

    def may(self, row: str) -> bool:
        """Whether the caller may use another route of this service, such as `POST /v1/things`."""
        grants = self.parts.access[row]
        return grants is None or not self.caller.roles.isdisjoint(grants)

    def hold_stream(self) -> None:
        """Before an answer that goes on, such as server-sent events: one caller gets a few at a time.

        Raises `TooManyStreams`, which the route declares; the seat is given back when the answer ends.
        """
        hold_stream(self.request.scope)

    async def may_go_on(self) -> bool:
        """Asked before each event of a stream: whether the token is still good, and the process stays."""
        try:
            await self.state.verifier.verify(self.caller.token)
        except (TokenRefused, KeySetUnavailable):
            return False
        return not is_leaving(self.app)

    @property
    def app(self) -> FastAPI:
        app: FastAPI = self.request.app
        return app

    @property
    def state(self) -> Any:
        """What lives as long as the process: `parts`, and those of one service."""
        return self.request.app.state

    @property
    def parts(self) -> ProcessParts:
        parts: ProcessParts = self.request.app.state
        return parts

    @property
    def uow(self) -> UnitOfWork:
        """The unit of work of a command that takes neither `If-Match` nor `Idempotency-Key`."""
        headers = replace(NO_HEADERS, traceparent=traceparent())
        return self.parts.unit_of_work(self.caller.actor, headers, self.caller.areas)

    @property
    def db(self) -> Database:
        return self.parts.db

    @property
    def clock(self) -> Clock:
        return self.parts.clock

    @property
    def wakeup(self) -> Wakeup:
        return self.parts.wakeup

    @property
    def http(self) -> httpx.AsyncClient:
        return self.parts.http

    @property
    def settings(self) -> Settings:
        return self.parts.settings


async def _context(request: Request) -> RequestContext:
    return RequestContext(request)


Context = Annotated[RequestContext, Depends(_context)]


class CommandRequestContext(RequestContext):
    """The same for a command: also what its headers say."""

    __slots__ = ("headers",)

    def __init__(self, request: Request, headers: CommandHeaders) -> None:
        super().__init__(request)
        self.headers = headers

    @property
    def uow(self) -> UnitOfWork:
        """The unit of work of this command."""
        return self.parts.unit_of_work(self.caller.actor, self.headers, self.caller.areas)


@documents_command_headers
async def _command_context(request: Request) -> CommandRequestContext:
    return CommandRequestContext(request, await command_headers(request))


CommandContext = Annotated[CommandRequestContext, Depends(_command_context)]
