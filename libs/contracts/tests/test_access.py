"""How roles and reaches are read."""

from contracts.access import (
    EVERY_AREA,
    NO_AREA,
    OWN_AREAS,
    SELF,
    WHOLE,
    Reach,
    Role,
    reaches,
    role_in,
    scope_of,
)


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
