"""Strict validation: a field that the API does not know is a mistake, also where the API itself would only warn."""

from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import yaml
from tests.deploy.rendering import LOADER, Manifest

KUBERNETES = "1.34"
DEFINITIONS = Path(__file__).parents[3] / "shared" / "k8s-lab" / "crds"
"""The real definitions of the operators' resources, where they are."""
OWN_DEFINITIONS = Path(__file__).parent / "definitions"
"""Those that are here."""
_BUILT_IN = ("v1", "apps/v1", "batch/v1", "policy/v1", "autoscaling/v2", "networking.k8s.io/v1")


def is_built_in(manifest: Manifest) -> bool:
    return manifest["apiVersion"] in _BUILT_IN


def faults(manifest: Manifest) -> list[str]:
    """What is wrong with a manifest, one sentence each."""
    return _built_in_faults(manifest) if is_built_in(manifest) else _custom_faults(manifest)


def _built_in_faults(manifest: Manifest) -> list[str]:
    try:
        kubernetes_validate.validate(manifest, KUBERNETES, strict=True)
    except (kubernetes_validate.ValidationError, kubernetes_validate.InvalidSchemaError) as error:
        return [str(getattr(error, "message", error))]
    return []


def _custom_faults(manifest: Manifest) -> list[str]:
    schema = _definitions().get((manifest["apiVersion"], manifest["kind"]))
    if schema is None:
        return [f"there is no {manifest['kind']} in {manifest['apiVersion']}"]
    return [
        f"{'/'.join(map(str, error.absolute_path))}: {error.message}"
        for error in jsonschema.Draft202012Validator(schema).iter_errors(manifest)
    ]


@cache
def _definitions() -> dict[tuple[str, str], Any]:
    """By version and kind, the schema of each custom resource."""
    found = {}
    for file in sorted([*OWN_DEFINITIONS.glob("*.yaml"), *DEFINITIONS.glob("*.yaml")]):
        definition = yaml.load(file.read_text(encoding="utf-8"), LOADER)
        spec = definition["spec"]
        for version in spec["versions"]:
            schema = strict(version["schema"]["openAPIV3Schema"])
            schema["properties"] |= {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {}}
            found[f"{spec['group']}/{version['name']}", spec["names"]["kind"]] = schema
    return found


def strict(schema: Any) -> Any:
    """A Kubernetes schema as a JSON Schema that refuses what it does not name."""
    if isinstance(schema, list):
        return [strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: strict(value) for key, value in schema.items()}
    if schema.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]}
    is_closed = not schema.get("x-kubernetes-preserve-unknown-fields")
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object" and is_closed:
        made.setdefault("additionalProperties", False)
    if schema.get("nullable") and isinstance(schema.get("type"), str):
        made["type"] = [schema["type"], "null"]
    # Formats such as int32 say nothing that the types do not.
    if isinstance(schema.get("format"), str):
        made.pop("format")
    return made
