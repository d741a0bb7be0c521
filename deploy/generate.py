"""Writes the manifests that follow from the published language: Kafka's topics and users, the workers' autoscaling.

    python -m deploy.generate [--check] [--root FOLDER]

Partners are the lines of `deploy/k8s/components/kafka/partners.txt`. The same code gives the same bytes. `--check`
writes nothing, names each file that differs and exits 1.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from contracts.lifecycle import Service
from contracts.topics import Topic
from contracts_tooling import generated
from deploy import kafka_rights
from deploy.kafka_rights import Rights
from reporting.republish import REFILLED

COMPONENTS = Path("deploy/k8s/components")
REPAIR = Path("deploy/k8s/repair")
PARTNERS = COMPONENTS / "kafka/partners.txt"
CLUSTER = {"strimzi.io/cluster": "linework"}
BOOTSTRAP_SERVERS = "linework-kafka-bootstrap:9093"
_HEADER = (
    "# Written by `python -m deploy.generate` from contracts.topics, contracts.catalogue and the services' consumers.\n"
)
_COPIES = 3
_LAG_OF_ONE_WORKER = 1_000
_PARTNER_QUOTAS = {"producerByteRate": 1_048_576, "consumerByteRate": 2_097_152, "requestPercentage": 10}

Manifest = dict[str, Any]


def topic_manifest(topic: Topic) -> Manifest:
    return {
        "apiVersion": "kafka.strimzi.io/v1",
        "kind": "KafkaTopic",
        "metadata": {"name": topic.name, "labels": dict(CLUSTER)},
        "spec": {
            "partitions": topic.partitions,
            "replicas": _COPIES,
            # Two of three copies have a record before its writer is told so; one broker may be away.
            "config": {**topic.config, "min.insync.replicas": "2"},
        },
    }


def _allow(kind: str, name: str, operations: Sequence[str], *, prefix: bool = False) -> Manifest:
    resource = {"type": kind, "name": name, "patternType": "prefix" if prefix else "literal"}
    return {"resource": resource, "operations": list(operations)}


def _user(name: str, acls: Sequence[Manifest], quotas: Mapping[str, int] | None = None) -> Manifest:
    spec: Manifest = {
        "authentication": {"type": "scram-sha-512"},
        "authorization": {"type": "simple", "acls": list(acls)},
    }
    if quotas:
        spec["quotas"] = dict(quotas)
    metadata = {"name": name, "labels": dict(CLUSTER)}
    return {"apiVersion": "kafka.strimzi.io/v1", "kind": "KafkaUser", "metadata": metadata, "spec": spec}


def user_manifest(rights: Rights, quotas: Mapping[str, int] | None = None) -> Manifest:
    acls = [_allow("topic", topic, ["Describe", "Write"]) for topic in rights.writes]
    acls += [_allow("topic", topic, ["Describe", "Read"]) for topic in rights.reads]
    if rights.reads:
        acls.append(_allow("group", rights.group_prefix, ["Describe", "Read"], prefix=True))
    if not rights.writes:
        # Every worker's relay asks for a producer's number at its start; who may write a topic gets one by that.
        acls.append({"resource": {"type": "cluster"}, "operations": ["IdempotentWrite"]})
    return _user(rights.user, acls, quotas)


def scaler_manifest() -> Manifest:
    """Whoever scales the workers sees how far they are behind, and no record."""
    acls = [_allow("topic", topic.name, ["Describe"]) for topic in kafka_rights.topics(())]
    acls += [_allow("group", f"{service.value}.", ["Describe"], prefix=True) for service in Service]
    return _user("scaler", acls)


def refill_manifest() -> Manifest:
    """Whoever fills a lost topic again: exists only for as long as that takes."""
    every = ["Create", "Delete", "Describe", "Read", "Write"]
    acls = [_allow("topic", topic.name, every) for topic in REFILLED]
    acls += [_allow("group", f"{service.value}.", ["Describe", "Read"], prefix=True) for service in Service]
    return _user("refill", acls)


def scaling_manifest(service: Service) -> Manifest:
    """A worker more for each thousand records of lag, never more than the topic with most partitions can keep busy."""
    heard = [topic for topic in kafka_rights.topics(()) if service in kafka_rights.readers(topic)]
    return {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": {"name": f"{service.value}-worker"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": f"{service.value}-worker"},
            "minReplicaCount": 2,
            "maxReplicaCount": min(topic.partitions for topic in heard),
            "pollingInterval": 15,
            "cooldownPeriod": 300,
            # Without figures nobody is taken away: whoever works, works on.
            "fallback": {"failureThreshold": 4, "replicas": 2, "behavior": "currentReplicasIfHigher"},
            "advanced": {"horizontalPodAutoscalerConfig": {"behavior": _SLOWLY_DOWN}},
            "triggers": [_lag(service, topic) for topic in heard],
        },
    }


_SLOWLY_DOWN = {
    "scaleDown": {"stabilizationWindowSeconds": 600, "policies": [{"type": "Pods", "value": 1, "periodSeconds": 120}]}
}


def _lag(service: Service, topic: Topic) -> Manifest:
    return {
        "type": "kafka",
        "metadata": {
            "bootstrapServers": BOOTSTRAP_SERVERS,
            "consumerGroup": f"{service.value}.{topic.name}",
            "topic": topic.name,
            "lagThreshold": str(_LAG_OF_ONE_WORKER),
            "offsetResetPolicy": "earliest",
            "allowIdleConsumers": "false",
            "sasl": "scram_sha512",
            "tls": "enable",
        },
        "authenticationRef": {"name": "scaler"},
    }


def documents(partners: Sequence[str]) -> dict[Path, str]:
    """The text of every generated file, by its path in the repository."""
    users = [user_manifest(rights) for rights in kafka_rights.rights_of_services(partners)]
    users += [user_manifest(kafka_rights.rights_of_partner(partner), _PARTNER_QUOTAS) for partner in partners]
    manifests = {
        COMPONENTS / "kafka/topics.yaml": [topic_manifest(topic) for topic in kafka_rights.topics(partners)],
        COMPONENTS / "kafka/users.yaml": [*users, scaler_manifest()],
        REPAIR / "user.yaml": [refill_manifest()],
        COMPONENTS / "scaling/workers.yaml": [scaling_manifest(service) for service in Service],
    }
    return {path: _HEADER + _text(found) for path, found in manifests.items()}


class _Plain(yaml.SafeDumper):
    """Repeats what is the same twice instead of pointing at it."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(manifests: Sequence[Manifest]) -> str:
    return "---\n".join(yaml.dump(one, Dumper=_Plain, sort_keys=False, width=120) for one in manifests)


def partners_of(root: Path) -> list[str]:
    lines = (line.split("#")[0].strip() for line in (root / PARTNERS).read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line]


def texts(root: Path) -> dict[Path, str]:
    return documents(partners_of(root))


def differences(root: Path) -> list[str]:
    return generated.differences(texts, root)


def main(arguments: list[str] | None = None) -> int:
    return generated.run("deploy.generate", (__doc__ or "").splitlines()[0], texts, arguments)


if __name__ == "__main__":
    sys.exit(main())
