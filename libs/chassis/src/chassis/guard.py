"""Authentication and authorisation in front of every route, by the access table.

It wraps the route, so that no route can omit it: no body is read and no dependency resolved before the caller is
authenticated and authorised, and the names of the query's parameters are known. A route that the table does not name
stops the service at startup.
"""

import copy
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from chassis.auth import TokenMissing, TokenRefused
from chassis.claims import Principal
from chassis.openapi import SCHEME, document, documented, named
from chassis.query_parameters import KnownParameters, check_parameters, known_parameters
from contracts.access import WHOLE, AccessTable, Grants, Reach, Role, reaches, role_in, scope_of
from contracts.message import Actor
from contracts.refusals import Forbidden

_CALLER = "linework.caller"
_SEAT = "linework.seat"


class RoleNotAllowed(Forbidden):
    """This operation requires one of the roles {needed:role}; the token has {roles:role}."""

    zh = "此操作需要角色{needed:role}之一；令牌的角色为{roles:role}。"


class RolesClaimMissing(Forbidden):
    """The token has no claim of roles: the identity provider has to add one, see OIDC_ROLES_CLAIM."""

    zh = "令牌中没有角色声明：需由身份提供方添加，参见 OIDC_ROLES_CLAIM。"


class AreasNotEnough(Forbidden):
    """This operation covers all areas; the token is limited to some."""

    zh = "此操作涉及全部工区；令牌仅限部分工区。"


class RouteNotInTable(Exception):
    """A route without a row in the service's table of access: the service does not start."""

    def __init__(self, service: str, row: str) -> None:
        super().__init__(
            f"{service} serves {row}, which {service}/access.py does not list. Add a row to its ROUTES:"
            f' "{row}": {{OPERATOR: WHOLE}}, with the roles that may and how far each reaches; then run `make schema`,'
            " which prints it into docs/access.md."
        )


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, on this route."""

    sub: str
    name: str
    roles: frozenset[str]
    """All that the token has; what the caller does, they do in `role`."""
    role: str
    areas: tuple[str, ...] | None
    """The areas that they reach here; None is every one."""
    token: str

    @property
    def actor(self) -> Actor:
        return Actor(self.sub, self.role, self.name)


class Guard:
    """One route, which only those get to whom the table grants it."""

    def __init__(self, app: ASGIApp, grants: Mapping[str, Grants | None], parameters: KnownParameters | None) -> None:
        self._app = app
        self._grants = grants
        """By method; None is public."""
        self._parameters = parameters
        """Those that a query may have; None for any."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        grants = self._grants[scope["method"]]
        if grants is not None:
            state = scope["app"].state
            principal = await state.verifier.verify(bearer_of(scope))
            state.request_rate.take(principal.sub)
            scope[_CALLER] = admitted(principal, grants)
        if self._parameters is not None:
            check_parameters(scope, self._parameters)
        try:
            await self._app(scope, receive, send)
        finally:
            # Here and not where the stream is written: a stream whose client left at once was never begun.
            if (give_back := scope.pop(_SEAT, None)) is not None:
                give_back()


def bearer_of(scope: Scope) -> str:
    """The token of a request; raises `TokenMissing`, or `TokenRefused` where it is not clear which one counts."""
    found = [value for name, value in scope["headers"] if name == b"authorization"]
    if len(found) > 1:
        raise TokenRefused(reason="ambiguous")
    scheme, _, token = (found[0] if found else b"").decode("latin-1").partition(" ")
    if scheme.lower() != SCHEME or not token.strip():
        raise TokenMissing()
    return token.strip()


def admitted(principal: Principal, grants: Grants) -> Caller:
    """The caller within these grants; raises `RolesClaimMissing`, `RoleNotAllowed` or `AreasNotEnough`."""
    if principal.roles is None:
        raise RolesClaimMissing()
    role = role_in(grants, principal.roles, principal.areas)
    if role is None:
        raise RoleNotAllowed(needed=[*grants], roles=sorted(principal.roles))
    reach = grants[role]
    if _is_for_all_areas_only(reach, principal.areas):
        raise AreasNotEnough()
    return Caller(
        sub=principal.sub,
        name=principal.name,
        roles=principal.roles,
        role=role.value,
        areas=scope_of(reach, principal.areas),
        token=principal.token,
    )


def _is_for_all_areas_only(reach: Reach, areas: tuple[str, ...] | None) -> bool:
    return reach is WHOLE and not reaches(reach, areas)


def grants_of(
    table: AccessTable, roles: frozenset[str], areas: tuple[str, ...] | None
) -> Iterator[tuple[str, tuple[Role, Reach]]]:
    """The rows that `admitted` admits a caller to, each with the role they act in and how far it reaches."""
    for row, grants in table.items():
        role = role_in(grants, roles, areas) if grants else None
        if grants and role is not None and not _is_for_all_areas_only(grants[role], areas):
            yield row, (role, grants[role])


def caller_of(scope: Scope) -> Caller:
    """Who asks; only a route that is not public has one."""
    caller: Caller = scope[_CALLER]
    return caller


def hold_stream(scope: Scope) -> None:
    """Counts the answer as a live stream of the caller until it ends, however it ends; raises `TooManyStreams`."""
    if _SEAT not in scope:
        scope[_SEAT] = scope["app"].state.stream_seats.take(caller_of(scope).sub)


def guard(app: FastAPI, service: str, routes: Iterable[BaseRoute], table: AccessTable) -> None:
    """Makes these, each behind its guard, all the routes of the app; raises `RouteNotInTable`.

    They stand in the app's own list: a router that is included matches every request twice.
    """
    app.state.access = table
    app.router.routes[:] = [_guarded(service, route, table) for route in routes]
    # FastAPI documents that its document is extended by setting this attribute.
    app.openapi = partial(document, app)  # type: ignore[method-assign]


def rows_of(route: BaseRoute) -> dict[str, str]:
    """The rows that the table needs for a route, by method."""
    if not isinstance(route, Route):
        raise TypeError(f"{route} is neither a route of FastAPI nor of Starlette: it cannot be guarded")
    return {
        method: f"{'GET' if method == 'HEAD' else method} {route.path_format}" for method in sorted(route.methods or ())
    }


def _guarded(service: str, route: BaseRoute, table: AccessTable) -> Route:
    rows = rows_of(route)
    assert isinstance(route, Route)  # or `rows_of` has raised
    for row in rows.values():
        if row not in table:
            raise RouteNotInTable(service, row)
    # A copy: routers are made once, apps (in tests) many times.
    guarded = copy.copy(route)
    guarded.app = Guard(route.app, {method: table[row] for method, row in rows.items()}, known_parameters(route))
    if isinstance(guarded, APIRoute):
        named(guarded)
        if (grants := next(table[row] for row in rows.values())) is not None:
            documented(guarded, grants)
    return guarded
