"""Each service's table of access: complete in itself, and public only where nothing of anybody can be seen."""

from collections.abc import Iterator

import pytest
from deploy.reference_pages import access_tables

from chassis import access as of_every_service
from contracts.access import EVERY_AREA, Grants, Reach, Role
from contracts.lifecycle import Service

TABLES = access_tables()
PAGES = {"GET /wallboard"}
"""Pages for browsers, which are empty until they are given a token."""
ROWS = [
    (service.value, row, grants) for service in Service for row, grants in TABLES[service].items() if row not in PAGES
]


def faults(row: str, grants: Grants | None) -> Iterator[str]:
    """What is wrong with a row of a service's own table."""
    method, path = row.split(" ")
    if method not in {"GET", "POST", "PUT", "PATCH", "DELETE"} or not path.startswith("/v1/"):
        yield "it is not a route of the API"
    if row in of_every_service.ROUTES:
        yield "every service has this route, and the chassis says who may use it"
    if not grants:
        yield "it is public, or granted to no role: then it should not be there"
    elif not all(isinstance(role, Role) and isinstance(reach, Reach) for role, reach in grants.items()):
        yield "it grants something else than a reach to a role"
    elif grants.get(Role.TECHNICIAN) is EVERY_AREA:
        yield "repair staff never see another area's orders"


@pytest.mark.parametrize(("service", "row", "grants"), ROWS, ids=[f"{service} {row}" for service, row, _ in ROWS])
def test_a_row_grants_a_route_of_the_api_to_some_role(service: str, row: str, grants: Grants | None) -> None:
    assert list(faults(row, grants)) == []


@pytest.mark.parametrize(
    ("row", "grants"),
    [
        ("GET /wallboard", {Role.AGENT: EVERY_AREA}),
        ("SEARCH /v1/work-orders", {Role.AGENT: EVERY_AREA}),
        ("GET /v1/parked", {Role.AGENT: EVERY_AREA}),
        ("GET /v1/work-orders", None),
        ("GET /v1/work-orders", {}),
        ("GET /v1/work-orders", {"agent": "every area"}),
        ("GET /v1/work-orders", {Role.TECHNICIAN: EVERY_AREA}),
    ],
)
def test_a_planted_fault_is_found(row: str, grants: Grants | None) -> None:
    assert len(list(faults(row, grants))) == 1


def test_every_service_has_a_table_and_only_reporting_has_a_page() -> None:
    assert len(TABLES) == 1 + len(Service)
    assert {(service, row) for service, table in TABLES.items() for row in table if row in PAGES} == {
        ("reporting", "GET /wallboard")
    }
