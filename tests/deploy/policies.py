"""The rules that every rendered overlay keeps, each a function from the manifests to what is wrong, in sentences.

Not in here: what the operators of Strimzi and CloudNativePG make of their resources.
"""

import re
from collections.abc import Callable, Iterator, Sequence

from tests.deploy.rendering import Manifest, containers_of, pod_of

Rule = Callable[[Sequence[Manifest]], list[str]]

RUNNING = ("Deployment", "StatefulSet", "Pod")
_LIMITED = ("cpu", "memory")
_SECRET_WORDS = re.compile(r"password|secret|token|://[^/\s]+:[^/\s]+@|BEGIN [A-Z ]*PRIVATE KEY", re.IGNORECASE)


def name_of(manifest: Manifest) -> str:
    return f"{manifest['kind']} {manifest['metadata']['name']}"


def with_pods(manifests: Sequence[Manifest]) -> list[tuple[str, Manifest, Manifest]]:
    """Name, manifest and pod specification of whatever makes pods."""
    return [(name_of(one), one, pod) for one in manifests if (pod := pod_of(one))]


def _containers(manifests: Sequence[Manifest]) -> Iterator[tuple[str, Manifest]]:
    for manifest in manifests:
        for container in containers_of(manifest):
            yield f"{name_of(manifest)}, {container['name']}", container


def probes_everywhere(manifests: Sequence[Manifest]) -> list[str]:
    return [
        f"{name}, {container['name']} has no {probe}"
        for name, manifest, pod in with_pods(manifests)
        if manifest["kind"] in RUNNING
        for container in pod["containers"]
        for probe in ("readinessProbe", "livenessProbe")
        if not container.get(probe)
    ]


def limits_everywhere(manifests: Sequence[Manifest]) -> list[str]:
    return [
        f"{name} has no {kind} of {resource}"
        for name, container in _containers(manifests)
        for kind in ("requests", "limits")
        for resource in _LIMITED
        if resource not in container.get("resources", {}).get(kind, {})
    ]


def restricted_pods(manifests: Sequence[Manifest]) -> list[str]:
    found = []
    for name, _, pod in with_pods(manifests):
        context = pod.get("securityContext", {})
        if context.get("runAsNonRoot") is not True or not context.get("runAsUser"):
            found.append(f"{name} may run as root")
        if context.get("seccompProfile") != {"type": "RuntimeDefault"}:
            found.append(f"{name} has no seccomp profile")
        if any(pod.get(shared) for shared in ("hostNetwork", "hostPID", "hostIPC")):
            found.append(f"{name} shares a namespace of its node")
        found += [f"{name} mounts its node's files" for volume in pod.get("volumes", []) if "hostPath" in volume]
    return found


