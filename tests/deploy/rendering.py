"""Renders a kustomization in Python, so that what is deployed can be checked where there is no kubectl.

It knows exactly the features that `deploy/k8s` uses and raises `Unknown` for any other; `test_rendering.py` compares it
with kustomize itself where that is installed.
"""

import copy
import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

Manifest = dict[str, Any]

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The fast one, where there is one: many manifests are read before the first test runs."""
_KNOWN = {
    *("apiVersion", "kind", "namespace", "namePrefix", "labels", "resources", "components", "patches", "images"),
    *("configMapGenerator", "generatorOptions"),
}
_KNOWN_OF_GENERATORS = {"name", "files"}
_WITHOUT_NAMESPACE = {"Namespace"}
_WITHOUT_PREFIX = {"Namespace"}
_WORKLOADS = ("Deployment", "StatefulSet", "Job")


class Unknown(Exception):
    """A kustomization asks for something that is not known here."""


def render(folder: Path) -> list[Manifest]:
    """What `kubectl kustomize FOLDER` prints, in any order."""
    kustomization = _read_kustomization(folder)
    manifests = list(_resources(folder, kustomization))
    for component in kustomization.get("components", []):
        _apply(folder / component, _read_kustomization(folder / component), manifests)
    _transform(folder, kustomization, manifests)
    return manifests


def _read_kustomization(folder: Path) -> Manifest:
    (kustomization,) = documents(folder / "kustomization.yaml")
    if unknown := set(kustomization) - _KNOWN:
        raise Unknown(f"{folder}: {sorted(unknown)}")
    return kustomization


def documents(file: Path) -> list[Manifest]:
    # By way of text, so that what an alias repeats is not one thing in two places.
    return json.loads(_as_json(file))


@cache
def _as_json(file: Path) -> str:
    return json.dumps([one for one in yaml.load_all(file.read_text(encoding="utf-8"), LOADER) if one])


def _resources(folder: Path, kustomization: Manifest) -> Iterator[Manifest]:
    for resource in kustomization.get("resources", []):
        path = folder / resource
        yield from render(path) if path.is_dir() else documents(path)
    for generator in kustomization.get("configMapGenerator", []):
        yield _config_map(folder, generator, kustomization.get("generatorOptions", {}))


def _config_map(folder: Path, generator: Manifest, options: Manifest) -> Manifest:
    """A file each key. Names without a hash only: with one, whoever refers to them would have to be changed too."""
    if set(generator) - _KNOWN_OF_GENERATORS or options.get("disableNameSuffixHash") is not True:
        raise Unknown(f"{folder}: a generated config map {generator['name']}")
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": generator["name"], "labels": dict(options.get("labels", {}))},
        "data": {Path(file).name: (folder / file).read_text(encoding="utf-8") for file in generator["files"]},
    }


def _apply(folder: Path, component: Manifest, manifests: list[Manifest]) -> None:
    """A component changes what the kustomization that names it has."""
    manifests += _resources(folder, component)
    _transform(folder, component, manifests)


def _transform(folder: Path, kustomization: Manifest, manifests: list[Manifest]) -> None:
    for patch in kustomization.get("patches", []):
        _patch(folder, patch, manifests)
    if namespace := kustomization.get("namespace"):
        for manifest in manifests:
            if manifest["kind"] not in _WITHOUT_NAMESPACE:
                manifest["metadata"]["namespace"] = namespace
    if prefix := kustomization.get("namePrefix"):
        _put_before_names(prefix, manifests)
    for labels in kustomization.get("labels", []):
        for manifest in manifests:
            _label(manifest, labels)
    for image in kustomization.get("images", []):
        for container in (found for manifest in manifests for found in containers_of(manifest)):
            if container["image"].split(":")[0] == image["name"]:
                container["image"] = f"{image['newName']}:{image['newTag']}"


def pod_of(manifest: Manifest) -> Manifest | None:
    """The pod's specification, of whatever makes pods."""
    if manifest["kind"] == "Pod":
        return manifest["spec"]
    return manifest["spec"]["template"]["spec"] if manifest["kind"] in _WORKLOADS else None


