"""The caller: who they are and what they may do in this service, from the table that the guard enforces.

A client builds its menus and buttons from it, so that it never offers what would be refused.
"""

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from chassis.any_route import ANY
from chassis.guard import caller_of, grants_of
from chassis.problems import Responses
from contracts.access import AccessTable, Reach

router = APIRouter(prefix="/v1/me", tags=["me"])


class Permission(BaseModel):
    """A route that the caller may use, and how far they reach through it."""

    method: str
    path: str = Field(description="With its parameters, such as `/v1/parked/{parked_id}`.")
    role: str = Field(description="The role that the caller acts in.")
    reach: Reach


class Me(BaseModel):
    sub: str
    name: str
    roles: list[str] = Field(description="All roles of the token, also those that grant nothing here.")
    areas: list[str] | None = Field(description="The areas that the token names; null: it names none.")
    may: list[Permission] = Field(description="In the order of the table of access.")


@router.get("", responses=Responses.of(ANY))
async def get_me(request: Request) -> Me:
    """Who the caller is, and which routes of this service they may use."""
    caller = caller_of(request.scope)
    table: AccessTable = request.app.state.access
    return Me(
        sub=caller.sub,
        name=caller.name,
        roles=sorted(caller.roles),
        areas=None if caller.areas is None else list(caller.areas),
        may=[
            Permission(method=method, path=path, role=role, reach=reach)
            for row, (role, reach) in grants_of(table, caller.roles, caller.areas)
            for method, path in [row.split(" ", 1)]
        ],
    )
