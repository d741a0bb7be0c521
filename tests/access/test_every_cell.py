"""Every cell of the table of access is asked: each role and none, each route of each service, each foreign area.

That an area learns nothing of another is shown as it is meant: a caller who sees one area only gets, from every
list, search, count, figure, stream and single read, the very same answers whether the other area's orders
exist or not.
"""

from typing import Any

import pytest
from tests.access.asking import NORTH, SOUTH, Route, World, compared, every_route, questions, world

from chassis.testing import Databases, TestIssuer
from contracts.access import EVERY_AREA, NO_AREA, OWN_AREAS, SELF, WHOLE, Role
from contracts.lifecycle import Service

SERVICES = [*Service]
NOT_LET_IN = {"token_missing", "token_refused", "role_not_allowed", "areas_not_enough"}
NOBODIES: dict[str, dict[str, Any]] = {
    "no role": {"roles": []},
    "a role that does not exist": {"roles": ["root", "Operator", "operator ", "*"]},
    "an expired token": {"roles": [*Role], "exp": 1},
    "a token for another system": {"roles": [*Role], "aud": "elsewhere"},
}


def code_of(answer: Any) -> str | None:
    is_problem = answer.headers.get("content-type", "").startswith("application/problem+json")
    return answer.json()["code"] if is_problem else None


@pytest.mark.parametrize("service", SERVICES)
async def test_each_route_lets_in_whom_the_table_names_and_nobody_else(service: Service, databases: Databases) -> None:
    wrong: list[str] = []
    async with world(service, databases) as made:
        for route in every_route(service):
            for name, headers, expected in callers(route, made.running.issuer):
                answer = await made.ask(route, route.filled(), headers, json=route.body())
                code = code_of(answer)
                if (code if code in NOT_LET_IN else None) != expected:
                    wrong.append(f"{route.row} as {name}: {answer.status_code} {code}, not {expected}")
    assert wrong == []


def callers(route: Route, issuer: TestIssuer) -> list[tuple[str, dict[str, str], str | None]]:
    """Every kind of caller of a route, and the code of the expected refusal."""
    grants = route.grants or {}
    found: list[tuple[str, dict[str, str], str | None]] = [
        ("nobody", {}, "token_missing"),
        ("somebody else's key", TestIssuer().headers("operator", roles=[*Role]), "token_refused"),
    ]
    for name, claims in NOBODIES.items():
        expected = "token_refused" if {"exp", "aud"} & claims.keys() else "role_not_allowed"
        found.append((name, issuer.headers("x", **claims), expected))
    for role in Role:
        found.append((role, issuer.headers(role), None if role in grants else "role_not_allowed"))
        narrowed = "areas_not_enough" if grants.get(role) is WHOLE else None if role in grants else "role_not_allowed"
        found.append((f"{role} of {SOUTH}", issuer.headers(role, [SOUTH]), narrowed))
    return found


@pytest.mark.parametrize("service", SERVICES)
async def test_an_area_is_told_the_same_whether_another_areas_orders_exist_or_not(
    service: Service, databases: Databases
) -> None:
    routes = [one for one in every_route(service) if one.method == "GET" and one.reaches(EVERY_AREA, OWN_AREAS, SELF)]
    told: list[str] = []
    async with world(service, databases, SOUTH) as alone, world(service, databases, SOUTH, NORTH) as both:
        for route in routes:
            differs = False
            for path, params in questions(route, both):
                unlimited = await pair(route, path, params, alone, both, role=widest(route), areas=None)
                differs = differs or unlimited[0] != unlimited[1]
                for role in who_asks(route):
                    found = await pair(route, path, params, alone, both, role=role, areas=[SOUTH])
                    if found[0] != found[1]:
                        told.append(f"{route.row} {path} {params} as {role} of {SOUTH}: {found[1]}, alone {found[0]}")
            assert differs or not is_about_orders(route), f"{route.row}: the worlds are the same for every caller"
    assert told == []


def who_asks(route: Route) -> list[Role]:
    """Every role of a route; of figures, which are slow and the same for all roles, one role of each reach."""
    grants = route.grants or {}
    return list({reach: role for role, reach in grants.items()}.values()) if "{metric}" in route.path else list(grants)


def is_about_orders(route: Route) -> bool:
    """Whether the worlds, which differ in orders, must differ in this to a caller who sees every area.

    Nothing is late in them, so that there are no corrections to be told of.
    """
    is_told = route.path.startswith(("/v1/work-orders", "/v1/requests", "/v1/figures/{metric}", "/v1/wallboard"))
    return is_told and not route.path.endswith("/corrections")


def widest(route: Route) -> str:
    return next(role for role, reach in (route.grants or {}).items() if reach is not OWN_AREAS)


async def pair(
    route: Route, path: str, params: dict[str, Any], alone: World, both: World, *, role: str, areas: list[str] | None
) -> tuple[Any, Any]:
    """The answers of both worlds to the same caller."""
    answers = [
        compared(route, await one.ask(route, path, one.running.issuer.headers(role, areas), params=params))
        for one in (alone, both)
    ]
    return answers[0], answers[1]


@pytest.mark.parametrize("service", SERVICES)
async def test_repair_staff_without_an_area_are_told_nothing_of_any_order(
    service: Service, databases: Databases
) -> None:
    routes = [one for one in every_route(service) if one.reaches(OWN_AREAS) and one.method == "GET"]
    told: list[str] = []
    async with world(service, databases) as none, world(service, databases, NORTH) as some:
        for route in routes:
            for path, params in questions(route, some):
                found = await pair(route, path, params, none, some, role="technician", areas=None)
                if found[0] != found[1]:
                    told.append(f"{route.row} {path} {params}: {found[1]}, with no orders {found[0]}")
    assert told == []


@pytest.mark.parametrize("service", [Service.INTAKE, Service.DISPATCH, Service.FIELDWORK, Service.QA])
async def test_nobody_acts_on_an_order_of_a_foreign_area(service: Service, databases: Databases) -> None:
    acts = [one for one in every_route(service) if one.method != "GET" and "{order_id}" in one.path]
    wrong: list[str] = []
    async with world(service, databases, NORTH) as made:
        before = await rows(made)
        for route in acts:
            for role, reach in (route.grants or {}).items():
                assert reach in {EVERY_AREA, OWN_AREAS}, f"{route.row} is about one order: no reach of {reach}"
                for areas in [[SOUTH], None] if reach is OWN_AREAS else [[SOUTH]]:
                    for order_id in made.orders[NORTH]:
                        headers = made.running.issuer.headers(role, areas) | {"if-match": '"1"'}
                        answer = await made.ask(route, route.filled(order_id=order_id), headers, json=route.body())
                        if code_of(answer) != "work_order_not_found":
                            wrong.append(f"{route.row} {order_id} as {role} of {areas}: {answer.text}")
        assert await rows(made) == before
    assert wrong == []


async def rows(made: World) -> tuple[list[Any], list[Any]]:
    orders = await made.running.rows("select id, version, body from work_orders order by id")
    outbox = await made.running.rows("select id, payload from outbox order by id")
    return [tuple(row) for row in orders], [tuple(row) for row in outbox]


def test_what_belongs_to_no_area_says_nothing_of_any_order() -> None:
    """`NO_AREA` declares that a route shows no order: such a route takes no order's id."""
    routes = [one for service in SERVICES for one in every_route(service) if one.reaches(NO_AREA)]
    assert [one.row for one in routes if "{order_id}" in one.path] == []
