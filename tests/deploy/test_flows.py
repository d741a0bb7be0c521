"""The network lets through what the design says, and nothing else."""

from collections.abc import Iterable

import pytest
from tests.deploy.flows import Flow, Peer, elsewhere, open_flows, peers_of
from tests.deploy.rendering import Manifest, render
from tests.deploy.test_rendering import FOLDER

SERVICES = ("intake", "dispatch", "fieldwork", "qa", "reporting")
HTTP = tuple(f"{service}-http" for service in SERVICES)
WORKERS = tuple(f"{service}-worker" for service in SERVICES)
STRIMZI = {"strimzi.io/cluster": "linework"}

GATEWAY = elsewhere("gateway", "ingress", gateway=True)
DNS = Peer("dns", "kube-system", {"k8s-app": "kube-dns"}, {"dns": 53}, {"kubernetes.io/metadata.name": "kube-system"})
STRANGER = elsewhere("stranger", "default", {"app.kubernetes.io/part-of": "linework"})
WORLD = Peer("world", "", ports={"https": 443, "kubernetes": 6443}, address=True)
BROKER = Peer(
    "broker",
    labels={**STRIMZI, "strimzi.io/kind": "Kafka", "strimzi.io/broker-role": "true"},
    ports={"control": 9090, "replication": 9091, "clients": 9093, "agent": 8443, "metrics": 9404},
)
ENTITIES = Peer("entities", labels={**STRIMZI, "strimzi.io/component-type": "entity-operator"})
DATABASES = [
    Peer(
        f"{service}-database",
        labels={"cnpg.io/cluster": f"{service}-database"},
        ports={"postgres": 5432, "status": 8000, "metrics": 9187},
    )
    for service in SERVICES
]
COLLECTOR = Peer("monitoring", "monitoring", {}, {"otlp": 4318}, {"kubernetes.io/metadata.name": "monitoring"})
OPERATORS = [elsewhere("strimzi", "strimzi"), elsewhere("keda", "keda"), elsewhere("cnpg", "cnpg-system")]


def flows(senders: Iterable[str], receivers: Iterable[str], *ports: int) -> set[Flow]:
    receivers = list(receivers)
    return {(sender, receiver, port) for sender in senders for receiver in receivers for port in ports}


def of_every_installation(pods: Iterable[Peer]) -> set[Flow]:
    return (
        flows((pod.name for pod in pods), ["dns"], 53)
        | flows(["gateway"], HTTP, 8080)
        | flows(["dispatch-http", "fieldwork-http", "qa-http"], ["intake-http"], 8080)
    )


def local() -> tuple[list[Manifest], list[Peer], set[Flow]]:
    manifests = render(FOLDER / "overlays/local")
    pods = peers_of(manifests)
    migrations = [f"{service}-migrations" for service in SERVICES]
    expected = (
        of_every_installation(pods)
        | flows([*HTTP, *WORKERS, *migrations, "preparation"], ["postgres"], 5432)
        | flows([*WORKERS, "preparation"], ["kafka"], 9092)
        | flows(HTTP, ["issuer"], 8080)
    )
    return manifests, [*pods, GATEWAY, DNS, STRANGER, WORLD], expected


def production() -> tuple[list[Manifest], list[Peer], set[Flow]]:
    manifests = render(FOLDER / "overlays/production")
    pods = [*peers_of(manifests), BROKER, ENTITIES, *DATABASES]
    expected = of_every_installation(pods) | flows(HTTP, ["world"], 443)
    for service in SERVICES:
        own = [f"{service}-{part}" for part in ("http", "worker", "migrations")]
        expected |= flows(own, [f"{service}-database"], 5432)
        expected |= flows([f"{service}-database"], [f"{service}-database"], 5432, 8000)
    databases = [database.name for database in DATABASES]
    expected |= flows(["cnpg"], databases, 5432, 8000) | flows(databases, ["world"], 443, 6443)
    expected |= flows([*WORKERS, "keda"], ["broker"], 9093) | flows(["broker"], ["broker"], 9090, 9091)
    expected |= flows(["entities"], ["broker"], 9091) | flows(["entities"], ["world"], 443, 6443)
    expected |= flows(["strimzi"], ["broker"], 9090, 9091, 8443)
    expected |= flows(["monitoring"], HTTP, 8080) | flows(["monitoring"], WORKERS, 8081)
    expected |= flows(["monitoring"], databases, 9187) | flows(["monitoring"], ["broker"], 9404)
    expected |= flows([*HTTP, *WORKERS], ["monitoring"], 4318)
    return manifests, [*pods, GATEWAY, DNS, STRANGER, WORLD, COLLECTOR, *OPERATORS], expected


OVERLAYS = {"local": local, "production": production}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_flow_of_the_design_is_open_and_none_else(overlay: str) -> None:
    manifests, peers, expected = OVERLAYS[overlay]()
    found = open_flows(manifests, peers)
    assert sorted(found - expected) == []
    assert sorted(expected - found) == []


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_without_the_policy_that_denies_much_more_is_open(overlay: str) -> None:
    manifests, peers, expected = OVERLAYS[overlay]()
    kept = [one for one in manifests if (one["kind"], one["metadata"]["name"]) != ("NetworkPolicy", "nothing")]
    assert len(open_flows(kept, peers)) > 2 * len(expected) - 100
    assert ("stranger", "intake-http", 8080) not in open_flows(manifests, peers)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_each_policy_is_needed_or_denies(overlay: str) -> None:
    """What opens nothing is a leftover."""
    manifests, peers, expected = OVERLAYS[overlay]()
    useless = []
    for policy in (one for one in manifests if one["kind"] == "NetworkPolicy"):
        if open_flows([one for one in manifests if one is not policy], peers) == expected:
            useless.append(policy["metadata"]["name"])
    assert useless == []


def test_the_client_of_the_try_reaches_what_it_asks_and_no_database() -> None:
    manifests = [*render(FOLDER / "overlays/local"), *render(FOLDER / "client")]
    found = {flow for flow in open_flows(manifests, [*peers_of(manifests), DNS]) if flow[0] == "client"}
    assert found == (
        flows(["client"], ["dns"], 53)
        | flows(["client"], [*HTTP, "issuer"], 8080)
        | flows(["client"], WORKERS, 8081)
        | flows(["client"], ["kafka"], 9092)
    )