def containers_of(manifest: Manifest) -> list[Manifest]:
    pod = pod_of(manifest) or {}
    return [*pod.get("initContainers", []), *pod.get("containers", [])]


def _patch(folder: Path, patch: Manifest, manifests: list[Manifest]) -> None:
    text = patch["patch"] if "patch" in patch else (folder / patch["path"]).read_text(encoding="utf-8")
    change = yaml.load(text, LOADER)
    is_target = _targeted(patch["target"]) if "target" in patch else _same_as(change)
    targets = [manifest for manifest in manifests if is_target(manifest)]
    if not targets:
        raise Unknown(f"{folder}: a patch of nothing")
    for manifest in targets:
        if isinstance(change, list):
            for step in copy.deepcopy(change):
                _step(manifest, step)
        else:
            name = manifest["metadata"]["name"]
            _merge(manifest, copy.deepcopy(change))
            manifest["metadata"]["name"] = name


def _targeted(target: Manifest) -> Callable[[Manifest], bool]:
    pairs = [pair.partition("=") for pair in target.get("labelSelector", "").split(",") if pair]

    def is_target(manifest: Manifest) -> bool:
        labels = manifest["metadata"].get("labels", {})
        return (
            re.fullmatch(target.get("kind", ".*"), manifest["kind"]) is not None
            and re.fullmatch(target.get("name", ".*"), manifest["metadata"]["name"]) is not None
            and all(key in labels and (not is_equal or labels[key] == value) for key, is_equal, value in pairs)
        )

    return is_target


def _same_as(change: Manifest) -> Callable[[Manifest], bool]:
    def identity(manifest: Manifest) -> tuple[str, str]:
        return manifest["kind"], manifest["metadata"]["name"]

    return lambda manifest: identity(manifest) == identity(change)


def _step(manifest: Manifest, step: Manifest) -> None:
    """One operation of RFC 6902."""
    *path, last = step["path"].strip("/").split("/")
    place: Any = manifest
    for part in path:
        place = place[int(part)] if isinstance(place, list) else place[part]
    if step["op"] == "add" and isinstance(place, list) and last == "-":
        place.append(step["value"])
    elif step["op"] == "add" and isinstance(place, dict):
        place[last] = step["value"]
    elif step["op"] == "replace":
        key = int(last) if isinstance(place, list) else last
        place[key]  # what is replaced must be there
        place[key] = step["value"]
    else:
        raise Unknown(f"a patch {step}")


def _merge(place: Manifest, change: Manifest) -> None:
    """A merge of maps. What kustomize makes of merged lists depends on their kind and its own order: not used here."""
    for key, value in change.items():
        if isinstance(value, list):
            raise Unknown(f"a list in a merge: {key}")
        if isinstance(value, dict) and isinstance(place.get(key), dict):
            _merge(place[key], value)
        else:
            place[key] = value


def _put_before_names(prefix: str, manifests: list[Manifest]) -> None:
    names = {manifest["metadata"]["name"] for manifest in manifests}
    for manifest in manifests:
        if manifest["kind"] not in _WITHOUT_PREFIX:
            manifest["metadata"]["name"] = prefix + manifest["metadata"]["name"]
        for place, key in ((manifest.get("spec", {}), "serviceName"), (pod_of(manifest) or {}, "serviceAccountName")):
            if place.get(key) in names:
                place[key] = prefix + place[key]


def _label(manifest: Manifest, labels: Manifest) -> None:
    pairs, kind, spec = labels["pairs"], manifest["kind"], manifest.get("spec", {})
    in_templates = labels.get("includeSelectors") or labels.get("includeTemplates")
    places = [manifest["metadata"].setdefault("labels", {})]
    if in_templates and kind in _WORKLOADS:
        places.append(spec["template"].setdefault("metadata", {}).setdefault("labels", {}))
    if labels.get("includeSelectors"):
        if kind == "Service":
            places.append(spec["selector"])
        if kind in ("Deployment", "StatefulSet", "PodDisruptionBudget"):
            places.append(spec["selector"]["matchLabels"])
        spreads = (pod_of(manifest) or {}).get("topologySpreadConstraints", [])
        places += [spread["labelSelector"]["matchLabels"] for spread in spreads]
    for place in places:
        place |= pairs
