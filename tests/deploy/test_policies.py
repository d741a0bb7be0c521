"""Each rule holds in every overlay, and bites where it is broken on purpose."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.deploy import policies
from tests.deploy.rendering import Manifest, containers_of, pod_of, render
from tests.deploy.test_rendering import FOLDER

OVERLAYS = ("overlays/local", "overlays/production")


@pytest.mark.parametrize("rule", policies.RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("name", OVERLAYS)
def test_every_overlay_keeps_the_rule(name: str, rule: policies.Rule) -> None:
    assert rule(render(FOLDER / name)) == []


@pytest.mark.parametrize("name", ["client", "repair"])
def test_a_pod_for_a_time_keeps_the_rules_of_pods(name: str) -> None:
    manifests = render(FOLDER / name)
    for rule in (policies.limits_everywhere, policies.restricted_pods, policies.restricted_containers):
        assert rule(manifests) == []


def one(manifests: list[Manifest], kind: str, name: str) -> Manifest:
    (found,) = [manifest for manifest in manifests if (manifest["kind"], manifest["metadata"]["name"]) == (kind, name)]
    return found


def http(manifests: list[Manifest]) -> Manifest:
    return one(manifests, "Deployment", "qa-http")


def worker(manifests: list[Manifest]) -> Manifest:
    return one(manifests, "StatefulSet", "qa-worker")


def first(manifest: Manifest) -> Any:
    """The process itself; what runs before it stands first in `containers_of`."""
    return containers_of(manifest)[-1]


def pod(manifest: Manifest) -> Manifest:
    found = pod_of(manifest)
    assert found
    return found


def without(place: dict, key: str) -> None:
    del place[key]


def secret(manifests: list[Manifest]) -> None:
    manifests.append({"kind": "Secret", "metadata": {"name": "a"}, "data": {}})


PLANTED: list[tuple[policies.Rule, Callable[[list[Manifest]], Any]]] = [
    (policies.probes_everywhere, lambda all: without(first(http(all)), "livenessProbe")),
    (policies.probes_everywhere, lambda all: without(first(worker(all)), "readinessProbe")),
    (policies.limits_everywhere, lambda all: without(first(http(all))["resources"]["limits"], "memory")),
    (policies.limits_everywhere, lambda all: without(containers_of(http(all))[0], "resources")),
    (policies.restricted_pods, lambda all: pod(http(all))["securityContext"].update(runAsNonRoot=False)),
    (policies.restricted_pods, lambda all: pod(http(all))["securityContext"].update(runAsUser=0)),
    (policies.restricted_pods, lambda all: without(pod(worker(all))["securityContext"], "seccompProfile")),
    (policies.restricted_pods, lambda all: pod(worker(all)).update(hostNetwork=True)),
    (policies.restricted_pods, lambda all: pod(http(all))["volumes"].append({"name": "a", "hostPath": {"path": "/"}})),
    (
        policies.restricted_containers,
        lambda all: without(first(http(all))["securityContext"], "readOnlyRootFilesystem"),
    ),
    (policies.restricted_containers, lambda all: containers_of(http(all))[0].update(securityContext={})),
    (policies.no_account_tokens, lambda all: without(pod(http(all)), "serviceAccountName")),
    (policies.no_account_tokens, lambda all: without(pod(worker(all)), "automountServiceAccountToken")),
    (
        policies.no_account_tokens,
        lambda all: one(all, "ServiceAccount", "qa-account").update(automountServiceAccountToken=True),
    ),
    (policies.secrets_by_reference, secret),
    (policies.secrets_by_reference, lambda all: first(http(all))["env"].append({"name": "A_PASSWORD", "value": "b"})),
    (
        policies.secrets_by_reference,
        lambda all: one(all, "ConfigMap", "configuration")["data"].update(DATABASE_URL="postgresql://a:b@c/d"),
    ),
    (policies.disruption_budgets, lambda all: all.remove(one(all, "PodDisruptionBudget", "qa-worker"))),
    (
        policies.disruption_budgets,
        lambda all: one(all, "PodDisruptionBudget", "qa-http")["spec"].update(maxUnavailable=0),
    ),
    (
        policies.rollouts_without_a_gap,
        lambda all: http(all)["spec"]["strategy"]["rollingUpdate"].update(maxUnavailable=1),
    ),
    (policies.rollouts_without_a_gap, lambda all: without(pod(worker(all)), "initContainers")),
    (policies.rollouts_without_a_gap, lambda all: pod(worker(all)).update(terminationGracePeriodSeconds=5)),
    (policies.rollouts_without_a_gap, lambda all: worker(all).update(kind="Deployment")),
    (policies.rollouts_without_a_gap, lambda all: first(worker(all))["env"].pop(2)),
    (policies.rollouts_without_a_gap, lambda all: http(all)["spec"].update(replicas=1)),
    (policies.variables_before_their_use, lambda all: first(worker(all))["env"].reverse()),
    (policies.variables_before_their_use, lambda all: first(http(all))["env"].pop(0)),
    (
        policies.no_more_workers_than_partitions,
        lambda all: one(all, "ScaledObject", "qa-worker")["spec"].update(maxReplicaCount=13),
    ),
    (policies.autoscalers_of_something, lambda all: all.remove(http(all))),
    (policies.images_by_version, lambda all: first(http(all)).update(image="linework:latest")),
    (policies.images_by_version, lambda all: first(http(all)).update(image="registry.example:5000/linework")),
]


@pytest.mark.parametrize(("rule", "break_it"), PLANTED, ids=lambda value: getattr(value, "__name__", None))
def test_a_planted_violation_is_caught(rule: policies.Rule, break_it: Callable[[list[Manifest]], Any]) -> None:
    manifests = render(FOLDER / "overlays/production")
    break_it(manifests)
    assert rule(manifests)


def test_every_rule_has_a_planted_violation() -> None:
    assert {rule for rule, _ in PLANTED} == set(policies.RULES)
