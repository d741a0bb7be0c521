"""Who may talk to whom by the network policies of a rendered overlay, worked out as a cluster's network does it.

A flow is open when the sender's egress and the receiver's ingress both let it through. Pods outside of the namespace
stand for what an overlay counts on: the gateway, the operators, Prometheus, and the world by address.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.deploy.rendering import Manifest, pod_of

HOME = "linework"
Flow = tuple[str, str, int]
"""Sender, receiver, port."""


@dataclass(frozen=True)
class Peer:
    """A pod as policies see it; `address` is of one that is no pod at all."""

    name: str
    namespace: str = HOME
    labels: Mapping[str, str] = field(default_factory=dict)
    ports: Mapping[str, int] = field(default_factory=dict)
    namespace_labels: Mapping[str, str] = field(default_factory=dict)
    address: bool = False


def peers_of(manifests: Sequence[Manifest]) -> list[Peer]:
    """The pods that the manifests make themselves."""
    found = []
    for manifest in manifests:
        if pod := pod_of(manifest):
            template = manifest if manifest["kind"] == "Pod" else manifest["spec"]["template"]
            ports = {port["name"]: port["containerPort"] for one in pod["containers"] for port in one.get("ports", [])}
            found.append(Peer(manifest["metadata"]["name"], labels=template["metadata"]["labels"], ports=ports))
    return found


def elsewhere(name: str, namespace: str, labels: Mapping[str, str] = {}, *, gateway: bool = False) -> Peer:
    own = {"kubernetes.io/metadata.name": namespace} | ({"linework/gateway": "true"} if gateway else {})
    return Peer(name, namespace, labels, namespace_labels=own)


def selects(selector: Manifest, labels: Mapping[str, str]) -> bool:
    for rule in selector.get("matchExpressions", []):
        key, values = rule["key"], rule.get("values", [])
        held = {"In": labels.get(key) in values, "Exists": key in labels}
        if not held[rule["operator"]]:
            return False
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())


def _is_meant(peer: Manifest, other: Peer) -> bool:
    if "ipBlock" in peer or other.address:
        return "ipBlock" in peer and other.address
    if "namespaceSelector" in peer:
        if not selects(peer["namespaceSelector"], other.namespace_labels):
            return False
    elif other.namespace != HOME:
        return False
    return selects(peer.get("podSelector", {}), other.labels)


def _open_ports(
    policies: Sequence[Manifest], direction: str, one: Peer, other: Peer, receiver: Peer
) -> set[int] | None:
    """The ports that `one` opens to `other` in this direction; None for all."""
    if one.namespace != HOME or one.address:
        return None  # their own namespaces' matter
    own = [
        policy["spec"]
        for policy in policies
        if direction in policy["spec"]["policyTypes"] and selects(policy["spec"]["podSelector"], one.labels)
    ]
    if not own:
        return None
    side = "from" if direction == "Ingress" else "to"
    return {
        receiver.ports.get(entry["port"], entry["port"])
        for spec in own
        for rule in spec.get(direction.lower(), [])
        if any(_is_meant(peer, other) for peer in rule[side])
        for entry in rule["ports"]
    }


def open_flows(manifests: Sequence[Manifest], peers: Sequence[Peer]) -> set[Flow]:
    policies = [one for one in manifests if one["kind"] == "NetworkPolicy"]
    every = {port for peer in peers for port in peer.ports.values()}
    found = set()
    for sender in peers:
        for receiver in peers:
            if HOME in (sender.namespace, receiver.namespace):
                out = _open_ports(policies, "Egress", sender, receiver, receiver)
                into = _open_ports(policies, "Ingress", receiver, sender, receiver)
                ports = (every if out is None else out) & (every if into is None else into)
                found |= {(sender.name, receiver.name, port) for port in ports}
    return found
