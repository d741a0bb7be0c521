"""The request context: a single dependency with the caller and the resources of the process.

    @router.get("/things")
    async def list_things(context: Context) -> Things:
        return await views.things(context.db, areas=context.caller.areas)

FastAPI resolves dependencies one by one for every request, and a POST with seven of them spends more time
there than in its own code; so a single dependency without sub-dependencies provides everything on demand.
"""

from dataclasses import replace
from typing import Annotated, Any

import httpx
from fastapi import Depends, FastAPI, Request

from chassis.clock import Clock
from chassis.commands import COMMAND_PARAMETERS, NO_HEADERS, CommandHeaders, command_headers
from chassis.database import Database
from chassis.guard import Caller, caller_of, hold_stream
from chassis.settings import Settings
from chassis.telemetry import traceparent
from chassis.unit_of_work import UnitOfWork
from chassis.wakeup import Wakeup


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
        grants = self.state.access[row]
        return grants is None or not self.caller.roles.isdisjoint(grants)

    def hold_stream(self) -> None:
        """Before an answer that goes on, such as server-sent events: one caller gets a few at a time.

        Raises `TooManyStreams`, which the route declares; the seat is given back when the answer ends.
        """
        hold_stream(self.request.scope)

    @property
    def app(self) -> FastAPI:
        return self.request.app

    @property
    def state(self) -> Any:
        """What lives as long as the process; the parts that every service has are properties here."""
        return self.request.app.state

    @property
    def uow(self) -> UnitOfWork:
        """The unit of work of a command that takes neither `If-Match` nor `Idempotency-Key`."""
        headers = replace(NO_HEADERS, traceparent=traceparent())
        return self.state.unit_of_work(self.caller.actor, headers, self.caller.areas)

    @property
    def db(self) -> Database:
        return self.state.db

    @property
    def clock(self) -> Clock:
        return self.state.clock

    @property
    def wakeup(self) -> Wakeup:
        return self.state.wakeup

    @property
    def http(self) -> httpx.AsyncClient:
        return self.state.http

    @property
    def settings(self) -> Settings:
        return self.state.settings


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
        return self.state.unit_of_work(self.caller.actor, self.headers, self.caller.areas)


async def _command_context(request: Request) -> CommandRequestContext:
    return CommandRequestContext(request, await command_headers(request))


_command_context.openapi_parameters = COMMAND_PARAMETERS
CommandContext = Annotated[CommandRequestContext, Depends(_command_context)]