def restricted_containers(manifests: Sequence[Manifest]) -> list[str]:
    wanted = {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    return [
        f"{name} has {setting} {container.get('securityContext', {}).get(setting)}"
        for name, container in _containers(manifests)
        for setting, value in wanted.items()
        if container.get("securityContext", {}).get(setting) != value
    ]


def no_account_tokens(manifests: Sequence[Manifest]) -> list[str]:
    accounts = {one["metadata"]["name"]: one for one in manifests if one["kind"] == "ServiceAccount"}
    found = [f"{name_of(one)} gives a token" for one in accounts.values() if one["automountServiceAccountToken"]]
    for name, _, pod in with_pods(manifests):
        if pod.get("serviceAccountName", "default") == "default":
            found.append(f"{name} runs as the default account")
        if pod.get("automountServiceAccountToken") is not False:
            found.append(f"{name} gets a token")
    return found


def secrets_by_reference(manifests: Sequence[Manifest]) -> list[str]:
    found = [f"{name_of(one)} is in the manifests" for one in manifests if one["kind"] == "Secret"]
    found += [
        f"{name} has {entry['name']} in the clear"
        for name, container in _containers(manifests)
        for entry in container.get("env", [])
        if _SECRET_WORDS.search(f"{entry['name']}={entry.get('value', '')}")
        and "value" in entry
        and not entry["value"].startswith("/run/secrets/")
    ]
    found += [
        f"{name_of(one)} has {key} in the clear"
        for one in manifests
        if one["kind"] == "ConfigMap"
        for key, value in one.get("data", {}).items()
        if _SECRET_WORDS.search(f"{key}={value}") and not value.startswith("/run/secrets/")
    ]
    return found


def disruption_budgets(manifests: Sequence[Manifest]) -> list[str]:
    """Whatever runs on has one budget, and none forbids every disruption: a node could never be drained."""
    budgets = [one for one in manifests if one["kind"] == "PodDisruptionBudget"]
    found = [f"{name_of(one)} lets nobody go" for one in budgets if one["spec"].get("maxUnavailable") != 1]
    for manifest in manifests:
        if manifest["kind"] in ("Deployment", "StatefulSet"):
            labels = manifest["spec"]["template"]["metadata"]["labels"]
            count = sum(one["spec"]["selector"]["matchLabels"].items() <= labels.items() for one in budgets)
            if count != 1:
                found.append(f"{name_of(manifest)} has {count} budgets")
    return found


def rollouts_without_a_gap(manifests: Sequence[Manifest]) -> list[str]:
    """HTTP processes are replaced before they go; all have time to finish; nobody starts on an older schema."""
    found = []
    for name, manifest, pod in with_pods(manifests):
        component = manifest["metadata"].get("labels", {}).get("app.kubernetes.io/component")
        strategy = manifest["spec"].get("strategy", {}).get("rollingUpdate", {})
        if manifest["kind"] == "Deployment" and strategy.get("maxUnavailable") != 0:
            found.append(f"{name} takes a pod away before the next is ready")
        if component in ("http", "worker"):
            waits = [one["command"] for one in pod.get("initContainers", []) if "--wait" in one["command"]]
            found += [] if waits else [f"{name} does not wait for its schema"]
        if component == "worker" and (manifest["kind"] != "StatefulSet" or not _has_its_own_name(pod)):
            found.append(f"{name} does not keep its name")
        if pod.get("terminationGracePeriodSeconds", 30) < {"http": 25, "worker": 25}.get(component, 0):
            found.append(f"{name} is killed before it has finished")
        if "replicas" in manifest["spec"]:
            found.append(f"{name} has a number of replicas that each apply sets back")
    return found


def _has_its_own_name(pod: Manifest) -> bool:
    named = {"name": "WORKER_ID", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
    return named in pod["containers"][0]["env"]


def variables_before_their_use(manifests: Sequence[Manifest]) -> list[str]:
    """`$(NAME)` in a variable is filled in only from those that stand before it."""
    found = []
    for name, container in _containers(manifests):
        known: set[str] = set()
        for entry in container.get("env", []):
            used = set(re.findall(r"\$\((\w+)\)", entry.get("value", "")))
            found += [f"{name}: {entry['name']} uses {one} too early" for one in used - known]
            known.add(entry["name"])
        used = set(re.findall(r"\$\((\w+)\)", " ".join(container.get("command", []))))
        found += [f"{name}: its command uses {one}, which it does not have" for one in used - known]
    return found


def no_more_workers_than_partitions(manifests: Sequence[Manifest]) -> list[str]:
    partitions = {
        one["metadata"]["name"]: one["spec"]["partitions"] for one in manifests if one["kind"] == "KafkaTopic"
    }
    return [
        f"{name_of(one)} may have {one['spec']['maxReplicaCount']} workers on the "
        f"{partitions.get(trigger['metadata']['topic'], 0)} partitions of {trigger['metadata']['topic']}"
        for one in manifests
        if one["kind"] == "ScaledObject"
        for trigger in one["spec"]["triggers"]
        if one["spec"]["maxReplicaCount"] > partitions.get(trigger["metadata"]["topic"], 0)
    ]


def autoscalers_of_something(manifests: Sequence[Manifest]) -> list[str]:
    there = {(one["kind"], one["metadata"]["name"]) for one in manifests}
    return [
        f"{name_of(one)} scales {target.get('name')}, which is not there"
        for one in manifests
        if (target := one.get("spec", {}).get("scaleTargetRef")) and (target["kind"], target["name"]) not in there
    ]


def images_by_version(manifests: Sequence[Manifest]) -> list[str]:
    return [
        f"{name} has the image {container['image']}"
        for name, container in _containers(manifests)
        if ":" not in container["image"].rsplit("/")[-1] or container["image"].endswith(":latest")
    ]


RULES: tuple[Rule, ...] = (
    *(probes_everywhere, limits_everywhere, restricted_pods, restricted_containers, no_account_tokens),
    *(secrets_by_reference, disruption_budgets, rollouts_without_a_gap, variables_before_their_use),
    *(no_more_workers_than_partitions, autoscalers_of_something, images_by_version),
)
