"""Workers that show Kafka a certificate: what a password leaves behind is gone, and its replacement there."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from tests.deploy.rendering import Manifest, containers_of, pod_of, render
from tests.deploy.schemas import faults
from tests.deploy.test_rendering import FOLDER, by_identity

from contracts.lifecycle import Service

OVERLAY = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"


@pytest.fixture(scope="module")
def manifests(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Manifest]:
    """Of an overlay that has the component, by kind and name."""
    folder = tmp_path_factory.mktemp("overlay")
    component = FOLDER / "components/kafka-certificates"
    parts = f"resources: [{FOLDER / 'overlays/production'}]\ncomponents: [{component}]\n"
    (folder / "kustomization.yaml").write_text(OVERLAY + parts)
    return {(one["kind"], one["metadata"]["name"]): one for one in render(folder)}


@pytest.mark.parametrize("service", [service.value for service in Service])
def test_a_worker_has_the_certificate_of_its_user_and_no_password(
    manifests: dict[tuple[str, str], Manifest], service: str
) -> None:
    worker = manifests["StatefulSet", f"{service}-worker"]
    (container,) = (one for one in containers_of(worker) if one["name"] == "worker")
    given = {one["name"]: one.get("value") for one in container["env"]}
    assert given.keys().isdisjoint({"KAFKA_USER", "KAFKA_PASSWORD"})
    assert given["KAFKA_BOOTSTRAP_SERVERS"] == "linework-kafka-bootstrap:9094"
    assert given["KAFKA_CA_FILE"] == "/run/secrets/kafka/ca.crt"
    mounted = {one["name"]: one["mountPath"] for one in container["volumeMounts"]}
    (volume,) = (one for one in pod_of(worker)["volumes"] if one["name"] == "kafka-user")
    files = {f"{mounted['kafka-user']}/{item['path']}" for item in volume["secret"]["items"]}
    assert files == {given["KAFKA_CERTIFICATE_FILE"], given["KAFKA_KEY_FILE"]}
    # Strimzi names the secret like the user.
    user = manifests["KafkaUser", volume["secret"]["secretName"]]
    assert user["spec"]["authentication"] == {"type": "tls"}
    assert user["metadata"]["name"] == f"{service}-worker"


def test_partners_and_the_autoscaler_keep_their_passwords(manifests: dict[tuple[str, str], Manifest]) -> None:
    users = [one for (kind, _), one in manifests.items() if kind == "KafkaUser"]
    with_password = [one for one in users if one["spec"]["authentication"]["type"] == "scram-sha-512"]
    assert len(with_password) == len(users) - len(Service)
    ports = {one["port"]: one["authentication"]["type"] for one in listeners(manifests)}
    assert ports == {9093: "scram-sha-512", 9094: "tls"}


def test_what_operators_read_is_right(manifests: dict[tuple[str, str], Manifest]) -> None:
    for kind, name in manifests:
        if kind in ("Kafka", "KafkaUser", "NetworkPolicy", "StatefulSet"):
            assert faults(manifests[kind, name]) == [], name


def listeners(manifests: dict[tuple[str, str], Manifest]) -> list[Manifest]:
    return manifests["Kafka", "linework"]["spec"]["kafka"]["listeners"]


def test_the_component_renders_as_kustomize_does_it(tmp_path: Path) -> None:
    if shutil.which("kubectl") is None:
        pytest.skip("there is no kubectl to compare with")
    shutil.copytree(FOLDER.parent, tmp_path / "deploy", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    folder = tmp_path / "deploy/k8s/overlays/certificates"
    folder.mkdir()
    (folder / "kustomization.yaml").write_text(
        f"{OVERLAY}resources: [../production]\ncomponents: [../../components/kafka-certificates]\n"
    )
    done = subprocess.run(["kubectl", "kustomize", str(folder)], capture_output=True, text=True, check=True)
    assert by_identity(list(yaml.safe_load_all(done.stdout))) == by_identity(render(folder))
