"""`compose.yaml` is what Compose understands, and names only what exists. Nothing is started: no engine is needed."""

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose

from chassis.settings import Settings
from linework.client_addresses import find_addresses
from linework.ports import SERVICES

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "compose.yaml").read_text()
_VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")
SECRETS = {"POSTGRES_PASSWORD", "SEALING_MASTER_KEYS"}


def filled_in(text: str) -> dict[str, Any]:
    """With the defaults of the variables, as Compose reads it."""
    return yaml.safe_load(_VARIABLE.sub(lambda found: found[3] if found[2] == "-" else "given", text))


FILE = filled_in(TEXT)
PARTS: dict[str, dict[str, Any]] = FILE["services"]
PROGRAMS = {name for service in SERVICES for name in (service, f"{service}-worker")}


def test_it_is_what_the_specification_says() -> None:
    assert set(PyCompose.from_yaml(yaml.safe_dump(FILE)).service_names()) == set(PARTS)


def test_a_key_that_compose_does_not_know_is_caught() -> None:
    wrong = filled_in(TEXT.replace("healthcheck:", "helthcheck:"))
    with pytest.raises(ValueError, match="helthcheck"):
        PyCompose.from_yaml(yaml.safe_dump(wrong))


def test_every_service_has_an_http_process_a_worker_and_migrations_before_both() -> None:
    for service in SERVICES:
        assert PARTS[service]["command"] == ["python", "-m", f"{service}.main"]
        assert PARTS[f"{service}-worker"]["command"] == ["python", "-m", f"{service}.worker"]
        for program in (service, f"{service}-worker"):
            assert PARTS[program]["depends_on"] == {
                "postgres": {"condition": "service_healthy"},
                "kafka": {"condition": "service_healthy"},
                f"{service}-migrations": {"condition": "service_completed_successfully"},
            }


@pytest.mark.parametrize("name", sorted(PARTS))
def test_every_command_runs_what_exists(name: str) -> None:
    command = PARTS[name].get("command", [])
    if command[:2] == ["python", "-m"]:
        assert find_spec(command[2]) is not None
    for argument in command:
        if argument.endswith(".ini"):
            assert (ROOT / argument).exists()


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_every_setting_is_documented_and_every_required_one_given(name: str) -> None:
    known = {setting.upper(): field for setting, field in Settings.model_fields.items()}
    given = PARTS[name]["environment"]
    assert set(given) <= set(known)
    assert {setting for setting, field in known.items() if field.is_required()} <= set(given)
    assert given["DATABASE_URL"].endswith(f"/linework_{name.removesuffix('-worker')}")


def test_health_is_asked_where_the_process_listens() -> None:
    for name in PROGRAMS:
        port = PARTS[name]["environment"]["WORKER_PORT" if name.endswith("-worker") else "HTTP_PORT"]
        assert f"127.0.0.1:{port}/readyz" in PARTS[name]["healthcheck"]["test"][-1]
    ended = {"preparation", "tools", *(f"{service}-migrations" for service in SERVICES)}
    assert {name for name, part in PARTS.items() if "healthcheck" not in part} == ended


def test_the_command_finds_every_service() -> None:
    found = find_addresses(environ=PARTS["tools"]["environment"])
    for service in SERVICES:
        assert found.services[service] == f"http://{service}:{PARTS[service]['environment']['HTTP_PORT']}"
        assert found.workers[service].startswith(f"http://{service}-worker:")


def test_images_are_those_of_the_dockerfile_and_of_the_cluster() -> None:
    targets = re.findall(r"^FROM .* AS ([\w-]+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert {part["build"]["target"] for part in PARTS.values() if "build" in part} <= set(targets)
    cluster = "".join(path.read_text() for path in (ROOT / "deploy/k8s/overlays/local").glob("*.yaml"))
    for server in ("postgres", "kafka"):
        assert f"image: {PARTS[server]['image']}\n" in cluster


def test_no_secret_is_in_the_file_and_none_has_a_default() -> None:
    used = {found[1]: found[2] for found in _VARIABLE.finditer(TEXT) if found[1] in SECRETS and found[2]}
    assert used == dict.fromkeys(SECRETS, "?")
    assert set(re.findall(r"linework:([^@\s]+)@", TEXT)) == {"${POSTGRES_PASSWORD}"}
    assert ".env" in (ROOT / ".gitignore").read_text().split()


def test_the_gateway_is_the_only_one_reached_from_outside_and_forwards_the_api_only() -> None:
    assert [name for name, part in PARTS.items() if "ports" in part] == ["gateway"]
    text = (ROOT / "deploy/compose/Caddyfile").read_text()
    for service in SERVICES:
        assert (
            f"handle /api/{service}/v1/* {{\n\t\turi strip_prefix /api/{service}\n"
            f"\t\treverse_proxy {service}:{PARTS[service]['environment']['HTTP_PORT']}\n\t}}"
        ) in text
    assert text.count("reverse_proxy") == len(SERVICES)
