"""On a cluster with Prometheus' operator everybody is watched, and alerts and dashboards come with the overlay."""

import copy
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from tests.deploy.flows import Peer, peers_of, selects
from tests.deploy.rendering import Manifest, render
from tests.deploy.test_rendering import FOLDER

PRODUCTION = render(FOLDER / "overlays/production")
OBSERVABILITY = FOLDER.parent / "observability"


def of_kind(kind: str, manifests: list[Manifest]) -> list[Manifest]:
    return [one for one in manifests if one["kind"] == kind]


def as_prometheus_has_it(label: str) -> str:
    return re.sub(r"\W", "_", label)


def asked_labels(manifests: list[Manifest]) -> set[str]:
    """The labels of pods that alerts and dashboards are about."""
    texts = [json.dumps(one["spec"]) for one in of_kind("PrometheusRule", manifests)]
    texts += [text for one in of_kind("ConfigMap", manifests) for text in one["data"].values()]
    return {label for text in texts for label in re.findall(r"\bapp_kubernetes_io_\w+", text)}


def faults(manifests: list[Manifest]) -> list[str]:
    """Who is not watched, or not under the labels that are asked for."""
    asked, found = asked_labels(manifests), []
    monitors = of_kind("PodMonitor", manifests)
    for peer in (one for one in peers_of(manifests) if one.labels["app.kubernetes.io/component"] in ("http", "worker")):
        watching = [one["spec"] for one in monitors if selects(one["spec"]["selector"], peer.labels)]
        if len(watching) != 1:
            found.append(f"{peer.name} is watched {len(watching)} times")
        for spec in watching:
            found += _faults_of(spec, peer, asked)
    return found


def _faults_of(spec: dict[str, Any], peer: Peer, asked: set[str]) -> list[str]:
    told = {as_prometheus_has_it(label) for label in spec.get("podTargetLabels", [])}
    ports = {endpoint["port"] for endpoint in spec["podMetricsEndpoints"]}
    return [f"{peer.name} is asked at {port}, which it does not have" for port in ports - set(peer.ports)] + [
        f"{peer.name} is not known by {label}" for label in sorted(asked - told)
    ]


def test_every_process_is_watched_once_under_the_labels_that_alerts_ask_for() -> None:
    assert asked_labels(PRODUCTION) == {"app_kubernetes_io_name", "app_kubernetes_io_component"}
    assert faults(PRODUCTION) == []


PLANTED: dict[str, Callable[[Manifest], Any]] = {
    "watched 0 times": lambda spec: spec["selector"]["matchLabels"].update({"app.kubernetes.io/part-of": "other"}),
    "which it does not have": lambda spec: spec["podMetricsEndpoints"][0].update(port="metrics"),
    "is not known by app_kubernetes_io_name": lambda spec: spec["podTargetLabels"].remove("app.kubernetes.io/name"),
}


@pytest.mark.parametrize("fault", PLANTED)
def test_a_planted_mistake_is_caught(fault: str) -> None:
    broken = copy.deepcopy(PRODUCTION)
    PLANTED[fault](next(one["spec"] for one in broken if one["kind"] == "PodMonitor"))
    assert any(fault in one for one in faults(broken))


def test_the_overlay_brings_every_alert_and_every_dashboard() -> None:
    (rule,) = of_kind("PrometheusRule", PRODUCTION)
    assert rule["spec"] == yaml.safe_load((OBSERVABILITY / "rules.yaml").read_text())["spec"]
    (dashboards,) = (
        one for one in of_kind("ConfigMap", PRODUCTION) if one["metadata"]["name"] == "linework-dashboards"
    )
    assert dashboards["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert set(dashboards["data"]) == {file.name for file in (OBSERVABILITY / "dashboards").glob("*.json")}
    assert rule["metadata"]["namespace"] == dashboards["metadata"]["namespace"] == "linework"


def test_a_cluster_of_ones_own_needs_no_operator_of_prometheus() -> None:
    kinds = {one["kind"] for one in render(FOLDER / "overlays/local")}
    assert not kinds & {"PodMonitor", "PrometheusRule"}
