"""The table of who may do what: complete in itself, and read in one way."""

import pytest

from contracts.access import (
    EVERY_AREA,
    NO_AREA,
    OF_EVERY_SERVICE,
    OF_SERVICE,
    OWN_AREAS,
    PAGES,
    SELF,
    WHOLE,
    Grants,
    Reach,
    Role,
    reaches,
    role_in,
    routes_of,
    scope_of,
)
from contracts.lifecycle import Service

ROWS = [(service, row, grants) for service, rows in OF_SERVICE.items() for row, grants in rows.items()]


def test_every_service_has_its_part_of_the_table() -> None:
    assert set(OF_SERVICE) == set(Service)
    for service in Service:
        pages = PAGES.get(service, {}).keys()
        assert routes_of(service).keys() == OF_SERVICE[service].keys() | pages | OF_EVERY_SERVICE.keys()
        assert not any(page.startswith("GET /v1/") for page in pages)


@pytest.mark.parametrize(("service", "row", "grants"), ROWS, ids=[f"{service} {row}" for service, row, _ in ROWS])
def test_a_route_of_a_service_is_granted_to_somebody_and_never_public(
    service: str, row: str, grants: Grants | None
) -> None:
    method, path = row.split(" ")
    assert method in {"GET", "POST", "PUT", "PATCH", "DELETE"}
    assert path.startswith("/v1/")
    assert row not in OF_EVERY_SERVICE
    assert grants, "public, or granted to nobody: then it should not be there"
    assert all(isinstance(role, Role) and isinstance(reach, Reach) for role, reach in grants.items())
    assert grants.get(Role.TECHNICIAN) is not EVERY_AREA, "repair staff never see another area's orders"


def test_without_areas_in_the_token_every_area_is_every_one_and_own_areas_none() -> None:
    assert {reach: scope_of(reach, None) for reach in Reach} == {
        EVERY_AREA: None,
        OWN_AREAS: (),
        WHOLE: None,
        NO_AREA: None,
        SELF: None,
    }


def test_areas_in_the_token_narrow_every_reach_and_shut_out_of_the_whole() -> None:
    assert {scope_of(reach, ("north",)) for reach in Reach} == {("north",)}
    assert {reach for reach in Reach if not reaches(reach, ("north",))} == {WHOLE}
    assert {reach for reach in Reach if not reaches(reach, None)} == {OWN_AREAS}


def test_an_empty_list_of_areas_is_no_area_and_not_every_one() -> None:
    assert {scope_of(reach, ()) for reach in Reach} == {()}
    assert {reach for reach in Reach if not reaches(reach, ())} == {OWN_AREAS, WHOLE}


def test_who_has_several_roles_acts_in_the_first_that_reaches_anything() -> None:
    grants = {Role.TECHNICIAN: OWN_AREAS, Role.SUPERVISOR: EVERY_AREA, Role.OPERATOR: WHOLE}
    both = frozenset({"supervisor", "technician", "somebody"})
    assert role_in(grants, both, ("north",)) is Role.TECHNICIAN
    assert role_in(grants, both, None) is Role.SUPERVISOR
    assert role_in(grants, frozenset({"technician"}), None) is Role.TECHNICIAN
    assert role_in(grants, frozenset({"technician", "operator"}), None) is Role.OPERATOR
    assert role_in(grants, frozenset({"agent", "Supervisor"}), None) is None
    assert role_in({}, frozenset(Role), None) is None
