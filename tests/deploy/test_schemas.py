"""Every manifest is what the API server and the operators' definitions accept, to the letter."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
from tests.deploy.rendering import Manifest, render
from tests.deploy.schemas import DEFINITIONS, faults, is_built_in
from tests.deploy.test_rendering import FOLDER, RENDERED

needs_definitions = pytest.mark.skipif(
    not DEFINITIONS.is_dir(), reason="the operators' resource definitions are not beside the repository"
)


def faults_of(manifests: list[Manifest]) -> list[str]:
    return [f"{one['kind']} {one['metadata']['name']}: {fault}" for one in manifests for fault in faults(one)]


@pytest.mark.parametrize("name", RENDERED)
def test_every_built_in_resource_is_valid_to_the_letter(name: str) -> None:
    manifests = [one for one in render(FOLDER / name) if is_built_in(one)]
    assert manifests
    assert faults_of(manifests) == []


@needs_definitions
def test_every_resource_of_an_operator_is_valid_to_the_letter() -> None:
    rendered = [*render(FOLDER / "overlays/production"), *render(FOLDER / "repair")]
    manifests = [one for one in rendered if not is_built_in(one)]
    assert {one["kind"] for one in manifests} >= _OF_OPERATORS
    assert faults_of(manifests) == []


_OF_OPERATORS = {"Kafka", "KafkaTopic", "KafkaUser", "Cluster", "ScaledObject", "PodMonitor", "PrometheusRule"}

PLANTED: list[tuple[str, Callable[[Manifest], Any]]] = [
    ("Deployment", lambda one: one["spec"].update(replica=2)),
    ("Deployment", lambda one: one["spec"]["template"]["spec"]["containers"][0].update(probe={})),
    ("NetworkPolicy", lambda one: one["spec"].update(policyTypes="Ingress")),
    ("PodDisruptionBudget", lambda one: one["spec"].update(maxUnavailble=1)),
]
PLANTED_OF_OPERATORS: list[tuple[str, Callable[[Manifest], Any]]] = [
    ("Kafka", lambda one: one["spec"].update(zookeeper={"replicas": 3})),
    ("KafkaTopic", lambda one: one["spec"].update(partition=12)),
    ("KafkaUser", lambda one: one["spec"]["authorization"]["acls"][0].update(operation="Write")),
    ("Cluster", lambda one: one["spec"].update(instances="three")),
    ("ScaledObject", lambda one: one["spec"].update(maxReplicas=12)),
    ("PodMonitor", lambda one: one["spec"].pop("selector")),
    ("PrometheusRule", lambda one: one["spec"]["groups"][0]["rules"][0].update({"for": "a minute"})),
    ("PrometheusRule", lambda one: one["spec"]["groups"][0]["rules"][0].update(severity="warning")),
]


def assert_caught(kind: str, break_it: Callable[[Manifest], Any]) -> None:
    whole = next(one for one in render(FOLDER / "overlays/production") if one["kind"] == kind)
    broken = copy.deepcopy(whole)
    break_it(broken)
    assert faults(whole) == []
    assert faults(broken)


@pytest.mark.parametrize(("kind", "break_it"), PLANTED, ids=lambda value: value if isinstance(value, str) else "")
def test_a_planted_mistake_is_caught(kind: str, break_it: Callable[[Manifest], Any]) -> None:
    assert_caught(kind, break_it)


@needs_definitions
@pytest.mark.parametrize(
    ("kind", "break_it"), PLANTED_OF_OPERATORS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_planted_mistake_in_an_operators_resource_is_caught(kind: str, break_it: Callable[[Manifest], Any]) -> None:
    assert_caught(kind, break_it)
