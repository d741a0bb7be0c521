"""The claims of other identity providers: where roles, areas and names are found, and what is refused."""

from typing import Any

import pytest
from pydantic import ValidationError

from chassis.claims import ClaimInvalid, Claims, Principal
from chassis.settings import Settings
from chassis.testing import settings_for

KEYCLOAK = {"realm_access": {"roles": ["technician", "offline_access"]}, "preferred_username": "wang"}
ZITADEL = {"urn:zitadel:iam:org:project:roles": {"agent": {"2001": "example.org"}, "auditor": {"2001": "example.org"}}}
AUTH0 = {"https://linework.example/roles": ["supervisor"], "https://linework.example/areas": ["north"]}

# As their documentation describes them; neither was run here.
ENTRA = {
    "ver": "2.0",
    "oid": "6fb1…",
    "preferred_username": "wang@example.org",
    "roles": ["Field.Technician"],
    "scp": "access",
}
AUTHENTIK = {
    "preferred_username": "wang",
    "name": "王强",
    "groups": ["Field Crew", "authentik Admins"],
    "linework": {"areas": ["north"]},
}
AUTHING = {"scope": "openid profile linework", "work_roles": ["technician"], "work_areas": ["north"], "name": "王强"}


def principal(given: dict[str, Any], **names: Any) -> Principal:
    return Claims(**names).principal("token", {"sub": "u-1", "exp": 2_000_000_000, **given})


def test_a_dotted_path_finds_roles_inside_an_object() -> None:
    assert principal(KEYCLOAK, roles="realm_access.roles").roles == {"technician", "offline_access"}


def test_the_names_of_an_object_of_roles_are_the_roles() -> None:
    assert principal(ZITADEL, roles="urn:zitadel:iam:org:project:roles").roles == {"agent", "auditor"}


def test_a_namespaced_claim_with_dots_in_its_name_is_one_name() -> None:
    found = principal(AUTH0, roles="https://linework.example/roles", areas="https://linework.example/areas")
    assert (found.roles, found.areas) == ({"supervisor"}, ("north",))


def test_a_mapped_role_counts_and_no_other() -> None:
    found = principal({"roles": ["Field Crew", "operator", "Everybody"]}, role_map={"Field Crew": "technician"})
    assert found.roles == {"technician"}, "with a map, the provider's `operator` is not ours"


@pytest.mark.parametrize(
    ("given", "names", "areas"),
    [
        (ENTRA, {"roles": "roles", "role_map": {"Field.Technician": "technician"}, "absent_areas": ()}, ()),
        (
            AUTHENTIK,
            {"roles": "groups", "areas": "linework.areas", "role_map": {"Field Crew": "technician"}},
            ("north",),
        ),
        (AUTHING, {"roles": "work_roles", "areas": "work_areas"}, ("north",)),
    ],
    ids=["Entra", "authentik", "Authing"],
)
def test_the_settings_of_a_recipe_read_the_providers_token(
    given: dict[str, Any], names: dict[str, Any], areas: tuple[str, ...]
) -> None:
    found = principal(given, **names)
    assert (found.roles, found.areas) == ({"technician"}, areas)


def test_groups_that_entra_moves_out_of_a_token_that_grew_too_long_are_an_absent_claim() -> None:
    moved = {"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {"endpoint": "https://graph.example/"}}}
    assert principal(moved, roles="groups").roles is None


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"name": "王强", "preferred_username": "wang"}, "王强"),
        ({"preferred_username": "wang"}, "wang"),
        ({}, ""),
    ],
)
def test_a_name_falls_back_to_the_user_name(given: dict[str, Any], name: str) -> None:
    assert principal(given).name == name


@pytest.mark.parametrize("given", [{}, {"realm_access": {}}, {"realm_access": {"groups": ["technician"]}}])
def test_an_absent_claim_of_roles_is_not_an_empty_one(given: dict[str, Any]) -> None:
    assert principal(given, roles="realm_access.roles").roles is None
    assert principal({"realm_access": {"roles": []}}, roles="realm_access.roles").roles == frozenset()


@pytest.mark.parametrize(
    "given",
    [
        {"realm_access": ["technician"]},
        {"realm_access": [{"roles": ["technician"]}]},
        {"realm_access": None},
        {"realm_access": "technician"},
        {"realm_access": {"roles": None}},
        {"realm_access": {"roles": "technician"}},
        {"realm_access": {"roles": {"technician": True}}},
        {"realm_access": {"roles": {f"role {number}": {} for number in range(1001)}}},
    ],
)
def test_a_path_into_something_of_another_type_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ClaimInvalid) as refused:
        principal(given, roles="realm_access.roles")
    assert refused.value.reason == "roles"


def test_a_path_to_areas_that_is_null_is_refused_and_does_not_open_every_area() -> None:
    with pytest.raises(ClaimInvalid):
        principal({"linework": {"areas": None}}, areas="linework.areas")
    assert principal({"linework": {}}, areas="linework.areas").areas is None


def test_where_areas_are_required_a_token_without_the_claim_reaches_none() -> None:
    required = settings_for("postgresql://a@b/c", oidc_areas_claim="area_list", oidc_areas_required=True).claims
    given = {"sub": "u-1", "exp": 2_000_000_000, "areas": ["north"]}
    assert required.principal("token", given).areas == ()
    assert required.principal("token", {**given, "area_list": ["south"]}).areas == ("south",)


def test_the_settings_name_the_claims() -> None:
    settings = settings_for("postgresql://a@b/c", oidc_roles_claim="groups", oidc_role_map={"crew": "technician"})
    assert settings.claims == Claims(roles="groups", role_map={"crew": "technician"})
    assert settings_for("postgresql://a@b/c").claims == Claims()


@pytest.mark.parametrize("wrong", [{"oidc_role_map": {"crew": "plumber"}}, {"oidc_roles_claim": ""}])
def test_a_setting_that_can_never_match_stops_the_start(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        settings_for("postgresql://a@b/c", **wrong)


def test_a_role_map_that_is_not_json_stops_the_start_and_is_not_repeated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OIDC_ROLE_MAP", "{crew: technician}")
    with pytest.raises(SystemExit) as stopped:
        Settings.from_environment()
    assert "OIDC_ROLE_MAP: not a JSON object" in str(stopped.value)
    assert "crew" not in str(stopped.value)
