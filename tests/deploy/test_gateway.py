"""Five services behind one host: each has its prefix, and only its API is behind it."""

import copy
import json
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from tests.deploy.rendering import Manifest, containers_of, render
from tests.deploy.schemas import faults
from tests.deploy.test_rendering import FOLDER, by_identity

from contracts.lifecycle import Service

OVERLAY = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"


@pytest.fixture(scope="module")
def manifests(tmp_path_factory: pytest.TempPathFactory) -> list[Manifest]:
    """Of an overlay that has the component."""
    folder = tmp_path_factory.mktemp("overlay")
    parts = f"resources: [{FOLDER / 'overlays/production'}]\ncomponents: [{FOLDER / 'components/gateway'}]\n"
    (folder / "kustomization.yaml").write_text(OVERLAY + parts)
    return render(folder)


def route_in(manifests: list[Manifest]) -> Manifest:
    (route,) = (one for one in manifests if one["kind"] == "HTTPRoute")
    return route


def test_the_route_is_what_the_gateway_api_accepts_and_a_planted_mistake_is_caught(manifests: list[Manifest]) -> None:
    route = route_in(manifests)
    assert faults(route) == []
    broken = copy.deepcopy(route)
    broken["spec"]["rules"][0]["matches"][0]["path"]["type"] = "Prefix"
    assert faults(broken)
    misspelt = copy.deepcopy(route)
    misspelt["spec"]["rules"][0]["backendRef"] = []
    assert faults(misspelt)


@pytest.mark.parametrize("service", [service.value for service in Service])
def test_each_prefix_leads_to_the_api_of_its_service_which_knows_it(manifests: list[Manifest], service: str) -> None:
    (rule,) = (
        rule
        for rule in route_in(manifests)["spec"]["rules"]
        if rule["matches"] == [{"path": {"type": "PathPrefix", "value": f"/{service}/v1"}}]
    )
    rewritten = {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/v1"}
    assert rule["filters"] == [{"type": "URLRewrite", "urlRewrite": {"path": rewritten}}]
    ((backend),) = rule["backendRefs"]
    named = {(one["kind"], one["metadata"]["name"]): one for one in manifests}
    ports = named["Service", backend["name"]]["spec"]["ports"]
    assert (backend["name"], backend["port"]) == (f"{service}-http", ports[0]["port"])
    (container,) = (one for one in containers_of(named["Deployment", f"{service}-http"]) if one["name"] == "http")
    assert {"name": "ROOT_PATH", "value": f"/{service}"} in container["env"]


def test_nothing_else_passes(manifests: list[Manifest]) -> None:
    rules = route_in(manifests)["spec"]["rules"]
    assert len(rules) == len(Service)
    assert all(match["path"]["value"].endswith("/v1") for rule in rules for match in rule["matches"])


def test_the_component_renders_as_kustomize_does_it(tmp_path: Path) -> None:
    if shutil.which("kubectl") is None:
        pytest.skip("there is no kubectl to compare with")
    shutil.copytree(FOLDER.parent, tmp_path / "deploy", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    folder = tmp_path / "deploy/k8s/overlays/prefixes"
    folder.mkdir()
    (folder / "kustomization.yaml").write_text(
        f"{OVERLAY}resources: [../../base]\ncomponents: [../../components/gateway]\n"
    )
    done = subprocess.run(["kubectl", "kustomize", str(folder)], capture_output=True, text=True, check=True)
    assert by_identity(list(yaml.safe_load_all(done.stdout))) == by_identity(render(folder))
    assert '"/qa"' in json.dumps(render(folder))
